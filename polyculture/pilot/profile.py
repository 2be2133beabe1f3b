"""Forecasts of the distinct fraction from a pilot: every value that the pilot does not rule out.

Beyond about log n times the pilot no estimator is consistent (Orlitsky, Suresh & Wu, PNAS 2016, 113:13283), so none is
used. A linear program finds the smallest and the largest number of species over all finite populations under which the
pilot is likely (after Valiant & Valiant 2011, whose program looks for one such population).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

from polyculture.pilot.classical import sample_size

LIGHT = 15  # a species seen oftener is heavy: such species enter by their number and their documents
SIGMAS = (3.0, 4.5, 6.0)  # tolerances, tried in this order until a population fits
EXACT_SIZES = 1000  # sizes up to here are all in the grid
_STEPS, _CHECKED_STEPS = 60, 600  # sizes per factor e beyond, in the grid and in the check of it
_CHECKED_SIZES = 20_000  # sizes up to here are all checked
Sizes = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Extreme:
    """A population under which the pilot is likely, and which no other one undercuts (or exceeds) in species.

    Attributes:
        sizes: (levels,) documents of a species.
        species: (levels,) numbers of species of that size; not whole numbers.
    """

    sizes: Sizes
    species: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DistinctInterval:
    """Distinct fractions that the pilot does not rule out.

    Attributes:
        low: smallest.
        high: largest.
        fewest: the population of `low`, or None if none fits.
        most: the population of `high`.
        sigmas: tolerance under which a population fits; infinite if none does: then the interval is what is possible
            at all.
        grid_error: most that sizes between those of the grid could have widened an end by; part of the interval.
    """

    low: float
    high: float
    fewest: Extreme | None
    most: Extreme | None
    sigmas: float
    grid_error: float


@dataclass(frozen=True, slots=True)
class _Rows:
    """Counts of the pilot: light frequencies, heavy species, their documents; and bounds on their variances."""

    counts: NDArray[np.float64]
    variances: NDArray[np.float64]


def _rows(f: NDArray[np.int64]) -> _Rows:
    light = np.zeros(LIGHT + 1)
    light[: min(len(f), LIGHT + 1)] = f[: LIGHT + 1]
    j, heavy = np.arange(LIGHT + 1, max(len(f), LIGHT + 1)), f[LIGHT + 1 :].astype(np.float64)
    counts = np.concatenate([light[1:], [heavy.sum(), heavy @ j]])
    # The variance of a count of independent species is at most its mean, that of their documents at most sum of j**2.
    # One species more than was seen, of a size at the border, stands for what may have been missed.
    return _Rows(counts, np.concatenate([light[1:] + 1, [heavy.sum() + 1, heavy @ j**2 + (LIGHT + 1) ** 2]]))


def _columns(sizes: Sizes, rate: float) -> NDArray[np.float64]:
    """Expected rows of a population of one document in species of each size, (rows, sizes)."""
    light = stats.binom.pmf(np.arange(1, LIGHT + 1)[:, None], sizes[None], rate) / sizes
    heavy = stats.binom.sf(LIGHT, sizes, rate) / sizes
    documents = rate * stats.binom.sf(LIGHT - 1, sizes - 1, rate)
    return np.vstack([light, heavy, documents])


def _grid(target_documents: int, exact: int, steps: int) -> Sizes:
    small = np.arange(1, min(exact, target_documents) + 1)
    if target_documents <= exact:
        return small.astype(np.float64)
    count = int(np.ceil(steps * np.log(target_documents / exact))) + 2
    return np.unique(np.concatenate([small, np.geomspace(exact, target_documents, count).round()]))


def _solve(rows: _Rows, columns: NDArray[np.float64], cost: NDArray[np.float64]) -> optimize.OptimizeResult:
    """Least cost over shares of documents that sum to 1; `rows` and `columns` in units of the tolerances."""
    return optimize.linprog(
        cost,
        A_ub=np.vstack([columns, -columns]),
        b_ub=np.concatenate([rows.counts + 1, 1 - rows.counts]),
        A_eq=np.ones((1, len(cost))),
        b_eq=[1.0],
        method="highs",
    )


def _overlooked(solution: optimize.OptimizeResult, columns: NDArray[np.float64], cost: NDArray[np.float64]) -> float:
    """Most that sizes outside the grid could undercut the optimum by: by duality, minus the least reduced cost."""
    dual = solution.ineqlin.marginals
    reduced = cost - (dual[: len(columns)] - dual[len(columns) :]) @ columns - solution.eqlin.marginals
    return max(0.0, -float(reduced.min()))


def distinct_interval(f: NDArray[np.int64], target_documents: int) -> DistinctInterval:
    """Smallest and largest distinct fraction of a corpus of which the pilot is a uniform sample.

    Over all F >= 0 with sum of m F[m] = N and |f[j] - sum of F[m] Bin(j; m, n/N)| <= 3 sqrt(f[j] + 1) for j to 15, and
    the like for the number of heavier species and for their documents. Sizes m are all integers to 1,000 and a
    geometric grid beyond; whatever a finer one could add, by the dual prices, is added.

    Args:
        f: frequency counts of the pilot; f[j] species were seen j times.
        target_documents: N >= n.

    Returns:
        The interval; of no width if the pilot is the corpus. About .15 seconds.

    Raises:
        ValueError: no document, or a corpus smaller than the pilot.
    """
    n, seen = sample_size(f), int(f[1:].sum())
    if n < 1 or target_documents < n:
        raise ValueError(f"a forecast needs 1 <= pilot <= target documents, got {n} and {target_documents}")
    least, most = seen / target_documents, 1 - (n - seen) / target_documents
    if n == target_documents:
        return DistinctInterval(least, most, None, None, 0.0, 0.0)
    found = _extremes(_rows(f), target_documents, n / target_documents)
    if found is None:
        return DistinctInterval(least, most, None, None, np.inf, 0.0)
    return DistinctInterval(
        min(max(least, found.low), most),
        max(min(most, found.high), least),
        *(found.fewest, found.most),
        found.sigmas,
        found.grid_error,
    )


def _extremes(rows: _Rows, target_documents: int, rate: float) -> DistinctInterval | None:
    sizes, checked = (
        _grid(target_documents, exact, steps)
        for exact, steps in ((EXACT_SIZES, _STEPS), (_CHECKED_SIZES, _CHECKED_STEPS))
    )
    columns, finer = (_columns(grid, rate) * target_documents for grid in (sizes, checked))
    for sigmas in SIGMAS:
        tolerance = sigmas * np.sqrt(rows.variances)
        unit = _Rows(rows.counts / tolerance, rows.variances)
        scaled, scaled_finer = columns / tolerance[:, None], finer / tolerance[:, None]
        low, high = (_solve(unit, scaled, sign / sizes) for sign in (1, -1))
        if low.status == 0 and high.status == 0:
            below, above = _overlooked(low, scaled_finer, 1 / checked), _overlooked(high, scaled_finer, -1 / checked)
            fewest, most = (_extreme(sizes, solution.x, target_documents) for solution in (low, high))
            return DistinctInterval(low.fun - below, above - high.fun, fewest, most, sigmas, max(below, above))
    return None


def _extreme(sizes: Sizes, shares: NDArray[np.float64], target_documents: int) -> Extreme:
    there = shares > 1e-12
    return Extreme(sizes[there], shares[there] / sizes[there] * target_documents)


def expected_frequencies(population: Extreme, rate: float) -> NDArray[np.int64]:
    """Frequency counts that a pilot of this rate is expected to have, rounded; heavy species at their mean size."""
    light = stats.binom.pmf(np.arange(LIGHT + 1)[:, None], population.sizes, rate) @ population.species
    f = np.round(light).astype(np.int64)
    f[0] = 0
    heavy = population.species * stats.binom.sf(LIGHT, population.sizes, rate)
    means = population.sizes * rate * stats.binom.sf(LIGHT - 1, population.sizes - 1, rate)
    seen = np.maximum(LIGHT + 1, np.round(population.species * means / np.maximum(heavy, 1e-300))).astype(np.int64)
    counts = np.round(heavy).astype(np.int64)
    f = np.concatenate([f, np.zeros(max(0, int(seen[counts > 0].max(initial=0)) - LIGHT), np.int64)])
    np.add.at(f, seen[counts > 0], counts[counts > 0])
    return f
