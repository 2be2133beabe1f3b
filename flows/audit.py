"""Measure and judge the input of a configuration; write no shards."""

from pathlib import Path

from prefect import flow
from prefect.client.schemas.objects import State

from flows.curate import RUNNER, run_name, shown
from polyculture.compute.executor import local_workers
from polyculture.steps.jobs import audit as job
from polyculture.steps.open import opened
from schemas.verdict import Verdict
from tasks.host import PrefectHost


@flow(name="audit", flow_run_name=run_name, task_runner=RUNNER, persist_result=False)
def audit(config: str, out: str | None = None, workers: int | None = None) -> State[Verdict]:
    """Measure a corpus as it was delivered, and judge it.

    Args:
        config: path of the configuration file.
        out: run directory; `runs/<name>` if absent.
        workers: worker processes; one per core if absent. They do not change the output.

    Returns:
        A completed state named after the verdict. The verdict itself is in the run directory.
    """
    folder = Path(out) if out else None
    with opened("audit", Path(config), folder, local_workers(workers), lambda _: PrefectHost()) as session:
        return shown(session, job.audit(session))
