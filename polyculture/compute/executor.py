"""Executors: what runs the heavy part of a step, and the one place where one is made."""

from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from polyculture.compute.in_process import InProcess
from polyculture.compute.local import Local

Result = TypeVar("Result")


class Executor(Protocol):
    """Runs pure functions over partitions. A flow opens one, and hands it down to its steps.

    A heavy step is a map over partitions, an exchange through files, and a reduction, all by the one verb `run`; what
    crosses processes are references and small results. Any executor gives the same bytes.

    Attributes:
        workers: calls that run at a time; kernels of this process that share an array take as many threads.
    """

    workers: int

    def __enter__(self) -> Self:
        """Open it: workers start with the first call."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close it: workers end, and calls that have not begun are dropped."""
        ...

    def run(self, function: Callable[..., Result], calls: Sequence[tuple[Any, ...]]) -> Iterator[Result]:
        """Results of `function(*call)` for each call, in the order of the calls.

        Args:
            function: a module-level function; its arguments and result are plain data, as they may cross processes.
            calls: the arguments of each call.
        """
        ...


EXECUTORS: dict[str, Callable[[int], Executor]] = {
    "local": Local,
    "in_process": InProcess,
}


def make_executor(workers: int, name: str = "local") -> Executor:
    """Make the executor of a run.

    Args:
        workers: calls at a time, at least 1; the output does not depend on it.
        name: one of EXECUTORS.

    Raises:
        ValueError: there are no workers, or no executor of that name.
    """
    if name not in EXECUTORS:
        raise ValueError(f"unknown executor {name!r}; known: {', '.join(EXECUTORS)}")
    return EXECUTORS[name](workers)
