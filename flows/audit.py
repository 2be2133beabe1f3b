"""Measure and judge the input of a configuration; write no shards."""

from prefect import flow
from prefect.client.schemas.objects import State

from flows.curate import RUNNER, close, ingest, run_name
from polyculture.steps.open import clear_outputs, is_written
from schemas.measures import Stage
from schemas.verdict import Verdict
from tasks.attributes import add_attributes
from tasks.canary import write_canary
from tasks.deduplicate import deduplicate, shingle
from tasks.finish import write_manifest
from tasks.measure import measure, measure_words
from tasks.open import opened


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
    with opened("audit", config, out, workers) as session:
        if not is_written(session.job):
            clear_outputs(session.job)
            accounts = ingest(session)
            add_attributes(session)
            write_canary(session)
            shingle(session)
            deduplicate(session)
            measure(session, (Stage.INPUT, Stage.DISTINCT))
            measure_words(session)
            write_manifest(session, accounts, [])
        return close(session)
