"""Intervals, of 95 % unless asked otherwise: of a mean over a sample, a share, a sum over strata, and what follows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from schemas.profile import Estimate

CONFIDENCE, Z95 = 0.95, 1.959963984540054
RARE_UNITS = 30  # fewer units than these outside the most frequent level: the rare rule
FINITE_FROM = 0.05  # sampling fraction from which the finite-population correction is applied
FEW_HITS = 10  # fewer hits or misses than these: Clopper-Pearson instead of Wilson

Floats = NDArray[np.float64]  # shape () or (functions,)


@dataclass(frozen=True, slots=True)
class Sample:
    """Values of one function, or of several, over the units of a sample; equal units are one level.

    Attributes:
        values: (levels,) value of the units of each level, or (levels, functions).
        counts: (levels,) units drawn of each.
        population: number of units that the sample was drawn from without replacement; None if it was drawn with
            replacement (probes drawn by tokens).
        least: smallest value that a unit outside the most frequent level can have, seen or not; one per function.
        most: largest such value.
        confidence: confidence of the interval, 0..1.
    """

    values: NDArray[np.float64]
    counts: NDArray[np.int64]
    population: int | None
    least: float | Floats
    most: float | Floats
    confidence: float = CONFIDENCE

    @classmethod
    def of(cls, values: NDArray[np.float64], population: int | None, least: float, most: float) -> "Sample":
        """Collapse (units,) values of one function."""
        levels, counts = np.unique(values, return_counts=True)
        return cls(levels, counts, population, least, most)


@dataclass(frozen=True, slots=True)
class Interval:
    """A value with its 95 % interval, in a form that can be summed; one, or one per function.

    Attributes:
        value: the estimate.
        below: reach of the interval below it.
        above: and above.
    """

    value: Floats
    below: Floats
    above: Floats

    @property
    def low(self) -> Floats:
        """Lower end."""
        return self.value - self.below

    @property
    def high(self) -> Floats:
        """Upper end."""
        return self.value + self.above

    def within(self, least: float, most: float) -> "Interval":
        """The same, without the part of the interval that cannot be."""
        low, high = np.clip(self.low, least, most), np.clip(self.high, least, most)
        return between(np.clip(self.value, least, most), low, high)

    def estimate(self) -> Estimate:
        """The only one, as it is reported."""
        return Estimate(value=float(self.value), low=float(self.low), high=float(self.high))

    def estimates(self) -> list[Estimate]:
        """One per function."""
        columns = zip(self.value.tolist(), self.low.tolist(), self.high.tolist(), strict=True)
        return [Estimate(value=value, low=low, high=high) for value, low, high in columns]


def exact(value: float | Floats) -> Interval:
    """Interval of a number that was counted and not estimated: no width."""
    counted = np.asarray(value, np.float64)
    return Interval(counted, np.zeros_like(counted), np.zeros_like(counted))


def between(value: float | Floats, low: float | Floats, high: float | Floats) -> Interval:
    """An interval by its ends."""
    middle = np.asarray(value, np.float64)
    return Interval(middle, np.maximum(middle - low, 0.0), np.maximum(high - middle, 0.0))


def mean_interval(sample: Sample) -> Interval:
    """Mean of each function over the population that the sample was drawn from.

    Hall's interval (Journal of the Royal Statistical Society B 1992, 54:221): normal but for the skewness, which the
    sample gives; few large multiplicities make means skewed, and where the normal interval covers 92 to 95 % this one
    covers 94 to 96 %. The standard error has the factor sqrt(1 - n/N) when more than .05 N were drawn.

    Where fewer than 30 units differ from the most frequent level both fail (87 % on a corpus that is 99.9 % unique),
    and the rare rule takes their place: the share of the others is in its Clopper-Pearson interval [p, q], their mean
    value in [least, most]. It covers 97 to 100 % and never has no width.

    Args:
        sample: a sample of at least one unit.

    Returns:
        () or (functions,); exact if every unit of the population was drawn. O(levels x functions).

    Raises:
        ValueError: there are no units.
    """
    n = int(sample.counts.sum())
    if n == 0:
        raise ValueError("an estimate needs at least one probe in every stratum")
    share = sample.counts / n
    mean: Floats = np.asarray(share @ sample.values)
    if sample.population is not None and n >= sample.population:
        return exact(mean)
    others = n - int(sample.counts.max())
    if others < RARE_UNITS:
        return _rare_interval(sample, mean, others, n)
    change = sample.values - mean  # moments about the mean: E[x^2] - E[x]^2 would cancel
    variance = np.asarray(share @ change**2)
    third = np.asarray(share @ change**3)
    skewness = np.divide(third, variance**1.5, out=np.zeros_like(third), where=variance > 0)
    error = np.sqrt(variance / (n - 1) * finite_factor(n, sample.population))
    z, skew = normal_quantile(sample.confidence), skewness / np.sqrt(n)
    return Interval(mean, error * _hall(z, skew), -error * _hall(-z, skew))


def normal_quantile(confidence: float) -> float:
    """Number of standard errors that a normal interval reaches to either side."""
    return Z95 if confidence == CONFIDENCE else float(special.ndtri((1 + confidence) / 2))


def _hall(quantile: float, skew: Floats) -> Floats:
    """The t that Hall's transformation t + s t**2/3 + s**2 t**3/27 + s/6, s = skewness/sqrt(n), takes to a quantile."""
    is_skewed = np.abs(skew) > 1e-6
    s = np.where(is_skewed, skew, 1.0)
    return np.where(is_skewed, 3 / s * (np.cbrt(1 + s * (quantile - s / 6)) - 1), quantile)


def _rare_interval(sample: Sample, mean: Floats, others: int, n: int) -> Interval:
    base = sample.values[np.argmax(sample.counts)]
    low, high = clopper_pearson(others, n, sample.confidence)
    fall, rise = np.asarray(sample.least) - base, np.asarray(sample.most) - base
    lowest = base + np.minimum(low * fall, high * fall)
    highest = base + np.maximum(low * rise, high * rise)
    return between(mean, lowest, highest)


def finite_factor(n: int, population: int | None) -> float:
    """Factor on the variance of a mean when n of a population were drawn without replacement."""
    if population is None or n <= FINITE_FROM * population:
        return 1.0
    return max(0.0, 1.0 - n / population)


def share_interval(hits: int, n: int, population: int | None) -> Interval:
    """A share of a population, from `hits` of the `n` units drawn.

    Wilson's interval (1927); Clopper-Pearson's (1934) with fewer than 10 hits or misses; exact if all were drawn. Of no
    share does it cover less than 93.4 %; with the change at 5 hits it would be 92.9 % where 4 are expected.

    Args:
        hits: units that have the property.
        n: units drawn, at least one.
        population: units that there are; None if drawn with replacement.

    Raises:
        ValueError: there are no units.
    """
    if n == 0:
        raise ValueError("an estimate needs at least one probe in every stratum")
    value = hits / n
    if population is not None and n >= population:
        return exact(value)
    if min(hits, n - hits) < FEW_HITS:
        return between(value, *clopper_pearson(hits, n))
    z2 = Z95**2 * finite_factor(n, population)
    centre = (value + z2 / (2 * n)) / (1 + z2 / n)
    half = np.sqrt(z2 * (value * (1 - value) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    return between(value, max(0.0, centre - half), min(1.0, centre + half))


def clopper_pearson(hits: int, n: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The exact interval of a binomial share; (0, 1) of no units."""
    tail = round((1 - confidence) / 2, 12)
    low = float(special.betaincinv(hits, n - hits + 1, tail)) if hits else 0.0
    high = float(special.betaincinv(hits + 1, n - hits, 1 - tail)) if hits < n else 1.0
    return low, high


def combine(parts: Sequence[Interval], weights: Sequence[float]) -> Interval:
    """The sum of weights[j] x parts[j] over independent strata.

    One-sided widths are added as squares (MOVER, Zou & Donner, Statistics in Medicine 2008, 27:1693): the usual pooled
    standard error where the parts are normal. A part that was counted whole adds its value and no width.

    Args:
        parts: one part or more, all of the same shape.
        weights: one per part, 0 or more: the share of the whole that each stands for.
    """
    if not parts:
        raise ValueError("an estimate needs a stratum with at least one probe")

    def squares(widths: list[Floats]) -> Floats:
        total = sum((weight * width) ** 2 for weight, width in zip(weights, widths, strict=True))
        return np.sqrt(np.asarray(total, np.float64))

    value = sum(weight * part.value for weight, part in zip(weights, parts, strict=True))
    below, above = squares([part.below for part in parts]), squares([part.above for part in parts])
    return Interval(np.asarray(value, np.float64), below, above)


def scaled(interval: Interval, factor: float) -> Interval:
    """`factor` times it, factor >= 0."""
    return Interval(interval.value * factor, interval.below * factor, interval.above * factor)


def exp_of(interval: Interval) -> Interval:
    """Exp of it, as H1 = exp E[ln(N/m)]; the interval is the exponential of its ends."""
    return between(np.exp(interval.value), np.exp(interval.low), np.exp(interval.high))


def inverse_of(interval: Interval) -> Interval:
    """1 / it, as H2 = 1 / E[m/N]; the interval is the inverse of its ends.

    Raises:
        ValueError: the lower end is not above 0; cut it off first (`within`).
    """
    if (interval.low <= 0).any():
        raise ValueError("only an interval above 0 has an inverse")
    return between(1 / interval.value, 1 / interval.high, 1 / interval.low)
