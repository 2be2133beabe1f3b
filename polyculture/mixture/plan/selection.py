"""The documents of a mixture, and their copies: functions of (seed, document_id) and the rates alone.

The stream of a source is its distinct documents ranked by hash(seed, document_id), again and again: row r of it is the
document of rank r mod n, in epoch r // n. A phase takes the rows from where the phase before stopped, as far as its
tokens reach. So a higher rate, in any phase, only adds copies, and copies of a document are n rows of its source apart.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Hashes = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Streams:
    """The distinct documents of all sources, ranked.

    Attributes:
        ranked: (documents,) document numbers: source by source, in the order of their inclusion hashes.
        starts: (sources + 1,) start of each source in it, and the end.
    """

    ranked: Integers
    starts: Integers

    @property
    def documents(self) -> Integers:
        """(sources,) distinct documents."""
        return np.diff(self.starts)

    def of(self, source: int) -> Integers:
        """Document numbers of one source, by rank."""
        return self.ranked[self.starts[source] : self.starts[source + 1]]


def rank_documents(source: Integers, hashes: Hashes, members: Integers, sources: int) -> Streams:
    """Rank the distinct documents of each source.

    Args:
        source: (n,) source number of every document.
        hashes: (n,) inclusion hashes.
        members: numbers of the distinct documents, ascending.
        sources: number of sources.

    Returns:
        The streams: 8 bytes a document, and while one source is sorted 24 more for each of its own. Equal hashes (of
        10^8 documents, one pair in some 4,000 corpora) stand in the order of the index.
    """
    ranked, starts = np.empty(len(members), np.int64), np.zeros(sources + 1, np.int64)
    its_source = source[members]
    for number in range(sources):
        mine = members[its_source == number]
        starts[number + 1] = starts[number] + len(mine)
        ranked[starts[number] : starts[number + 1]] = mine[_by_hash(hashes[mine])]
    return Streams(ranked, starts)


def _by_hash(hashes: Hashes) -> Integers:
    """Places in ascending order of their hashes, equal ones as they stand; a stable sort takes several times longer."""
    places = np.argsort(hashes)
    ordered = hashes[places]
    return np.argsort(hashes, kind="stable") if (ordered[1:] == ordered[:-1]).any() else places


def rows_within(tokens: Integers, first_row: int, budget: int) -> tuple[int, int]:
    """Count the rows of a source's stream, from one row on, that hold at most so many tokens.

    Args:
        tokens: (n,) tokens of its documents, by rank.
        first_row: the row to begin with.
        budget: tokens, 0 or more; without tokens of its own a source is taken by `first_row` alone.

    Returns:
        The rows and their tokens. The row after the last rises with the budget and with `first_row`: plans nest.
    """
    ends = np.cumsum(tokens)
    whole = int(ends[-1]) if len(ends) else 0
    if budget <= 0 or whole == 0:
        return 0, 0
    before = tokens_before(ends, first_row)
    epochs, rest = divmod(before + budget, whole)
    last = epochs * len(ends) + (int(np.searchsorted(ends, rest, side="right")) if rest else 0)
    last = max(last, first_row)
    return last - first_row, tokens_before(ends, last) - before


def tokens_before(ends: Integers, row: int) -> int:
    """Tokens of the rows before one; `ends` are the sums of the documents' tokens by rank."""
    epochs, rank = divmod(row, len(ends))
    return epochs * int(ends[-1]) + (int(ends[rank - 1]) if rank else 0)


def copies_of(streams: Streams, first_rows: Integers, rows: Integers, documents: int) -> Integers:
    """Count the copies of each document in a stretch of its source's stream.

    Args:
        streams: streams of the sources.
        first_rows: (sources,) first rows of the stretches.
        rows: (sources,) lengths of the stretches.
        documents: number of documents, distinct or not.

    Returns:
        (documents,) copies; 0 for what is not distinct.
    """
    copies = np.zeros(documents, np.int64)
    for number, size in enumerate(streams.documents.tolist()):
        if size:
            first, last = int(first_rows[number]), int(first_rows[number] + rows[number])
            rank = np.arange(size)
            copies[streams.of(number)] = _before(last, rank, size) - _before(first, rank, size)
    return copies


def _before(row: int, rank: Integers, size: int) -> Integers:
    """Copies of each rank in the rows before one."""
    counts: Integers = row // size + (rank < row % size).astype(np.int64)
    return counts
