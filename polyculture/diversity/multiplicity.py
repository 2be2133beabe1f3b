"""Multiplicities: how many documents of every source belong to each probe's species, counted in the whole corpus."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import polars as pl
from numpy.typing import NDArray

from polyculture.compiled import compiled
from polyculture.dedupe.shingles import ShingleSets, intersection_size
from polyculture.dedupe.signatures import band_keys, minhash_signatures

# 1 - (1 - .8**4)**32 = 1 - 5e-8 of the pairs at Jaccard .8 share a band; .988 of those at .6.
PROBE_BANDS, PROBE_ROWS = 32, 4


@dataclass(frozen=True, slots=True)
class GroupCounts:
    """Occurrences of each group of equal texts in each source, at one stage or several, sparse.

    Attributes:
        offsets: (groups + 1,) group g has the entries offsets[g]:offsets[g + 1].
        source: (entries,) source number.
        copies: (entries, stages) occurrences.
        sources: number of sources.
    """

    offsets: NDArray[np.int64]
    source: NDArray[np.int64]
    copies: NDArray[np.int64]
    sources: int

    @property
    def entries(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Offsets, sources and copies, as a compiled function takes them."""
        return self.offsets, self.source, self.copies


def count_groups(
    group: NDArray[np.int64], source: NDArray[np.int64], copies: NDArray[np.int64], sources: int
) -> GroupCounts:
    """Count occurrences per group and source.

    Args:
        group: (documents,) group of equal texts, dense from 0.
        source: (documents,) source number.
        copies: (documents, stages) occurrences of each document.
        sources: number of sources.
    """
    columns = {f"copies_{i}": copies[:, i] for i in range(copies.shape[1])}
    frame = pl.DataFrame({"group": group, "source": source, **columns})
    there = frame.filter(pl.any_horizontal(pl.col(list(columns)) != 0))
    counted = there.group_by("group", "source").agg(pl.col(list(columns)).sum()).sort("group", "source")
    groups = int(group.max()) + 1 if len(group) else 0
    offsets = np.searchsorted(counted["group"].to_numpy(), np.arange(groups + 1)).astype(np.int64)
    return GroupCounts(
        offsets,
        counted["source"].to_numpy().astype(np.int64),
        counted.select(list(columns)).to_numpy().astype(np.int64),
        sources,
    )


def exact_multiplicities(probe_groups: NDArray[np.int64], counts: GroupCounts) -> NDArray[np.int64]:
    """Occurrences of each probe's text, (probes, sources, stages)."""
    result = np.zeros((len(probe_groups), counts.sources, counts.copies.shape[1]), np.int64)
    _add_entries(result, np.arange(len(probe_groups)), probe_groups, counts.entries)
    return result


@compiled()
def _add_entries(
    result: NDArray[np.int64],
    at: NDArray[np.int64],
    groups: NDArray[np.int64],
    entries: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
) -> None:
    """Add the entries of groups[i] to result[at[i]]."""
    offsets, source, copies = entries
    for i in range(len(groups)):
        for entry in range(offsets[groups[i]], offsets[groups[i] + 1]):
            for stage in range(copies.shape[1]):
                result[at[i], source[entry], stage] += copies[entry, stage]


def agreement_floor(threshold: float, width: int) -> int:
    """Least number of equal signature values of a pair at the threshold, six standard deviations below the mean.

    A pair at or above the threshold has fewer with probability under 1e-8; most proposals that are no near-duplicates
    have fewer, and are dropped for the price of one comparison per value.
    """
    return max(0, int(np.floor(width * threshold - 6 * np.sqrt(width * threshold * (1 - threshold)))))


@compiled()
def agreement(left: NDArray[np.uint32], right: NDArray[np.uint32]) -> int:
    """Equal values of two signatures."""
    equal = 0
    for i in range(len(left)):
        equal += left[i] == right[i]
    return equal


@compiled()
def verified_similarity(left: NDArray[np.uint64], right: NDArray[np.uint64], numerator: int, denominator: int) -> float:
    """Jaccard similarity of two shingle sets if it is at least numerator/denominator (exactly), else -1."""
    smaller, larger = min(len(left), len(right)), max(len(left), len(right))
    if smaller == 0 or smaller * denominator < numerator * larger:
        return -1.0
    common = intersection_size(left, right)
    union = smaller + larger - common
    return common / union if common * denominator >= numerator * union else -1.0


@compiled()
def _join(
    groups: tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.uint32], NDArray[np.uint64]],
    probes: tuple[NDArray[np.int64], NDArray[np.uint64], NDArray[np.int64]],
    span: tuple[int, int],
    bounds: tuple[int, int, int],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Verified (probe, group) pairs for the groups first..last: probes proposed by a shared band."""
    hashes, offsets, signatures, keys = groups
    probe_groups, sorted_keys, sorted_probes = probes
    numerator, denominator, least_agreement = bounds
    examined = np.full(len(probe_groups), -1, np.int64)
    found_probe = np.empty(1024, np.int64)
    found_group = np.empty(1024, np.int64)
    count = 0
    for group in range(span[0], span[1]):
        mine = hashes[offsets[group] : offsets[group + 1]]
        if len(mine) == 0:
            continue
        for band in range(keys.shape[1]):
            key = keys[group, band]
            at = np.searchsorted(sorted_keys, key)
            while at < len(sorted_keys) and sorted_keys[at] == key:
                probe = sorted_probes[at]
                at += 1
                if examined[probe] == group:
                    continue
                examined[probe] = group
                other = probe_groups[probe]
                theirs = hashes[offsets[other] : offsets[other + 1]]
                smaller, larger = min(len(mine), len(theirs)), max(len(mine), len(theirs))
                if smaller * denominator < numerator * larger:
                    continue
                if agreement(signatures[group], signatures[other]) < least_agreement:
                    continue
                if verified_similarity(mine, theirs, numerator, denominator) >= 0:
                    if count == len(found_probe):
                        found_probe = np.concatenate((found_probe, np.empty(count, np.int64)))
                        found_group = np.concatenate((found_group, np.empty(count, np.int64)))
                    found_probe[count] = probe
                    found_group[count] = group
                    count += 1
    return found_probe[:count], found_group[:count]


class NearIndex:
    """Signatures of all groups of equal texts, ready to be joined with any probes."""

    def __init__(self, sets: ShingleSets, threshold: float, seed: int, threads: int = 1) -> None:
        """Sign the groups.

        Args:
            sets: shingle sets, one per group.
            threshold: least Jaccard similarity of neighbours.
            seed: of the signatures.
            threads: how many share a join.
        """
        width = PROBE_BANDS * PROBE_ROWS
        self._sets = sets
        self._threads = threads
        self._signatures = minhash_signatures(sets, width, seed)
        self._keys = band_keys(self._signatures, PROBE_BANDS, PROBE_ROWS)
        exact = Fraction(str(threshold))
        self._bounds = (exact.numerator, exact.denominator, agreement_floor(threshold, width))

    def multiplicities(self, probe_groups: NDArray[np.int64], counts: GroupCounts) -> NDArray[np.int64]:
        """Occurrences in each probe's closed near-neighbourhood, over the full corpus.

        Every group that shares a band with a probe and agrees in enough signature values is verified on its shingles.

        Args:
            probe_groups: (probes,) group of each probe; repeats are joined once.
            counts: what the groups weigh.

        Returns:
            (probes, sources, stages), at least the probe's own group.
        """
        unique, inverse = np.unique(probe_groups, return_inverse=True)
        result = exact_multiplicities(unique, counts)
        for probe, group in self._neighbours(unique):
            is_other = unique[probe] != group
            _add_entries(result, probe[is_other], group[is_other], counts.entries)
        return result[inverse]

    def _neighbours(self, probe_groups: NDArray[np.int64]) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        has_words = np.flatnonzero(np.diff(self._sets.offsets)[probe_groups] > 0)
        keys = self._keys[probe_groups[has_words]].ravel()
        order = np.argsort(keys, kind="stable")
        probes = (probe_groups, keys[order], np.repeat(has_words, PROBE_BANDS)[order])
        edges = np.linspace(0, len(self._sets), 4 * self._threads + 1).astype(np.int64)
        spans = list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))
        groups = (self._sets.hashes, self._sets.offsets, self._signatures, self._keys)

        def join(span: tuple[int, int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
            pairs: tuple[NDArray[np.int64], NDArray[np.int64]] = _join(groups, probes, span, self._bounds)
            return pairs

        with ThreadPoolExecutor(self._threads) as pool:
            return list(pool.map(join, spans))
