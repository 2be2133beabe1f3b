"""Take the candidates that the parent holds already out of the corpus, and write which they are."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from polyculture.corpus.corpus import INDEX_SCHEMA, Corpus
from polyculture.top_up.known import Known

IN_PARENT = "in_parent"  # as `filtered` counts them

IN_PARENT_SCHEMA = pa.schema(
    [
        pa.field("document_id", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("parent_id", pa.string(), nullable=False),  # document_id of the twin among the parent's
        pa.field("similarity", pa.float64(), nullable=False),  # Jaccard; 1 for equal texts
        pa.field("text_tokens", pa.int64(), nullable=False),
    ]
)


def in_parent_rows(corpus: Corpus, known: Known, sources: Sequence[str]) -> pa.Table:
    """The candidates that leave, one row each, in the order of the corpus.

    Args:
        corpus: n candidates.
        known: of them.
        sources: as which the parent was read; their names stand before its documents' own ids.
    """
    rows = np.flatnonzero(known.is_known)
    twins = [_own_id(known.ids[twin], sources) for twin in known.twin[rows].tolist()]
    columns = [
        pa.array(corpus.document_ids(rows), pa.string()),
        pa.array([corpus.sources[number] for number in corpus.source[rows].tolist()], pa.string()),
        pa.array(twins, pa.string()),
        pa.array(known.similarity[rows], pa.float64()),
        pa.array(corpus.tokens[rows], pa.int64()),
    ]
    return pa.Table.from_arrays(columns, schema=IN_PARENT_SCHEMA)


def _own_id(name: str, sources: Sequence[str]) -> str:
    source, _, own = name.partition(":")
    return own if source in sources else name


def counted_by_file(corpus: Corpus, is_out: NDArray[np.bool_]) -> dict[str, Counter[str]]:
    """Documents that leave, by source and file name: what `polyculture.evidence.conservation` moves to `filtered`."""
    rows = np.flatnonzero(is_out)
    files = corpus.take(rows, ["file"])["file"].to_pylist()
    counts: dict[str, Counter[str]] = {name: Counter() for name in corpus.sources}
    for number, file in zip(corpus.source[rows].tolist(), files, strict=True):
        counts[corpus.sources[number]][file] += 1
    return counts


def without(index: pa.Table, is_out: NDArray[np.bool_]) -> pa.Table:
    """An index (INDEX_SCHEMA) without some rows, its groups of equal texts dense from 0 again."""
    kept = index.filter(pa.array(~is_out))
    group = kept["group"].combine_chunks().to_numpy(zero_copy_only=False)
    _, dense = np.unique(group, return_inverse=True)
    place = INDEX_SCHEMA.get_field_index("group")
    return kept.set_column(place, INDEX_SCHEMA.field(place), pa.array(dense.astype(np.int64)))
