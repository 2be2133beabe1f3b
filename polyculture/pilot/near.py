"""Bounds on the distinct fraction of the corpus from a pilot's neighbour counts; there is no estimate.

Neighbourhoods are no partition, so the linear program of `pilot_profile` does not hold for them. Two inequalities do:
1/m is convex, so E[1/m] >= 1/E[m], and pairs forecast E[m] without bias; and a document's neighbours only grow with
the corpus, so that the pilot is expected to be at least as distinct as the corpus.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyculture.pilot.forecast import PilotExpectation
from polyculture.pilot.pairs import PilotPairs, documents_to_settle, hill_2_forecast
from schemas.verdict import Outcome

SIGMAS = 3.0  # as the linear program has it


@dataclass(frozen=True, slots=True)
class NearBounds:
    """Bounds of the distinct fraction E[1/m] of a corpus, m the closed neighbourhood of a document.

    Attributes:
        naive: the pilot's own value, which says nothing by itself.
        low: 1/E[m], at the upper end of the forecast of pairs.
        high: `naive` and SIGMAS of its standard errors.
    """

    naive: float
    low: float
    high: float


def near_bounds(neighbours: NDArray[np.int64], target_documents: int) -> NearBounds:
    """Bound the distinct fraction of the corpus in a pairwise lens.

    The variance of the sum of 1/m is taken as 2 pairs + 1: repeats in disjoint clusters of c documents vary by about c,
    and 2 pairs of a cluster are c (c - 1).

    Args:
        neighbours: (n,) verified neighbours of each document of the pilot within the pilot, itself not counted.
        target_documents: N >= n, of which the pilot is a uniform sample.

    Returns:
        The bounds; of no width if the pilot is the corpus.

    Raises:
        ValueError: fewer than 2 documents, or a corpus smaller than the pilot.
    """
    pilot, n = PilotPairs.of_neighbours(neighbours), len(neighbours)
    least = hill_2_forecast(pilot, target_documents).low / target_documents
    naive = float((1 / (1 + neighbours)).mean())
    if n == target_documents:
        return NearBounds(naive, naive, naive)
    error = SIGMAS * np.sqrt(2 * pilot.pairs + 1) / n * np.sqrt(1 - n / target_documents)
    return NearBounds(naive, min(least, naive), min(1.0, naive + float(error)))


def judge_near(
    neighbours: NDArray[np.int64], target_documents: int, expectation: PilotExpectation
) -> tuple[Outcome, int | None]:
    """Outcome of an expectation on the distinct fraction, and with UNKNOWN the pilot that may settle it.

    It may where the forecast of pairs itself is on the right side of the bound. Else only the pilot's own distinct
    fraction can fall below it, of which nothing tells when: then N.
    """
    bounds = near_bounds(neighbours, target_documents)
    outcome = expectation.judge(bounds.low, bounds.high)
    if outcome is not Outcome.UNKNOWN:
        return outcome, None
    pilot, n, size = PilotPairs.of_neighbours(neighbours), len(neighbours), target_documents
    if expectation.at_most is not None or not expectation.at_least:
        return outcome, size
    allowed = (1 / expectation.at_least - 1) * size / 2  # pairs with which 1/E[m] is at the bound
    forecast = pilot.pairs * (size / n) * ((size - 1) / (n - 1))
    return outcome, documents_to_settle(pilot, size, allowed) if forecast < allowed else size
