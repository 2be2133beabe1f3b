"""The nearest-neighbour curve: how twins appear as a corpus grows, and what a small sample had foretold."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyculture.diversity.intervals import Z95, share_interval
from polyculture.semantic.neighbours import Neighbours
from schemas.profile import Estimate

ALARM_RATIO = 2.0
EXTRAPOLATE_FROM = 100  # a sample of at most a hundredth of the corpus foretells the whole


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One sample size.

    Attributes:
        documents: n, the sample's size.
        observed: share of probes with a neighbour among n - 1 other documents.
        isotropic: what the pair rate of the smallest sample foretells for it.
        alarm: whether observed is more than twice that, and surely more than it: above its upper end.
    """

    documents: int
    observed: Estimate
    isotropic: Estimate
    alarm: bool


def sample_sizes(documents: int, points: int = 8) -> tuple[int, ...]:
    """Sizes for the curve: a thousandth to the whole, in equal ratios; the first at most a hundredth if that is 2."""
    if documents < 2:
        raise ValueError(f"a curve needs at least 2 documents, got {documents}")
    smallest = max(2, min(documents // EXTRAPOLATE_FROM, max(documents // 1000, 2_000)))
    return tuple(sorted({int(size) for size in np.rint(np.geomspace(min(smallest, documents), documents, points))}))


def nearest_neighbour_curve(found: Neighbours, sizes: Sequence[int], tau: int) -> list[CurvePoint]:
    """Share of documents with a neighbour, against corpus size, beside its isotropic extrapolation.

    If neighbours were spread evenly over the documents, a pair rate p would give 1 - (1 - p)**(n - 1). p is estimated
    without bias at the smallest size n0, as the mean of neighbours / (n0 - 1) over probes; its interval treats the
    probes as independent, on the log scale, and is [0, 11.3 / pairs compared] when none was seen (STATISTICS, section
    6: 95 %, whatever the sizes of species, if n0 documents are compared with each other).

    For a uniform sample the observed share stays below the extrapolation in the mean, since 1 - (1 - p)**(n - 1) is
    concave in p (Jensen): few documents with many twins each make the two part. An alarm therefore says that the
    small sample was not like the corpus: chosen otherwise, or too small to have met its twins. `distance_exponent`
    is the test for twins that gather at scale.

    Args:
        found: counts of the probes of one source, or of several, against one corpus.
        sizes: the sample sizes that were asked for.
        tau: number of the tau.
    """
    pairs = found.pairs[:, :, tau]
    rate = _pair_rate(pairs[:, 0], sizes[0] - 1)
    points: list[CurvePoint] = []
    for number, size in enumerate(sizes):
        observed = share_interval(int((pairs[:, number] > 0).sum()), len(pairs), None).estimate()
        value, low, high = (_isotropic(p, size) for p in (rate.value, rate.low, rate.high))
        alarm = size >= EXTRAPOLATE_FROM * sizes[0] and observed.low > high and observed.value > ALARM_RATIO * value
        points.append(CurvePoint(size, observed, Estimate(value=value, low=low, high=high), alarm))
    return points


def _isotropic(pair_rate: float, documents: int) -> float:
    return float(-np.expm1((documents - 1) * np.log1p(-min(pair_rate, 1 - 1e-16))))


def _pair_rate(neighbours: NDArray[np.int64], others: int) -> Estimate:
    rate = neighbours / others
    value = float(rate.mean())
    if value == 0:
        return Estimate(value=0, low=0, high=min(1.0, 11.3 / (len(neighbours) * others)))
    spread = float(rate.std(ddof=1)) / len(rate) ** 0.5 / value if len(rate) > 1 else 1.0
    factor = float(np.exp(Z95 * spread))
    return Estimate(value=value, low=value / factor, high=min(1.0, value * factor))


def distance_exponent(found: Neighbours, sizes: Sequence[int]) -> NDArray[np.float64]:
    """Local exponents a of the law 1 - cosine ~ n**-a of the nearest neighbour, between successive sizes.

    Isotropic data give one exponent throughout (2 / dimension); twins that gather at scale make it grow (Kazdan et
    al. 2026, arXiv:2603.06603). The median over probes of 1 - cosine is followed; at least 2**-20 of it.

    Returns:
        (sizes - 1,) exponents; positive where neighbours come nearer.
    """
    distance = np.maximum(np.median(1 - found.nearest, axis=0), 2.0**-20)
    exponent: NDArray[np.float64] = -np.diff(np.log(distance)) / np.diff(np.log(np.array(sizes, np.float64)))
    return exponent
