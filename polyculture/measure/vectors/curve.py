"""The nearest-neighbour curve: how twins appear as a corpus grows, and what a small sample had foretold."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyculture.statistics.intervals import Z95, combine, share_interval
from polyculture.storage.hashing import Stream, seeded_hash, unit_interval
from schemas.profile import Estimate

ALARM_RATIO = 2.0
EXTRAPOLATE_FROM = 100  # a sample of at most a hundredth of the corpus foretells the whole
FRACTIONS = (0.001, 0.00316, 0.01, 0.0316, 0.1, 0.316, 1.0)  # of the nested samples
LEAST_DOCUMENTS = 2
_NONE_SEEN = 11.3  # 95 % bound on pairs where none was seen (STATISTICS, section 6)


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One sample size.

    Attributes:
        documents: n, the sample's size.
        observed: share of documents with a neighbour in the sample.
        isotropic: forecast for it from the pair rate of the sample of a hundredth; None if that is too small.
        nearest: median cosine of the nearest neighbour.
        alarm: the whole corpus only: observed is more than twice that, and surely more than it: above its upper end.
    """

    documents: int
    observed: Estimate
    isotropic: Estimate | None
    nearest: float | None
    alarm: bool


@dataclass(frozen=True, slots=True)
class CurveStratum:
    """Neighbours that the probes of one source met in nested samples of a scope.

    Attributes:
        neighbours: (probes, samples) documents at least as similar as tau.
        nearest: (probes, samples) largest cosine.
        weight: the source's share of the scope's documents.
    """

    neighbours: NDArray[np.int64]
    nearest: NDArray[np.float64]
    weight: float


def nested_samples(id_hashes: NDArray[np.uint64], seed: int) -> NDArray[np.int64]:
    """(documents,) the smallest of the nested samples of `FRACTIONS` that holds each document.

    Each document is in a sample by its own hash, so the samples of partitions add up to those of the whole.
    """
    place = unit_interval(seeded_hash(id_hashes, seed, Stream.NESTED))
    return np.searchsorted(np.array(FRACTIONS), place, side="right").astype(np.int64)


def nearest_neighbour_curve(strata: Sequence[CurveStratum], sizes: Sequence[int]) -> list[CurvePoint]:
    """Share of documents with a neighbour, against corpus size, beside its isotropic extrapolation.

    If neighbours were spread evenly over the documents, a pair rate p would give 1 - (1 - p)**n. p is estimated
    without bias at the sample of a hundredth, as the mean of neighbours / n over probes; its interval treats the
    probes as independent, on the log scale, and is [0, 11.3 / pairs compared] when none was seen (STATISTICS, section
    6: 95 %, whatever the sizes of species, if the documents of the sample are compared with each other).

    For a uniform sample the observed share stays below the extrapolation in the mean, since 1 - (1 - p)**n is
    concave in p (Jensen): few documents with many twins each make the two part. An alarm therefore says that the
    small sample was not like the corpus: chosen otherwise, or too small to have met its twins. `distance_exponent`
    is the test for twins that gather at scale.

    Args:
        strata: strata of the scope's sources, each with at least one probe.
        sizes: documents of the scope in each of the nested samples; samples of fewer than two are left out.
    """
    shares = [stratum.weight for stratum in strata]
    total = sizes[-1]
    small = [n for n, size in enumerate(sizes) if size >= LEAST_DOCUMENTS and FRACTIONS[n] * EXTRAPOLATE_FROM <= 1]
    rate = _pair_rate(strata, small[-1], sizes) if small else None
    points = []
    for number, size in enumerate(sizes):
        if size < LEAST_DOCUMENTS:
            continue
        hits = [(int((s.neighbours[:, number] > 0).sum()), len(s.neighbours)) for s in strata]
        parts = [share_interval(hit, probes, None) for hit, probes in hits]
        observed = combine(parts, shares).within(0, 1).estimate()
        isotropic = None
        if rate is not None:
            value, low, high = (_isotropic(p, size - size / total) for p in (rate.value, rate.low, rate.high))
            isotropic = Estimate(value=value, low=low, high=high)
        is_last = isotropic is not None and number == len(sizes) - 1
        alarm = is_last and observed.low > isotropic.high and observed.value > ALARM_RATIO * isotropic.value  # type: ignore[union-attr]
        points.append(CurvePoint(size, observed, isotropic, _median(strata, number), alarm))
    return points


def _isotropic(pair_rate: float, others: float) -> float:
    return float(-np.expm1(others * np.log1p(-min(pair_rate, 1 - 1e-16))))


def _pair_rate(strata: Sequence[CurveStratum], sample: int, sizes: Sequence[int]) -> Estimate:
    others = sizes[sample] - sizes[sample] / sizes[-1]  # a probe is in the sample as often as any document
    rates = [stratum.neighbours[:, sample] / others for stratum in strata]
    value = sum(s.weight * float(rate.mean()) for s, rate in zip(strata, rates, strict=True))
    if value == 0:
        return Estimate(value=0, low=0, high=min(1.0, _NONE_SEEN / (sum(map(len, rates)) * others)))
    variance = sum(
        s.weight**2 * float(rate.var(ddof=1) if len(rate) > 1 else rate[0] ** 2) / len(rate)
        for s, rate in zip(strata, rates, strict=True)
    )
    factor = float(np.exp(Z95 * variance**0.5 / value))
    return Estimate(value=value, low=value / factor, high=min(1.0, value * factor))


def _median(strata: Sequence[CurveStratum], sample: int) -> float | None:
    """Weighted median over probes of the nearest cosine; None if a probe had no other document."""
    nearest = np.concatenate([s.nearest[:, sample] for s in strata])
    weight = np.concatenate([np.full(len(s.nearest), s.weight / len(s.nearest)) for s in strata])
    order = np.argsort(nearest, kind="stable")
    found = float(nearest[order][np.searchsorted(np.cumsum(weight[order]), weight.sum() / 2)])
    return found if found >= -1 else None


def distance_exponent(nearest: NDArray[np.float64], sizes: Sequence[int]) -> NDArray[np.float64]:
    """Local exponents a of the law 1 - cosine ~ n**-a of the nearest neighbour, between successive sizes.

    Isotropic data give one exponent throughout (2 / dimension); twins that gather at scale make it grow (Kazdan et
    al. 2026, arXiv:2603.06603). The median over probes of 1 - cosine is followed; at least 2**-20 of it.

    Args:
        nearest: (probes, sizes) largest cosine to another document.
        sizes: sizes of the samples.

    Returns:
        (sizes - 1,) exponents; positive where neighbours come nearer.
    """
    distance = np.maximum(np.median(1 - nearest, axis=0), 2.0**-20)
    exponent: NDArray[np.float64] = -np.diff(np.log(distance)) / np.diff(np.log(np.array(sizes, np.float64)))
    return exponent
