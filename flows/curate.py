"""The main job: corpora in; one deduplicated, measured, mixed and gated set of shards out."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from prefect import flow, runtime
from prefect.client.schemas.objects import State
from prefect.states import Completed
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from polyculture.compute.executor import local_workers
from polyculture.job import Command
from polyculture.steps.jobs import curate as job
from polyculture.steps.open import opened
from polyculture.steps.session import WAITING, Session
from schemas.verdict import Verdict
from tasks.host import PrefectHost
from tasks.verdict import show_verdict

# Threads only wait here: the work is done in the executor's processes.
RUNNER: TaskRunner[Any] = ThreadPoolTaskRunner(max_workers=WAITING)


def run_name() -> str:
    """`curate <config>`, so that a person finds the run again."""
    return f"{runtime.flow_run.flow_name} {Path(runtime.flow_run.parameters['config']).stem}"


def opened_flow(command: Command, config: str, out: str | None, workers: int | None) -> AbstractContextManager[Session]:
    """A job of a configuration under way, with Prefect as its host; arguments as of a flow, errors as of `opened`."""
    folder = Path(out) if out else None
    return opened(command, Path(config), folder, local_workers(workers), lambda _: PrefectHost())


def shown(session: Session, verdict: Verdict) -> State[Verdict]:
    """Show a run that was judged in the dashboard; returns a completed state named after the verdict."""
    show_verdict(session.job.directory)
    return Completed(name=verdict.verdict.value, message=verdict.headline or verdict.verdict.value, data=verdict)


@flow(name="curate", flow_run_name=run_name, task_runner=RUNNER, persist_result=False)
def curate(config: str, out: str | None = None, workers: int | None = None) -> State[Verdict]:
    """Curate a corpus and judge it.

    Args:
        config: path of the configuration file.
        out: run directory; `runs/<name>` if absent.
        workers: worker processes; one per core if absent. They do not change the output.

    Returns:
        A completed state named after the verdict. The verdict itself is in the run directory.
    """
    with opened_flow("run", config, out, workers) as session:
        return shown(session, job.curate(session))
