"""A host that runs the steps in this process, shows how far they are, and keeps what happened in the run directory."""

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

from polyculture.errors import Stopped, stop_behind
from polyculture.steps.session import Given, Listener, Quiet, Result, step_name
from schemas.journal import Event, JobRun, JournalEntry

JOURNAL = "journal.jsonl"
Found = TypeVar("Found")
Outcome = tuple[str, str]  # its name, and what is to be said of it


class Journal(Quiet):
    """Runs the steps here, and keeps a line for each beginning, end and message, run after run."""

    def __init__(self, path: Path, listener: Listener) -> None:
        """Keep lines at the end of a file.

        Args:
            path: of the file, in a folder that is there.
            listener: told of each step's progress.
        """
        self._path, self._listener, self._lock = path, listener, Lock()
        self._is_stopped = False  # then steps in threads fail for want of workers
        self._done: list[str] = []
        self._under_way: list[str] = []
        self._end_torn_line()

    def run_job(self, run: JobRun, job: Callable[[], Found], outcome: Callable[[Found], Outcome]) -> Found:
        """Do a whole job, and keep who it is and how it ended.

        Args:
            run: the job, for whoever lists it.
            job: does it.
            outcome: name of the end that a result is, and what is to be said of it.

        Raises:
            Stopped: a person or the machine stops it; the message says what was reached.
            Exception: whatever the job raises.
        """
        self._keep("opened", run=run)
        try:
            found = job()
        except BaseException as error:
            if stop_behind(error) is not None:
                reached = self._reached()
                self._keep("stopped", message=reached)
                raise Stopped(reached) from None
            self._keep("failed", message=str(error))
            raise
        self._keep("ended", *outcome(found))
        return found

    def run(self, step: Callable[Given, Result], /, *args: Given.args, **kwargs: Given.kwargs) -> Result:
        """Call the step, and keep when it began and how it ended."""
        name, shown = step_name(step, args), step_name(step, args).replace("_", " ")
        self._keep("begun", name)
        self._under_way.append(name)
        self._listener(shown, 0, 1)
        try:
            result = step(*args, **kwargs)
        except BaseException as error:
            self._keep("stopped" if self._is_stopped or stop_behind(error) else "failed", name, str(error))
            raise
        self._under_way.remove(name)
        self._done.append(name)
        self._keep("done", name)
        self._listener(shown, 1, 1)
        return result

    def run_each(self, step: Callable[..., Result], calls: Sequence[tuple[Any, ...]]) -> list[Result]:
        """Call the step from several threads."""
        try:
            return super().run_each(step, calls)
        except BaseException as error:
            self._is_stopped = self._is_stopped or stop_behind(error) is not None
            raise

    def log(self, message: str) -> None:
        """Keep a message."""
        self._keep("said", message=message)

    def report(self, what: str, done: int, total: int | None) -> None:
        """Tell the listener."""
        self._listener(what, done, total)

    def _end_torn_line(self) -> None:
        """Keep a line that a kill cut off from swallowing the next one."""
        with contextlib.suppress(OSError), self._path.open("rb+") as stream:
            if stream.seek(0, 2) and stream.seek(-1, 2) >= 0 and stream.read(1) != b"\n":
                stream.write(b"\n")

    def _reached(self) -> str:
        """What a job that stops has reached, in words."""
        under_way = f"during {self._under_way[0]}" if self._under_way else "between two steps"
        if not self._done:
            return f"{under_way}, before a step was done"
        steps = "1 step was" if len(self._done) == 1 else f"{len(self._done)} steps were"
        return f"{under_way}; {steps} done, the last of them {self._done[-1]}"

    def _keep(self, event: Event, step: str = "", message: str = "", run: JobRun | None = None) -> None:
        entry = JournalEntry(at=self.now(), event=event, step=step, message=message, run=run)
        # A line that cannot be kept stops no run: if the disk is full, the step that needs it says so.
        with self._lock, contextlib.suppress(OSError), self._path.open("a", encoding="utf-8") as stream:
            stream.write(entry.model_dump_json(exclude_none=True) + "\n")
