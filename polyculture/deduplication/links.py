"""The reduce step of banding: from a bucket of band keys to star links.

Two documents that share a band's key are proposed to each other. Within a key every document is linked to the few most
preferred ones only, so the links are linear in the documents however hot a key is. Most pairs that are no
near-duplicates are dropped on fingerprints, before any text is looked at.
"""

from typing import Any

import numpy as np
from numba import types
from numpy.typing import NDArray

from polyculture.compute.compiled import compiled, read_only, tuple_of
from polyculture.deduplication.buckets import Bucket

_EMPTY = np.uint32(0xFFFFFFFF)
_NOBODY, _LOW = np.uint64(0xFFFFFFFFFFFFFFFF), np.uint64(0xFFFFFFFF)
_NIBBLE_ONES = np.uint64(0x1111111111111111)
_BYTE_PAIRS, _BYTE_ONES = np.uint64(0x0F0F0F0F0F0F0F0F), np.uint64(0x0101010101010101)


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
DEAD = np.uint32(0xFFFFFFFF)  # the rank of a document that takes no part, or no longer


@compiled()
def _rise(leaders: NDArray[np.uint64], first: Any, depth: int, ranked: Any) -> None:
    """Put a document, as rank << 32 | number, among the most preferred of its key: leaders[first : first + depth]."""
    at = depth - 1
    if leaders[first + at] < ranked:
        return
    while at > 0 and ranked < leaders[first + at - 1]:
        leaders[first + at] = leaders[first + at - 1]
        at -= 1
    leaders[first + at] = ranked


@compiled()
def _alike(pairs: NDArray[np.uint64], prints: NDArray[np.uint64], least: int) -> NDArray[np.uint64]:
    """Pairs with enough equal fingerprint values. A loop of its own, so that its many cache misses overlap."""
    kept = np.empty(len(pairs), np.uint64)
    count = 0
    for pair in pairs:
        kept[count] = pair
        count += _equal_nibbles(prints, np.int64(pair & _LOW), np.int64(pair >> np.uint64(32))) >= least
    return kept[:count].copy()


@compiled()
def _groups(keys: NDArray[np.uint64]) -> tuple[NDArray[np.uint32], NDArray[np.uint32], int]:
    """Entries whose key several have: which they are, the group of each, and how many groups. Looks at keys only."""
    size = 1
    while size < 2 * len(keys):
        size *= 2
    mask = np.uint64(size - 1)
    first = np.full(size, _EMPTY, np.uint32)  # entry whose key stands in each slot
    place = np.empty(len(keys), np.uint32)
    group = np.full(size, _EMPTY, np.uint32)
    groups = 0
    for i in range(len(keys)):
        slot = (keys[i] ^ (keys[i] >> np.uint64(32))) & mask
        while first[slot] != _EMPTY and keys[first[slot]] != keys[i]:
            slot = (slot + np.uint64(1)) & mask
        place[i] = slot
        if first[slot] == _EMPTY:
            first[slot] = i
        elif group[slot] == _EMPTY:
            group[slot] = groups
            groups += 1
    entries = np.empty(len(keys), np.uint32)
    count = 0
    for i in range(len(keys)):  # no branch that the processor could guess wrong
        entries[count] = i
        number = group[place[i]]
        place[count] = number
        count += number != _EMPTY
    return entries[:count], place[:count], groups


@compiled(
    tuple_of(types.uint64[::1], types.int64, types.int64[::1])(
        read_only(types.uint64), read_only(types.uint32), CROWD, types.int64, types.int64
    )
)
def _links(
    keys: NDArray[np.uint64], documents: NDArray[np.uint32], crowd: Crowd, least: int, depth: int
) -> tuple[NDArray[np.uint64], int, NDArray[np.int64]]:
    rank, is_changed, prints, settled_from = crowd
    entries, group, groups = _groups(keys)
    sides = 2 if settled_from < len(rank) else 1
    leaders = np.full(groups * sides * depth, _NOBODY, np.uint64)  # the key's most preferred documents of each side
    members = np.zeros(groups, np.uint32)
    is_open = np.full(groups, len(is_changed) == 0)
    ranked = np.empty(len(entries), np.uint64)  # what is far away is looked up once
    for at in range(len(entries)):
        document = documents[entries[at]]
        members[group[at]] += np.uint32(1)
        ranked[at] = np.uint64(rank[document]) << np.uint64(32) | np.uint64(document)
        if len(is_changed) and is_changed[document]:
            is_open[group[at]] = True
        if rank[document] != DEAD:
            _rise(leaders, (np.int64(group[at]) * sides + (document >= settled_from)) * depth, depth, ranked[at])
    pairs = np.empty(max(len(entries), 1), np.uint64)
    contested = np.empty(len(entries), np.int64)
    proposed = shared = 0
    for at in range(len(entries)):
        contested[shared] = entries[at]
        shared += members[group[at]] > 2  # of two, the one pair is proposed now
        document = ranked[at] & _LOW
        if ranked[at] >> np.uint64(32) == DEAD or not is_open[group[at]]:
            continue
        for side in range(1 if document >= settled_from else sides):  # settled ones are not compared with each other
            start = (np.int64(group[at]) * sides + side) * depth
            for place in range(start, start + depth):
                if leaders[place] >= ranked[at]:
                    break  # nobody, the document itself, or one that is preferred less; so are those behind
                if proposed == len(pairs):
                    pairs = np.concatenate((pairs, np.empty(proposed, np.uint64)))
                pairs[proposed] = leaders[place] << np.uint64(32) | document
                proposed += 1
    return _alike(pairs[:proposed], prints, least), proposed, contested[:shared].copy()


def bucket_links(bucket: Bucket, crowd: Crowd, least: int, depth: int) -> tuple[NDArray[np.uint64], int, Bucket]:
    """Reduce step: link every living document of a bucket to the most preferred living ones that have its key.

    Args:
        bucket: keys and documents, from `Buckets.read`.
        crowd: for all n documents: place in the order of preference, or DEAD; whether that changed since the bucket was
            looked at with this depth, (0,) if it never was; fingerprints; and the number from which on documents are
            settled: they are linked to the others, not to each other.
        least: equal fingerprint values of a link at least.
        depth: number of a key's documents that the others are linked to.

    Returns:
        leader << 32 | document for each link, at most `depth` per entry and side; how many pairs were proposed; the
        entries whose key three documents or more have. Linear in the entries, however many share a key.
    """
    links, proposed, contested = _links(*bucket, crowd, least, depth)
    return links, proposed, (bucket[0][contested], bucket[1][contested])
