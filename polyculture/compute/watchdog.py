"""The watchdog of a worker: each piece of its work may take so many seconds of CPU time, and no more.

Two timers of the system run beside a piece. When the first one ends, OverdueError is raised in the piece: that stops
Python code and patterns. A library that does not come back hears of no exception, so the second timer ends the process,
which leaves a note of what it was at. `Local` then runs the calls again that were under way, and a piece with a note is
overdue at once. Both timers count CPU time of this process: a busy machine changes nothing.
"""

import faulthandler
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, ParamSpec, Self, TypeVar

from polyculture.errors import OutputError

Given = ParamSpec("Given")
Result = TypeVar("Result")
GRACE = 2  # a process ends after so many times the limit
MOST_ENDS = 8  # of processes for one call, until what is behind the last piece is given up too
END_SIGNAL = signal.SIGPROF
_NUMBER_BYTES = 8
_may_end = False


class OverdueError(Exception):
    """A piece of work takes longer than it may."""


def let_end() -> None:
    """Say that this process is a worker, which somebody replaces when it ends."""
    global _may_end  # noqa: PLW0603 -- set once, when a worker starts
    _may_end = True


class Watchdog:
    """Watches the pieces of one call. Use it as a context; the pieces must be the same when the call is run again.

    Attributes:
        is_spent: the call has ended so many processes that the caller shall give up more than a piece; the caller
            takes it back.
    """

    def __init__(self, seconds: float, notes: Path | None = None) -> None:
        """Watch with a limit.

        Args:
            seconds: CPU time of a piece; 0 for no limit.
            notes: beginning of the path of three small files that tell the next process what this one was at; without
                them it is not ended.
        """
        self._seconds, self._notes = seconds, notes
        self._number = 0
        self._overdue: list[int] = []
        self._is_working = self._is_on = False
        self._handler: Any = None
        self._at = self._hung = -1
        self.is_spent = False

    def __enter__(self) -> Self:
        if self._notes is not None and self._seconds:
            try:
                self._open(self._notes)
            except OSError as error:
                self._close()
                raise OutputError(
                    f"{self._notes}: cannot be written: {error.strerror or error}; see to the space there and to "
                    "permissions, and run the same command again: it goes on from what is whole"
                ) from error
        # Handlers belong to the main thread, which workers and commands work in.
        self._is_on = bool(self._seconds) and threading.current_thread() is threading.main_thread()
        if self._is_on:
            self._handler = signal.signal(signal.SIGVTALRM, self._stop)
            if _may_end and self._hung >= 0:
                faulthandler.register(END_SIGNAL, self._hung, all_threads=False, chain=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Take the handlers back."""
        if self._is_on:
            signal.signal(signal.SIGVTALRM, self._handler)
            if _may_end and self._hung >= 0:
                faulthandler.unregister(END_SIGNAL)
        self._close()

    def _close(self) -> None:
        for descriptor in (self._at, self._hung):
            if descriptor >= 0:
                os.close(descriptor)

    def run(self, work: Callable[Given, Result], *args: Given.args, **kwargs: Given.kwargs) -> Result:
        """Do a piece of work: a pure function, as it may be stopped anywhere.

        Raises:
            OverdueError: it took too long, now or in a process before this one.
        """
        self._number += 1
        if self._number in self._overdue:
            self.is_spent = self._overdue.index(self._number) + 1 >= MOST_ENDS
            raise self._error()
        if not self._is_on:
            return work(*args, **kwargs)
        try:
            try:
                self._start()
                return work(*args, **kwargs)
            finally:
                self._is_working = False
        finally:  # also where the time ends in the line above
            self._is_working = False
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)

    def _start(self) -> None:
        self._is_working = True
        if _may_end and self._hung >= 0:
            os.pwrite(self._at, self._number.to_bytes(_NUMBER_BYTES, "little"), 0)
            signal.setitimer(signal.ITIMER_PROF, GRACE * self._seconds)
        signal.setitimer(signal.ITIMER_VIRTUAL, self._seconds, self._seconds)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        if self._is_working:
            raise self._error()

    def _error(self) -> OverdueError:
        return OverdueError(f"over {self._seconds:g} seconds of CPU time")

    def _open(self, notes: Path) -> None:
        """Read what processes before this one left, and open the files for this one."""
        notes.parent.mkdir(parents=True, exist_ok=True)
        at, hung, overdue = (note_path(notes, kind) for kind in NOTES)
        with suppress(FileNotFoundError):
            self._overdue = [int(number) for number in overdue.read_text("ascii").split()]
        if hung.exists() and hung.stat().st_size and at.exists():
            self._overdue.append(int.from_bytes(at.read_bytes(), "little"))
            overdue.write_text("\n".join(map(str, self._overdue)), "ascii")
        self._at = os.open(at, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
        self._hung = os.open(hung, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC)


NOTES = ("at", "hung", "overdue")


def note_path(notes: Path, kind: str) -> Path:
    """The path of a note."""
    return notes.with_name(f"{notes.name}.{kind}")


def forget_notes(notes: Path) -> None:
    """Remove the notes of an earlier run, before a call is run for the first time."""
    for kind in NOTES:
        note_path(notes, kind).unlink(missing_ok=True)


UNWATCHED = Watchdog(0)
