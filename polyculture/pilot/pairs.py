"""Forecasts of order 2 from a pilot: duplicate pairs and Hill 2 of a corpus of N documents, of which n exist.

The share of pairs of documents that are of one species is the same in the pilot and in the corpus, so the forecast is
unbiased however far it goes. It needs exact keys or verified neighbours.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from polyculture.statistics.intervals import Z95
from schemas.profile import Estimate

FEW_PAIRS = 10  # fewer pairs, or pairs worth fewer independent ones: the interval of few pairs
_LONGEST_SERIES = 20  # pairs up to which the bound of few pairs makes use of the largest species


@dataclass(frozen=True, slots=True)
class PilotPairs:
    """The data of a pilot that order 2 needs.

    Attributes:
        documents: n, at least 2.
        neighbours: sum over documents of c, the other documents of its species (or neighbourhood); twice the pairs.
        squares: sum over documents of c**2.
    """

    documents: int
    neighbours: int
    squares: int

    @classmethod
    def of_frequencies(cls, f: NDArray[np.int64]) -> "PilotPairs":
        """Build from frequency counts: f[j] species were seen j times."""
        seen = [(j, int(species)) for j, species in enumerate(f) if species and j]
        return cls(
            documents=sum(j * species for j, species in seen),
            neighbours=sum(j * (j - 1) * species for j, species in seen),
            squares=sum(j * (j - 1) ** 2 * species for j, species in seen),
        )

    @classmethod
    def of_neighbours(cls, neighbours: NDArray[np.int64]) -> "PilotPairs":
        """Build from (n,) counts of each document's verified neighbours within the pilot, itself not counted."""
        return cls(len(neighbours), int(neighbours.sum()), int((neighbours.astype(object) ** 2).sum()))

    @property
    def pairs(self) -> float:
        """Pairs of documents of one species in the pilot."""
        return self.neighbours / 2

    def variance(self, target_documents: int) -> float:
        """Estimated variance of `pairs`, a U-statistic, when n of N were drawn without replacement.

        (4 s_row**2 / n - 2 s_pair**2 / (n (n - 1))) (1 - n/N) over pairs of pairs, with the rows c / (n - 1) and the
        pairs 0 or 1; written out, sum of c**2 - (sum of c)**2 / n less (1 - u) of the pairs, u their share of all. At
        least half its first term, and at least its second: what it is when all rows are equal.
        """
        n, rows = self.documents, self.squares - self.neighbours**2 / self.documents
        equal_rows = self.pairs * (1 - self.neighbours / (n * (n - 1)))
        return max(rows - equal_rows, rows / 2, equal_rows) * (1 - n / target_documents)

    def effective(self, target_documents: int) -> float:
        """Independent pairs that would be as certain: pairs**2 / variance. One species of j has about j/4.

        To the variance that of four documents without a twin is added, each of which would cost 2 pairs / n: as many
        may have been missed where nearly all documents are of one species.
        """
        missed = 4 * (2 * self.pairs / self.documents) ** 2 * (1 - self.documents / target_documents)
        variance = self.variance(target_documents) + missed
        return self.pairs**2 / variance if variance > 0 else np.inf


def few_pairs_above(pairs: int, most_seen: float, miss: float) -> float:
    """Upper bound on the expected pairs of a pilot, with probability 1 - miss, if so few were seen.

    r species of which u documents each are expected in the pilot have pairs with probability 1 - (exp(-u) (1 + u))**r.
    The bound is the largest r u**2/2 under which so few pairs have a probability of `miss`, over r = 1, 2, ... and
    u <= most_seen. For no pairs it is 11.25 at miss = .05, whatever the sizes; with u -> 0 it is the Poisson limit.

    Args:
        pairs: seen in the pilot.
        most_seen: documents of the largest species that are expected in the pilot, M n/N; infinite if nothing is known.
        miss: probability that the bound fails, in (0, 1).
    """
    seen_alone = int((1 + np.sqrt(1 + 8 * pairs)) / 2)  # a species seen oftener has more pairs than these
    alone = float(special.gammaincinv(seen_alone + 1, 1 - miss))
    if most_seen >= alone or pairs > _LONGEST_SERIES:
        return alone**2 / 2
    many = max(32.0, 200 * (pairs + 12) / most_seen**2)
    r = np.unique(np.concatenate([np.arange(1, 17), np.geomspace(16, many, 30).round()]))
    low, high = np.full(len(r), -30.0), np.full(len(r), np.log(most_seen))
    for _ in range(50):  # bisection for log u; so few pairs are the less likely the larger the species are
        middle = (low + high) / 2
        is_likely = at_most_pairs(pairs, np.exp(middle), r) > miss
        low, high = np.where(is_likely, middle, low), np.where(is_likely, high, middle)
    return float((r * np.exp(2 * high) / 2).max())


def at_most_pairs(pairs: int, u: NDArray[np.float64], r: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probability that r species, each Poisson(u), have so few pairs; the power of a series by Euler's recurrence.

    Args:
        pairs: number of pairs, at most 20, for the recurrence loses digits.
        u: (n,) mean of each species.
        r: (n,) whole numbers of species.
    """
    log_none = np.log1p(u) - u
    steps = [(j * (j - 1) // 2, np.exp(j * np.log(u) - u - special.gammaln(j + 1) - log_none)) for j in range(2, 9)]
    total = [np.ones_like(u)]
    for k in range(1, pairs + 1):
        terms = [((r + 1) * size - k) * share * total[k - size] for size, share in steps if size <= k]
        total.append(np.asarray(sum(terms) / k))
    probability: NDArray[np.float64] = np.exp(r * log_none) * np.asarray(sum(total))
    return probability


def pairs_forecast(pilot: PilotPairs, target_documents: int, largest_species: int | None = None) -> Estimate:
    """Pairs of documents of one species in the corpus.

    Unbiased. The interval is on the log scale with the variance of a U-statistic. Where fewer than ten pairs were seen,
    or pairs that are worth fewer, because few species hold them, it is that of few pairs: from the gamma quantile of
    the effective pairs (Poisson's, if each pair is a species of its own) to `few_pairs_above`. No pairs: an upper
    bound, 95 %, at most 11.3 (N/n)**2.

    Args:
        pilot: its pairs.
        target_documents: N >= n, of which the pilot is a uniform sample.
        largest_species: size that no species of the corpus exceeds, if that is known; it narrows the interval of few
            pairs.

    Raises:
        ValueError: fewer than 2 documents, or a corpus smaller than the pilot.
    """
    n, size = pilot.documents, target_documents
    if n < 2 or size < n:
        raise ValueError(f"a forecast needs 2 <= pilot <= target documents, got a pilot of {n} for a target of {size}")
    scale = (size / n) * ((size - 1) / (n - 1))
    value = pilot.pairs * scale
    if n == size:
        return Estimate(value=value, low=value, high=value)
    low, high = _interval(pilot, size, largest_species)
    most = size * ((largest_species or size) - 1) / 2
    return Estimate(value=value, low=max(pilot.pairs, low * scale), high=max(value, min(high * scale, most)))


def _interval(pilot: PilotPairs, size: int, largest_species: int | None) -> tuple[float, float]:
    """Interval of the expected pairs in a pilot of this size."""
    pairs, effective = pilot.pairs, pilot.effective(size)
    most_seen = largest_species * pilot.documents / size if largest_species else np.inf
    if pairs == 0:
        return 0.0, few_pairs_above(0, most_seen, 0.05)
    if pairs >= FEW_PAIRS and effective >= FEW_PAIRS:
        width = np.exp(Z95 / np.sqrt(effective))
        return pairs / width, pairs * width
    low = pairs / effective * float(special.gammaincinv(effective, 0.025))
    high = pairs / effective * float(special.gammaincinv(effective + 1, 0.975))
    return low, max(high, few_pairs_above(int(pairs), most_seen, 0.025))


def hill_2_of_pairs(pairs: float, target_documents: int) -> float:
    """Effective species of order 2: 1 / sum of p**2 = N**2 / (N + 2 pairs), in [1, N]."""
    return target_documents**2 / (target_documents + 2 * pairs)


def hill_2_forecast(pilot: PilotPairs, target_documents: int, largest_species: int | None = None) -> Estimate:
    """Hill number of order 2 of the corpus, from `pairs_forecast`."""
    pairs = pairs_forecast(pilot, target_documents, largest_species)
    value, low, high = (hill_2_of_pairs(p, target_documents) for p in (pairs.value, pairs.high, pairs.low))
    return Estimate(value=value, low=low, high=high)


def documents_for_ten_pairs(pairs: float, target_documents: int) -> int:
    """Size of the pilot in which ten pairs are expected: sqrt(20 N / E[m - 1]), at most N.

    Args:
        pairs: pairs in the corpus, expected or bounded.
        target_documents: N.
    """
    excess = 2 * pairs / target_documents  # E[m - 1] over documents
    if excess <= 0:
        return target_documents
    return int(np.ceil(min(target_documents, np.sqrt(20 * target_documents / excess))))


def documents_to_settle(pilot: PilotPairs, target_documents: int, bound: float) -> int:
    """Size of the pilot whose interval of pairs would no longer hold `bound`, if the forecast is right. An estimate.

    The part of the relative variance that rows have falls as 1/n, that of pairs as 1/n**2.

    Args:
        pilot: its pairs.
        target_documents: N.
        bound: pairs in the corpus that are allowed.
    """
    n, size = pilot.documents, target_documents
    if pilot.pairs == 0:  # a pilot of that size without any pair would settle it
        if bound <= 0:
            return size
        return int(np.ceil(min(size, 1 + size * np.sqrt(few_pairs_above(0, np.inf, 0.05) / bound))))
    value = pilot.pairs * size * (size - 1) / (n * (n - 1))
    if bound <= 0 or value == bound:
        return size if value == bound else documents_for_ten_pairs(value, size)
    goal = (np.log(value / bound) / Z95) ** 2
    rows = max(0.0, pilot.squares - pilot.neighbours**2 / n - 2 * pilot.pairs) / pilot.pairs**2

    def excess(factor: float) -> float:
        return float(rows / factor + 1 / (pilot.pairs * factor**2) - goal)

    return max(_smallest(excess, n, size), documents_for_ten_pairs(value, size))


def _smallest(excess: Callable[[float], float], n: int, size: int) -> int:
    """The pilot, between n and N, from which on `excess` of n'/n is not above 0."""
    if excess(size / n) > 0:
        return size
    if excess(1.0) <= 0:
        return n
    return int(np.ceil(n * float(optimize.brentq(excess, 1.0, size / n))))
