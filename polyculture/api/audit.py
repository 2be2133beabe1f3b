"""`polyculture.audit`: measure and judge a corpus as it was delivered, from a notebook, without an orchestrator."""

from collections.abc import Mapping
from pathlib import Path

from polyculture.api.run import Run, open_run
from polyculture.compute.executor import make_executor
from polyculture.configuration import AUDIT_SUFFIX, read_config
from polyculture.steps.jobs import audit as job
from polyculture.steps.open import opened
from polyculture.steps.session import Quiet


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
    with opened("audit", given, folder, executor, lambda _: Quiet()) as session:
        job.audit(session)
    return open_run(folder)
