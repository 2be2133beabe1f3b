"""Progress on standard error, while a command runs."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from polyculture.storage.messages import escaped


class ProgressDisplay:
    """One line per stage on standard error, with what is done and the seconds it took."""

    def __init__(self, enabled: bool) -> None:
        """Show nothing unless `enabled`."""
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description:<18}", markup=False),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        console = Console(stderr=True, markup=False, emoji=False)
        self._progress = Progress(*columns, console=console, disable=not enabled)
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._progress.stop()

    def update(self, what: str, done: int, total: int | None) -> None:
        """Show that `done` of `total` of a stage are done; a total of None is unknown."""
        if what not in self._tasks:
            self._tasks[what] = self._progress.add_task(escaped(what), total=total)
        self._progress.update(self._tasks[what], completed=done, total=total)
