"""Documents gathered from mapped partitions in any order: where each value lies, and one copy of its bytes.

Arrow's own `take` joins the chunks of a column before it takes from them, so that a thousand documents from anywhere
would cost a pass over everything. Here a document costs a look at its offsets and a copy of its bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.ipc
from numba import types
from numpy.typing import NDArray

from polyculture.compute.compiled import bytes_at, compiled, copy_bytes, elements_at, read_only, tuple_of
from polyculture.shards.mapped import MappedFiles
from schemas.documents import DOCUMENT_SCHEMA

_VALIDITY, _VALUES, _DATA, _FIRST, _WIDTH = range(5)  # columns of `Column.places`
GAP_ROWS = 8  # documents that are this close to each other are read from disk in one piece
BLOCK_ROWS = 2**18
FIXED_ROW_BYTES = 110  # of a DOCUMENT row beside its strings: offsets, numbers, validity


@dataclass(frozen=True, slots=True)
class Column:
    """The places of a column's values.

    Attributes:
        places: (chunks, 5) address of the validity bits (0: no nulls), of the offsets or numbers, and of the bytes;
            position of the chunk's first value in them; bytes of an offset or number.
    """

    places: NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Found:
    """The values of one column for some rows.

    Attributes:
        address: (rows,) address of the first byte of a string, or the number itself as 64 bits (0 for null).
        size: (rows,) bytes of a string; 0 for null.
        is_valid: (rows,) 0 for null.
        nulls: number of nulls.
    """

    address: NDArray[np.uint64]
    size: NDArray[np.int64]
    is_valid: NDArray[np.uint8]
    nulls: int


def places_of(chunks: Sequence[pa.Array]) -> NDArray[np.uint64]:
    """The places of the chunks of one column, as in `Column`; strings, or numbers of eight bytes."""
    places = np.zeros((len(chunks), 5), np.uint64)
    for at, chunk in enumerate(chunks):
        buffers = [buffer.address if buffer is not None else 0 for buffer in chunk.buffers()]
        is_string = len(buffers) == 3
        has_nulls = chunk.null_count > 0
        width = 4 if is_string and not pa.types.is_large_string(chunk.type) else 8
        places[at] = (
            buffers[0] if has_nulls else 0,
            buffers[1],
            buffers[2] if is_string else 0,
            chunk.offset,
            width if buffers[1] else 0,
        )
    return places


@compiled(
    types.int64(
        read_only(types.int64),
        read_only(types.int64),
        types.Array(types.uint64, 2, "C", readonly=True),
        types.boolean,
        tuple_of(types.uint64[::1], types.int64[::1], types.uint8[::1]),
    )
)
def _locate(
    chunk: NDArray[np.int64],
    row: NDArray[np.int64],
    places: NDArray[np.uint64],
    is_string: bool,
    found: tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.uint8]],
) -> int:
    """Fill the three arrays of `Found`, for rows that lie in chunks; returns how many are null."""
    address, size, is_valid = found
    nulls = 0
    for i in range(len(chunk)):
        place = places[chunk[i]]
        at = row[i] + np.int64(place[_FIRST])
        address[i], size[i], is_valid[i] = 0, 0, 1
        if place[_VALIDITY] != 0:
            byte = bytes_at(place[_VALIDITY] + np.uint64(at >> 3), 1)[0]
            is_valid[i] = (byte >> np.uint8(at & 7)) & np.uint8(1)
            nulls += 1 - is_valid[i]
        if not is_string:
            if is_valid[i]:
                address[i] = elements_at(place[_VALUES] + np.uint64(8 * at), 1, np.uint64)[0]
        elif place[_WIDTH] == 4:
            narrow = elements_at(place[_VALUES] + np.uint64(4 * at), 2, np.int32)
            address[i], size[i] = place[_DATA] + np.uint64(narrow[0]), np.int64(narrow[1]) - np.int64(narrow[0])
        elif place[_WIDTH] == 8:
            wide = elements_at(place[_VALUES] + np.uint64(8 * at), 2, np.int64)
            address[i], size[i] = place[_DATA] + np.uint64(wide[0]), wide[1] - wide[0]
        if is_valid[i] == 0:
            size[i] = 0
    return nulls


@compiled(types.void(read_only(types.uint64), read_only(types.int64), types.uint8[::1]))
def _copy(address: NDArray[np.uint64], size: NDArray[np.int64], target: NDArray[np.uint8]) -> None:
    """The bytes at the addresses, one after another."""
    at = 0
    for i in range(len(address)):
        if size[i]:
            copy_bytes(target, at, address[i], size[i])
            at += size[i]


def locate(column: Column, chunk: NDArray[np.int64], row: NDArray[np.int64], is_string: bool) -> Found:
    """Locate the values of rows, each given by its chunk and its row in it; reads no string."""
    rows = len(chunk)
    address, size, is_valid = np.empty(rows, np.uint64), np.empty(rows, np.int64), np.empty(rows, np.uint8)
    nulls = _locate(chunk, row, column.places, is_string, (address, size, is_valid))
    return Found(address, size, is_valid, nulls)


def to_array(found: Found, first: int, last: int, kind: pa.DataType) -> pa.Array:
    """Values `first` to `last` as an Arrow array of a string or eight-byte type; copies the strings' bytes once.

    Raises:
        ValueError: the strings together are too long for the type's offsets.
    """
    rows = last - first
    if rows and found.nulls == len(found.size):
        return pa.nulls(rows, kind)
    nulls, validity = 0, None
    if found.nulls:
        valid = found.is_valid[first:last]
        nulls = rows - int(np.count_nonzero(valid))
        validity = pa.py_buffer(np.packbits(valid, bitorder="little")) if nulls else None
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        values = pa.py_buffer(found.address[first:last].copy())
        return pa.Array.from_buffers(kind, rows, [validity, values], nulls)
    size = found.size[first:last]
    offsets = np.zeros(rows + 1, np.int64)
    np.cumsum(size, out=offsets[1:])
    target = np.empty(int(offsets[-1]), np.uint8)
    if pa.types.is_string(kind):
        if offsets[-1] > np.iinfo(np.int32).max:
            raise ValueError(f"{int(offsets[-1]):,} bytes in one batch of a string column; lower max_batch_bytes")
        offsets = offsets.astype(np.int32)
    _copy(found.address[first:last], size, target)
    return pa.Array.from_buffers(kind, rows, [validity, pa.py_buffer(offsets), pa.py_buffer(target)], nulls)


class MappedDocuments:
    """The documents of all partitions, mapped, numbered as they lie: by partition, then row."""

    def __init__(self, partitions: Sequence[Path]) -> None:
        """Map the files; costs some microseconds per batch in them."""
        places: dict[str, list[NDArray[np.uint64]]] = {name: [] for name in DOCUMENT_SCHEMA.names}
        self._mapped = MappedFiles(partitions)
        sizes, per_partition = [], []
        for mapped in self._mapped.files:
            table = pa.ipc.open_file(pa.py_buffer(mapped)).read_all().select(DOCUMENT_SCHEMA.names)
            for name in DOCUMENT_SCHEMA.names:
                places[name].append(places_of(table[name].chunks))
            chunks = [len(chunk) for chunk in table["text"].chunks]
            sizes += chunks
            per_partition.append(sum(chunks))
        self._columns = {name: Column(np.concatenate(found or [_NO_PLACES])) for name, found in places.items()}
        self._chunk_first = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        self.partition_first = np.concatenate([[0], np.cumsum(per_partition)]).astype(np.int64)

    def find(self, number: NDArray[np.int64], names: Sequence[str]) -> dict[str, Found]:
        """Locate the values of some columns for the documents of these numbers.

        The system is asked to read all of them from disk, in pieces as large as they lie close together.
        """
        first, last = self._pieces(number)
        self._ask_for_offsets(first, last, names)
        strings = list(filter(is_string, names))
        starts, ends = self._locate(first, strings), self._locate(last, strings)
        for name in strings:
            end = ends[name].address.astype(np.int64) + ends[name].size
            self._mapped.read_ahead(starts[name].address.astype(np.int64), end)
        return self._locate(number, names)

    def row_bytes(self) -> NDArray[np.int64]:
        """(documents,) bytes that each takes in a shard, about; reads the offsets of all strings."""
        total = np.full(int(self._chunk_first[-1]), FIXED_ROW_BYTES, np.int64)
        strings = list(filter(is_string, DOCUMENT_SCHEMA.names))
        for start in range(0, len(total), BLOCK_ROWS):
            block = total[start : start + BLOCK_ROWS]
            number = np.arange(start, start + len(block))
            self._ask_for_offsets(*self._pieces(number), strings)
            for column in self._locate(number, strings).values():
                block += column.size
        return total

    def release(self) -> None:
        """Give the memory of mapped pages back; they are mapped again when they are touched."""
        self._mapped.release()

    def _chunk_and_row(self, number: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        chunk = np.searchsorted(self._chunk_first, number, side="right") - 1
        return chunk, number - self._chunk_first[chunk]

    def _locate(self, number: NDArray[np.int64], names: Sequence[str]) -> dict[str, Found]:
        chunk, row = self._chunk_and_row(number)
        return {name: locate(self._columns[name], chunk, row, is_string(name)) for name in names}

    def _pieces(self, number: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """First and last of the documents that lie close together, in one chunk."""
        ordered = np.sort(number)
        chunk, _ = self._chunk_and_row(ordered)
        is_first = np.ones(len(ordered), np.bool_)
        is_first[1:] = (ordered[1:] > ordered[:-1] + GAP_ROWS) | (chunk[1:] != chunk[:-1])
        return ordered[is_first], ordered[np.roll(is_first, -1)]

    def _ask_for_offsets(self, first: NDArray[np.int64], last: NDArray[np.int64], names: Sequence[str]) -> None:
        """Ask for the validity bits, offsets and numbers of pieces."""
        chunk, row = self._chunk_and_row(first)
        for name in names:
            place = self._columns[name].places[chunk].astype(np.int64)
            values, width, validity = place[:, _VALUES], place[:, _WIDTH], place[:, _VALIDITY]
            start = row + place[:, _FIRST]
            end: NDArray[np.int64] = start + (last - first)
            # an offset more than values
            self._mapped.read_ahead(values + start * width, values + width * (end + 2))
            self._mapped.read_ahead(validity + start // 8, validity + (end // 8 + 1))


_NO_PLACES = np.zeros((0, 5), np.uint64)


def is_string(name: str) -> bool:
    """True if a column of the DOCUMENT schema holds strings; the others hold numbers of eight bytes."""
    kind = DOCUMENT_SCHEMA.field(name).type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
