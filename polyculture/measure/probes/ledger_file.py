"""The multiplicities of a ledger as they lie in its file: the few that are not 0."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from schemas.ledger import LEDGER_FILE_SCHEMA, LEDGER_SCHEMA


def to_file(rows: pa.Table, sources: int) -> pa.Table:
    """LEDGER rows as LEDGER_FILE rows."""
    table = matrix_of(rows["multiplicity"], sources)
    row, source = np.nonzero(table)
    offsets = pa.array(np.searchsorted(row, np.arange(len(table) + 1)).astype(np.int32))
    entries = (pa.array(source.astype(np.int32)), pa.array(table[row, source]))
    lists = [pa.ListArray.from_arrays(offsets, values) for values in entries]
    columns = [*rows.drop_columns(["multiplicity"]).columns, *(pa.chunked_array([one]) for one in lists)]
    kinds = zip(columns, LEDGER_FILE_SCHEMA, strict=True)
    return pa.Table.from_arrays([column.cast(field.type) for column, field in kinds], schema=LEDGER_FILE_SCHEMA)


def from_file(stored: pa.Table, sources: int) -> pa.Table:
    """LEDGER_FILE rows as LEDGER rows.

    Raises:
        ValueError: a row names a source that is not there, or its two lists differ in length.
    """
    within, documents = (stored[name].combine_chunks() for name in ("within", "documents"))
    counts = _lengths(within)
    numbers = within.flatten().to_numpy()
    if not np.array_equal(counts, _lengths(documents)) or (
        len(numbers) and not 0 <= numbers.min() <= numbers.max() < sources
    ):
        raise ValueError("probes.parquet names sources that are not in ledger.json")
    table = np.zeros((stored.num_rows, sources), np.int64)
    table[np.repeat(np.arange(stored.num_rows), counts), numbers] = documents.flatten().to_numpy()
    kept = stored.select([name for name in LEDGER_SCHEMA.names if name != "multiplicity"])
    return pa.Table.from_arrays([*kept.columns, row_lists(table)], schema=LEDGER_SCHEMA)


def _lengths(lists: pa.ListArray) -> NDArray[np.int64]:
    lengths: NDArray[np.int64] = np.diff(lists.offsets.to_numpy()).astype(np.int64)
    return lengths


def matrix_of(lists: pa.ChunkedArray, width: int) -> NDArray[np.int64]:
    """Lists of one length as the rows of a matrix."""
    rows: NDArray[np.int64] = lists.combine_chunks().flatten().to_numpy().reshape(len(lists), width)
    return rows


def row_lists(matrix: NDArray[np.int64]) -> pa.ListArray:
    """The rows of a matrix as lists."""
    offsets = pa.array(np.arange(len(matrix) + 1) * matrix.shape[1], pa.int32())
    lists = pa.ListArray.from_arrays(offsets, pa.array(np.ascontiguousarray(matrix).ravel(), pa.int64()))
    return lists.cast(LEDGER_SCHEMA.field("multiplicity").type)
