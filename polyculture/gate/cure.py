"""The cheapest change of rates that opens a gate which the narrow share keeps closed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyculture.gate.drawn import Drawn, Floats
from polyculture.gate.narrow import NarrowShare
from polyculture.statistics.intervals import Interval
from schemas.policy import NarrowRule

LEAST_FACTOR = 0.1  # of a source that is not given up whole


@dataclass(frozen=True, slots=True)
class Cure:
    """A change of rates that opens the gate.

    Attributes:
        factors: of each source that is taken less often, the factor on its rate, at most two digits.
        share: narrow share that is left.
        cost: share of the mixture's tokens that is given up.
        kept: of each of these sources, the share of what it says that a sample at this rate still says.
    """

    factors: dict[str, float]
    share: Interval
    cost: float
    kept: dict[str, float]


def cheapest_cure(drawn: Drawn, rule: NarrowRule) -> Cure | None:
    """Lower the rates of the sources with the largest narrow share, until the whole interval is under the limit.

    Of all changes of rates that bring the narrow share down to a limit, taking from the source in which the largest
    share is narrow gives up the fewest tokens: a linear program with one constraint. A tenth of a source still says
    much of what it says, so a source is given up whole only where a tenth of every narrow one does not open the gate.
    Rates are rounded down, and the result is judged as the gate will judge it.

    Args:
        drawn: evidence, weighed by the mixture.
        rule: the rule with its limit.

    Returns:
        None if there is nothing to cure, or if rates alone do not open the gate. O(sources) shares.
    """
    found, factors = NarrowShare.of(drawn, rule), np.ones(len(drawn.names))
    if found.at(factors).high <= rule.at_most:
        return None
    shares = np.array([float(share.value) for share in found.repeating.shares])
    narrow = [int(number) for number in np.argsort(-shares, kind="stable") if shares[number] > rule.at_most]
    for least in (LEAST_FACTOR, 0.0):
        factors = np.ones(len(drawn.names))
        for number in narrow:
            factors[number] = _largest_factor(found, rule, factors, number, least)
            if (drawn.weights * factors).sum() > 0 and found.at(factors).high <= rule.at_most:
                return _cure(drawn, found, factors)
    return None


def _largest_factor(found: NarrowShare, rule: NarrowRule, factors: Floats, number: int, least: float) -> float:
    """The largest factor of two digits on one source that opens the gate; the least one if none does."""
    steps = [step / 100 for step in range(max(1, round(100 * least)), 100)]
    low, high = 0, len(steps)
    while low < high:  # the share falls as the factor does
        middle = (low + high) // 2
        tried = factors.copy()
        tried[number] = steps[middle]
        if found.at(tried).high <= rule.at_most:
            low = middle + 1
        else:
            high = middle
    return steps[low - 1] if low else least


def _cure(drawn: Drawn, found: NarrowShare, factors: Floats) -> Cure:
    changed = [number for number in range(len(factors)) if factors[number] < 1]
    return Cure(
        {drawn.names[number]: float(factors[number]) for number in changed},
        found.at(factors),
        float(1 - (drawn.weights * factors).sum()),
        {drawn.names[number]: kept_share(_own(drawn, number), float(factors[number])) for number in changed},
    )


def _own(drawn: Drawn, number: int) -> NDArray[np.float64]:
    """Multiplicities of a source within itself: verified twins where the document was read, near-duplicates else."""
    mine = drawn.source == number
    twins, near = drawn.columns["twins_own"][mine], drawn.columns["near_own"][mine]
    own: NDArray[np.float64] = np.maximum(np.where(np.isnan(twins), near, twins), 1.0)
    return own


def kept_share(multiplicity: Sequence[float] | NDArray[np.float64], fraction: float) -> float:
    """Share of what a source says that a uniform sample of a fraction of it still says.

    E[(1 - (1 - f)^m) / m] / E[1/m] over documents drawn from it: a thing that is said m times is missed with
    probability (1 - f)^m.

    Args:
        multiplicity: how often what each drawn document says is said, at least 1.
        fraction: of the documents that are taken, 0..1.
    """
    m = np.asarray(multiplicity, np.float64)
    if not len(m) or fraction <= 0:
        return 0.0
    if fraction >= 1:
        return 1.0
    seen = -np.expm1(m * math.log1p(-fraction))
    return float(np.mean(seen / m) / np.mean(1 / m))
