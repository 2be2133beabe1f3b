"""Forecasts, from a pilot of n documents, of a corpus of N that does not exist yet; judged by an expectation."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

import numpy as np
from numpy.typing import NDArray

from polyculture.pilot.classical import extrapolated_richness, sample_size, smoothed_good_toulmin
from polyculture.pilot.pairs import (
    PilotPairs,
    documents_to_settle,
    hill_2_forecast,
    pairs_forecast,
)
from polyculture.pilot.profile import DistinctInterval, Extreme, distinct_interval, expected_frequencies
from polyculture.pilot.words import NEAR_FACTOR, advice, distinct_words, pair_words
from schemas.profile import Estimate
from schemas.verdict import Outcome

_FINEST = 1.05  # factor to which the size of the pilot that would settle it is searched


class PilotMetric(StrEnum):
    """Metrics that a pilot can be asked for."""

    DISTINCT_FRACTION = "distinct_fraction"
    DUPLICATE_PAIRS = "duplicate_pairs"
    HILL_2 = "hill_2"


@dataclass(frozen=True, slots=True)
class PilotExpectation:
    """Bounds of one metric of the corpus, at least one of them.

    Raises:
        ValueError: there is none.
    """

    metric: PilotMetric
    at_least: float | None = None
    at_most: float | None = None

    def __post_init__(self) -> None:
        if self.at_least is None and self.at_most is None:
            raise ValueError("an expectation needs at_least or at_most")

    def judge(self, low: float, high: float) -> Outcome:
        """PASS if all of an interval is within the bounds, FAIL if none of it is, else UNKNOWN."""
        least = -np.inf if self.at_least is None else self.at_least
        most = np.inf if self.at_most is None else self.at_most
        if least <= low and high <= most:
            return Outcome.PASS
        return Outcome.FAIL if high < least or low > most else Outcome.UNKNOWN


@dataclass(frozen=True, slots=True)
class Forecast:
    """Knowledge of the corpus that a pilot gives.

    Attributes:
        documents: n of the pilot.
        target_documents: N.
        naive_distinct_fraction: species per document of the pilot, which says nothing by itself; None in a pairwise
            lens.
        distinct_fraction: every value that the pilot does not rule out; None in a pairwise lens.
        extrapolated: classical estimates of the distinct fraction by name; only up to twice the pilot.
        pairs: duplicate pairs at N.
        hill_2: effective species of order 2 at N.
        outcome: outcome of the expectation; None without one.
        needed_documents: size of a pilot that would settle an UNKNOWN. An estimate, and rather low: it takes for
            the truth the forecast (order 2) or each of the two extreme populations (distinct fraction), and a truth
            beside the bound takes more. N if no smaller pilot would.
        words: meaning of the numbers, in sentences.
    """

    documents: int
    target_documents: int
    naive_distinct_fraction: float | None
    distinct_fraction: DistinctInterval | None
    extrapolated: dict[str, float]
    pairs: Estimate
    hill_2: Estimate
    outcome: Outcome | None
    needed_documents: int | None
    words: tuple[str, ...]


def forecast(
    frequencies: NDArray[np.int64],
    target_documents: int,
    expectation: PilotExpectation | None = None,
    largest_species: int | None = None,
) -> Forecast:
    """Forecast the corpus from the species of a pilot (exact, template and seed lens).

    Args:
        frequencies: f[j] species were seen j times; f[0] is 0. `classical.frequency_counts` makes them.
        target_documents: N; the pilot is a uniform sample of the corpus that is planned.
        expectation: the expectation on the corpus.
        largest_species: documents that no species of the corpus exceeds, if known; narrows the bounds of few pairs.

    Returns:
        The forecast. About .2 seconds; some 2 if the outcome is UNKNOWN.

    Raises:
        ValueError: fewer than 2 documents, or a corpus smaller than the pilot.
    """
    pilot = PilotPairs.of_frequencies(frequencies)
    order_2 = _order_2(pilot, target_documents, largest_species)
    interval = distinct_interval(frequencies, target_documents)
    n, factor = pilot.documents, target_documents / pilot.documents
    naive = float(frequencies.sum() / n)
    outcome, needed = _settled(pilot, target_documents, order_2, interval, expectation)
    return Forecast(
        documents=n,
        target_documents=target_documents,
        naive_distinct_fraction=naive,
        distinct_fraction=interval,
        extrapolated=_extrapolated(frequencies, target_documents) if factor <= NEAR_FACTOR else {},
        pairs=order_2[PilotMetric.DUPLICATE_PAIRS],
        hill_2=order_2[PilotMetric.HILL_2],
        outcome=outcome,
        needed_documents=needed,
        words=(
            distinct_words(naive, interval, n, factor),
            *pair_words(pilot, order_2[PilotMetric.DUPLICATE_PAIRS], target_documents),
            *advice(needed),
        ),
    )


def forecast_neighbours(
    neighbours: NDArray[np.int64], target_documents: int, expectation: PilotExpectation | None = None
) -> Forecast:
    """Forecast pairs and Hill 2 from (n,) neighbour counts of a pilot, in a pairwise lens (near, semantic).

    Raises:
        ValueError: the same cases as for `forecast`, or the expectation is on the distinct fraction, which
            neighbours do not give.
    """
    if expectation and expectation.metric is PilotMetric.DISTINCT_FRACTION:
        raise ValueError("a pilot's neighbours do not bound the distinct fraction: use duplicate_pairs or hill_2")
    pilot = PilotPairs.of_neighbours(neighbours)
    order_2 = _order_2(pilot, target_documents, None)
    outcome, needed = _settled(pilot, target_documents, order_2, None, expectation)
    return Forecast(
        *(pilot.documents, target_documents, None, None, {}),
        *(order_2[PilotMetric.DUPLICATE_PAIRS], order_2[PilotMetric.HILL_2], outcome, needed),
        words=(*pair_words(pilot, order_2[PilotMetric.DUPLICATE_PAIRS], target_documents), *advice(needed)),
    )


def _order_2(pilot: PilotPairs, target_documents: int, largest_species: int | None) -> dict[PilotMetric, Estimate]:
    return {
        PilotMetric.DUPLICATE_PAIRS: pairs_forecast(pilot, target_documents, largest_species),
        PilotMetric.HILL_2: hill_2_forecast(pilot, target_documents, largest_species),
    }


def _extrapolated(f: NDArray[np.int64], target_documents: int) -> dict[str, float]:
    """Two classical estimates; they are worth something only this near."""
    further = target_documents / sample_size(f) - 1
    species = {
        "smoothed Good-Toulmin": float(f.sum()) + smoothed_good_toulmin(f, further),
        "iNEXT": extrapolated_richness(f, target_documents),
    }
    return {name: value / target_documents for name, value in species.items()}


def _settled(
    pilot: PilotPairs,
    target_documents: int,
    order_2: dict[PilotMetric, Estimate],
    interval: DistinctInterval | None,
    expectation: PilotExpectation | None,
) -> tuple[Outcome | None, int | None]:
    """Outcome, and the size of the pilot that would decide an UNKNOWN one."""
    if expectation is None:
        return None, None
    if expectation.metric is PilotMetric.DISTINCT_FRACTION and interval is not None:
        outcome = expectation.judge(interval.low, interval.high)
        search: Callable[[], int] = partial(_distinct_search, pilot.documents, target_documents, interval, expectation)
        return outcome, search() if outcome is Outcome.UNKNOWN else None
    estimate = order_2[expectation.metric]
    outcome = expectation.judge(estimate.low, estimate.high)
    if outcome is not Outcome.UNKNOWN:
        return outcome, None
    bounds = [bound for bound in (expectation.at_least, expectation.at_most) if bound is not None]
    if expectation.metric is PilotMetric.HILL_2:  # in pairs, (N**2/H - N)/2
        bounds = [
            max(0.0, (target_documents**2 / bound - target_documents) / 2) if bound > 0 else 0 for bound in bounds
        ]
    straddled = [bound for bound in bounds if order_2[PilotMetric.DUPLICATE_PAIRS].low <= bound]
    return outcome, max((documents_to_settle(pilot, target_documents, b) for b in straddled), default=target_documents)


def _distinct_search(
    documents: int, target_documents: int, interval: DistinctInterval, expectation: PilotExpectation
) -> int:
    """Pilot after which each of the two extreme populations, if it were the truth, would be told from the bounds."""
    if interval.fewest is None or interval.most is None:
        return target_documents

    def is_settled(pilot: int) -> bool:
        rate = pilot / target_documents
        return all(
            _would_settle(population, rate, target_documents, expectation)
            for population in (interval.fewest, interval.most)
        )

    low, high = documents, 2 * documents
    while high < target_documents and not is_settled(high):
        low, high = high, 2 * high
    high = min(target_documents, high)
    while high > low * _FINEST:
        middle = int(np.sqrt(float(low) * high))
        low, high = (low, middle) if is_settled(middle) else (middle, high)
    return high


def _would_settle(
    population: Extreme | None, rate: float, target_documents: int, expectation: PilotExpectation
) -> bool:
    if population is None or rate >= 1:
        return rate >= 1
    f = expected_frequencies(population, rate)
    if sample_size(f) > target_documents:
        return False
    found = distinct_interval(f, target_documents)
    return expectation.judge(found.low, found.high) is not Outcome.UNKNOWN
