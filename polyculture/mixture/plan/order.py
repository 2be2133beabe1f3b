"""The order of the shards: the sources' streams, merged evenly."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from polyculture.mixture.plan.selection import Streams

Integers = NDArray[np.int64]
WINDOW_ROWS = 1 << 20


def mixture_order(streams: Streams, first_rows: Integers, rows: Integers) -> Integers:
    """The documents of a phase in the order of its shards: see `order_blocks`.

    Returns:
        (rows.sum(),) document numbers, with repeats: 8 bytes a row, and a window beside them.
    """
    order, at = np.empty(int(rows.sum()), np.int64), 0
    for block in order_blocks(streams, first_rows, rows):
        order[at : at + len(block)] = block
        at += len(block)
    return order


def order_blocks(
    streams: Streams, first_rows: Integers, rows: Integers, window_rows: int = WINDOW_ROWS
) -> Iterator[Integers]:
    """Merge stretches of the sources' streams by position, window by window.

    Row i of the S that a source of n documents gives stands at position (i + 1/2) / S. Within a phase that begins with
    rank 0, i = e n + k for copy e of the document of rank k, so the position is (e + k/n) / E and half a row, with
    E = S / n epochs, whole or not: a last epoch in part holds the documents of the smallest ranks once more. Equal
    positions stand in the order of the sources.

    Of J sources, S rows in all:
        Evenness: in the first L rows, what a source of S_j rows has differs from L S_j / S by at most
            1/2 + (J - 2) S_j / (2 S) rows, J > 1; so its share of the prefix by at most J / (2 L).
        Distance: between two copies of a document, its source gives every other document once: exactly n rows of its
            stream. In the shards of a phase they are n S / S_j rows apart, give or take J - 1.

    Args:
        streams: streams of the sources.
        first_rows: (sources,) first rows of the stretches.
        rows: (sources,) lengths of the stretches.
        window_rows: rows per block, about. The order does not depend on it.

    Yields:
        Document numbers. O(rows log J); 32 bytes a row of one window.
    """
    total = int(rows.sum())
    windows = max(1, -(-total // window_rows))
    size = streams.documents
    taken = np.zeros(len(rows), np.int64)
    for window in range(1, windows + 1):
        pieces, places = [np.empty(0, np.int64)], [np.empty(0)]
        for number, count in enumerate(rows.tolist()):
            end = count if window == windows else _rows_before(window / windows, count)
            row = np.arange(taken[number], end)
            if len(row):
                pieces.append(streams.of(number)[(first_rows[number] + row) % size[number]])
                places.append((row + 0.5) / count)
            taken[number] = end
        merged = np.concatenate(pieces)
        yield merged[np.argsort(np.concatenate(places), kind="stable")]  # runs that are sorted: merged, not sorted


def _rows_before(position: float, count: int) -> int:
    """Rows of a stream of so many whose position, as it is rounded, is before one."""
    row = min(max(int(position * count), 0), count)
    while row > 0 and (row - 1 + 0.5) / count >= position:
        row -= 1
    while row < count and (row + 0.5) / count < position:
        row += 1
    return row
