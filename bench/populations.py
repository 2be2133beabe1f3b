"""Populations of known truth: how many documents of every source each species has, and how long they are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from polyculture.measure.probes.heavy import HEAVY_FRACTION
from polyculture.measure.probes.probe_matrix import ProbeMatrix, ProbeStratum, SourceProbes, Weighting

Counts = NDArray[np.int64]
PerDocument = Callable[[NDArray[np.float64]], NDArray[np.float64]]


@dataclass(frozen=True)
class Population:
    """Species with their sizes.

    Attributes:
        name: what it is like.
        sizes: (species, sources) documents.
        tokens: (species,) tokens of each document of a species.
        has_heavy: whether heavy species are counted whole, as in a lens whose species are a partition.
    """

    name: str
    sizes: Counts
    tokens: Counts
    has_heavy: bool = True

    @cached_property
    def documents(self) -> Counts:
        """(sources,)."""
        total: Counts = self.sizes.sum(axis=0)
        return total

    @cached_property
    def above(self) -> float:
        """Number of documents above which a species is heavy."""
        return HEAVY_FRACTION * int(self.documents.sum()) if self.has_heavy else np.inf

    def weights(self, weighting: Weighting) -> Counts:
        """(species, sources) documents or tokens."""
        return self.sizes if weighting is Weighting.DOCUMENTS else self.sizes * self.tokens[:, None]

    def mean(self, members: Sequence[int], weighting: Weighting, g: PerDocument) -> float:
        """The true mean of g(m) over the documents or tokens of some sources."""
        m = self.sizes[:, members].sum(axis=1)
        weight = self.weights(weighting)[:, members].sum(axis=1)
        there = m > 0
        return float(weight[there] @ g(m[there].astype(np.float64)) / weight.sum())

    def contained(self, of: int, within: int, weighting: Weighting) -> float:
        """The true share of one source that has a twin in another."""
        weight = self.weights(weighting)[:, of]
        return float(weight[self.sizes[:, within] > 0].sum() / weight.sum())

    def levels(self, source: int, weighting: Weighting) -> "Levels":
        """The documents of a source, equal ones collapsed."""
        mine = self.sizes[:, source] > 0
        rows, inverse = np.unique(self.sizes[mine], axis=0, return_inverse=True)
        documents = np.bincount(inverse.ravel(), self.sizes[mine, source], len(rows)).astype(np.int64)
        weight = np.bincount(inverse.ravel(), self.weights(weighting)[mine, source], len(rows)).astype(np.int64)
        return Levels(rows, documents, weight, rows.sum(axis=1) > self.above)

    @property
    def is_partition(self) -> bool:
        """True if its species are a partition, so that heavy ones can be counted whole."""
        return self.has_heavy

    @property
    def most(self) -> float | None:
        """The most documents of a species that is not heavy."""
        return self.above if self.has_heavy else None


@dataclass(frozen=True)
class Levels:
    """The documents of one source, equal ones collapsed.

    Attributes:
        rows: (levels, sources) documents of each source in the species.
        documents: (levels,) documents of the source.
        weight: (levels,) documents or tokens of the source.
        is_heavy: (levels,) of heavy species; among neighbourhoods, whether they are crowded.
    """

    rows: Counts
    documents: Counts
    weight: Counts
    is_heavy: NDArray[np.bool_]


class Known(Protocol):
    """A population whose every number is known: what probes are drawn from."""

    @property
    def name(self) -> str:
        """A description of the population."""

    @property
    def documents(self) -> Counts:
        """(sources,)."""

    @property
    def is_partition(self) -> bool:
        """True if heavy species are counted whole; otherwise crowded documents have probes of their own."""

    @property
    def most(self) -> float | None:
        """The most documents that a document of the light stratum can have."""

    def levels(self, source: int, weighting: Weighting) -> Levels:
        """The documents of a source, equal ones collapsed."""

    def mean(self, members: Sequence[int], weighting: Weighting, g: PerDocument) -> float:
        """The true mean of g(m) over the documents or tokens of some sources."""

    def contained(self, of: int, within: int, weighting: Weighting) -> float:
        """The true share of one source that has a twin in another."""


class Drawing:
    """Many independent probe matrices of a population: multiplicities are drawn, not documents."""

    def __init__(self, population: Known, weighting: Weighting) -> None:
        """Collapse the population."""
        self.population, self.weighting = population, weighting
        self.levels = [population.levels(number, weighting) for number in range(len(population.documents))]
        self.weight = np.array([levels.weight.sum() for levels in self.levels], np.int64)

    def counts(self, probes: int, repetitions: int, generator: np.random.Generator) -> list[Counts]:
        """For each source (repetitions, levels) probes of each level: the law of the product's choice.

        Where heavy species are counted whole, the light ones among all probes; else each stratum has its own.
        """
        drawn = []
        for levels in self.levels:
            found = np.zeros((repetitions, len(levels.rows)), np.int64)
            parts = [slice(None)] if self.population.is_partition else [levels.is_heavy, ~levels.is_heavy]
            for part in parts:
                if levels.documents[part].sum():
                    found[:, part] = self._draw(levels, part, probes, (repetitions, generator))
            drawn.append(found)
        return drawn

    def plain_counts(self, probes: int, repetitions: int, generator: np.random.Generator) -> Counts:
        """(repetitions, levels) probes of the first source, drawn from all of it."""
        return self._draw(self.levels[0], slice(None), probes, (repetitions, generator))

    def _draw(
        self, levels: Levels, part: slice | NDArray[np.bool_], probes: int, how: tuple[int, np.random.Generator]
    ) -> Counts:
        """By documents without replacement, by tokens with it."""
        repetitions, generator = how
        documents, weight = levels.documents[part], levels.weight[part]
        if self.weighting is Weighting.DOCUMENTS:
            n = min(probes, int(documents.sum()))
            return generator.multivariate_hypergeometric(documents, n, repetitions, method="marginals")
        return generator.multinomial(probes, weight / weight.sum(), repetitions)

    def matrix(self, counts: Sequence[Counts], probes: int) -> ProbeMatrix:
        """The probe matrix of one repetition, from the (levels,) counts of each source."""
        sources = []
        for levels, drawn in zip(self.levels, counts, strict=True):
            strata = []
            for is_heavy in (True, False):
                part = levels.is_heavy == is_heavy
                size, share = int(levels.documents[part].sum()), float(levels.weight[part].sum() / levels.weight.sum())
                if is_heavy and size and (self.population.is_partition or size <= probes):
                    strata.append(
                        ProbeStratum.whole(levels.rows[part], levels.weight[part] / levels.weight.sum(), size)
                    )
                elif size:
                    rows = np.repeat(levels.rows[part], drawn[part], axis=0)
                    most = None if is_heavy else self.population.most
                    strata.append(ProbeStratum.sample(rows, share, size, most))
            sources.append(SourceProbes(tuple(strata)))
        return self._matrix(sources)

    @cached_property
    def truth(self) -> ProbeMatrix:
        """The matrix in which everything is counted."""
        return self._matrix(
            [
                SourceProbes(
                    (ProbeStratum.whole(mine.rows, mine.weight / mine.weight.sum(), int(mine.documents.sum())),)
                )
                for mine in self.levels
            ]
        )

    def _matrix(self, sources: list[SourceProbes]) -> ProbeMatrix:
        population = self.population
        return ProbeMatrix(
            tuple(sources), population.documents, self.weight, self.weighting, is_partition=population.is_partition
        )


def _tokens(sizes: Counts, generator: np.random.Generator) -> Counts:
    """Lognormal lengths; what is copied often is shorter."""
    total = sizes.sum(axis=1)
    tokens = np.exp(generator.normal(6, 1, len(sizes))) * total**-0.15
    rounded: Counts = np.maximum(1, tokens).astype(np.int64)
    return rounded


def _pareto(documents: int, index: float, largest: int, generator: np.random.Generator) -> Counts:
    """Species sizes of a Pareto tail, as many as make so many documents."""
    sizes = np.minimum(generator.random(documents) ** (-1 / index), largest).astype(np.int64)
    enough: Counts = sizes[: int(np.searchsorted(np.cumsum(sizes), documents)) + 1]
    return enough


def _one(count: int, size: int) -> Counts:
    return np.full(count, size, np.int64)


def _overlapping(generator: np.random.Generator) -> Counts:
    """A web, an expert, a synthetic and a tiny source; each of the others repeats some of the web."""
    web = _pareto(700_000, 1.1, 20_000, generator)
    expert, synthetic = _pareto(40_000, 2.5, 50, generator), generator.poisson(40, 4_000) + 1
    tables = []
    for number, own in enumerate((web, expert, synthetic, _one(1_200, 1))):
        table = np.zeros((len(own), 4), np.int64)
        table[:, number] = own
        tables.append(table)
    copied = generator.choice(len(web), 3_000, replace=False)
    tables[0][copied[:2_000], 1] = 1
    tables[0][copied[1_500:], 2] = generator.poisson(10, 1_500)
    tables[1][:300, 3] = 1
    tables[1][1_000:1_400, 2] = 25
    return np.concatenate(tables)


def _single(name: str, sizes: Counts, generator: np.random.Generator, has_heavy: bool = True) -> Population:
    table = sizes[:, None]
    return Population(name, table, _tokens(table, generator), has_heavy)


def populations(seed: int) -> list[Population]:
    """Populations that intervals must cover, the same for the same seed; the last has several sources."""
    generator = np.random.default_rng(seed)
    web = _pareto(1_000_000, 1.1, 20_000, generator)
    lumpy = np.concatenate([_one(97_000, 1), _one(1_000, 2), _one(1, 1_000)])
    sizes: dict[str, Counts] = {
        "heavy-tailed (Pareto 1.1)": web,
        "97 % unique": np.concatenate([_one(970_000, 1), _one(6_000, 2), _one(6_000, 3)]),
        "20,000 seeds": generator.poisson(49, 20_000) + 1,
        "mixed 60/10/30": np.concatenate([_one(600_000, 1), _one(25_000, 4), _pareto(300_000, 0.8, 5_000, generator)]),
        "every document 10 times": _one(100_000, 10),
        "two in a hundred just below heavy": np.concatenate([_one(980_000, 1), _one(200, 100)]),
        "99.9 % unique": np.concatenate([_one(999_000, 1), _one(200, 5)]),
        "97 % unique, one species of 1,000": lumpy,
    }
    found = [_single(name, species, generator) for name, species in sizes.items()]
    found.append(_single("heavy-tailed (Pareto 1.1), neighbours", web, generator, has_heavy=False))
    table = _overlapping(generator)
    return [*found, Population("overlapping sources", table, _tokens(table, generator))]


def hidden(seed: int) -> list[Population]:
    """One large species that probes see seldom, because it is rare or its documents short; counted whole, and not."""
    generator = np.random.default_rng(seed)
    sizes = {
        "one species of 500": np.concatenate([_one(899_500, 1), _one(50_000, 2), _one(1, 500)]),
        "97 % unique, one species of 1,000 short": np.concatenate([_one(97_000, 1), _one(1_000, 2), _one(1, 1_000)]),
    }
    found = []
    for name, species in sizes.items():
        table = species[:, None]
        tokens = _tokens(table, generator)
        tokens[-1] = 40  # others have 660 on average
        found += [Population(name, table, tokens), Population(f"{name}, neighbours", table, tokens, False)]
    return found
