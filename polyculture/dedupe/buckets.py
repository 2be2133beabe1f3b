"""Banding out of core: map partitions to files of band keys, exchange by key range, reduce buckets to star links.

Two documents that share a band's key are proposed to each other. Within a bucket every document is linked to the most
preferred one only, so the links are linear in the documents however hot a key is.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.ipc
from numba import types
from numpy.typing import NDArray

from polyculture.compiled import compiled, read_only, tuple_of
from polyculture.dedupe.signatures import band_key

BUCKET_SCHEMA = pa.schema(
    [pa.field("key", pa.uint64(), nullable=False), pa.field("document", pa.uint32(), nullable=False)]
)
_BOUNDS = b"bounds"
Bucket = tuple[NDArray[np.uint64], NDArray[np.uint32]]
_EMPTY = np.uint32(0xFFFFFFFF)
_NIBBLE_ONES, _LOW_BITS = np.uint64(0x1111111111111111), np.uint64(0x7777777777777777)
_BYTE_PAIRS, _BYTE_ONES = np.uint64(0x0F0F0F0F0F0F0F0F), np.uint64(0x0101010101010101)


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
        signatures: (n, width) of the partition's documents.
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


class Buckets:
    """The band keys of all partitions, by bucket."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """Map the files that `write_buckets` wrote with one banding and cut."""
        batches = [pa.ipc.open_file(pa.memory_map(str(path))).get_batch(0) for path in paths]
        self._parts = [
            (
                batch["key"].to_numpy(),
                batch["document"].to_numpy(),
                np.frombuffer(batch.schema.metadata[_BOUNDS], np.int64),
            )
            for batch in batches
        ]

    def __len__(self) -> int:
        return len(self._parts[0][2]) - 1 if self._parts else 0

    def read(self, number: int) -> Bucket:
        """Exchange step: keys and documents of one (band, key range) over all partitions."""
        spans = [(part, slice(part[2][number], part[2][number + 1])) for part in self._parts]
        return (
            np.concatenate([part[0][span] for part, span in spans]),
            np.concatenate([part[1][span] for part, span in spans]),
        )


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


@compiled()
def _equal_nibbles(fingerprints: NDArray[np.uint64], left: Any, right: Any) -> Any:
    """Equal 4-bit values of two fingerprints."""
    equal = np.uint64(0)
    for word in range(fingerprints.shape[1]):
        differ = fingerprints[left, word] ^ fingerprints[right, word]
        differ = (differ | differ >> np.uint64(1) | differ >> np.uint64(2) | differ >> np.uint64(3)) & _NIBBLE_ONES
        same = differ ^ _NIBBLE_ONES
        pairs = (same & _BYTE_PAIRS) + (same >> np.uint64(4) & _BYTE_PAIRS)
        equal += (pairs * _BYTE_ONES) >> np.uint64(56)
    return equal


@compiled(types.void(types.Array(types.uint32, 2, "C", readonly=True), types.uint64[:, ::1]))
def fingerprints(signatures: NDArray[np.uint32], out: NDArray[np.uint64]) -> None:
    """Pack the low four bits of every signature value (b-bit MinHash; Li & Koenig 2010).

    Args:
        signatures: (n, width).
        out: (n, ceil(width / 16)), overwritten; values that are lacking are zero.
    """
    out[:] = 0
    for i in range(len(signatures)):
        for k in range(signatures.shape[1]):
            out[i, k // 16] |= np.uint64(signatures[i, k] & np.uint32(15)) << np.uint64(4 * (k % 16))


def least_agreement(threshold: float, width: int) -> int:
    """Least number of equal fingerprint values of a pair at the threshold, five standard deviations below the mean.

    A pair at or above the threshold has fewer with probability under 1e-6; most proposals that are no near-duplicates
    have fewer, and are dropped for the price of one cache line.
    """
    share = threshold + (1 - threshold) / 16
    return max(0, int(np.floor(width * share - 5 * np.sqrt(width * share * (1 - share)))))


Crowd = tuple[NDArray[np.uint32], NDArray[np.bool_], NDArray[np.uint64], int]
CROWD = tuple_of(
    read_only(types.uint32), read_only(types.boolean), types.Array(types.uint64, 2, "C", readonly=True), types.int64
)


@compiled()
def _rise(leaders: NDArray[np.uint32], first: Any, depth: int, document: Any, rank: NDArray[np.uint32]) -> None:
    """Put a document among the most preferred ones of its key, at leaders[first : first + depth]."""
    at = depth - 1
    last = leaders[first + at]
    if last != _EMPTY and rank[last] < rank[document]:
        return
    while at > 0 and (leaders[first + at - 1] == _EMPTY or rank[document] < rank[leaders[first + at - 1]]):
        leaders[first + at] = leaders[first + at - 1]
        at -= 1
    leaders[first + at] = document


@compiled()
def _slot(keys: NDArray[np.uint64], entry: Any, first: NDArray[np.uint32]) -> Any:
    """Where the key of an entry stands in the table, or belongs."""
    mask = np.uint64(len(first) - 1)
    slot = (keys[entry] ^ (keys[entry] >> np.uint64(32))) & mask
    while first[slot] != _EMPTY and keys[first[slot]] != keys[entry]:
        slot = (slot + np.uint64(1)) & mask
    return slot


@compiled(
    tuple_of(types.uint64[::1], types.int64, types.int64[::1])(
        read_only(types.uint64), read_only(types.uint32), CROWD, types.int64, types.int64
    )
)
def _links(
    keys: NDArray[np.uint64], documents: NDArray[np.uint32], crowd: Crowd, least: int, depth: int
) -> tuple[NDArray[np.uint64], int, NDArray[np.int64]]:
    rank, is_alive, prints, settled_from = crowd
    size = 1
    while size < 2 * len(keys):
        size *= 2
    first = np.full(size, _EMPTY, np.uint32)  # entry whose key stands in each slot
    sides = 2 if settled_from < len(rank) else 1
    leaders = np.full(size * sides * depth, _EMPTY, np.uint32)  # the key's most preferred documents of each side
    slots = np.empty(len(keys), np.uint32)
    is_shared = np.zeros(size, np.bool_)
    for i in range(len(keys)):
        document = documents[i]
        if not is_alive[document]:
            continue
        slot = _slot(keys, i, first)
        if first[slot] == _EMPTY:
            first[slot] = i
        else:
            is_shared[slot] = True
        _rise(leaders, (np.int64(slot) * sides + (document >= settled_from)) * depth, depth, document, rank)
        slots[i] = slot
    found = np.empty(len(keys), np.uint64)
    contested = np.empty(len(keys), np.int64)
    count = proposed = shared = 0
    for i in range(len(keys)):
        document = documents[i]
        if not is_alive[document] or not is_shared[slots[i]]:
            continue
        contested[shared] = i
        shared += 1
        for side in range(1 if document >= settled_from else sides):  # settled ones are not compared with each other
            start = (np.int64(slots[i]) * sides + side) * depth
            for place in range(start, start + depth):
                leader = leaders[place]
                if leader == _EMPTY or rank[leader] >= rank[document]:
                    break  # those behind are preferred less
                proposed += 1
                if _equal_nibbles(prints, np.int64(document), np.int64(leader)) >= least:
                    if count == len(found):
                        found = np.concatenate((found, np.empty(count, np.uint64)))
                    found[count] = np.uint64(leader) << np.uint64(32) | np.uint64(document)
                    count += 1
    return found[:count].copy(), proposed, contested[:shared].copy()


def bucket_links(bucket: Bucket, crowd: Crowd, least: int, depth: int) -> tuple[NDArray[np.uint64], int, Bucket]:
    """Reduce step: link every living document of a bucket to the most preferred living ones that have its key.

    Args:
        bucket: keys and documents, from `Buckets.read`.
        crowd: of all n documents: place in the order of preference, whether it lives, fingerprints; and the number
            from which on documents are settled: they are linked to the others, not to each other.
        least: equal fingerprint values of a link at least.
        depth: how many of a key's documents the others are linked to.

    Returns:
        leader << 32 | document for each link, at most `depth` per entry and side; how many pairs were proposed; the
        entries whose key several documents have. Linear in the entries, however many share a key.
    """
    links, proposed, contested = _links(*bucket, crowd, least, depth)
    return links, proposed, (bucket[0][contested], bucket[1][contested])
