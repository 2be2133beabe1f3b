"""Bounds of shards and record batches: functions of sizes alone, so the same for any number of workers."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Shard:
    """One shard to write.

    Attributes:
        name: name of its file.
        first: place of its first row in the order.
        last: place after its last row.
    """

    name: str
    first: int
    last: int


def cut_shards(row_bytes: NDArray[np.int64], max_shard_bytes: int, stem: str) -> list[Shard]:
    """Cut rows in their order into shards of at most `max_shard_bytes`; a row over it is alone in its shard.

    Args:
        row_bytes: (rows,) bytes that each row takes.
        max_shard_bytes: bytes of one shard, about.
        stem: stem of the files' names.

    Returns:
        Contiguous shards `STEM-NNNNN-of-NNNNN.arrow`; a single empty one for no rows.
    """
    spans = list(cut(row_bytes, max_shard_bytes, len(row_bytes))) or [(0, 0)]
    return [
        Shard(f"{stem}-{number:05d}-of-{len(spans):05d}.arrow", first, last)
        for number, (first, last) in enumerate(spans)
    ]


def cut(sizes: NDArray[np.int64], most: int, most_rows: int) -> Iterator[tuple[int, int]]:
    """Cut consecutive items into spans of at most `most` in total and `most_rows` items; an item over it is alone."""
    ends = np.cumsum(sizes)
    first = 0
    while first < len(sizes):
        before = int(ends[first - 1]) if first else 0
        last = int(np.searchsorted(ends, before + most, side="right"))
        last = min(max(last, first + 1), first + most_rows)
        yield first, last
        first = last
