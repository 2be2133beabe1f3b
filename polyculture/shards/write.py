"""Write one shard: a contiguous part of the mixture's order, gathered from wherever its documents lie."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.ipc
from numpy.typing import NDArray

from polyculture.shards.cut import Shard, cut
from polyculture.shards.gather import FIXED_ROW_BYTES, Column, Found, MappedDocuments, locate, places_of, to_array
from polyculture.storage.commit import WholeStream, writing
from polyculture.storage.files import map_arrow_file
from schemas.accounts import FileDigest
from schemas.documents import DOCUMENT_SCHEMA
from schemas.mixture_config import ShardConfig
from schemas.shards import ShardStatistics, SourceRows

BUFFER_BYTES = 2**20
RELEASE_BYTES = 2**30  # gathered; the system maps some pages around each that is touched


@dataclass(frozen=True, slots=True)
class Origin:
    """The sources of shards, as plain names that cross processes.

    Attributes:
        index: the corpus index (INDEX_SCHEMA of `polyculture.corpus.corpus`).
        partitions: the partition files, in index order.
        sources: source names, sorted.
        order: file of 64-bit document numbers with repeats, as the shards hold them one after another.
    """

    index: Path
    partitions: tuple[Path, ...]
    sources: tuple[str, ...]
    order: Path


def write_shard(origin: Origin, shard: Shard, config: ShardConfig, root: Path) -> tuple[FileDigest, ShardStatistics]:
    """Write a shard to `ROOT/shards/NAME`; whole or not at all, its digest taken on the way.

    Memory: what places the rows of the shard (about 300 bytes a row) and one record batch. Time: a copy of the bytes,
    a SHA-256 of them, and the write.

    Args:
        origin: the data that it is made from.
        shard: its rows.
        config: form and sizes.
        root: the run directory.

    Returns:
        The manifest's entry, and the content of the shard.

    Raises:
        OutputError: it cannot be written.
    """
    numbers = np.fromfile(origin.order, np.int64, shard.last - shard.first, offset=8 * shard.first)
    documents = open_documents(origin)
    found = documents.find(numbers)
    with writing(root / "shards" / shard.name) as stream:
        write_batches(stream, documents, found, config)
    statistics = _statistics(origin, shard, documents.source(numbers), found)
    return stream.digest(root, rows=len(numbers)), statistics


def row_bytes(origin: Origin) -> NDArray[np.int64]:
    """(documents,) bytes that each document of the index takes in a shard, about."""
    return open_documents(origin).row_bytes()


class IndexedDocuments:
    """The documents by their number in the index, with their settled ids."""

    def __init__(self, origin: Origin) -> None:
        self._mapped = MappedDocuments(origin.partitions)
        index = map_arrow_file(origin.index)
        self._index = index  # keeps the ids mapped
        self._partition, self._row, self._source = (_flat(index, name) for name in ("partition", "row", "source"))
        chunks = index["document_id"].chunks
        self._ids = Column(places_of(chunks))
        self._id_first = np.concatenate([[0], np.cumsum([len(chunk) for chunk in chunks])]).astype(np.int64)
        self._touched = 0

    def find(self, numbers: NDArray[np.int64]) -> dict[str, Found]:
        """Locate all columns for these documents."""
        found = self._mapped.find(self._place(numbers), DOCUMENT_SCHEMA.names)
        chunk = np.searchsorted(self._id_first, numbers, side="right") - 1
        found["document_id"] = locate(self._ids, chunk, numbers - self._id_first[chunk], is_string=True)
        return found

    def row_bytes(self) -> NDArray[np.int64]:
        """Bytes of each document."""
        taken: NDArray[np.int64] = self._mapped.row_bytes()[self._place(slice(None))]
        return taken

    def source(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Source number of these documents."""
        return self._source[numbers].astype(np.int64)

    def _place(self, numbers: NDArray[np.int64] | slice) -> NDArray[np.int64]:
        first = self._mapped.partition_first[self._partition[numbers].astype(np.int64)]
        place: NDArray[np.int64] = first + self._row[numbers]
        return place

    def touched(self, size_bytes: int) -> None:
        """Count what was copied, and give the mapped pages back now and then."""
        self._touched += size_bytes
        if self._touched > RELEASE_BYTES:
            self._mapped.release()
            self._touched = 0


def open_documents(origin: Origin) -> IndexedDocuments:
    """The documents, opened once per process and index."""
    return _open(replace(origin, order=Path()), origin.index.stat().st_mtime_ns)


@lru_cache(maxsize=1)
def _open(origin: Origin, written_at: int) -> IndexedDocuments:
    del written_at  # tells an index from another that was in its place
    return IndexedDocuments(origin)


def _flat(index: pa.Table, name: str) -> NDArray[Any]:
    """A numeric column of the index; mapped, not read, where it lies in one piece."""
    column = index[name]
    flat: NDArray[Any] = (column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()).to_numpy()
    return flat


def write_batches(
    stream: WholeStream, documents: IndexedDocuments, found: dict[str, Found], config: ShardConfig
) -> None:
    """Write documents that were found, as Arrow IPC in the form and batches of `config`."""
    compression = None if config.compression == "none" else config.compression
    options = pa.ipc.IpcWriteOptions(use_threads=False, compression=compression)
    opened = pa.ipc.new_stream if config.format == "stream" else pa.ipc.new_file
    # gathered outside Python: a batch is some eighty writes, most of a few bytes
    sink = pa.BufferedOutputStream(pa.PythonFile(stream, "w"), BUFFER_BYTES)
    with opened(sink, DOCUMENT_SCHEMA, options=options) as writer:
        for batch in _batches(found, config):
            writer.write_batch(batch)
            documents.touched(batch.nbytes)
    sink.flush()


def _batches(found: dict[str, Found], config: ShardConfig) -> Iterator[pa.RecordBatch]:
    sizes = FIXED_ROW_BYTES + sum(column.size for column in found.values())
    for first, last in cut(np.asarray(sizes), config.max_batch_bytes, config.batch_rows):
        arrays = [to_array(found[field.name], first, last, field.type) for field in DOCUMENT_SCHEMA]
        yield pa.RecordBatch.from_arrays(arrays, schema=DOCUMENT_SCHEMA)


def _statistics(origin: Origin, shard: Shard, source: NDArray[np.int64], found: dict[str, Found]) -> ShardStatistics:
    tokens, text = found["tokens"].address.view(np.int64), found["text"].size
    sources = {}
    for number, name in enumerate(origin.sources):
        mine = source == number
        if mine.any():
            sources[name] = SourceRows(
                rows=int(mine.sum()), tokens=int(tokens[mine].sum()), text_bytes=int(text[mine].sum())
            )
    return ShardStatistics(
        path=f"shards/{shard.name}",
        rows=len(source),
        tokens=int(tokens.sum()),
        text_bytes=int(text.sum()),
        first_position=shard.first,
        last_position=shard.last,
        sources=sources,
    )
