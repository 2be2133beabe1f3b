"""A host that runs the steps in this process, shows how far they are, and keeps what happened in the run directory."""

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

from polyculture.errors import Stopped
from polyculture.steps.session import Given, Listener, Quiet, Result
from schemas.journal import Event, JournalEntry

JOURNAL = "journal.jsonl"


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

    def run(self, step: Callable[Given, Result], /, *args: Given.args, **kwargs: Given.kwargs) -> Result:
        """Call the step, and keep when it began and how it ended."""
        name = " ".join([step.__name__, *(text for text in args if isinstance(text, str))])
        self._keep("begun", name)
        try:
            result = step(*args, **kwargs)
        except BaseException as error:
            is_failure = isinstance(error, Exception) and not self._is_stopped
            self._keep("failed" if is_failure else "stopped", name, str(error))
            raise
        self._keep("done", name)
        return result

    def run_each(self, step: Callable[..., Result], calls: Sequence[tuple[Any, ...]]) -> list[Result]:
        """Call the step from several threads."""
        try:
            return super().run_each(step, calls)
        except (KeyboardInterrupt, Stopped):
            self._is_stopped = True
            raise

    def log(self, message: str) -> None:
        """Keep a message."""
        self._keep("said", "", message)

    def report(self, what: str, done: int, total: int | None) -> None:
        """Tell the listener."""
        self._listener(what, done, total)

    def _keep(self, event: Event, step: str, message: str = "") -> None:
        entry = JournalEntry(at=self.now(), event=event, step=step, message=message)
        # A line that cannot be kept stops no run: if the disk is full, the step that needs it says so.
        with self._lock, contextlib.suppress(OSError), self._path.open("a", encoding="utf-8") as stream:
            stream.write(entry.model_dump_json() + "\n")
