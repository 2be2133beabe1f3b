"""Progress of long work: to whoever listens in this process, and to the log of the Prefect run."""

import time
from collections.abc import Callable

from prefect import get_run_logger
from prefect.exceptions import MissingContextError

Listener = Callable[[str, int, int], None]
_listeners: list[Listener] = []


def listen(listener: Listener) -> None:
    """Call `listener(what, done, total)` at each step from now on."""
    _listeners.append(listener)


def report(what: str, done: int, total: int) -> None:
    """Say how far a stage is."""
    for listener in _listeners:
        listener(what, done, total)


def log(message: str) -> None:
    """Write a line to the log of the Prefect run, where there is one."""
    try:
        get_run_logger().info(message)
    except MissingContextError:
        return


class Stopwatch:
    """Seconds since it was made."""

    def __init__(self) -> None:
        """Start."""
        self._start = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds so far."""
        return time.monotonic() - self._start
