"""No workers: calls run here, one after another. For notebooks, tests, and corpora that are not worth a process."""

from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

Result = TypeVar("Result")


class InProcess:
    """Runs each call in this process."""

    def __init__(self, workers: int = 1) -> None:
        """Take `workers` threads for kernels that share an array; calls run one at a time whatever it is."""
        if workers < 1:
            raise ValueError(f"workers must be at least 1, got {workers}")
        self.workers = workers

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close nothing."""

    def run(self, function: Callable[..., Result], calls: Sequence[tuple[Any, ...]]) -> Iterator[Result]:
        """Results of `function(*call)` for each call, in the order of the calls, each worked out when it is taken."""
        return (function(*call) for call in calls)
