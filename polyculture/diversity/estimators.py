"""Estimates from probes, each with its 95 % interval."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from schemas.profile import Estimate

Z95 = 1.959963984540054
RARE_PROBES = 30
PerProbe = Callable[[NDArray[np.float64]], NDArray[np.float64]]


@dataclass(frozen=True)
class Stratum:
    """The probes of one source.

    Attributes:
        multiplicity: (probes,) occurrences in each probe's species, itself included; at least 1.
        population: occurrences of the source, from which the probes were drawn.
    """

    multiplicity: NDArray[np.int64]
    population: int

    @cached_property
    def levels(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """The different multiplicities, ascending, and how many probes have each: few, however many probes."""
        levels, counts = np.unique(self.multiplicity, return_counts=True)
        return levels.astype(np.float64), counts


def inverse_multiplicity(m: NDArray[np.float64]) -> NDArray[np.float64]:
    """g(m) = 1/m: its mean over probes is the distinct fraction of the full corpus."""
    return 1.0 / m


def trial_distinct(fraction: float) -> PerProbe:
    """G whose mean is the distinct fraction that a uniform trial of this fraction would have seen.

    (1 - (1 - f)**m) / (m f): a species of m documents is seen with probability 1 - (1 - f)**m, m f of it.
    """

    def g(m: NDArray[np.float64]) -> NDArray[np.float64]:
        if fraction >= 1:
            return 1.0 / m
        seen: NDArray[np.float64] = -np.expm1(m * np.log1p(-fraction)) / (m * fraction)
        return seen

    return g


def surprise(fraction: float) -> PerProbe:
    """G whose mean is what a trial of this fraction overstates: its distinct fraction less the full corpus's."""
    trial = trial_distinct(fraction)
    return lambda m: trial(m) - 1.0 / m


def share_interval(hits: int, n: int, population: int) -> Estimate:
    """A share of a population from `hits` of `n` drawn without replacement.

    Wilson's interval (1927); Clopper-Pearson's (1934) with fewer than 5 hits or misses; exact if all were drawn.
    """
    value = hits / n
    if n >= population:
        return Estimate(value=value, low=value, high=value)
    if min(hits, n - hits) < 5:
        low, high = clopper_pearson(hits, n)
        return Estimate(value=value, low=low, high=high)
    finite = 1 - n / population if n > 0.05 * population else 1.0
    z2 = Z95**2 * finite
    centre = (value + z2 / (2 * n)) / (1 + z2 / n)
    half = np.sqrt(z2 * (value * (1 - value) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    return Estimate(value=value, low=max(0.0, float(centre - half)), high=min(1.0, float(centre + half)))


@lru_cache(maxsize=4096)
def clopper_pearson(hits: int, n: int) -> tuple[float, float]:
    """The exact 95 % interval of a binomial share."""
    low = float(stats.beta.ppf(0.025, hits, n - hits + 1)) if hits else 0.0
    high = float(stats.beta.ppf(0.975, hits + 1, n - hits)) if hits < n else 1.0
    return low, high


@lru_cache(maxsize=256)
def _possible_multiplicities(largest: int) -> NDArray[np.float64]:
    """Every integer up to 1,000 and a dense grid beyond: where the range of g is looked for."""
    grid = np.unique(
        np.concatenate([np.arange(1, min(largest, 1000) + 1), np.geomspace(1, largest, 2000).astype(np.int64)])
    )
    return grid.astype(np.float64)


def stratum_mean(stratum: Stratum, g: PerProbe, largest: int) -> Estimate:
    """Mean of g(m) over one stratum.

    Normal interval with finite-population correction. Where fewer than 30 probes differ from the most frequent
    multiplicity the normal interval fails (it covers 87 % on a corpus that is 99.9 % unique), and the rare rule takes
    its place: the share of the others lies in its Clopper-Pearson interval, each of them anywhere in [1, largest].

    Args:
        stratum: probes of one source.
        g: value per probe.
        largest: the largest multiplicity that is possible.

    Returns:
        The estimate; exact if every occurrence is a probe.
    """
    levels, counts = stratum.levels
    n = int(counts.sum())
    values = g(levels)
    mean = float((counts * values).sum() / n)
    if n >= stratum.population:
        return Estimate(value=mean, low=mean, high=mean)
    if n - int(counts.max()) < RARE_PROBES:
        low, high = _rare_interval(levels, counts, g, largest)
        return Estimate(value=mean, low=min(low, mean), high=max(high, mean))
    deviation = np.sqrt(float((counts * (values - mean) ** 2).sum()) / (n - 1))
    finite = np.sqrt(1 - n / stratum.population) if n > 0.05 * stratum.population else 1.0
    half = Z95 * deviation / np.sqrt(n) * finite
    return Estimate(value=mean, low=float(mean - half), high=float(mean + half))


def _rare_interval(
    levels: NDArray[np.float64], counts: NDArray[np.int64], g: PerProbe, largest: int
) -> tuple[float, float]:
    """The rare rule: the modal value, and what the share of other probes could change in it."""
    modal = levels[np.argmax(counts)]
    low_share, high_share = clopper_pearson(int(counts.sum() - counts.max()), int(counts.sum()))
    possible = _possible_multiplicities(max(largest, int(levels[-1])))
    base = float(g(np.array([modal]))[0])
    change = g(possible[possible != modal]) - base
    smallest, greatest = (float(change.min()), float(change.max())) if len(change) else (0.0, 0.0)
    low = base + min(low_share * smallest, high_share * smallest)
    high = base + max(low_share * greatest, high_share * greatest)
    return low, high


def pooled_mean(strata: Sequence[Stratum], g: PerProbe) -> Estimate:
    """Mean of g(m) over all occurrences of several strata: sum of W_j mean_j with W_j = N_j / N.

    The strata's intervals are combined by squares of their one-sided widths (MOVER, Zou & Donner 2008), which is the
    usual pooled standard error where they are normal.

    Args:
        strata: at least one, none without probes.
        g: value per probe.

    Raises:
        ValueError: there is no stratum, or one has no probes.
    """
    if not strata or any(len(stratum.multiplicity) == 0 for stratum in strata):
        raise ValueError("an estimate needs at least one probe in every stratum")
    total = sum(stratum.population for stratum in strata)
    weights = [stratum.population / total for stratum in strata]
    parts = [stratum_mean(stratum, g, total) for stratum in strata]
    value = sum(w * part.value for w, part in zip(weights, parts, strict=True))
    below = sum((w * (part.value - part.low)) ** 2 for w, part in zip(weights, parts, strict=True)) ** 0.5
    above = sum((w * (part.high - part.value)) ** 2 for w, part in zip(weights, parts, strict=True)) ** 0.5
    return Estimate(value=value, low=value - below, high=value + above)


def pooled_share(strata: Sequence[Stratum]) -> Estimate:
    """Share of occurrences that have a twin (m > 1), over strata: Wilson's interval per stratum, pooled as above."""
    total = sum(stratum.population for stratum in strata)
    parts = [
        (
            stratum.population / total,
            share_interval(int((stratum.multiplicity > 1).sum()), len(stratum.multiplicity), stratum.population),
        )
        for stratum in strata
    ]
    value = sum(w * part.value for w, part in parts)
    below = sum((w * (part.value - part.low)) ** 2 for w, part in parts) ** 0.5
    above = sum((w * (part.high - part.value)) ** 2 for w, part in parts) ** 0.5
    return Estimate(value=value, low=max(0.0, value - below), high=min(1.0, value + above))
