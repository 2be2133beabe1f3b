"""The near lens's join: probes against all groups of equal texts that share a band with them, verified on shingles.

A probe with very many candidates verifies a seeded part of them. Each time that a group shares a band with such a probe
it is drawn with a chance p, so that a group that shares c bands is drawn with 1 - (1 - p)**c; what is verified counts 1
over that (Horvitz & Thompson 1952). True neighbours share many bands, and are drawn more often than the others.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyculture.compute.compiled import compiled
from polyculture.measure.lenses.near_keys import LookUp, ProbeKeys, Shared, find_key, is_shared
from polyculture.text.shingles import intersection_size

# What a probe's draws come to in expectation; in each source up to its part of as many more, so that a source which
# has few of the candidates is not missed. The error of a scaled count is then at most about 1 %.
MOST_CANDIDATES = 10_000
WEIGHT_BITS = 16  # counts are summed as integers of 2**-16, so that parts merge to the same bytes

Pairs = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], int]
Numbers = NDArray[np.int64]
Keys = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Chances:
    """Part of its candidates that each probe verifies.

    Attributes:
        of_probe: (probes, sources) the chance of a candidate of each source, 0..1; 1 if all are verified.
        key_row: (k,) row of `of_key` of each key of such a probe that verifies a part; -1 of the others.
        of_key: (rows, sources) the largest chance among the probes of a key.
    """

    of_probe: NDArray[np.float64]
    key_row: Numbers
    of_key: NDArray[np.float64]

    @property
    def is_scaled(self) -> NDArray[np.bool_]:
        """(probes,) which verify a part."""
        return np.asarray((self.of_probe < 1).any(axis=1), np.bool_)


def crowded_keys(probes: ProbeKeys, per_key: Numbers, alone: Numbers, most: int) -> tuple[NDArray[np.bool_], Numbers]:
    """The probes that have too many candidates, and numbers for the keys of these.

    Args:
        probes: p probes.
        per_key: (k,) groups of the whole corpus with each key.
        alone: (p,) candidates by keys that no other group has.
        most: candidates that a probe may have and verify them all; a group is one for each band that it shares.

    Returns:
        (p,) which have more; (k,) a row for each of their keys, -1 for the others.
    """
    counts = np.repeat(per_key, np.diff(probes.first))
    has_many = np.bincount(probes.probes, counts, len(probes.groups)) + alone > most
    is_theirs = np.zeros(len(per_key), np.bool_)
    is_theirs[np.repeat(np.arange(len(per_key)), np.diff(probes.first))[has_many[probes.probes]]] = True
    return has_many, np.where(is_theirs, np.cumsum(is_theirs) - 1, -1)


def chances(
    probes: ProbeKeys, crowded: tuple[NDArray[np.bool_], Numbers], by_source: Numbers, alone: Numbers, most: int
) -> Chances:
    """Work out what part of their candidates probes verify.

    Args:
        probes: p probes.
        crowded: which have too many, and the rows of their keys.
        by_source: (rows, sources) groups of the whole corpus with each of these keys.
        alone: (p, sources) candidates by keys that no other group has.
        most: candidates that a probe may have and verify them all.
    """
    (has_many, key_row), sources = crowded, by_source.shape[1]
    of_probe, of_key = np.ones((len(probes.groups), sources)), np.ones(by_source.shape)
    if not len(of_key):
        return Chances(of_probe, key_row, of_key)
    rows = key_row[np.repeat(np.arange(len(key_row)), np.diff(probes.first))]
    mine = rows >= 0
    theirs, rows = probes.probes[mine], rows[mine]
    own = np.stack([np.bincount(theirs, column[rows], len(of_probe)) for column in by_source.T], axis=1)
    own = own + alone
    total = np.maximum(1.0, own.sum(axis=1, keepdims=True))
    chance = np.minimum(1.0, np.maximum(most / total, most / sources / np.maximum(own, 1.0)))
    of_probe[has_many] = chance[has_many]
    starts = np.flatnonzero(np.diff(rows, prepend=-1))  # rows ascend, as keys do
    of_key = np.maximum.reduceat(of_probe[theirs], starts, axis=0)
    return Chances(of_probe, key_row, of_key)


@compiled()
def agreement(signatures: NDArray[np.uint32], left: int, right: int) -> int:
    """Equal values of two signatures."""
    equal = np.int32(0)
    for i in range(signatures.shape[1]):
        equal += np.int32(signatures[left, i] == signatures[right, i])
    return int(equal)


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
def _uniform(state: np.uint64) -> float:
    return (np.float64(state >> np.uint64(11)) + 0.5) * 2.0**-53


@compiled()
def _skip(state: np.uint64, chance: float) -> int:
    """Number that is passed over until the next that is drawn."""
    if chance >= 1.0:
        return 0
    return int(min(np.log(_uniform(state)) / np.log1p(-chance), 1e15))


@compiled()
def _content(hashes: Keys) -> np.uint64:
    """A group's own number, wherever it lies."""
    value = np.uint64(len(hashes))
    for one in hashes:
        value = _mix(value ^ one)
    return value


@compiled()
def _largest(chances: NDArray[np.float64], sources: Numbers) -> float:
    """The largest chance among a group's sources."""
    found = 0.0
    for source in sources:
        found = max(found, chances[source])
    return found


@compiled()
def _drawn(
    span: tuple[int, int],
    probes: tuple[Numbers, NDArray[np.float64]],
    draw: tuple[Numbers, float, np.uint64],
    out: tuple[Numbers, NDArray[np.float64]],
) -> int:
    """Find the probes of a key that take a group for a candidate, and with what chance; returns their number."""
    by_key, of_probe = probes
    sources, largest, state = draw
    at, count = span[0] + _skip(state, largest), 0
    while at < span[1]:
        probe = by_key[at]
        chance = _largest(of_probe[probe], sources)
        state = _mix(state + np.uint64(0x9E3779B97F4A7C15))
        if _uniform(state) * largest < chance:
            out[0][count], out[1][count] = probe, chance
            count += 1
        state = _mix(state + np.uint64(0x9E3779B97F4A7C15))
        at += 1 + _skip(state, largest)
    return count


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
    mine, theirs = offsets[left + 1] - offsets[left], offsets[right + 1] - offsets[right]
    if min(mine, theirs) * denominator < numerator * max(mine, theirs):
        return False
    if agreement(signatures, left, right) < least_agreement:
        return False
    ours, others = hashes[offsets[left] : offsets[left + 1]], hashes[offsets[right] : offsets[right + 1]]
    return verified_similarity(ours, others, numerator, denominator) >= 0


@compiled()
def _verify(
    groups: tuple[Keys, Numbers, NDArray[np.uint32], Keys],
    at: tuple[int, int, Numbers, NDArray[np.bool_]],
    proposed: tuple[Numbers, Numbers, NDArray[np.float64]],
    examined: Numbers,
    bounds: tuple[int, int, int],
) -> int:
    """Move the probes that are neighbours to the front, and in place of each chance its weight; returns how many.

    The group itself is passed over. Two probes that verify all their candidates are verified once: by the lower group.
    """
    probe_groups, probe_of, chance_of = proposed
    group, drawn, numbers, is_there = at
    count = 0
    for place in range(drawn):
        probe = probe_of[place]
        other = probe_groups[probe]
        if other == group or examined[probe] == group:
            continue
        examined[probe] = group
        if other < group and is_there[other] and numbers[group] >= 0 and numbers[other] >= 0:
            continue
        if _is_near(groups, group, other, bounds):
            chance = chance_of[place]
            probe_of[count] = probe
            chance_of[count] = (
                1 << WEIGHT_BITS if chance >= 1.0 else _weight(groups[3][group], groups[3][other], chance)
            )
            count += 1
    return count


@compiled()
def join(
    groups: tuple[Keys, Numbers, NDArray[np.uint32], Keys],
    probes: tuple[Numbers, Numbers, Numbers, LookUp],
    sampled: tuple[NDArray[np.float64], NDArray[np.float64], Numbers, np.uint64],
    owners: tuple[NDArray[np.bool_], Shared, Numbers, Numbers, Numbers],
    limits: tuple[int, int, int, int, int],
) -> Pairs:
    """Verified pairs of the groups first..last with other probes that share a band.

    Args:
        groups: shingle hashes, their offsets, signatures, band keys.
        probes: their groups, `ProbeKeys.first`, `.probes` and `.look_up`.
        sampled: `Chances.of_probe`, `.of_key` and `.key_row`, and a seed.
        owners: whether each group is there, which bands it may share, the number of the probe that it is if that
            verifies all its candidates, else -1, and the sources of each, as offsets and numbers.
        limits: first and last group, and numerator, denominator and least agreement of neighbours.

    Returns:
        Probe, group and weight of each pair, in units of 2**-16; and how many candidates were looked at.
    """
    hashes, starts, _, keys = groups
    probe_groups, first, by_key, look_up = probes
    of_probe, of_key, key_row, seed = sampled
    is_there, shared, numbers, offsets, source = owners
    examined = np.full(len(probe_groups), -1, np.int64)
    probe_of, chance_of = np.empty(len(probe_groups) + 1, np.int64), np.empty(len(probe_groups) + 1)
    found = np.empty((1024, 3), np.int64)
    count, looked_at = 0, 0
    for group in range(limits[0], limits[1]):
        for band in range(keys.shape[1] if is_there[group] else 0):
            if not is_shared(shared, group, band):
                continue
            key = find_key(keys[group, band], look_up[0], look_up[1], look_up[2])
            if key < 0:
                continue
            span, row = (first[key], first[key + 1]), key_row[key]
            if row < 0:
                drawn = span[1] - span[0]
                for at in range(drawn):  # no slices: to count their references costs more than the rest
                    probe_of[at], chance_of[at] = by_key[span[0] + at], 1.0
            else:
                sources = source[offsets[group] : offsets[group + 1]]
                state = _mix(_mix(seed ^ _content(hashes[starts[group] : starts[group + 1]])) + keys[group, band])
                draw = (sources, _largest(of_key[row], sources), state)
                drawn = _drawn(span, (by_key, of_probe), draw, (probe_of, chance_of))
            looked_at += drawn
            proposed, here = (probe_groups, probe_of, chance_of), (group, drawn, numbers, is_there)
            drawn = _verify(groups, here, proposed, examined, (limits[2], limits[3], limits[4]))
            while count + 2 * drawn > len(found):
                found = np.concatenate((found, np.empty_like(found)))
            for at in range(drawn):
                found[count, 0], found[count, 1], found[count, 2] = probe_of[at], group, chance_of[at]
                count += 1
                other = probe_groups[probe_of[at]]
                if numbers[group] >= 0 and numbers[other] >= 0 and is_there[other]:
                    found[count, 0], found[count, 1], found[count, 2] = numbers[group], other, chance_of[at]
                    count += 1
    return found[:count, 0].copy(), found[:count, 1].copy(), found[:count, 2].copy(), looked_at
