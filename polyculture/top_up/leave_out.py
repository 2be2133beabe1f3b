"""Take the candidates that the parent holds already out of the corpus, and say which they are."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from polyculture.corpus.corpus import INDEX_SCHEMA, Corpus
from polyculture.corpus.filtered import Counts
from polyculture.storage.messages import safe_detail
from polyculture.top_up.known import Known
from schemas.filtered import FILTERED_SCHEMA, IN_PARENT

_DETAIL_CHARACTERS = 1000  # the twin's id is named whole


def in_parent_rows(corpus: Corpus, known: Known, sources: Sequence[str], number: int) -> pa.Table:
    """Rows of `filtered/` for the candidates of one source that leave, in the order of the corpus.

    Args:
        corpus: n candidates.
        known: of them.
        sources: as which the parent was read; their names stand before its documents' own ids.
        number: of the source.
    """
    rows = np.flatnonzero(known.is_known & (corpus.source == number))
    twins = [_own_id(known.ids[twin], sources) for twin in known.twin[rows].tolist()]
    details = [_detail(*found) for found in zip(twins, known.similarity[rows].tolist(), strict=True)]
    columns = [
        pa.array(corpus.document_ids(rows), pa.string()),
        pa.array([corpus.sources[number]] * len(rows), pa.string()),
        pa.array([IN_PARENT] * len(rows), pa.string()),
        pa.array(details, pa.string()),
        pa.array(corpus.tokens[rows], pa.int64()),
    ]
    return pa.Table.from_arrays(columns, schema=FILTERED_SCHEMA)


def _detail(twin: str, similarity: float) -> str:
    """The twin and the Jaccard similarity to it, which is 1 for equal texts: `similarity 0.8125 to rivers:7`."""
    return safe_detail(f"similarity {similarity:.6g} to {twin}", _DETAIL_CHARACTERS)


def _own_id(name: str, sources: Sequence[str]) -> str:
    source, _, own = name.partition(":")
    return own if source in sources else name


def counted_by_file(corpus: Corpus, is_out: NDArray[np.bool_]) -> dict[str, Counts]:
    """Numbers of the documents that leave, by source: what `polyculture.evidence.conservation` moves to `filtered`."""
    rows = np.flatnonzero(is_out)
    files = corpus.take(rows, ["file"])["file"].to_pylist()
    counts: dict[str, Counts] = {name: {} for name in corpus.sources}
    for number, file, tokens in zip(corpus.source[rows].tolist(), files, corpus.tokens[rows].tolist(), strict=True):
        mine = counts[corpus.sources[number]]
        before = mine.get((file, IN_PARENT), (0, 0))
        mine[file, IN_PARENT] = (before[0] + 1, before[1] + tokens)
    return counts


def without(index: pa.Table, is_out: NDArray[np.bool_]) -> pa.Table:
    """An index (INDEX_SCHEMA) without some rows, its groups of equal texts dense from 0 again."""
    kept = index.filter(pa.array(~is_out))
    group = kept["group"].combine_chunks().to_numpy(zero_copy_only=False)
    _, dense = np.unique(group, return_inverse=True)
    place = INDEX_SCHEMA.get_field_index("group")
    return kept.set_column(place, INDEX_SCHEMA.field(place), pa.array(dense.astype(np.int64)))
