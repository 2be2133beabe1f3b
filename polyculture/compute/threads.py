"""Threads for compiled kernels that let go of the interpreter."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np

Found = TypeVar("Found")
Item = TypeVar("Item")


def in_spans(
    work: Callable[[tuple[int, int]], Found], count: int, threads: int, spans: int | None = None
) -> list[Found]:
    """Share `count` items among threads.

    Args:
        work: called with the first and last (exclusive) item of each span.
        count: items.
        threads: number of threads that run at a time.
        spans: into how many the items are cut; one a thread if None. More even out what some cost more.

    Returns:
        The results of `work`, in the order of the spans.
    """
    edges = np.linspace(0, count, (spans or threads) + 1).astype(np.int64).tolist()
    return list(in_threads(work, itertools.pairwise(edges), threads))


def in_threads(work: Callable[[Item], Found], items: Iterable[Item], threads: int) -> Iterator[Found]:
    """Share items among threads; the results come in the order of the items.

    Args:
        work: called with each item; a kernel that lets go of the interpreter.
        items: all are taken at once, by more than one thread.
        threads: how many run at a time.
    """
    if threads == 1:
        yield from map(work, items)
        return
    with ThreadPoolExecutor(threads) as pool:
        yield from pool.map(work, items)
