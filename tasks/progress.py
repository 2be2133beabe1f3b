"""Who is told how far a run is: whoever listens in this process, and the log of the Prefect run."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from prefect import Task, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.exceptions import MissingContextError

Listener = Callable[[str, int, int | None], None]
Given = ParamSpec("Given")
Result = TypeVar("Result")
_listeners: list[Listener] = []


def as_task(step: Callable[Given, Result], task_run_name: str | None = None) -> Task[Given, Result]:
    """A step as Prefect sees it. Prefect caches nothing: each step knows by digest what is done already."""
    return task(cache_policy=NO_CACHE, task_run_name=task_run_name)(step)


def listen(listener: Listener) -> None:
    """Call `listener(what, done, total)` at each step from now on; the total is None while it is unknown."""
    _listeners.append(listener)


class PrefectProgress:
    """Tells the listeners of this process, and the log of the Prefect run where there is one."""

    def log(self, message: str) -> None:
        """Write a line to the log."""
        try:
            get_run_logger().info(message)
        except MissingContextError:
            return

    def report(self, what: str, done: int, total: int | None) -> None:
        """Tell every listener."""
        for listener in _listeners:
            listener(what, done, total)
