"""Means over the documents of a scope, from the probes of its sources: what every metric is made of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from polyculture.measure.probes.probe_matrix import ProbeMatrix
from polyculture.statistics.intervals import (
    CONFIDENCE,
    RARE_UNITS,
    Interval,
    Sample,
    between,
    combine,
    exact,
    mean_interval,
    share_interval,
)

__all__ = [
    "Scope",
    "Stratum",
    "pooled_mean",
    "pooled_share",
    "scope_of",
    "stratum_share",
]

# (levels,) multiplicities -> (levels,) values of one function, or (levels, functions)
PerProbe = Callable[[NDArray[np.float64]], NDArray[np.float64]]
Levels = tuple[NDArray[np.float64], NDArray[np.int64]]


@dataclass(frozen=True)
class Stratum:
    """A part of one source, as a scope sees it.

    Attributes:
        multiplicity: (n,) documents of the scope in each row's species, itself included; at least 1.
        population: documents that the rows were drawn from without replacement; None if with replacement.
        weight: weight of the source in the scope, in documents or tokens.
        share: share of that weight that lies in this part.
        row_share: (n,) share of each row, if the part is counted whole; None if the rows are a sample.
        most: the largest multiplicity that a document of this part can have; None: all documents of the scope.
    """

    multiplicity: NDArray[np.int64]
    population: int | None
    weight: float
    share: float = 1.0
    row_share: NDArray[np.float64] | None = None
    most: float | None = None

    @classmethod
    def of_light(cls, multiplicity: NDArray[np.int64], population: int) -> "Stratum":
        """A source without heavy species, weighted by documents."""
        return cls(multiplicity, population, population)

    @cached_property
    def levels(self) -> Levels:
        """The different multiplicities, ascending, and how many rows have each: few, however many probes."""
        levels, counts = np.unique(self.multiplicity, return_counts=True)
        return levels.astype(np.float64), counts

    @cached_property
    def shares(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Different multiplicities of a part that is counted whole, and the share of the part in each."""
        levels, inverse = np.unique(self.multiplicity, return_inverse=True)
        shares = np.bincount(inverse, self.row_share, len(levels)).astype(np.float64)
        return levels.astype(np.float64), shares / self.share


@dataclass(frozen=True)
class Scope:
    """The subject of a number: some sources, whose species are those among them.

    Attributes:
        strata: parts of the sources, which make up all of them.
        documents: number of documents that they have together.
        confidence: confidence of the intervals of means over it.
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
        """Share of the scope's weight that lies in each stratum."""
        weights = [stratum.weight * stratum.share for stratum in self.strata]
        return [weight / sum(weights) for weight in weights]


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
    strata = tuple(stratum for number in members for stratum in _strata(matrix, number, members))
    return Scope(strata, int(matrix.documents[members].sum()))


def _strata(matrix: ProbeMatrix, number: int, members: Sequence[int]) -> list[Stratum]:
    return [
        Stratum(
            multiplicity=part.rows[:, members].sum(axis=1),
            population=part.drawn_from(matrix.weighting),
            weight=float(matrix.weight[number]),
            share=part.share,
            row_share=part.row_share if part.is_whole else None,
            most=part.most,
        )
        for part in matrix.probes[number].strata
    ]


def pooled_mean(scope: Scope, g: PerProbe) -> Interval:
    """Mean of g(m) over all documents of a scope, or over their tokens.

    Sum over strata of their part of the scope's weight x mean of g: over everything where the stratum is counted
    whole, which adds no error, over the probes elsewhere.

    Args:
        scope: a scope of at least one source.
        g: value per multiplicity; the mean of each of its functions is estimated.

    Raises:
        ValueError: the scope is empty, or a source has no probes at all.
    """
    return combine([_mean(stratum, g, scope) for stratum in scope.strata], scope.shares)


def _mean(stratum: Stratum, g: PerProbe, scope: Scope) -> Interval:
    if stratum.row_share is not None:
        levels, shares = stratum.shares
        return exact(shares @ g(levels))
    levels, counts = stratum.levels
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
    """Documents that are so few that none is a probe: anything is possible; the value is that of unique ones."""
    if stratum.share >= 1:
        raise ValueError("an estimate needs at least one probe in every source")
    values = g(_possible(stratum, documents))
    return between(values[0], values.min(axis=0), values.max(axis=0))


def _possible(stratum: Stratum, documents: int) -> NDArray[np.float64]:
    """Multiplicities that a document of a stratum can have: all up to 64, and a grid beyond, to look for g's range.

    What is between two points of the grid can exceed the range of the rare rule's g by less than a thousandth.
    """
    most = documents if stratum.most is None else min(documents, int(stratum.most))
    most = max(most, int(stratum.multiplicity.max(initial=1)))
    if most <= 64:
        return np.arange(1.0, most + 1)
    return np.concatenate([np.arange(1.0, 65), np.unique(np.geomspace(65, most, 160).astype(np.int64))])


def pooled_share(scope: Scope, smallest: int = 2) -> Interval:
    """Share of a scope's documents, or tokens, of multiplicity `smallest` and more: Wilson's interval per stratum.

    Raises:
        ValueError: the scope is empty, or a source has no probes at all.
    """
    parts = [stratum_share(stratum, stratum.multiplicity >= smallest) for stratum in scope.strata]
    return combine(parts, scope.shares).within(0, 1)


def stratum_share(stratum: Stratum, hits: NDArray[np.bool_]) -> Interval:
    """Share of a stratum that has a property.

    Args:
        stratum: a part of a source.
        hits: (n,) whether each of its rows has it.

    Raises:
        ValueError: it has no rows and is all of its source.
    """
    if stratum.row_share is not None:
        return exact(float(stratum.row_share[hits].sum()) / stratum.share)
    if len(hits) == 0 and stratum.share < 1:
        return between(0.0, 0.0, 1.0)
    return share_interval(int(hits.sum()), len(hits), stratum.population)
