"""`polyculture.audit`: measure and judge a corpus as it was delivered, from a notebook, without an orchestrator."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from polyculture.api.run import Run, open_run
from polyculture.compute.executor import make_executor
from polyculture.configuration import AUDIT_SUFFIX, read_config
from polyculture.steps.attributes import add_attributes
from polyculture.steps.canary import write_canary
from polyculture.steps.deduplicate import deduplicate, shingle
from polyculture.steps.finish import give_verdict, write_manifest, write_report
from polyculture.steps.ingest import ingest_source, settle_documents
from polyculture.steps.measure import measure, measure_words
from polyculture.steps.open import claimed, clear_outputs, is_written
from polyculture.steps.session import Session
from schemas.accounts import FileAccount
from schemas.measures import Stage


def audit(
    config: str | Path | Mapping[str, object], out: str | Path | None = None, *, workers: int | None = None
) -> Run:
    """Measure and judge the input of a configuration, as `polyculture audit` does; write no shards.

    Args:
        config: path of a configuration file, or what would stand in one; paths in a mapping are relative to the current
            folder.
        out: run directory; `runs/<name>-audit` if None. An interrupted audit is resumed, a finished one is judged
            again.
        workers: worker processes. None: the work is done in this process, which is as fast for a few thousand documents
            and needs no guarded main module. The output is the same.

    Returns:
        The finished run.

    Raises:
        ConfigError: the configuration, an input or the run directory is not fit.
        PolycultureError: something went wrong on the way; the same call goes on from what is whole.
    """
    given = Path(config) if isinstance(config, str) else config
    name = read_config(given)[0].name
    folder = Path(out) if out is not None else Path("runs") / f"{name}{AUDIT_SUFFIX}"
    executor = make_executor(workers or 1, "local" if workers else "in_process")
    with claimed("audit", given, folder) as job, executor:
        session = Session(job, executor)
        if not is_written(job):
            clear_outputs(job)
            accounts = settle_documents(session, _read(session))
            add_attributes(session)
            write_canary(session)
            shingle(session)
            deduplicate(session)
            measure(session, (Stage.INPUT, Stage.DISTINCT))
            measure_words(session)
            write_manifest(session, accounts, [])
        give_verdict(job.directory, datetime.now(UTC).date())
        write_report(job.directory)
        job.directory.discard_work()
    return open_run(folder)


def _read(session: Session) -> Sequence[tuple[str, list[FileAccount]]]:
    """Read all sources, one after another."""
    return [(name, ingest_source(session, name)) for name in sorted(session.job.inputs)]
