"""Attributes: what signals say of the documents of a partition, written once beside it, row by row."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.ipc
from numpy.typing import NDArray

from polyculture.signals.signal import SignalSettings
from polyculture.signals.signals import SIGNALS
from polyculture.storage.commit import writing
from polyculture.storage.files import map_arrow_file
from schemas.measure_config import MeasureConfig

BATCH_DOCUMENTS = 1000


def values_of(signal: str, documents: pa.Table, settings: SignalSettings | None = None) -> dict[str, NDArray[Any]]:
    """Work out a signal of documents that no partition holds: columns as arrays, lists of one length as rows."""
    found = SIGNALS[signal]
    measure = found.open(settings or SignalSettings(MeasureConfig(semantic=None)))
    table = documents.select(list(found.reads))
    parts = [measure(batch) for batch in table.to_batches() or [pa.RecordBatch.from_pylist([], table.schema)]]
    columns = zip(measure.schema, zip(*parts, strict=True), strict=True)
    return {field.name: numbers_of(pa.concat_arrays(list(arrays))) for field, arrays in columns}


def numbers_of(column: pa.Array) -> NDArray[Any]:
    """A column of attributes as (n,) numbers, or (n, width) of a column of lists of one length."""
    if not pa.types.is_fixed_size_list(column.type):
        values: NDArray[Any] = column.to_numpy(zero_copy_only=False)
        return values
    return np.ascontiguousarray(column.flatten().to_numpy().reshape(len(column), column.type.list_size))


def write_all_attributes(calls: Sequence[tuple[Path, Mapping[str, Path]]], settings: SignalSettings) -> list[int]:
    """Work out the signals of several partitions: what a worker runs; returns the documents of each."""
    return [write_attributes(documents, outs, settings) for documents, outs in calls]


def write_attributes(documents: Path, outs: Mapping[str, Path], settings: SignalSettings) -> int:
    """Work out some signals of a partition in one pass over it, each into an Arrow file of its own.

    Args:
        documents: the partition's Arrow file.
        outs: where the attributes of each signal go, by its name.
        settings: what the signals depend on.

    Returns:
        Documents: as many as each file has rows, in the same order. Memory is bounded by a batch of 1,000 of them.
    """
    measures = {name: SIGNALS[name].open(settings) for name in outs}
    columns = sorted({column for name in outs for column in SIGNALS[name].reads})
    table = map_arrow_file(documents).select(columns)
    with ExitStack() as stack:
        writers = {}
        for name, out in outs.items():
            stream = stack.enter_context(writing(out))
            writers[name] = stack.enter_context(pa.ipc.new_file(stream, measures[name].schema))
        for batch in table.to_batches(max_chunksize=BATCH_DOCUMENTS):
            for name, measure in measures.items():
                rows = pa.RecordBatch.from_arrays(measure(batch), schema=measure.schema)
                writers[name].write_batch(rows)
    return int(table.num_rows)
