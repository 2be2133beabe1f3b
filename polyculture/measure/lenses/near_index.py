"""The near lens's index: signatures of all groups of equal texts, and what is counted in them."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from polyculture.compute.threads import in_spans
from polyculture.measure.lenses.crowding import Crowding, count_bins, crowding
from polyculture.measure.lenses.lens import Parts
from polyculture.measure.lenses.near_join import (
    MOST_CANDIDATES,
    WEIGHT_BITS,
    Chances,
    Pairs,
    chances,
    crowded_keys,
    join,
)
from polyculture.measure.lenses.near_keys import (
    ProbeKeys,
    count_alone,
    count_by_source,
    count_candidates,
    probe_keys,
    shared_bands,
)
from polyculture.measure.probes.multiplicity import (
    GroupCounts,
    add_entries,
    different_groups,
    exact_multiplicities,
    group_totals,
)
from polyculture.text.minhash import band_keys, minhash_signatures
from polyculture.text.shingles import ShingleSets

# 1 - (1 - .8**4)**24 = 1 - 3e-6 of the pairs at Jaccard .8 share a band; .964 of those at .6.
PROBE_BANDS, PROBE_ROWS = 24, 4


def agreement_floor(threshold: float, width: int) -> int:
    """Least number of equal signature values of a pair at the threshold, six standard deviations below the mean.

    A pair at or above the threshold has fewer with probability under 1e-8; most proposals that are no near-duplicates
    have fewer, and are dropped for the price of one comparison per value.
    """
    return max(0, int(np.floor(width * threshold - 6 * np.sqrt(width * threshold * (1 - threshold)))))


@dataclass(frozen=True, slots=True)
class Joined:
    """Counts of a join of probes.

    Attributes:
        multiplicity: (probes, sources, stages) occurrences in each probe's closed neighbourhood.
        is_scaled: (probes,) whether only a part of the candidates was verified, and the count scaled up.
        looked_at: candidates that were looked at, of all probes together.
    """

    multiplicity: NDArray[np.int64]
    is_scaled: NDArray[np.bool_]
    looked_at: int


@dataclass(frozen=True, slots=True)
class JoinPlan:
    """Probes that are ready to be joined with all groups, or with some.

    Attributes:
        groups: (probes,) group of each probe.
        with_words: numbers of the probes that have words; the others have no neighbours.
        probes: the keys of those.
        chances: what part of its candidates each of those verifies.
    """

    groups: NDArray[np.int64]
    with_words: NDArray[np.int64]
    probes: ProbeKeys
    chances: Chances

    @property
    def is_scaled(self) -> NDArray[np.bool_]:
        """(probes,) which verify a part."""
        scaled = np.zeros(len(self.groups), np.bool_)
        scaled[self.with_words] = self.chances.is_scaled
        return scaled


class NearIndex:
    """Signatures of all groups of equal texts, ready to be joined with any probes.

    Every count is a sum over groups, in integers: with `mine` it is that of some groups, and what parts of the groups
    give is added.
    """

    def __init__(
        self, sets: ShingleSets, threshold: float, seed: int, threads: int = 1, most_candidates: int = MOST_CANDIDATES
    ) -> None:
        """Sign the groups.

        Args:
            sets: shingle sets, one per group.
            threshold: least Jaccard similarity of neighbours.
            seed: of the signatures, and of which candidates are verified.
            threads: how many share a join.
            most_candidates: a probe with more verifies a part of them.
        """
        width = PROBE_BANDS * PROBE_ROWS
        self._sets, self._threads, self._seed, self.most_candidates = sets, threads, seed, most_candidates
        self._signatures = minhash_signatures(sets, width, seed, threads)
        self._keys = band_keys(self._signatures, PROBE_BANDS, PROBE_ROWS)
        self._has_words = np.diff(sets.offsets) > 0
        self._shared = shared_bands(self._keys, self._has_words, threads)
        exact = Fraction(str(threshold))
        self._bounds = (exact.numerator, exact.denominator, agreement_floor(threshold, width))

    def bins(self, counts: GroupCounts, mine: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
        """Documents by the bins of band keys: see `polyculture.measure.lenses.crowding.count_bins`.

        Args:
            counts: what all groups weigh.
            mine: (groups,) which to count; None: all.
        """
        chosen = self._has_words if mine is None else self._has_words & mine
        return count_bins(self._keys, self._shared, chosen, group_totals(counts, len(self._sets)))

    def crowding(self, counts: GroupCounts, parts: Parts = (None,)) -> Crowding:
        """Upper bounds on the neighbours of each group: see `polyculture.measure.lenses.crowding`.

        Args:
            counts: what all groups weigh.
            parts: (groups,) which are counted together, as masks; None for all.
        """
        found = self.bins(counts, parts[0])
        for mine in parts[1:]:
            found += self.bins(counts, mine)
        totals = group_totals(counts, len(self._sets))
        return crowding((self._keys, self._shared), self._has_words, totals, found, self._threads)

    def multiplicities(self, probe_groups: NDArray[np.int64], counts: GroupCounts) -> NDArray[np.int64]:
        """(probes, sources, stages), as `join` counts them."""
        return self.join(probe_groups, counts).multiplicity

    def join(self, probe_groups: NDArray[np.int64], counts: GroupCounts, parts: Parts = (None,)) -> Joined:
        """Occurrences in each probe's closed near-neighbourhood, over the full corpus.

        Every group that shares a band with a probe and agrees in enough signature values is verified on its shingles;
        of a probe with more than `most_candidates` a seeded part is, and scaled.

        Args:
            probe_groups: (probes,) group of each probe; repeats are joined once.
            counts: what the groups weigh.
            parts: (groups,) which are counted together, as masks; None for all. The sums are the same.

        Returns:
            Counts of at least the probe's own group. O(groups x bands), and at most 2 x `most_candidates` a probe.
        """
        unique, row_of = different_groups(probe_groups, len(self._sets))
        inverse = row_of[probe_groups]
        plan = self.plan(unique, counts, parts)
        added, looked_at = self.neighbours(plan, counts, parts[0])
        for mine in parts[1:]:
            more, looked = self.neighbours(plan, counts, mine)
            added, looked_at = added + more, looked_at + looked
        return Joined(closed(added, unique, counts)[inverse], plan.is_scaled[inverse], looked_at)

    def probe_keys(self, groups: NDArray[np.int64]) -> ProbeKeys:
        """The band keys of the probes that have words.

        Args:
            groups: (probes,) different groups.
        """
        return probe_keys(groups[self._has_words[groups]], self._keys, self._shared)

    def plan(self, groups: NDArray[np.int64], counts: GroupCounts, parts: Parts) -> JoinPlan:
        """Count the probes' candidates, and decide what part of them is verified.

        Args:
            groups: (probes,) different groups.
            counts: what all groups weigh.
            parts: (groups,) which are counted together; [None] for all at once. The sums are the same.
        """
        probes, keyed = self.probe_keys(groups), np.flatnonzero(self._has_words[groups])
        per_key = np.zeros(len(probes.keys), np.int64)
        for mine in parts:
            per_key += self._candidates(probes, self._there(counts, mine))
        alone = np.where(self._there(counts, None)[probes.groups], probes.alone, 0)
        crowded = crowded_keys(probes, per_key, alone, self.most_candidates)
        by_source = np.zeros((int(crowded[1].max(initial=-1)) + 1, counts.sources), np.int64)
        for mine in parts if len(by_source) else []:
            theirs = (self._keys, self._shared, self._there(counts, mine), counts.offsets, counts.source)
            count_by_source(theirs, probes.look_up, crowded[1], by_source)
        own = count_alone((probes.groups, alone), counts.offsets, counts.source, counts.sources)
        return JoinPlan(groups, keyed, probes, chances(probes, crowded, by_source, own, self.most_candidates))

    def _candidates(self, probes: ProbeKeys, there: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Number of groups, among those that are there, that have each key of the probes."""

        def part(span: tuple[int, int]) -> NDArray[np.int64]:
            found = np.zeros(len(probes.keys), np.int64)
            count_candidates((self._keys, self._shared, there), span, probes.look_up, found)
            return found

        counted: NDArray[np.int64] = np.sum(in_spans(part, len(self._sets), self._threads), axis=0)
        return counted

    def neighbours(
        self, plan: JoinPlan, counts: GroupCounts, mine: NDArray[np.bool_] | None = None
    ) -> tuple[NDArray[np.int64], int]:
        """Occurrences of each probe's neighbours, its own group left out, in units of 2**-16.

        Returns:
            (probes, sources, stages), and how many candidates were looked at.
        """
        groups = (self._sets.hashes, self._sets.offsets, self._signatures, self._keys)
        probes, chance = plan.probes, plan.chances
        keyed = (probes.groups, probes.first, probes.probes, probes.look_up)
        sampled = (chance.of_probe, chance.of_key, chance.key_row, np.uint64(self._seed))
        numbers = np.full(len(self._sets), -1, np.int64)
        numbers[probes.groups] = np.where(chance.is_scaled, -1, np.arange(len(probes.groups)))
        owners = (self._there(counts, mine), self._shared, numbers, counts.offsets, counts.source)
        result = np.zeros((len(plan.groups), counts.sources, counts.copies.shape[1]), np.int64)

        def part(span: tuple[int, int]) -> Pairs:
            pairs: Pairs = join(groups, keyed, sampled, owners, (*span, *self._bounds))
            return pairs

        looked_at = 0
        for probe, group, weight, looked in in_spans(part, len(self._sets), self._threads, 4 * self._threads):
            add_entries(result, plan.with_words[probe], group, weight, counts.entries)
            looked_at += looked
        return result, looked_at

    def _there(self, counts: GroupCounts, mine: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
        """Groups that have words, occur at some stage, and are asked for."""
        there = self._has_words & (np.diff(counts.offsets) > 0)
        return there if mine is None else there & mine


def closed(added: NDArray[np.int64], groups: NDArray[np.int64], counts: GroupCounts) -> NDArray[np.int64]:
    """Closed neighbourhoods, from what all parts have added together and the probes' own groups."""
    return exact_multiplicities(groups, counts) + ((added + (1 << (WEIGHT_BITS - 1))) >> WEIGHT_BITS)
