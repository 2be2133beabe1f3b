"""Means over the documents of a scope, from the probes of its sources: what every metric is made of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from polyculture.diversity.intervals import (
    CONFIDENCE,
    RARE_UNITS,
    Interval,
    Sample,
    between,
    clopper_pearson,
    combine,
    exact,
    mean_interval,
    share_interval,
)
from polyculture.diversity.probe_matrix import ProbeMatrix, SourceProbes, Weighting

__all__ = ["Scope", "Stratum", "clopper_pearson", "pooled_mean", "pooled_share", "scope_of", "share_interval"]

# (levels,) multiplicities -> (levels,) values of one function, or (levels, functions)
PerProbe = Callable[[NDArray[np.float64]], NDArray[np.float64]]
Levels = tuple[NDArray[np.float64], NDArray[np.int64]]


@dataclass(frozen=True)
class Stratum:
    """The documents of one source, as a scope sees them: a sample of the light ones, the heavy ones counted whole.

    Attributes:
        multiplicity: (probes,) documents of the scope in each light probe's species, itself included; at least 1.
        population: light documents that the probes were drawn from without replacement; None if with replacement.
        weight: what the source weighs in the scope, in documents or tokens.
        heavy: (species,) documents of the scope in each heavy species.
        heavy_share: (species,) share of the source's weight in each.
        light_share: share that the light probes stand for.
        most: the largest multiplicity that a light document can have; None: all documents of the scope.
    """

    multiplicity: NDArray[np.int64]
    population: int | None
    weight: float
    heavy: NDArray[np.int64]
    heavy_share: NDArray[np.float64]
    light_share: float
    most: float | None

    @classmethod
    def of_light(cls, multiplicity: NDArray[np.int64], population: int) -> "Stratum":
        """A source without heavy species, weighted by documents."""
        return cls(multiplicity, population, population, np.empty(0, np.int64), np.empty(0), 1.0, None)

    @cached_property
    def light_levels(self) -> Levels:
        """The different multiplicities of light probes, ascending, and how many have each: few, however many probes."""
        levels, counts = np.unique(self.multiplicity, return_counts=True)
        return levels.astype(np.float64), counts

    @cached_property
    def heavy_levels(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The different multiplicities of heavy species, and the share of the source's weight in each."""
        levels, inverse = np.unique(self.heavy, return_inverse=True)
        return levels.astype(np.float64), np.bincount(inverse, self.heavy_share, len(levels)).astype(np.float64)


@dataclass(frozen=True)
class Scope:
    """What a number is about: some sources, whose species are those among them.

    Attributes:
        strata: the sources.
        documents: how many documents they have together.
        confidence: of the intervals of means over it.
    """

    strata: tuple[Stratum, ...]
    documents: int
    confidence: float = CONFIDENCE

    @classmethod
    def of_light(cls, strata: Sequence[Stratum]) -> "Scope":
        """Sources without heavy species, weighted by documents."""
        return cls(tuple(strata), sum(stratum.population or 0 for stratum in strata))

    @property
    def shares(self) -> list[float]:
        """What part of the scope's weight each source has."""
        total = sum(stratum.weight for stratum in self.strata)
        return [stratum.weight / total for stratum in self.strata]


def scope_of(matrix: ProbeMatrix, members: Sequence[int]) -> Scope:
    """The probes of some sources, with their multiplicities among these sources.

    By tokens the probes were drawn in proportion to tokens, so that the same plain means are means over tokens: the
    token-weighted mean of the same quantity of a document. Multiplicities are documents in either case. Weighting
    probes drawn by documents by their tokens instead covers 57 to 90 %.

    Args:
        matrix: all probes.
        members: source numbers; sources without documents are left out.
    """
    members = [number for number in members if matrix.weight[number] > 0]
    strata = tuple(_stratum(matrix, matrix.probes[number], number, members) for number in members)
    return Scope(strata, int(matrix.documents[members].sum()))


def _stratum(matrix: ProbeMatrix, probes: SourceProbes, number: int, members: Sequence[int]) -> Stratum:
    return Stratum(
        multiplicity=probes.light[:, members].sum(axis=1),
        population=probes.light_population if matrix.weighting is Weighting.DOCUMENTS else None,
        weight=float(matrix.weight[number]),
        heavy=probes.heavy[:, members].sum(axis=1),
        heavy_share=probes.heavy_share,
        light_share=probes.light_share,
        most=matrix.heavy_above,
    )


def pooled_mean(scope: Scope, g: PerProbe) -> Interval:
    """Mean of g(m) over all documents of a scope, or over their tokens.

    Sum over sources of W_j [sum over heavy species of share x g(m) + light share x mean of g over the light probes],
    W_j the source's part of the scope's weight. Heavy species add no error.

    Args:
        scope: at least one source.
        g: value per multiplicity; the mean of each of its functions is estimated.

    Raises:
        ValueError: the scope is empty, or a source has neither probes nor heavy species.
    """
    parts: list[Interval] = []
    weights: list[float] = []
    for stratum, share in zip(scope.strata, scope.shares, strict=True):
        if len(stratum.heavy):
            levels, shares = stratum.heavy_levels
            parts.append(exact(shares @ g(levels)))
            weights.append(share)
        if stratum.light_share > 0 or not len(stratum.heavy):
            parts.append(_light_mean(stratum, g, scope))
            weights.append(share * stratum.light_share)
    return combine(parts, weights)


def _light_mean(stratum: Stratum, g: PerProbe, scope: Scope) -> Interval:
    levels, counts = stratum.light_levels
    if len(levels) == 0:
        return _unprobed(stratum, g, scope.documents)
    values = g(levels)
    least = most = np.zeros(values.shape[1:])
    if counts.sum() - counts.max() < RARE_UNITS:  # the only case that needs the range
        possible = _possible(stratum, scope.documents)
        possible = possible[possible != levels[np.argmax(counts)]]
        if len(possible):
            others = g(possible)
            least, most = others.min(axis=0), others.max(axis=0)
        else:
            least = most = values[np.argmax(counts)]
    return mean_interval(Sample(values, counts, stratum.population, least, most, scope.confidence))


def _unprobed(stratum: Stratum, g: PerProbe, documents: int) -> Interval:
    """Light documents that are so few that none is a probe: anything is possible; the value is that of unique ones."""
    if not len(stratum.heavy):
        raise ValueError("an estimate needs at least one probe in every stratum")
    values = g(_possible(stratum, documents))
    return between(values[0], values.min(axis=0), values.max(axis=0))


def _possible(stratum: Stratum, documents: int) -> NDArray[np.float64]:
    """Multiplicities that a light document can have: all up to 64, and a grid beyond, where g is looked for its range.

    What is between two points of the grid can exceed the range of the rare rule's g by less than a thousandth.
    """
    most = documents if stratum.most is None else min(documents, int(stratum.most))
    most = max(most, int(stratum.multiplicity.max(initial=1)))
    if most <= 64:
        return np.arange(1.0, most + 1)
    return np.concatenate([np.arange(1.0, 65), np.unique(np.geomspace(65, most, 160).astype(np.int64))])


def pooled_share(scope: Scope, smallest: int = 2) -> Interval:
    """Share of a scope's documents, or tokens, of multiplicity `smallest` and more: Wilson's interval per source.

    Raises:
        ValueError: the scope is empty, or a source has neither probes nor heavy species.
    """
    hits = [
        (float(stratum.heavy_share[stratum.heavy >= smallest].sum()), stratum.multiplicity >= smallest)
        for stratum in scope.strata
    ]
    parts = [source_share(stratum, heavy, light) for stratum, (heavy, light) in zip(scope.strata, hits, strict=True)]
    return combine(parts, scope.shares).within(0, 1)


def source_share(stratum: Stratum, heavy: float, light: NDArray[np.bool_]) -> Interval:
    """Share of one source's weight that has a property.

    Args:
        stratum: the source.
        heavy: share of the source's weight that is in heavy species and has it.
        light: (probes,) which light probes have it.
    """
    if stratum.light_share <= 0 and len(stratum.heavy):
        return exact(heavy)
    if len(light) == 0 and len(stratum.heavy):
        part = between(0.0, 0.0, 1.0)
    else:
        part = share_interval(int(light.sum()), len(light), stratum.population)
    return combine([exact(heavy), part], [1.0, stratum.light_share])
