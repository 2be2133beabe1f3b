"""Populations of neighbourhoods that are no partition: made shingle by shingle, counted by the near lens's own join."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bench.populations import Counts, Levels, PerDocument
from polyculture.measure.lenses.crowding import BIN_BITS
from polyculture.measure.lenses.near_index import PROBE_BANDS, NearIndex
from polyculture.measure.lenses.near_keys import FILTER_BITS
from polyculture.measure.probes.heavy import HEAVY_FRACTION
from polyculture.measure.probes.multiplicity import count_groups
from polyculture.measure.probes.probe_matrix import Weighting
from polyculture.text.shingles import ShingleSets

THRESHOLD, SHINGLES = 0.8, 60
Sets = list[NDArray[np.int64]]  # shingle numbers of each document


@dataclass(frozen=True)
class Neighbourhoods:
    """Documents with neighbours, and many without.

    Attributes:
        name: what it is like.
        rows: (texts, sources) documents in the closed neighbourhood of each text; the texts without neighbours last,
            one for each source.
        held: (texts, sources) documents of each text.
        tokens: (texts,) of each document of a text.
        is_crowded: (texts,).
        light_most: the most neighbours that a document which is not crowded may have.
    """

    name: str
    rows: Counts
    held: Counts
    tokens: Counts
    is_crowded: NDArray[np.bool_]
    light_most: int
    is_partition: bool = False

    @cached_property
    def documents(self) -> Counts:
        """(sources,)."""
        total: Counts = self.held.sum(axis=0)
        return total

    @property
    def most(self) -> float | None:
        """As a stratum's."""
        return float(self.light_most)

    def weights(self, weighting: Weighting) -> Counts:
        """(texts, sources) documents or tokens."""
        return self.held if weighting is Weighting.DOCUMENTS else self.held * self.tokens[:, None]

    def levels(self, source: int, weighting: Weighting) -> Levels:
        """The documents of a source, equal ones collapsed."""
        mine = self.held[:, source] > 0
        keys = np.column_stack([self.is_crowded[mine], self.rows[mine]])
        found, inverse = np.unique(keys, axis=0, return_inverse=True)
        documents, weight = (
            np.bincount(inverse.ravel(), values[mine, source], len(found)).astype(np.int64)
            for values in (self.held, self.weights(weighting))
        )
        return Levels(found[:, 1:], documents, weight, found[:, 0] > 0)

    def mean(self, members: Sequence[int], weighting: Weighting, g: PerDocument) -> float:
        """The true mean of g(m) over the documents or tokens of some sources."""
        weight = self.weights(weighting)[:, members].sum(axis=1)
        there = weight > 0
        m = self.rows[there][:, members].sum(axis=1)
        return float(weight[there] @ g(m.astype(np.float64)) / weight.sum())

    def contained(self, of: int, within: int, weighting: Weighting) -> float:
        """The true share of one source that has a neighbour in another."""
        weight = self.weights(weighting)[:, of]
        return float(weight[self.rows[:, within] > 0].sum() / weight.sum())


def _varied(start: int, count: int, changed: int) -> Sets:
    """Texts that each have `changed` shingles of their own in place of some of a common text's."""
    own = np.arange(count * changed).reshape(count, changed) + start + SHINGLES
    at = np.random.default_rng(start).permuted(np.tile(np.arange(SHINGLES), (count, 1)), axis=1)[:, changed:]
    return [np.concatenate([start + kept, new]) for kept, new in zip(at, own, strict=True)]


def _hub(start: int, leaves: int) -> Sets:
    """A text, and others of which each is like it (54 of 66 shingles) and not like one another (.68)."""
    return [np.arange(start, start + SHINGLES), *_varied(start, leaves, 6)]


def _chain(start: int, links: int, step: int) -> Sets:
    """Windows of a long text: neighbours of those next to them alone."""
    return [np.arange(SHINGLES) + start + step * link for link in range(links)]


def _index(sets: Sets) -> NearIndex:
    ordered = [np.unique(_hash(numbers)) for numbers in sets]
    offsets = np.concatenate([[0], np.cumsum([len(one) for one in ordered])]).astype(np.int64)
    return NearIndex(ShingleSets(np.concatenate(ordered), offsets), THRESHOLD, 7)


def _hash(numbers: NDArray[np.int64]) -> NDArray[np.uint64]:
    mixed = numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return (mixed ^ (mixed >> np.uint64(31))) * np.uint64(0xBF58476D1CE4E5B9)


def _population(name: str, sets: Sets, held: Counts, alone: Sequence[int], seed: int) -> Neighbourhoods:
    """Count the neighbours of some texts by the lens's join; `alone` documents of each source have none."""
    sources = held.shape[1]
    text, source = np.nonzero(held)
    counts = count_groups(text, source, held[text, source][:, None], sources)
    index = _index(sets)
    rows = index.multiplicities(np.arange(len(sets)), counts)[:, :, 0]
    bounds = index.crowding(counts)
    is_crowded = bounds.largest[:, 0] > HEAVY_FRACTION * (held.sum() + sum(alone))
    mine = np.flatnonzero(alone)
    own = np.eye(sources, dtype=np.int64)[np.repeat(mine, 50)]  # of fifty lengths
    spread = own * np.repeat(np.array(alone)[mine] // 50, 50)[:, None]
    lengths = np.exp(np.random.default_rng(seed).normal(6, 1, len(sets) + len(own)))
    lengths[: len(sets)] *= rows.sum(axis=1) ** -0.15
    return Neighbourhoods(
        name=name,
        rows=np.concatenate([rows, own]),
        held=np.concatenate([held, spread]),
        tokens=np.maximum(1, lengths).astype(np.int64),
        is_crowded=np.concatenate([is_crowded, np.zeros(len(own), np.bool_)]),
        light_most=int(bounds.most[~is_crowded, 0].max(initial=1)) + _by_chance(sum(alone)),
    )


def _by_chance(documents: int) -> int:
    """Content of the bins of a document's keys: documents that have no neighbours, and were not signed here.

    One in sixteen of their keys is taken for shared.
    """
    return PROBE_BANDS**2 * documents // FILTER_BITS >> BIN_BITS


def neighbourhoods(seed: int) -> list[Neighbourhoods]:
    """Populations of a million documents whose neighbourhoods are no partition; the last has two sources."""
    apart = 10**6  # shingle numbers between clusters

    def clusters(*parts: tuple[int, Sets]) -> Sets:
        """Copies of clusters, each of shingles of its own."""
        found: Sets = []
        for count, sets in parts:
            found += [numbers + apart * (len(found) + copy) for copy in range(count) for numbers in sets]
        return found

    def single(name: str, sets: Sets, alone: int, texts_of: int = 1) -> Neighbourhoods:
        return _population(name, sets, np.full((len(sets), 1), texts_of), [alone], seed)

    pair = _varied(0, 2, 3)
    tight = single("one tight cluster of 500", clusters((20_000, pair), (1, _varied(0, 500, 1))), 959_500)
    hubs = single("hubs with leaves", clusters((40, _hub(0, 400)), (2_000, _hub(0, 8)), (20, _hub(0, 60))), 964_700)
    many = clusters((20, _chain(0, 500, 3)), (6, _chain(0, 200, 1)))
    held = np.ones((len(many), 1), np.int64)
    held[20 * 500 :] = 20  # each window of the dense chains occurs 20 times: 13 x 20 neighbours
    chains = _population("overlapping chains", many, held, [966_000], seed)
    both = clusters((10_000, pair), (20, _varied(0, 150, 1)), (4, _varied(0, 600, 2)), (10, _hub(0, 400)))
    generator = np.random.default_rng(seed)
    split = np.eye(2, dtype=np.int64)[(generator.random(len(both)) < 0.3).astype(np.int64)]
    two = _population("two sources, clusters across", both, split, [900_000, 70_000], seed)
    return [tight, hubs, chains, two]
