"""Broader data for a run that is under way: candidates in; continuation shards and an account of what they add out."""

from pathlib import Path

from prefect import flow, runtime
from prefect.client.schemas.objects import State

from flows.curate import RUNNER, shown
from polyculture.compute.executor import local_workers
from polyculture.steps.jobs import top_up as job
from polyculture.steps.top_up import TopUpRequest, opened_top_up
from schemas.verdict import Verdict
from tasks.host import PrefectHost


def run_name() -> str:
    """`top-up <run> from <config>`, so that a person finds the run again."""
    given = runtime.flow_run.parameters
    return f"{runtime.flow_run.flow_name} {Path(given['run']).name} from {Path(given['candidates']).stem}"


@flow(name="top-up", flow_run_name=run_name, task_runner=RUNNER, persist_result=False)
def top_up(  # noqa: PLR0913, PLR0917 -- one parameter each for whoever deploys it
    run: str,
    consumed: str,
    candidates: str,
    tokens: int,
    tokens_per_step: int | None = None,
    out: str | None = None,
    workers: int | None = None,
    earlier: list[str] | None = None,
) -> State[Verdict]:
    """Choose from new candidates what broadens a run most, and write it as shards to go on with.

    Args:
        run: run directory of the parent.
        consumed: names of the shards that were read, separated by commas, or a number of steps.
        candidates: path of the configuration of the candidates.
        tokens: to add, at most.
        tokens_per_step: of the whole training job, with a number of steps.
        out: run directory; `runs/<name of the candidates>` if absent.
        workers: worker processes; one per core if absent. They do not change the output.
        earlier: run directories of top-ups of the run that the training reads after it, in this order.

    Returns:
        A completed state named after the verdict. The verdict itself is in the run directory.
    """
    before = tuple(map(Path, earlier or ()))
    asked = TopUpRequest(
        Path(run), consumed, tokens_per_step, Path(candidates), tokens, Path(out) if out else None, before
    )
    with opened_top_up(asked, local_workers(workers), lambda _: PrefectHost()) as (session, work):
        return shown(session, job.top_up(session, work))
