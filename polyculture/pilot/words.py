"""Sentences that say what a forecast from a pilot means."""

import numpy as np

from polyculture.pilot.pairs import FEW_PAIRS, PilotPairs, documents_for_ten_pairs
from polyculture.pilot.profile import DistinctInterval
from schemas.profile import Estimate

NEAR_FACTOR = 2.0  # N/n up to which a classical estimate is worth printing beside the interval


def distinct_words(naive: float, interval: DistinctInterval, n: int, factor: float) -> str:
    """The naive number never stands alone."""
    seen = f"The pilot of {n:,} documents is {naive:.3f} distinct; at {factor:,.3g} times its size anything from "
    text = seen + f"{interval.low:.3f} to {interval.high:.3f} is compatible with it."
    if np.isinf(interval.sigmas):
        text += " No population fits the pilot: it is not a uniform sample, and only what is possible at all is given."
    if factor > max(NEAR_FACTOR, np.log(n)):
        text += f" No estimator can go further than about {np.log(n):.2g} times a pilot of this size."
    return text


def pair_words(pilot: PilotPairs, pairs: Estimate, target_documents: int) -> tuple[str, ...]:
    """Sentences on order 2."""
    text = f"It holds {pilot.pairs:,.0f} duplicate pairs; the corpus will hold {pairs.low:,.3g} to {pairs.high:,.3g}."
    if pilot.pairs < FEW_PAIRS and pilot.documents < target_documents:
        text += " These are few."
        if pilot.pairs:
            text += f" Ten are expected in {documents_for_ten_pairs(pairs.value, target_documents):,} documents."
    return (text,)


def advice(needed: int | None) -> tuple[str, ...]:
    """Say what would settle an unknown outcome; nothing for others."""
    if needed is None:
        return ()
    return (f"The expectation cannot be judged; a pilot of some {needed:,} documents may settle it.",)
