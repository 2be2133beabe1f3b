"""The corpus as read: one small index row per document in memory, texts in memory-mapped partitions."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from polyculture.corpus.filtered import FilteredOut, Filtering, filter_partitions
from polyculture.sources.record import Rejection
from polyculture.storage.files import map_arrow_file
from polyculture.storage.hashing import id_hash
from polyculture.storage.messages import safe_detail
from polyculture.text.texts import Texts, as_texts
from schemas.config import CurationConfig
from schemas.documents import Kind
from schemas.quarantined import QuarantineReason
from schemas.unselected import UNSELECTED_SCHEMA, LeftOutReason

# Order of rows: sources as configured by name, then partition, then row. About 90 bytes a document beside its id.
INDEX_SCHEMA = pa.schema(
    [
        pa.field("document_id", pa.large_string(), nullable=False),
        pa.field("source", pa.uint16(), nullable=False),  # position in the sorted list of source names
        pa.field("partition", pa.uint32(), nullable=False),
        pa.field("row", pa.uint32(), nullable=False),
        pa.field("characters", pa.int64(), nullable=False),
        pa.field("text_bytes", pa.int64(), nullable=False),
        pa.field("tokens", pa.int64(), nullable=False),
        pa.field("group", pa.int64(), nullable=False),  # equal for equal canonical texts, dense from 0
        pa.field("id_hash", pa.uint64(), nullable=False),
    ]
)


@dataclass(frozen=True)
class Corpus:
    """All documents of a run.

    Attributes:
        index: INDEX_SCHEMA, one row per document.
        partitions: the partition files, in index order.
        sources: source names, sorted.
        kinds: kind of each source.
    """

    index: pa.Table
    partitions: tuple[Path, ...]
    sources: tuple[str, ...]
    kinds: tuple[Kind, ...]

    def __len__(self) -> int:
        return int(self.index.num_rows)

    def column(self, name: str) -> NDArray[Any]:
        """A numeric index column as one array, (documents,)."""
        values: NDArray[Any] = self.index[name].combine_chunks().to_numpy(zero_copy_only=False)
        return values

    @cached_property
    def source(self) -> NDArray[np.int64]:
        """Source number of each document."""
        return self.column("source").astype(np.int64)

    @cached_property
    def tokens(self) -> NDArray[np.int64]:
        """Tokens of each document."""
        return self.column("tokens").astype(np.int64)

    @cached_property
    def group(self) -> NDArray[np.int64]:
        """Group of equal canonical texts of each document."""
        return self.column("group").astype(np.int64)

    @cached_property
    def id_hash(self) -> NDArray[np.uint64]:
        """Hash of each document_id."""
        return self.column("id_hash").astype(np.uint64)

    @cached_property
    def text_bytes(self) -> NDArray[np.int64]:
        """UTF-8 bytes of each text."""
        return self.column("text_bytes").astype(np.int64)

    @cached_property
    def _row(self) -> NDArray[np.int64]:
        """Row of each document in its partition."""
        return self.column("row").astype(np.int64)

    @property
    def texts(self) -> Texts:
        """Canonical texts of all documents, where they are mapped; none is read."""
        parts = [as_texts(table["canonical"], is_canonical=True) for table in self._tables]
        first = np.concatenate([[0], np.cumsum([len(part) for part in parts])])
        at = first[self.column("partition").astype(np.int64)] + self._row
        address, size, canonical = (
            np.concatenate(columns)[at] for columns in zip(*(part.pointers for part in parts), strict=True)
        )
        return Texts(address, size, canonical, parts)

    @cached_property
    def _tables(self) -> tuple[pa.Table, ...]:
        return tuple(map_arrow_file(path) for path in self.partitions)

    @cached_property
    def _starts(self) -> NDArray[np.int64]:
        """First index row of each partition, and the end."""
        counts = np.bincount(self.column("partition").astype(np.int64), minlength=len(self.partitions))
        return np.concatenate([[0], np.cumsum(counts)])

    @property
    def spans(self) -> list[tuple[int, int]]:
        """First index row of each partition, and the one after its last."""
        return list(itertools.pairwise(self._starts.tolist()))

    def take(self, rows: NDArray[np.int64], columns: Sequence[str]) -> pa.Table:
        """Columns of the documents at `rows`, in that order; reads only the pages that hold them."""
        partition = np.searchsorted(self._starts, rows, side="right") - 1
        return take_rows(self._tables, partition, self._row[rows], columns)

    def document_ids(self, rows: NDArray[np.int64]) -> list[str]:
        """Settled ids at `rows`."""
        ids: list[str] = self.index["document_id"].take(pa.array(rows)).to_pylist()
        return ids

    def canonical(self, rows: NDArray[np.int64]) -> pa.LargeStringArray:
        """Canonical texts at `rows`."""
        return self.take(rows, ["canonical"])["canonical"].combine_chunks()


def unselected_rows(corpus: Corpus, rows: NDArray[np.int64], is_twin: NDArray[np.bool_]) -> pa.Table:
    """Rows of `unselected/` for some documents of one source.

    Args:
        corpus: n documents.
        rows: (m,) numbers of documents that no shard holds.
        is_twin: (m,) whether each is left out for a document that is held out.
    """
    reasons = np.where(is_twin, LeftOutReason.VALIDATION_TWIN.value, LeftOutReason.MIXTURE.value)
    columns = {
        "document_id": corpus.document_ids(rows),
        "source": np.array(corpus.sources, dtype=object)[corpus.source[rows]],
        "reason": reasons.tolist(),
        "text_tokens": corpus.tokens[rows],
    }
    arrays = [pa.array(columns[field.name], field.type) for field in UNSELECTED_SCHEMA]
    return pa.Table.from_arrays(arrays, schema=UNSELECTED_SCHEMA)


def take_rows(
    tables: Sequence[pa.Table], partition: NDArray[np.int64], row: NDArray[np.int64], columns: Sequence[str]
) -> pa.Table:
    """Columns of rows `row` of the tables number `partition`, in that order; reads only the pages that hold them."""
    pieces, origin = [], []
    for number in np.unique(partition):
        chosen = np.flatnonzero(partition == number)
        pieces.append(tables[number].select(list(columns)).take(pa.array(row[chosen])))
        origin.append(chosen)
    if not pieces:
        return tables[0].select(list(columns)).slice(0, 0)
    order = np.argsort(np.concatenate(origin), kind="stable")
    return pa.concat_tables(pieces).take(pa.array(order))


def texts_at(partitions: Sequence[Path], partition: NDArray[np.int64], row: NDArray[np.int64]) -> pa.LargeStringArray:
    """Canonical texts of the rows `row` of the partitions number `partition`: what a worker reads of a corpus."""
    numbers, place = np.unique(partition, return_inverse=True)
    tables = [map_arrow_file(partitions[number]) for number in numbers]
    return take_rows(tables, place, row, ["canonical"])["canonical"].combine_chunks()


def source_order(config: CurationConfig) -> tuple[tuple[str, ...], tuple[Kind, ...]]:
    """Names and kinds of the sources, sorted by name: the order of every table, whatever order the file has."""
    ordered = sorted(config.sources, key=lambda source: source.name)
    return tuple(source.name for source in ordered), tuple(source.kind for source in ordered)


@dataclass(frozen=True)
class Settled:
    """All partitions as one corpus.

    Attributes:
        index: INDEX_SCHEMA.
        conflicts: source number, file name and rejection of every record whose id names another text.
        filtered: numbers of what filters took out.
    """

    index: pa.Table
    conflicts: list[tuple[int, str, Rejection]]
    filtered: FilteredOut


def build_index(partitions: Sequence[tuple[int, Path]], filtering: Filtering | None = None) -> Settled:
    """Settle document_ids over all partitions, leave out what must not be in, and group equal canonical texts.

    Equal 128-bit BLAKE2b keys are taken for equal texts. Of records with one own id, the first by (file digest,
    position) keeps it; a later one with the same text gets the suffix `#2`, `#3`, ...; a later one with another text
    is rejected as `id_conflict`.

    Args:
        partitions: (source number, file) in the order of the index.
        filtering: what takes documents out; ids are settled as if it did not, so a longer list renames nothing.
    """
    frame = pl.concat([_identity(number, source, path) for number, (source, path) in enumerate(partitions)])
    suffixes, conflicts = _settle(frame, [path for _, path in partitions])
    frame = frame.with_columns(
        pl.Series("document_id", suffixes), pl.Series("conflict", [c is not None for c in conflicts], dtype=pl.Boolean)
    )
    rejected = [conflict for conflict in conflicts if conflict is not None]
    filtered = FilteredOut()
    if filtering is not None:
        is_out, filtered = filter_partitions(frame, partitions, filtering)
        frame = frame.with_columns(conflict=pl.col("conflict") | is_out)
    kept = frame.filter(~pl.col("conflict"))
    kept = kept.with_columns(group=(pl.col("key").rank("dense").cast(pl.Int64) - 1))
    hashes = pl.Series("id_hash", [id_hash(name) for name in kept["document_id"]], dtype=pl.UInt64)
    table = kept.with_columns(hashes).select(INDEX_SCHEMA.names).to_arrow().cast(INDEX_SCHEMA)
    return Settled(table, rejected, filtered)


def _identity(number: int, source: int, path: Path) -> pl.DataFrame:
    """Columns of one partition that ids and groups are settled by."""
    table = map_arrow_file(path).select(
        ["document_id", "characters", "text_bytes", "tokens", "key", "has_own_id", "position", "file_sha256"]
    )
    frame = pl.DataFrame(pl.from_arrow(table))
    return frame.with_columns(
        source=pl.lit(source, pl.UInt16),
        partition=pl.lit(number, pl.UInt32),
        row=pl.int_range(frame.height, dtype=pl.UInt32),
    )


def _settle(frame: pl.DataFrame, paths: Sequence[Path]) -> tuple[list[str], list[tuple[int, str, Rejection] | None]]:
    """Final ids of all rows, and the rejection of those that conflict."""
    ids: list[str] = frame["document_id"].to_list()
    conflicts: list[tuple[int, str, Rejection] | None] = [None] * len(ids)
    repeated = frame.with_row_index("at").filter(pl.len().over("document_id") > 1)
    repeated = repeated.sort("document_id", "file_sha256", "position", "partition", "row")
    taken: set[str] = set(ids) if repeated.height else set()
    tables = [map_arrow_file(path) for path in paths] if repeated.height else []
    previous, first_text, copy = None, "", 1
    for at, name, partition, row in repeated.select("at", "document_id", "partition", "row").iter_rows():
        table = tables[partition]
        text = table["text"][row].as_py()
        if name != previous:
            previous, first_text, copy = name, text, 1
        elif text == first_text:
            copy = next(n for n in itertools.count(copy + 1) if f"{name}#{n}" not in taken)
            ids[at] = f"{name}#{copy}"
            taken.add(ids[at])
        else:
            conflicts[at] = (frame["source"][at], table["file"][row].as_py(), _conflict(name, table, row))
    return ids, conflicts


def _conflict(name: str, table: pa.Table, row: int) -> Rejection:
    return Rejection(
        QuarantineReason.ID_CONFLICT,
        safe_detail(f"{name} already names a document with another text"),
        table["byte_offset"][row].as_py(),
        table["record_sha256"][row].as_py(),
    )
