"""Copy a finished run to its destination."""

from pathlib import Path

from polyculture.publish.run import Answers, Target, publish_directory
from polyculture.steps.session import Host
from polyculture.storage.run_directory import RunDirectory
from schemas.publication import Publication


def publish_run(run: Path, target: Target, answers: Answers, host: Host) -> Publication:
    """Publish a run, if the gate or a person lets it.

    Args:
        run: run directory.
        target: where to.
        answers: who answers for it, and why, if it is not GO.
        host: told of the bytes; its time is the approval's.

    Raises:
        ConfigError: there is no finished run.
        GateClosedError: the verdict is not GO, and nobody answers for it.
        PolycultureError: the run or its verdict is damaged, or the copy failed.
        RunInUseError: another process holds the run directory.
    """
    done = publish_directory(
        RunDirectory(run.absolute()),
        target,
        answers,
        host.now().replace(microsecond=0),
        lambda copied, total: host.report("published bytes", copied, total),
    )
    host.log(f"published to {done.url}: {done.copied} files written, {done.files} read back")
    return done
