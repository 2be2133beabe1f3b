"""What the stages of a command cost: CPU seconds of all its processes, and the time that passed."""

import threading
import time
from collections import defaultdict

from cli.cpu_time import tree_cpu_seconds
from cli.terminal import Terminal
from polyculture.steps.session import Listener

BETWEEN = "between stages"
_OF_ALL_SOURCES = "ingest"  # sources are read side by side: they are one stage


class StageCosts:
    """Listens to how far stages are, and counts what each costs. Its methods may be called by several threads."""

    def __init__(self, listener: Listener) -> None:
        """Count from now on, and pass on all that is heard."""
        self._listener, self._lock = listener, threading.Lock()
        self._under_way: list[str] = []  # one stage, perhaps several times; parts of it are not listed
        self._cpu, self._passed = defaultdict[str, float](float), defaultdict[str, float](float)
        self._last = tree_cpu_seconds(), time.monotonic()

    def update(self, what: str, done: int, total: int | None) -> None:
        """Hear how far a stage is; one without parts says so when it begins and when it is done."""
        if total == 1:
            with self._lock:
                self._count()
                stage = _OF_ALL_SOURCES if what.startswith(f"{_OF_ALL_SOURCES} ") else what
                if done == 0:
                    if not self._under_way or stage in self._under_way:
                        self._under_way.append(stage)
                elif stage in self._under_way:
                    self._under_way.remove(stage)
        self._listener(what, done, total)

    def _count(self) -> None:
        """Charge what was spent since the last count to the stage under way."""
        now = tree_cpu_seconds(), time.monotonic()
        stage = self._under_way[0] if self._under_way else BETWEEN
        self._cpu[stage] += max(0.0, now[0] - self._last[0])
        self._passed[stage] += now[1] - self._last[1]
        self._last = now

    def print(self, documents: int) -> None:
        """Print a line for each stage, in the order in which they began, and one for all.

        Args:
            documents: record slots that were read.
        """
        with self._lock:
            self._count()
        total, terminal = sum(self._cpu.values()), Terminal(is_error=True)
        terminal.line(f"{'stage':<20} {'CPU s':>8} {'share':>6} {'passed s':>9}")
        for stage, seconds in self._cpu.items():
            share = 100 * seconds / total if total else 0
            terminal.line(f"{stage:<20} {seconds:>8.2f} {share:>4.0f} % {self._passed[stage]:>9.2f}")
        terminal.line(f"{'all':<20} {total:>8.2f} {100:>4} % {sum(self._passed.values()):>9.2f}")
        if total and documents:
            terminal.line(f"{documents:,} documents, {documents / total:,.0f} a CPU second")
