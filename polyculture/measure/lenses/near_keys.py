"""The near lens's band keys: which of them groups share at all, and the probes', ready to be looked up."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyculture.compute.compiled import compiled
from polyculture.compute.threads import in_threads

BANDS_AT_ONCE = 8  # their filters stay in a core's cache, and a row of their keys fills a cache line
FILTER_BITS = 16  # per group and band: one in sixteen keys that none shares passes for shared

Numbers = NDArray[np.int64]
Keys = NDArray[np.uint64]
Shared = NDArray[np.uint8]
LookUp = tuple[Keys, Numbers, np.uint64]


@dataclass(frozen=True, slots=True)
class ProbeKeys:
    """The band keys of the probes that another group may have too, ready to be looked up.

    Attributes:
        groups: (probes,) group of each.
        keys: (k,) the different keys, scrambled, ascending.
        directory: (2**bits + 1,) first key of each value of the top bits.
        first: (k + 1,) key number i is that of probes[first[i] : first[i + 1]].
        probes: numbers of the probes, by key, ascending.
        alone: (probes,) how many further keys each has, which are no other group's.
    """

    groups: Numbers
    keys: Keys
    directory: Numbers
    first: Numbers
    probes: Numbers
    alone: Numbers

    @property
    def look_up(self) -> LookUp:
        """Tables that a key is found with."""
        bits = (len(self.directory) - 1).bit_length() - 1
        return self.keys, self.directory, np.uint64(64 - bits)


def shared_bands(keys: Keys, has_words: NDArray[np.bool_], threads: int = 1) -> Shared:
    """Bands that each group may share with another one; those that are left out it shares with none.

    Most keys are of one group alone, and need not be looked up. A filter of bits (Bloom 1970, with one hash) holds the
    keys that were met, a second one those that were met again.

    Args:
        keys: (groups, bands).
        has_words: (groups,) whether a group has shingles; one without shares nothing.
        threads: how many share the work.

    Returns:
        (groups, bands / 8 rounded up): band b is bit b % 8 of byte b // 8. Some 5 ns a key.
    """
    bits = max(6, math.ceil(math.log2(max(1, FILTER_BITS * len(keys)))))
    blocks = range(-(-keys.shape[1] // BANDS_AT_ONCE))
    shared = np.zeros((len(keys), len(blocks)), np.uint8)

    def work(block: int) -> None:
        _flag(keys, has_words, (block, np.uint64(bits)), shared)

    list(in_threads(work, blocks, threads))
    return shared


@compiled()
def _flag(keys: Keys, has_words: NDArray[np.bool_], at: tuple[int, np.uint64], shared: Shared) -> None:
    """Set the bits of eight bands."""
    block, bits = at
    start, end = 8 * block, min(8 * block + 8, keys.shape[1])
    met = np.zeros((2, 8, 1 << (np.int64(bits) - 6)), np.uint64)
    for group in range(len(keys)):
        for band in range(start, end if has_words[group] else start):
            slot = (keys[group, band] * np.uint64(0x9E3779B97F4A7C15)) >> (np.uint64(64) - bits)
            word, bit = np.int64(slot >> np.uint64(6)), np.uint64(1) << (slot & np.uint64(63))
            met[1, band - start, word] |= met[0, band - start, word] & bit
            met[0, band - start, word] |= bit
    for group in range(len(keys)):
        flags = np.uint64(0)
        for band in range(start, end if has_words[group] else start):
            slot = (keys[group, band] * np.uint64(0x9E3779B97F4A7C15)) >> (np.uint64(64) - bits)
            again = met[1, band - start, np.int64(slot >> np.uint64(6))] >> (slot & np.uint64(63))
            flags |= (again & np.uint64(1)) << np.uint64(band - start)
        shared[group, block] = np.uint8(flags)


@compiled()
def is_shared(shared: Shared, group: int, band: int) -> bool:
    """True if a group's key may be another one's too."""
    return bool((shared[group, band >> 3] >> (band & 7)) & 1)


def probe_keys(groups: Numbers, keys: Keys, shared: Shared) -> ProbeKeys:
    """Order the keys of probes.

    Args:
        groups: (probes,) group of each.
        keys: (groups, bands) of all groups; a probe without words has none and must not be here.
        shared: of all groups, from `shared_bands`.
    """
    counts = np.bitwise_count(shared[groups]).sum(axis=1, dtype=np.int64)
    bits = max(1, math.ceil(math.log2(max(2, int(counts.sum())))))
    found, directory, first, probes = _order(groups, keys, shared, (int(counts.sum()), bits))
    return ProbeKeys(groups, found, directory, first, probes, keys.shape[1] - counts)


@compiled()
def _order(
    groups: Numbers, keys: Keys, shared: Shared, sizes: tuple[int, int]
) -> tuple[Keys, Numbers, Numbers, Numbers]:
    """Keys in order, by counting their top bits; those of one key by probe."""
    count, bits = sizes
    shift = np.uint64(64 - bits)
    directory = np.zeros((1 << bits) + 1, np.int64)
    for group in groups:
        for band in range(keys.shape[1]):
            if is_shared(shared, group, band):
                directory[((keys[group, band] * np.uint64(0x9E3779B97F4A7C15)) >> shift) + np.uint64(1)] += 1
    directory = np.cumsum(directory)
    following = directory[:-1].copy()
    ordered, probes = np.empty(count, np.uint64), np.empty(count, np.int64)
    for probe in range(len(groups)):
        for band in range(keys.shape[1]):
            if is_shared(shared, groups[probe], band):
                key = keys[groups[probe], band] * np.uint64(0x9E3779B97F4A7C15)
                bucket = key >> shift
                at = following[bucket]
                following[bucket] += 1
                while at > directory[bucket] and ordered[at - 1] > key:
                    ordered[at], probes[at] = ordered[at - 1], probes[at - 1]
                    at -= 1
                ordered[at], probes[at] = key, probe
    first = _drop_repeats(ordered, directory)
    return ordered[: len(first) - 1].copy(), directory, first, probes


@compiled()
def _drop_repeats(ordered: Keys, directory: Numbers) -> Numbers:
    """Move the different keys to the front, and let the directory count those; where each begins, and the end."""
    first, different = np.empty(len(ordered) + 1, np.int64), 0
    for at in range(len(ordered)):
        if at == 0 or ordered[at] != ordered[different - 1]:
            ordered[different], first[different] = ordered[at], at
            different += 1
    first[different] = len(ordered)
    place = 0
    for bucket in range(len(directory)):
        while place < different and first[place] < directory[bucket]:
            place += 1
        directory[bucket] = place
    return first[: different + 1].copy()


@compiled()
def find_key(key: np.uint64, keys: Keys, directory: Numbers, shift: np.uint64) -> int:
    """Number of a key among the probes', or -1."""
    scrambled = key * np.uint64(0x9E3779B97F4A7C15)
    prefix = np.int64(scrambled >> shift)
    for at in range(directory[prefix], directory[prefix + 1]):
        if keys[at] == scrambled:
            return at
    return -1


@compiled()
def count_candidates(
    groups: tuple[Keys, Shared, NDArray[np.bool_]], span: tuple[int, int], look_up: LookUp, found: Numbers
) -> None:
    """Add to found, (k,), how many of some groups have each key of the probes.

    Args:
        groups: band keys, which may be shared, whether each group has words and occurs.
        span: first and last of those that are counted.
        look_up: of the probes.
        found: added to.
    """
    keys, shared, is_there = groups
    for group in range(span[0], span[1]):
        for band in range(keys.shape[1] if is_there[group] else 0):
            if is_shared(shared, group, band):
                at = find_key(keys[group, band], look_up[0], look_up[1], look_up[2])
                if at >= 0:
                    found[at] += 1


@compiled()
def count_by_source(
    groups: tuple[Keys, Shared, NDArray[np.bool_], Numbers, Numbers],
    look_up: LookUp,
    shared_row: Numbers,
    found: Numbers,
) -> None:
    """The same by source, (rows, sources), of the keys that have a row; a group of several sources is one of each.

    Args:
        groups: band keys, which may be shared, whether each group is there, and its sources, as offsets and numbers.
        look_up: of the probes.
        shared_row: (k,) row of each key, or -1.
        found: added to.
    """
    keys, shared, is_there, offsets, source = groups
    for group in range(len(keys)):
        for band in range(keys.shape[1] if is_there[group] else 0):
            if is_shared(shared, group, band):
                at = find_key(keys[group, band], look_up[0], look_up[1], look_up[2])
                if at >= 0 and shared_row[at] >= 0:
                    for entry in range(offsets[group], offsets[group + 1]):
                        found[shared_row[at], source[entry]] += 1


@compiled()
def count_alone(probes: tuple[Numbers, Numbers], offsets: Numbers, source: Numbers, sources: int) -> Numbers:
    """By source, (probes, sources), the candidates by keys that no other group has: the probe's own group.

    Args:
        probes: groups of the probes, and how many such keys each has.
        offsets: (groups + 1,) of the entries of each group, as `GroupCounts` has them.
        source: (entries,) source number.
        sources: how many there are.
    """
    groups, alone = probes
    found = np.zeros((len(groups), sources), np.int64)
    for probe in range(len(groups)):
        for entry in range(offsets[groups[probe]], offsets[groups[probe] + 1]):
            found[probe, source[entry]] += alone[probe]
    return found
