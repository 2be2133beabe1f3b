"""A job under way: what to do, what does the work, and who runs the steps and is told how far they are."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from polyculture.compute.executor import Executor
from polyculture.corpus.workspace import Workspace
from polyculture.deduplication.search import Workplace
from polyculture.job import Job

POLL_SECONDS = 0.5
WAITING = 4  # threads that wait for the executor's workers
Listener = Callable[[str, int, int | None], None]  # what is done, how much of it, and the total if it is known
Given = ParamSpec("Given")
Result = TypeVar("Result")
Item = TypeVar("Item")


class Host(Protocol):
    """Whoever has a job done: it runs the steps, and is told how far they are."""

    def run(self, step: Callable[Given, Result], /, *args: Given.args, **kwargs: Given.kwargs) -> Result:
        """Run a step to its end, and return its result; whatever it raises is raised."""
        ...

    def run_each(self, step: Callable[..., Result], calls: Sequence[tuple[Any, ...]]) -> list[Result]:
        """Run a step once for each call, several at a time, and return the results in the order of the calls."""
        ...

    def log(self, message: str) -> None:
        """Hear that something is done, in a sentence."""
        ...

    def report(self, what: str, done: int, total: int | None) -> None:
        """Hear how far a step is; the total is None while it is unknown."""
        ...

    def now(self) -> datetime:
        """Say what time it is, in UTC: waivers and approvals depend on it."""
        ...


def step_name(step: Callable[..., object], args: Sequence[object]) -> str:
    """Name of a step in accounts: its function's, and what it is given as text."""
    return " ".join([step.__name__, *(text for text in args if isinstance(text, str))])


class Quiet:
    """A host that runs the steps in this process and says nothing, as in a notebook."""

    def run(self, step: Callable[Given, Result], /, *args: Given.args, **kwargs: Given.kwargs) -> Result:
        """Call the step."""
        return step(*args, **kwargs)

    def run_each(self, step: Callable[..., Result], calls: Sequence[tuple[Any, ...]]) -> list[Result]:
        """Call the step from several threads, which wait while the executor works."""
        pool = ThreadPoolExecutor(WAITING)
        try:
            futures = [pool.submit(self.run, step, *call) for call in calls]
            return [future.result() for future in futures]
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # what is under way ends with its executor

    def log(self, message: str) -> None:
        """Say nothing."""

    def report(self, what: str, done: int, total: int | None) -> None:
        """Say nothing."""

    def now(self) -> datetime:
        """Ask the clock."""
        return datetime.now(UTC)


class Session:
    """A job under way. It is no dataclass, so that an orchestrator takes it as one thing and does not look inside."""

    def __init__(self, job: Job, executor: Executor, host: Host | None = None) -> None:
        """Bring a job together with what works on it.

        Args:
            job: what to do.
            executor: what runs the heavy part of its steps; it is opened and closed by the caller.
            host: what runs the steps and is told of them; this process, quietly, if None.
        """
        self.job, self.executor, self.host = job, executor, host or Quiet()

    def run(
        self, step: Callable[Concatenate["Session", Given], Result], /, *args: Given.args, **kwargs: Given.kwargs
    ) -> Result:
        """Let the host run a step of this session."""
        return self.host.run(step, self, *args, **kwargs)

    def run_each(self, step: Callable[["Session", Item], Result], items: Sequence[Item]) -> list[Result]:
        """Let the host run a step for each item, several at a time if there are workers for that; results in order."""
        if self.executor.workers == 1:
            return [self.host.run(step, self, item) for item in items]
        return self.host.run_each(step, [(self, item) for item in items])

    @property
    def workspace(self) -> Workspace:
        """The intermediate files of the job."""
        return self.job.workspace

    @property
    def workplace(self) -> Workplace:
        """Where near-duplicates are looked for."""
        return Workplace(self.workspace.folder / "near", self.executor.workers, self.host.report)

    def of(self, job: Job) -> "Session":
        """The same, for another job."""
        return Session(job, self.executor, self.host)

    def timed(self) -> "Watch":
        """Start to take the time of a step."""
        return Watch(self.host)

    @contextmanager
    def polling(self, what: str, count: Callable[[], int]) -> Iterator[None]:
        """Inside the context, say twice a second how far a step of unknown total is; at its end, that it is done."""
        stop = threading.Event()

        def poll() -> None:
            while not stop.wait(POLL_SECONDS):
                self.host.report(what, count(), None)

        thread = threading.Thread(target=poll, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
        self.host.report(what, count(), count())


class Watch:
    """The time of one step."""

    def __init__(self, host: Host) -> None:
        """Start."""
        self._host, self._start = host, time.monotonic()

    def log(self, message: str) -> None:
        """Say that the step is done, and what it took."""
        self._host.log(f"{message}, {self.seconds:.1f} s")

    @property
    def seconds(self) -> float:
        """Seconds so far."""
        return time.monotonic() - self._start
