"""The near lens's join: probes against all groups of equal texts that share a band with them, verified on shingles.

A probe with very many candidates verifies a seeded part of them. Each time that a group shares a band with such a probe
it is drawn with a chance p, so that a group that shares c bands is drawn with 1 - (1 - p)**c; what is verified counts 1
over that (Horvitz & Thompson 1952). True neighbours share many bands, and are drawn more often than the others.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyculture.compiled import compiled
from polyculture.dedupe.shingles import intersection_size

# What a probe's draws come to in expectation; in each source up to its part of as many more, so that a source which
# has few of the candidates is not missed. The error of a scaled count is then at most about 1 %.
MOST_CANDIDATES = 10_000
WEIGHT_BITS = 16  # counts are summed as integers of 2**-16, so that parts merge to the same bytes

Pairs = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], int]
Numbers = NDArray[np.int64]
Keys = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class ProbeKeys:
    """The band keys of the probes, ready to be looked up.

    Attributes:
        groups: (probes,) group of each.
        keys: (k,) the different keys, scrambled, ascending.
        directory: (2**bits + 1,) first key of each value of the top bits.
        first: (k + 1,) key number i is that of probes[first[i] : first[i + 1]].
        probes: numbers of the probes, by key.
    """

    groups: Numbers
    keys: Keys
    directory: Numbers
    first: Numbers
    probes: Numbers

    @property
    def look_up(self) -> tuple[Keys, Numbers]:
        """What a key is found with."""
        return self.keys, self.directory


@dataclass(frozen=True, slots=True)
class Chances:
    """What part of its candidates each probe verifies.

    Attributes:
        candidates: (probes,) groups that share a band with each, counted once for each band.
        of_probe: (probes, sources) the chance of a candidate of each source, 0..1; 1 if all are verified.
        of_key: (k, sources) the largest among the probes of a key.
    """

    candidates: Numbers
    of_probe: NDArray[np.float64]
    of_key: NDArray[np.float64]

    @property
    def is_scaled(self) -> NDArray[np.bool_]:
        """(probes,) which verify a part."""
        scaled: NDArray[np.bool_] = (self.of_probe < 1).any(axis=1)
        return scaled


def probe_keys(groups: Numbers, keys: Keys) -> ProbeKeys:
    """Order the keys of probes.

    Args:
        groups: (probes,) group of each.
        keys: (probes, bands) its keys; a probe without words has none and must not be here.
    """
    scrambled = (keys * np.uint64(0x9E3779B97F4A7C15)).ravel()
    order = np.argsort(scrambled, kind="stable")
    found, first = np.unique(scrambled[order], return_index=True)
    bits = max(1, int(np.ceil(np.log2(max(2, len(found))))))
    edges = np.arange(1, 1 << bits, dtype=np.uint64) << np.uint64(64 - bits)
    directory = np.concatenate([[0], np.searchsorted(found, edges), [len(found)]]).astype(np.int64)
    probes = np.repeat(np.arange(len(groups)), keys.shape[1])[order]
    return ProbeKeys(groups, found, directory, np.append(first, len(order)).astype(np.int64), probes)


def chances(probes: ProbeKeys, per_key: Numbers, per_source: Numbers | None, most: int, sources: int) -> Chances:
    """How much of their candidates probes verify.

    Args:
        probes: p probes.
        per_key: (k,) groups of the whole corpus with each key.
        per_source: (k, sources) the same by source; only where a probe has more candidates than `most`, else None.
        most: candidates that a probe may have and verify them all.
        sources: how many there are.
    """
    owner = np.repeat(np.arange(len(per_key)), np.diff(probes.first))
    candidates = np.bincount(probes.probes, per_key[owner], len(probes.groups)).astype(np.int64)
    of_probe, of_key = np.ones((len(probes.groups), sources)), np.ones((len(per_key), sources))
    if per_source is None:
        return Chances(candidates, of_probe, of_key)
    has_many = candidates > most
    for source in range(sources):
        mine = np.bincount(probes.probes, per_source[owner, source], len(probes.groups))
        least = most / sources / np.maximum(mine, 1)
        chance = np.minimum(1.0, np.maximum(most / np.maximum(candidates, 1), least))
        of_probe[has_many, source] = chance[has_many]
        of_key[:, source] = np.maximum.reduceat(of_probe[probes.probes, source], probes.first[:-1])
    return Chances(candidates, of_probe, of_key)


@compiled()
def _find(key: np.uint64, keys: Keys, directory: Numbers) -> int:
    """Number of a key among the probes', or -1."""
    scrambled = key * np.uint64(0x9E3779B97F4A7C15)
    bits = 0
    while (1 << bits) < len(directory) - 1:
        bits += 1
    prefix = np.int64(scrambled >> np.uint64(64 - bits))
    for at in range(directory[prefix], directory[prefix + 1]):
        if keys[at] == scrambled:
            return at
    return -1


@compiled()
def count_candidates(keys: Keys, is_there: NDArray[np.bool_], look_up: tuple[Keys, Numbers], per_key: Numbers) -> None:
    """Add to per_key, (k,), how many groups have each key of the probes; those of two partitions are added.

    Args:
        keys: (groups, bands).
        is_there: (groups,) whether a group has words and occurs.
        look_up: of the probes.
        per_key: added to.
    """
    for group in range(len(keys)):
        if is_there[group]:
            for band in range(keys.shape[1]):
                at = _find(keys[group, band], look_up[0], look_up[1])
                if at >= 0:
                    per_key[at] += 1


@compiled()
def count_by_source(
    keys: Keys,
    is_there: NDArray[np.bool_],
    look_up: tuple[Keys, Numbers],
    owners: tuple[Numbers, Numbers],
    per_source: Numbers,
) -> None:
    """The same by source, (k, sources): a group of several sources is one of each."""
    offsets, source = owners
    for group in range(len(keys)):
        if is_there[group]:
            for band in range(keys.shape[1]):
                at = _find(keys[group, band], look_up[0], look_up[1])
                if at >= 0:
                    for entry in range(offsets[group], offsets[group + 1]):
                        per_source[at, source[entry]] += 1


@compiled()
def agreement(left: NDArray[np.uint32], right: NDArray[np.uint32]) -> int:
    """Equal values of two signatures."""
    equal = 0
    for i in range(len(left)):
        equal += left[i] == right[i]
    return equal


@compiled()
def verified_similarity(left: Keys, right: Keys, numerator: int, denominator: int) -> float:
    """Jaccard similarity of two shingle sets if it is at least numerator/denominator (exactly), else -1."""
    smaller, larger = min(len(left), len(right)), max(len(left), len(right))
    if smaller == 0 or smaller * denominator < numerator * larger:
        return -1.0
    common = intersection_size(left, right)
    union = smaller + larger - common
    return common / union if common * denominator >= numerator * union else -1.0


@compiled()
def _mix(value: np.uint64) -> np.uint64:
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@compiled()
def _skip(state: np.uint64, chance: float) -> int:
    """How many are passed over until the next that is drawn."""
    uniform = (np.float64(state >> np.uint64(11)) + 0.5) * 2.0**-53
    return int(min(np.log(uniform) / np.log1p(-chance), 1e15))


@compiled()
def _weight(left: Keys, right: Keys, chance: float) -> int:
    """1 over the chance that a pair of groups is drawn, in units of 2**-16."""
    shared = 0
    for band in range(len(left)):
        shared += left[band] == right[band]
    return int(np.round((1 << WEIGHT_BITS) / (1.0 - (1.0 - chance) ** shared)))


@compiled()
def _is_near(
    groups: tuple[Keys, Numbers, NDArray[np.uint32], Keys], left: int, right: int, bounds: tuple[int, int, int]
) -> bool:
    hashes, offsets, signatures, _ = groups
    numerator, denominator, least_agreement = bounds
    mine, theirs = hashes[offsets[left] : offsets[left + 1]], hashes[offsets[right] : offsets[right + 1]]
    smaller, larger = min(len(mine), len(theirs)), max(len(mine), len(theirs))
    if smaller * denominator < numerator * larger:
        return False
    if agreement(signatures[left], signatures[right]) < least_agreement:
        return False
    return verified_similarity(mine, theirs, numerator, denominator) >= 0


@compiled()
def join(
    groups: tuple[Keys, Numbers, NDArray[np.uint32], Keys],
    probes: tuple[Numbers, Numbers, Numbers, tuple[Keys, Numbers]],
    sampled: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_], np.uint64],
    owners: tuple[NDArray[np.bool_], Numbers, Numbers],
    limits: tuple[int, int, int, int, int],
) -> Pairs:
    """Verified pairs of the groups first..last with probes that share a band.

    Args:
        groups: shingle hashes, their offsets, signatures, band keys.
        probes: their groups, `ProbeKeys.first`, `.probes` and `.look_up`.
        sampled: `Chances.of_probe` and `.of_key`, whether each key has a probe that verifies a part, and a seed.
        owners: whether each group is there, and the sources of each, as offsets and numbers.
        limits: first and last group, and numerator, denominator and least agreement of neighbours.

    Returns:
        Probe, group and weight of each pair, in units of 2**-16; and how many candidates were looked at.
    """
    keys = groups[3]
    probe_groups, first, by_key, look_up = probes
    of_probe, of_key, has_many, seed = sampled
    is_there, offsets, source = owners
    examined = np.full(len(probe_groups), -1, np.int64)
    found = np.empty((1024, 3), np.int64)
    count, looked_at = 0, 0
    for group in range(limits[0], limits[1]):
        if not is_there[group]:
            continue
        content = np.uint64(0)
        for band in range(keys.shape[1]):
            key = _find(keys[group, band], look_up[0], look_up[1])
            if key < 0:
                continue
            at, end, largest, state = first[key], first[key + 1], 1.0, seed
            if has_many[key]:
                if content == 0:  # the group's own number, wherever it lies
                    for entry in range(groups[1][group], groups[1][group + 1]):
                        content = _mix(content ^ groups[0][entry])
                largest = 0.0
                for entry in range(offsets[group], offsets[group + 1]):
                    largest = max(largest, of_key[key, source[entry]])
                state = _mix(_mix(seed ^ content) + keys[group, band])
                if largest < 1.0:
                    at += _skip(state, largest)
            while at < end:
                probe = by_key[at]
                at += 1
                looked_at += 1
                chance = 1.0
                if has_many[key]:
                    chance = 0.0
                    for entry in range(offsets[group], offsets[group + 1]):
                        chance = max(chance, of_probe[probe, source[entry]])
                    state = _mix(state + np.uint64(0x9E3779B97F4A7C15))
                    is_passed = (state >> np.uint64(11)) * 2.0**-53 * largest >= chance
                    state = _mix(state + np.uint64(0x9E3779B97F4A7C15))
                    if largest < 1.0:
                        at += _skip(state, largest)
                    if is_passed:
                        continue
                if examined[probe] == group:
                    continue
                examined[probe] = group
                other = probe_groups[probe]
                if _is_near(groups, group, other, (limits[2], limits[3], limits[4])):
                    if count == len(found):
                        found = np.concatenate((found, np.empty((count, 3), np.int64)))
                    weight = 1 << WEIGHT_BITS
                    if chance < 1.0:
                        weight = _weight(keys[group], keys[other], chance)
                    found[count, 0], found[count, 1], found[count, 2] = probe, group, weight
                    count += 1
    return found[:count, 0].copy(), found[:count, 1].copy(), found[:count, 2].copy(), looked_at
