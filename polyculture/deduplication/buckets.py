"""Banding out of core: partitions are mapped to files of band keys, and exchanged by key range."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.ipc
from numba import types
from numpy.typing import NDArray

from polyculture.compute.compiled import compiled, elements_at, tuple_of
from polyculture.text.minhash import band_key

BUCKET_SCHEMA = pa.schema(
    [pa.field("key", pa.uint64(), nullable=False), pa.field("document", pa.uint32(), nullable=False)]
)
_BOUNDS = b"bounds"
Bucket = tuple[NDArray[np.uint64], NDArray[np.uint32]]


@compiled()
def _range(key: Any, range_bits: int) -> Any:
    """The key range that a key falls into: its highest bits."""
    return np.int64(key >> np.uint64(64 - range_bits)) if range_bits > 0 else np.int64(0)


@compiled(
    types.void(
        types.Array(types.uint32, 2, "C", readonly=True),
        tuple_of(types.int64, types.int64),
        types.int64,
        types.int64,
        tuple_of(types.uint64[::1], types.uint32[::1], types.int64[::1]),
    )
)
def _scatter(
    signatures: NDArray[np.uint32],
    banding: tuple[int, int],
    first_document: int,
    range_bits: int,
    out: tuple[NDArray[np.uint64], NDArray[np.uint32], NDArray[np.int64]],
) -> None:
    keys, documents, bounds = out
    bands, rows = banding
    count, ranges = len(signatures), 1 << range_bits
    mine = np.empty(count, np.uint64)
    at = np.empty(ranges, np.int64)
    for band in range(bands):
        at[:] = 0
        for i in range(count):
            mine[i] = band_key(signatures[i], band, rows)
            at[_range(mine[i], range_bits)] += 1
        place = np.int64(band * count)
        for number in range(ranges):
            bounds[band * ranges + number] = place
            size = at[number]
            at[number] = place
            place += size
        for i in range(count):
            number = _range(mine[i], range_bits)
            keys[at[number]] = mine[i]
            documents[at[number]] = first_document + i
            at[number] += 1
    bounds[bands * ranges] = bands * count


def write_buckets(
    path: Path, signatures: NDArray[np.uint32], banding: tuple[int, int], first_document: int, range_bits: int
) -> None:
    """Map step: write the band keys of a partition, cut by (band, key range), in that order.

    Args:
        path: an Arrow file of one record batch; its metadata holds where each bucket begins.
        signatures: (n, width) signatures of the partition's documents.
        banding: bands, and rows per band.
        first_document: number of the first one.
        range_bits: each band's keys are cut into 2**range_bits ranges.
    """
    size = banding[0] * len(signatures)
    out = (np.empty(size, np.uint64), np.empty(size, np.uint32), np.empty((banding[0] << range_bits) + 1, np.int64))
    _scatter(signatures, banding, first_document, range_bits, out)
    schema = BUCKET_SCHEMA.with_metadata({_BOUNDS: out[2].tobytes()})
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        writer.write_batch(pa.RecordBatch.from_arrays([pa.array(out[0]), pa.array(out[1])], schema=schema))


def write_contested(path: Path, buckets: Iterable[Bucket]) -> None:
    """Write buckets one after another, in the form of `write_buckets`: a batch each."""
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, BUCKET_SCHEMA) as writer:
        for keys, documents in buckets:
            writer.write_batch(pa.RecordBatch.from_arrays([pa.array(keys), pa.array(documents)], schema=BUCKET_SCHEMA))


class Contested:
    """The entries whose key several documents have, by bucket: all that later rounds look at."""

    def __init__(self, path: Path) -> None:
        """Map the file that `write_contested` wrote."""
        self._file = pa.ipc.open_file(pa.memory_map(str(path)))

    def __len__(self) -> int:
        return int(self._file.num_record_batches)

    def read(self, number: int) -> Bucket:
        """Keys and documents of one bucket."""
        batch = self._file.get_batch(number)
        return batch["key"].to_numpy(), batch["document"].to_numpy()


@compiled(
    types.void(
        types.Array(types.uint64, 2, "C", readonly=True),
        types.Array(types.int64, 2, "C", readonly=True),
        types.int64,
        types.uint64[::1],
        types.uint32[::1],
    )
)
def _gather(
    columns: NDArray[np.uint64],
    bounds: NDArray[np.int64],
    number: int,
    keys: NDArray[np.uint64],
    documents: NDArray[np.uint32],
) -> None:
    """Copy the entries of one bucket from every partition's columns, given by their addresses."""
    at = 0
    for part in range(len(columns)):
        first, last = bounds[part, number], bounds[part, number + 1]
        some_keys = elements_at(columns[part, 0], last, np.uint64)
        some_documents = elements_at(columns[part, 1], last, np.uint32)
        for i in range(first, last):
            keys[at] = some_keys[i]
            documents[at] = some_documents[i]
            at += 1


class Buckets:
    """The band keys of all partitions, by bucket."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """Map the files that `write_buckets` wrote with one banding and cut."""
        self._batches = [pa.ipc.open_file(pa.memory_map(str(path))).get_batch(0) for path in paths]
        self._bounds = (
            np.stack([np.frombuffer(b.schema.metadata[_BOUNDS], np.int64) for b in self._batches])
            if paths
            else np.zeros((0, 1), np.int64)
        )
        columns = [[b[name].to_numpy().ctypes.data for name in ("key", "document")] for b in self._batches]
        self._columns = np.array(columns, np.uint64).reshape(len(paths), 2)

    def __len__(self) -> int:
        return int(self._bounds.shape[1]) - 1

    def read(self, number: int) -> Bucket:
        """Exchange step: keys and documents of one (band, key range) over all partitions."""
        size = int((self._bounds[:, number + 1] - self._bounds[:, number]).sum())
        keys, documents = np.empty(size, np.uint64), np.empty(size, np.uint32)
        _gather(self._columns, self._bounds, number, keys, documents)
        return keys, documents


class JoinedBuckets:
    """The buckets of new documents, with the entries of settled ones in each."""

    def __init__(self, new: Buckets, settled: Sequence[Bucket], first_document: int) -> None:
        """Number the settled documents from `first_document` on."""
        self._new, self._settled, self._first = new, settled, np.uint32(first_document)

    def __len__(self) -> int:
        return len(self._new)

    def read(self, number: int) -> Bucket:
        """Keys and documents of one bucket."""
        keys, documents = self._new.read(number)
        others, settled = self._settled[number]
        return np.concatenate([keys, others]), np.concatenate([documents, settled + self._first])
