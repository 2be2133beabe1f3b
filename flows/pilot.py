"""Forecast a corpus that is planned from a pilot of it."""

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.curate import RUNNER, opened_flow, run_name
from polyculture.steps.jobs import pilot as job
from schemas.pilot import PilotReport


@flow(name="pilot", flow_run_name=run_name, task_runner=RUNNER, persist_result=False)
def pilot(
    config: str,
    target_documents: int,
    out: str | None = None,
    largest_species: int | None = None,
    workers: int | None = None,
) -> State[PilotReport]:
    """Read a pilot as an audit does, and forecast the corpus of `target_documents` that it is a sample of.

    Args:
        config: path of the configuration file.
        target_documents: of all sources of the corpus.
        out: directory for `pilot.json`, `filtered/` and `quarantined/`; `runs/<name>` if absent.
        largest_species: documents that no species of the corpus exceeds, if known.
        workers: worker processes; one per core if absent. They do not change the output.

    Returns:
        A completed state named after the outcome.
    """
    with opened_flow("pilot", config, out, workers) as session:
        found = job.pilot(session, target_documents, largest_species)
    return Completed(name=found.outcome.name, message=found.outcome.name, data=found)
