"""Prefect as the host of a job: each step is a task of the flow run, and what it says goes to that run's log."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, cast

from prefect import Task, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.exceptions import MissingContextError

from polyculture.steps.ingest import ingest_source
from polyculture.steps.session import Given, Quiet, Result, step_name

TASK_RUN_NAMES: dict[Callable[..., Any], str] = {ingest_source: "ingest {source}"}


@lru_cache
def as_task(step: Callable[..., Any]) -> Task[..., Any]:
    """A step as Prefect sees it. Prefect caches nothing: each step knows by digest what is done already."""
    return task(cache_policy=NO_CACHE, task_run_name=TASK_RUN_NAMES.get(step))(step)


class PrefectHost(Quiet):
    """Runs steps as tasks of the flow run that is under way."""

    def run(self, step: Callable[Given, Result], /, *args: Given.args, **kwargs: Given.kwargs) -> Result:
        """Run a step as a task."""
        name = step_name(step, args).replace("_", " ")
        self.report(name, 0, 1)
        result: Any = as_task(step)(*args, **kwargs)
        self.report(name, 1, 1)
        return cast("Result", result)

    def run_each(self, step: Callable[..., Result], calls: Sequence[tuple[Any, ...]]) -> list[Result]:
        """Run a step as a task for each call, several at a time."""
        futures = [as_task(step).submit(*call) for call in calls]
        return [future.result() for future in futures]

    def log(self, message: str) -> None:
        """Write a line to the log."""
        try:
            get_run_logger().info(message)
        except MissingContextError:
            return
