"""Estimators of diversity from a sample alone, for comparison and for a pilot.

For a corpus that exists none of them is used: ten to a hundred times beyond the sample each is off by 1.1 to 60 times
on some population, and nothing in the sample says which one to trust (`python -m bench.coverage`).

All take frequency counts: f[j] species were seen j times, f[0] = 0. The sample has n = sum of j f[j] documents.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import integrate, special, stats

Frequencies = NDArray[np.int64]


def frequency_counts(abundances: NDArray[np.int64]) -> Frequencies:
    """The f of a sample with these (species,) abundances; species that were not seen may be there as 0."""
    f = np.bincount(abundances).astype(np.int64)
    f[:1] = 0
    return f


def sample_size(f: Frequencies) -> int:
    """Documents in the sample."""
    return int(np.arange(len(f)) @ f)


def naive_distinct_fraction(f: Frequencies) -> float:
    """Species per document of the sample: what a trial run sees, in (0, 1]."""
    return float(f.sum() / sample_size(f))


def _singles_and_pairs(f: Frequencies) -> tuple[int, int]:
    padded = np.concatenate([f, np.zeros(3, np.int64)])
    return int(padded[1]), int(padded[2])


def unseen_species(f: Frequencies) -> float:
    """Chao1's lower bound of the species that were not seen: (n - 1)/n f1**2 / (2 f2), or f1 (f1 - 1)/2 if f2 = 0."""
    n = sample_size(f)
    singles, pairs = _singles_and_pairs(f)
    unseen = singles**2 / (2 * pairs) if pairs else singles * (singles - 1) / 2
    return (n - 1) / n * unseen


def chao1(f: Frequencies) -> float:
    """Species of the population, a lower bound. Chao, Scandinavian Journal of Statistics 1984, 11:265."""
    return float(f.sum()) + unseen_species(f)


def sample_coverage(f: Frequencies) -> float:
    """Share of the population that is in species that were seen, in [0, 1]. Chao & Jost, Ecology 2012, 93:2533."""
    n = sample_size(f)
    singles, _ = _singles_and_pairs(f)
    return 1.0 - singles / n * (1.0 - _singleton_probability(f))


def _singleton_probability(f: Frequencies) -> float:
    """Mean share of the population of a species that was seen once; Chao, Wang & Jost 2013, equation 7c."""
    n = sample_size(f)
    singles, pairs = _singles_and_pairs(f)
    if pairs:
        return 2 * pairs / ((n - 1) * singles + 2 * pairs)
    return 2 / ((n - 1) * (singles - 1) + 2) if singles else 1.0


def good_toulmin(f: Frequencies, t: float) -> float:
    """New species in a further sample of t times the size, 0 <= t <= 1; beyond, its variance explodes.

    Good & Toulmin, Biometrika 1956, 43:45: - sum of (-t)**j f[j].
    """
    return float(-((-t) ** np.arange(len(f), dtype=np.float64)) @ f)


def smoothed_good_toulmin(f: Frequencies, t: float) -> float:
    """New species in a further sample of t times the size, t > 1 up to about log n.

    - sum of (-t)**j P(L >= j) f[j], L binomial as Efron & Thisted (Biometrika 1976, 63:435), with the parameters of
    Orlitsky, Suresh & Wu (PNAS 2016, 113:13283): q = 2/(t + 2), trials log3(n t**2/(t - 1)) / 2.
    """
    if t <= 1:
        return good_toulmin(f, t)
    trials = int(np.ceil(0.5 * np.log(sample_size(f) * t**2 / (t - 1)) / np.log(3)))
    j = np.arange(1, min(trials, len(f) - 1) + 1)
    return float(-((-float(t)) ** j * stats.binom.sf(j - 1, trials, 2 / (t + 2))) @ f[j])


def extrapolated_richness(f: Frequencies, size: int) -> float:
    """Species in a sample of `size` >= n documents, as iNEXT. Chao et al., Ecological Monographs 2014, 84:45."""
    n = sample_size(f)
    singles, _ = _singles_and_pairs(f)
    unseen = unseen_species(f)
    if unseen == 0:
        return float(f.sum())
    share = singles / (n * unseen + singles)
    return float(f.sum() - unseen * np.expm1((size - n) * np.log1p(-share)))


def asymptotic_shannon(f: Frequencies) -> float:
    """Hill number of order 1 of the population. Chao, Wang & Jost, Methods in Ecology and Evolution 2013, 4:1091."""
    n = sample_size(f)
    seen = np.arange(1, min(len(f), n))  # a species that is the whole sample adds nothing
    harmonic = special.digamma(n) - special.digamma(seen)  # sum of 1/k over seen <= k < n
    entropy = float((seen / n * harmonic) @ f[seen])
    singles, _ = _singles_and_pairs(f)
    other = _singleton_probability(f)
    if singles and other < 1:
        entropy += singles / n * _tail(n, other)
    return float(np.exp(entropy))


def _tail(n: int, a: float) -> float:
    """(1 - a)**(1 - n) x sum over r >= n of (1 - a)**r / r, as an integral, since the power overflows."""

    def integrand(log_x: float) -> float:
        x = np.exp(log_x)
        return float(x * (1 - a) * np.exp(-n * x) / (a - (1 - a) * np.expm1(-x)))

    value, _ = integrate.quad(integrand, np.log(1e-12 * min(a, 1 / n)), np.log(50 / n), limit=200)
    return float(value)


def asymptotic_simpson(f: Frequencies) -> float:
    """Hill number of order 2 of the population, unbiased in its inverse: n (n - 1) / sum of j (j - 1) f[j].

    Infinite if no species was seen twice.
    """
    n, j = sample_size(f), np.arange(len(f))
    pairs = int((j * (j - 1)) @ f)
    return n * (n - 1) / pairs if pairs else float("inf")


# name -> (frequencies, documents of the population) -> species of the population
RICHNESS: dict[str, Callable[[Frequencies, int], float]] = {
    "naive": lambda f, size: naive_distinct_fraction(f) * size,
    "Chao1": lambda f, size: min(chao1(f), size),
    "iNEXT": extrapolated_richness,
    "smoothed Good-Toulmin": lambda f, size: float(f.sum()) + smoothed_good_toulmin(f, size / sample_size(f) - 1),
}
