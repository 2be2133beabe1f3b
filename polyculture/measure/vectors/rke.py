"""RKE: effective number of documents of order 2, which a sample tells exactly whatever the corpus's size."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyculture.encoders.encoder import ONE, from_fixed_point
from polyculture.measure.vectors.moments import SecondMoment
from polyculture.statistics.intervals import Z95
from schemas.numbers import Estimate

LEAST_ROWS = 30
ROWS_AT_ONCE = 1_024


@dataclass(frozen=True, slots=True)
class Rke:
    """An estimate of order 2.

    Attributes:
        mean_kernel: U, the mean of k**2 over pairs of different documents, 0..1.
        score: effective number at the corpus's size: 1 / (1/N + (1 - 1/N) U).
        naive: the same of the sample itself, as if it were the corpus.
        rows_of_half: documents that carry half of U; few if it comes from a tight cluster that the sample met by luck.
        is_known: whether `rows_of_half` is at least 30; if not the intervals under-cover (74-84 %) and are not to be
            judged by.
    """

    mean_kernel: Estimate
    score: Estimate
    naive: float
    rows_of_half: int
    is_known: bool


def rke_from_sample(vectors: NDArray[np.int16], population: int) -> Rke:
    """RKE of a corpus from a uniform sample of it, cosine kernel.

    RKE is the Renyi entropy of order 2 of the kernel (Jalali et al. 2023); U = mean of k_ij**2 over i != j is unbiased
    at any n. Variance, a U-statistic's of order 2 (Hoeffding 1948): [4 s_row**2 / n - 2 s_pair**2 / (n (n - 1))]
    (1 - n / N), at least half of its first term; the interval is on the log scale.

    Args:
        vectors: (n, dimensions) embeddings in fixed point, none of zeros.
        population: N, documents of the corpus; at least n.

    Returns:
        The estimate. Time O(n**2 * dimensions): about 10,000 documents at most.

    Raises:
        ValueError: fewer than 3 documents, more than the population, or a row of zeros.
    """
    n = len(vectors)
    if not 3 <= n <= population or not (vectors != 0).any(axis=1).all():
        raise ValueError(f"RKE needs 3 to {population} measured documents, got {n}, or one that is not measured")
    unit = from_fixed_point(vectors)
    rows, squares = np.zeros(n), 0.0
    for start in range(0, n, ROWS_AT_ONCE):
        kernel = (unit[start : start + ROWS_AT_ONCE] @ unit.T).astype(np.float64) ** 2
        kernel[np.arange(len(kernel)), np.arange(start, start + len(kernel))] = 0.0
        rows[start : start + ROWS_AT_ONCE] = kernel.sum(axis=1) / (n - 1)
        squares += float((kernel**2).sum())
    pair_variance = squares / (n * (n - 1)) - float(rows.mean()) ** 2
    first = 4 * float(rows.var(ddof=1)) / n
    variance = max(first - 2 * pair_variance / (n * (n - 1)), first / 2) * (1 - n / population)
    return _rke(rows, variance, population, n)


def kernel_means(probes: NDArray[np.int16], moment: SecondMoment) -> NDArray[np.float64]:
    """g(x): mean of k**2 between each probe and the other documents of its corpus, by the corpus's second moment.

    Args:
        probes: (probes, width) vectors in fixed point, each of a document of the corpus.
        moment: moment of the whole corpus, each document once.

    Returns:
        (probes,) numbers of 0..1. With k = x'y: exact for the cosine kernel, so that no pair is looked at. Time
        O(probes * width**2).
    """
    x = probes.astype(np.float64) / ONE
    own = np.einsum("ij,ij->i", x, x) ** 2
    everyone = np.einsum("ij,ij->i", x @ (moment.sums.astype(np.float64) / float(ONE) ** 2), x)
    means: NDArray[np.float64] = np.maximum(everyone - own, 0.0) / (moment.documents - 1)
    return means


def rke_from_probes(means: NDArray[np.float64], population: int) -> Rke:
    """RKE of a corpus from probes measured against all of it: U = mean g, standard error sd(g) / sqrt(P).

    Args:
        means: (probes,) g(x) (`kernel_means`, or by brute force for another kernel).
        population: documents of the corpus.
    """
    if not 2 <= len(means) <= population or not np.isfinite(means).all():
        raise ValueError(f"RKE needs 2 to {population} finite means, got {len(means)}")
    variance = float(means.var(ddof=1)) / len(means) * (1 - len(means) / population)
    return _rke(means, variance, population, len(means))


def rke_from_strata(means: Sequence[NDArray[np.float64]], documents: Sequence[int]) -> Rke:
    """RKE of several sources together, from the probes of each measured against all of them.

    U = sum_j W_j mean_j with W_j = N_j / N, variance sum_j W_j**2 s_j**2 / P_j (1 - P_j / N_j).

    Args:
        means: g(x) of the probes of each source, at least two each.
        documents: number of documents of each source.
    """
    if not means or min(map(len, means)) < 2 or not all(np.isfinite(part).all() for part in means):
        raise ValueError("RKE needs two finite means or more of each source")
    total = sum(documents)
    shares = [size / total for size in documents]
    variance = sum(
        share**2 * float(part.var(ddof=1)) / len(part) * max(0.0, 1 - len(part) / size)
        for share, part, size in zip(shares, means, documents, strict=True)
    )
    weight = np.concatenate([np.full(len(part), share / len(part)) for share, part in zip(shares, means, strict=True)])
    rows = np.concatenate(means) * weight * len(weight)
    return _rke(rows, variance, total, len(rows))


def exact_rke(moment: SecondMoment) -> float:
    """RKE score of the documents of a moment themselves: 1 / tr(density**2). Nothing is estimated."""
    return float(1 / (moment.density() ** 2).sum())


def _rke(rows: NDArray[np.float64], variance: float, population: int, sample: int) -> Rke:
    mean = float(rows.mean())
    factor = float(np.exp(Z95 * variance**0.5 / mean)) if mean > 0 else float("inf")
    kernel = Estimate(value=mean, low=mean / factor, high=min(1.0, mean * factor)) if mean > 0 else _NOTHING
    score = Estimate(
        value=_score(kernel.value, population),
        low=_score(kernel.high, population),
        high=_score(kernel.low, population),
    )
    carried = np.cumsum(np.sort(rows)[::-1])
    half = int(np.searchsorted(carried, carried[-1] / 2)) + 1
    return Rke(kernel, score, _score(mean, sample), half, half >= LEAST_ROWS)


_NOTHING = Estimate(value=0, low=0, high=1)


def _score(mean_kernel: float, documents: int) -> float:
    return 1 / (1 / documents + (1 - 1 / documents) * mean_kernel)
