"""Progress on standard error: bars on a terminal, plain lines, and not many, where the output goes elsewhere."""

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from cli.terminal import Terminal
from polyculture.storage.messages import escaped

if TYPE_CHECKING:
    from rich.progress import TaskID

LEAST_SILENCE, MOST_SILENCE = 2.5, 60.0  # seconds between two lines of which none says that something is done
SILENT_SHARE = 0.1  # of the time that has passed: a run of ten hours writes hundreds of lines, not ten thousand


class Display(Protocol):
    """Shows how far stages are. Its methods may be called by several threads."""

    def start(self) -> None:
        """Begin to show."""

    def stop(self) -> None:
        """End it."""

    def begin(self, what: str) -> None:
        """Show at once that a stage begins."""

    def update(self, what: str, done: int, total: int | None) -> None:
        """Show how far a stage is; a total of 1 stands for a stage that counts nothing."""


class ProgressDisplay:
    """Stages on standard error, with what is done, the seconds it took, and how long it will take yet."""

    def __init__(self, enabled: bool) -> None:
        """Show nothing unless `enabled`."""
        self._display: Display = Nothing() if not enabled else Bars() if sys.stderr.isatty() else Lines()

    def __enter__(self) -> Self:
        self._display.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._display.stop()

    def update(self, what: str, done: int, total: int | None) -> None:
        """Show that `done` of `total` are done; None is an unknown total, 1 that of a stage without parts."""
        self._display.update(what, done, total)

    @contextmanager
    def stage(self, what: str) -> Iterator[None]:
        """A stage of the command itself, shown from its first moment."""
        self._display.begin(what)
        yield
        self._display.update(what, 1, 1)

    @contextmanager
    def loading(self) -> Iterator[None]:
        """The stage in which libraries are loaded and, the first time, kernels are compiled."""
        from polyculture.compute.kernel_cache import has_kernels

        with self.stage("loading" if has_kernels(os.environ) else "compiling kernels, which is done once"):
            yield


class Nothing:
    """Shows nothing."""

    def start(self) -> None:
        """Do nothing."""

    def stop(self) -> None:
        """Do nothing."""

    def begin(self, what: str) -> None:
        """Do nothing."""

    def update(self, what: str, done: int, total: int | None) -> None:
        """Do nothing."""


class Bars:
    """A bar for each stage, on a terminal."""

    def __init__(self) -> None:
        """Load what draws."""
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description:<18}", markup=False),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[count]}", markup=False),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True, markup=False, emoji=False),
        )
        self._tasks: dict[str, TaskID] = {}
        self._lock = threading.Lock()

    def start(self) -> None:
        """Begin to draw."""
        self._progress.start()

    def stop(self) -> None:
        """Draw for the last time."""
        self._progress.stop()

    def begin(self, what: str) -> None:
        """Draw a stage that has done nothing yet."""
        self.update(what, 0, 1)

    def update(self, what: str, done: int, total: int | None) -> None:
        """Draw how far a stage is; one without parts moves until it is done."""
        with self._lock:
            if what not in self._tasks:
                self._tasks[what] = self._progress.add_task(escaped(what), total=None, count="")
            is_whole = total == 1 and done == 0
            self._progress.update(
                self._tasks[what], completed=done, total=None if is_whole else total, count=count_words(done, total)
            )


class Lines:
    """A line when a stage is done, and one from time to time while none is."""

    def __init__(self) -> None:
        """Print on standard error."""
        self._terminal = Terminal(is_error=True)
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._begun: dict[str, float] = {}
        self._state: dict[str, tuple[int, int | None]] = {}
        self._first = self._last = time.monotonic()

    def start(self) -> None:
        """Begin to watch for silence."""
        threading.Thread(target=self._watch, daemon=True).start()

    def stop(self) -> None:
        """Print no more."""
        self._stop.set()

    def begin(self, what: str) -> None:
        """Print the name of a stage."""
        with self._lock:
            self._note(what, 0, 1)
            self._print(f"{what} ...")

    def update(self, what: str, done: int, total: int | None) -> None:
        """Print a line if the stage is done."""
        with self._lock:
            self._note(what, done, total)
            if total is not None and done >= total:
                self._print(f"{what}: {_join(count_words(done, total), _seconds(self._passed(what)))}")
                del self._begun[what], self._state[what]

    def _note(self, what: str, done: int, total: int | None) -> None:
        self._begun.setdefault(what, time.monotonic())
        self._state[what] = done, total

    def _passed(self, what: str) -> float:
        return time.monotonic() - self._begun[what]

    def _print(self, line: str) -> None:
        self._last = time.monotonic()
        self._terminal.line(line)

    def _watch(self) -> None:
        while not self._stop.wait(LEAST_SILENCE / 5):
            with self._lock:
                now = time.monotonic()
                if now - self._last >= silence_after(now - self._first):
                    self._print(self.under_way())

    def under_way(self) -> str:
        """The stage that began last, since others wait for it."""
        if not self._state:
            return f"at work, {_seconds(time.monotonic() - self._first)}"
        what = next(reversed(self._begun))
        done, total = self._state[what]
        passed = self._passed(what)
        left = f"about {_seconds(passed * (total - done) / done)} left" if total and done else ""
        return f"{what}: {_join(count_words(done, total), _seconds(passed), left)} ..."


def silence_after(passed: float) -> float:
    """Longest silence, in seconds, after so many seconds of work."""
    return min(MOST_SILENCE, max(LEAST_SILENCE, passed * SILENT_SHARE))


def count_words(done: int, total: int | None) -> str:
    """Count of what is done, as people read it; nothing for a stage without parts."""
    if total == 1 or (total is None and not done):
        return ""
    return f"{done:,}" if total is None or total == done else f"{done:,} of {total:,}"


def _seconds(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes = seconds / 60
    if minutes < 100:
        return f"{minutes:.1f} min" if minutes < 10 else f"{minutes:.0f} min"
    return f"{minutes / 60:.1f} h"


def _join(*parts: str) -> str:
    return ", ".join(filter(None, parts))
