"""Threads for compiled kernels that let go of the interpreter."""

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np

Found = TypeVar("Found")


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
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, itertools.pairwise(edges)))
