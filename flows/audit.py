"""Measure and judge the input of a configuration; write no shards."""

from prefect import flow
from prefect.client.schemas.objects import State

from flows.curate import RUNNER, opened_flow, run_name, shown
from polyculture.steps.jobs import audit as job
from schemas.verdict import Verdict


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
    with opened_flow("audit", config, out, workers) as session:
        return shown(session, job.audit(session))
