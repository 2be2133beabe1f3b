"""Executors: what runs the heavy part of a step, and the one place where one is made."""

from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from polyculture.compute.in_process import InProcess
from polyculture.compute.local import Local
from polyculture.compute.machine import usable_cpus, why_no_workers

Result = TypeVar("Result")


class Executor(Protocol):
    """Runs pure functions over partitions. A flow opens one, and hands it down to its steps.

    A heavy step is a map over partitions, an exchange through files, and a reduction, all by the one verb `run`; what
    crosses processes are references, and results that merge. Any executor gives the same bytes.

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


def local_workers(workers: int | None) -> Executor:
    """Worker processes of this machine: so many, or one per processor that may be used if None.

    Where no worker processes can be had, the work is done in this one.
    """
    return make_executor(workers or usable_cpus(), "in_process" if why_no_workers() else "local")


def run_worthwhile(
    executor: Executor, function: Callable[..., Result], calls: Sequence[tuple[Any, ...]], *, is_small: bool
) -> Iterator[Result]:
    """Results of calls that run here where the start of a process would gain nothing.

    Args:
        executor: runs them otherwise.
        function: as of `Executor.run`.
        calls: the arguments of each call.
        is_small: whether they take less time than a worker takes to start, or there is but one, with nothing beside it.
    """
    return (function(*call) for call in calls) if is_small else executor.run(function, calls)


def in_groups(sizes: Sequence[int], least: int) -> list[tuple[int, int]]:
    """Cut items into groups of neighbours that are worth a call each.

    Args:
        sizes: of the items, in their order.
        least: what the sizes of a group sum up to, at least; only the last group may hold less.

    Returns:
        First item of each group, and the one after its last; none if there are no items.
    """
    groups, first, filled = [], 0, 0
    for number, size in enumerate(sizes):
        filled += size
        if filled >= least:
            groups.append((first, number + 1))
            first, filled = number + 1, 0
    return [*groups, (first, len(sizes))] if first < len(sizes) else groups
