"""A job under way: what to do, who does the work, and who is told how far it is."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from polyculture.compute.executor import Executor
from polyculture.corpus.workspace import Workspace
from polyculture.deduplication.search import Workplace
from polyculture.job import Job

POLL_SECONDS = 0.5


class Progress(Protocol):
    """Whoever is told how far a run is."""

    def log(self, message: str) -> None:
        """Hear that something is done, in a sentence."""
        ...

    def report(self, what: str, done: int, total: int | None) -> None:
        """Hear how far a step is; the total is None while it is unknown."""
        ...


class Quiet:
    """Progress that is told to nobody, as in a notebook."""

    def log(self, message: str) -> None:
        """Say nothing."""

    def report(self, what: str, done: int, total: int | None) -> None:
        """Say nothing."""


class Session:
    """A job under way. It is no dataclass, so that an orchestrator takes it as one thing and does not look inside."""

    def __init__(self, job: Job, executor: Executor, progress: Progress | None = None) -> None:
        """Bring a job together with what works on it.

        Args:
            job: what to do.
            executor: what runs the heavy part of its steps; it is opened and closed by the caller.
            progress: whoever is told; nobody if None.
        """
        self.job, self.executor, self.progress = job, executor, progress or Quiet()

    @property
    def workspace(self) -> Workspace:
        """The intermediate files of the job."""
        return self.job.workspace

    @property
    def workplace(self) -> Workplace:
        """Where near-duplicates are looked for."""
        return Workplace(self.workspace.folder / "near", self.executor.workers, self.progress.report)

    def of(self, job: Job) -> "Session":
        """The same, for another job."""
        return Session(job, self.executor, self.progress)

    def timed(self) -> "Watch":
        """Start to take the time of a step."""
        return Watch(self.progress)

    @contextmanager
    def polling(self, what: str, count: Callable[[], int]) -> Iterator[None]:
        """Inside the context, say twice a second how far a step of unknown total is; at its end, that it is done."""
        stop = threading.Event()

        def poll() -> None:
            while not stop.wait(POLL_SECONDS):
                self.progress.report(what, count(), None)

        thread = threading.Thread(target=poll, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
        self.progress.report(what, count(), count())


class Watch:
    """The time of one step."""

    def __init__(self, progress: Progress) -> None:
        """Start."""
        self._progress, self._start = progress, time.monotonic()

    def log(self, message: str) -> None:
        """Say that the step is done, and what it took."""
        self._progress.log(f"{message}, {self.seconds:.1f} s")

    @property
    def seconds(self) -> float:
        """Seconds so far."""
        return time.monotonic() - self._start
