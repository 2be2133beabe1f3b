"""Progress of long work: to whoever listens in this process, and to the log of the Prefect run."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prefect import get_run_logger
from prefect.exceptions import MissingContextError

Listener = Callable[[str, int, int | None], None]

POLL_SECONDS = 0.5
_listeners: list[Listener] = []


def listen(listener: Listener) -> None:
    """Call `listener(what, done, total)` at each step from now on; the total is None while it is unknown."""
    _listeners.append(listener)


def report(what: str, done: int, total: int | None) -> None:
    """Say how far a stage is."""
    for listener in _listeners:
        listener(what, done, total)


@contextmanager
def polling(what: str, count: Callable[[], int]) -> Iterator[None]:
    """Inside the context, say twice a second how far a stage of unknown total is; at its end, that it is done."""
    stop = threading.Event()

    def poll() -> None:
        while not stop.wait(POLL_SECONDS):
            report(what, count(), None)

    thread = threading.Thread(target=poll, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    report(what, count(), count())


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
