"""Open a job: check everything, claim the run directory, and see what is already done."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from polyculture.compute.executor import Executor
from polyculture.given import Given
from polyculture.job import Command, Job, open_job
from polyculture.steps.session import Host, Session
from polyculture.storage.commit import remove
from polyculture.storage.files import write_text
from polyculture.storage.run_directory import is_intact
from schemas.manifest import Manifest


@contextmanager
def claimed(
    command: Command, config: Path | Mapping[str, object] | Given, out: Path | None, more: Sequence[str] = ()
) -> Iterator[Job]:
    """A checked job that holds its run directory until the end of the block.

    Raises:
        ConfigError: the configuration, an input or the run directory is not fit.
        RunInUseError: another process holds the run directory.
    """
    job = open_job(command, config, out, more)
    with job.directory.lock():
        write_text(job.directory.state / "identity", job.identity + "\n")
        yield job


@contextmanager
def opened(
    command: Command,
    config: Path | Mapping[str, object] | Given,
    out: Path | None,
    executor: Executor,
    make_host: Callable[[Job], Host],
) -> Iterator[Session]:
    """A checked job under way, that holds its run directory until the end of the block.

    Args:
        command: run, audit or pilot.
        config: path of a configuration file, what would stand in one, or what `check_given` made of either.
        out: run directory; its default if None.
        executor: what runs the heavy part of the steps; opened and closed here.
        make_host: makes the host of the job.

    Raises:
        ConfigError: the configuration, an input or the run directory is not fit.
        RunInUseError: another process holds the run directory.
    """
    with claimed(command, config, out) as job, executor:
        yield Session(job, executor, make_host(job))


def is_written(job: Job) -> bool:
    """True if the run is already whole on disk.

    One whose listed files are not intact, or whose manifest is not the one that was written, is cleared, to be made
    again.
    """
    directory = job.directory
    if not directory.manifest.is_file():
        return False
    if directory.is_sealed():
        manifest = Manifest.model_validate_json(directory.manifest.read_bytes())
        if all(is_intact(directory.root, file) for file in manifest.files):
            return True
    remove(directory.verdict)
    remove(directory.manifest)
    return False


def clear_outputs(job: Job) -> None:
    """Delete what an interrupted run of the same identity left: outputs that are written anew, report and accounts.

    Shards stay: those that were committed are not written again, and the others are replaced or deleted.
    """
    directory = job.directory
    for folder in (
        directory.removed,
        directory.quarantined,
        directory.filtered,
        directory.unselected,
        directory.ledger,
        directory.report,
        job.workspace.accounts,
    ):
        shutil.rmtree(folder, ignore_errors=True)
    directory.top_up.unlink(missing_ok=True)
    directory.plan.unlink(missing_ok=True)
