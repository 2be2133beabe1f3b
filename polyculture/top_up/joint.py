"""The parent and what may be added to it as one corpus, so that both are measured by the same probes."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from polyculture.corpus.corpus import Corpus

Flags = NDArray[np.bool_]


def where(corpus: Corpus) -> NDArray[np.uint64]:
    """(n,) partition and row of each document in one number."""
    partition, row = (corpus.column(name).astype(np.uint64) for name in ("partition", "row"))
    return partition << np.uint64(32) | row


def found_again(joint: Corpus, corpus: Corpus, chosen: Flags, names: tuple[Sequence[str], Sequence[str]]) -> Flags:
    """Mark the documents of a joint corpus that are the chosen ones of a part of it.

    Args:
        joint: n documents.
        corpus: the part, m documents.
        chosen: (m,)
        names: names of the partitions of both, in index order.
    """
    at = {name: number for number, name in enumerate(names[0])}
    partition, row = (corpus.column(name)[chosen].astype(np.int64) for name in ("partition", "row"))
    there = np.array([at[name] for name in names[1]], np.uint64)[partition] << np.uint64(32) | row.astype(np.uint64)
    return np.isin(where(joint), there)


def rows_read_from(corpus: Corpus, rows: NDArray[np.int64]) -> tuple[list[str], NDArray[np.int64]]:
    """File and record position that each document was read from."""
    table = corpus.take(rows, ["file", "position"])
    files: list[str] = table["file"].to_pylist()
    return files, table["position"].combine_chunks().cast(pa.int64()).to_numpy(zero_copy_only=False)
