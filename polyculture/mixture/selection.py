"""Which documents are in the mixture, how often, and in which order: functions of (seed, document_id) alone."""

import numpy as np
from numpy.typing import NDArray

from polyculture.hashing import INCLUSION_STREAM, seeded_hash, unit_interval
from polyculture.mixture.rates import ScaledRates, Supply
from schemas.plan import MixturePlan, SourcePlan


def inclusion(id_hash: NDArray[np.uint64], seed: int) -> NDArray[np.float64]:
    """(documents,) a number in [0, 1) per document: small ones enter first, so a higher rate only adds documents."""
    return unit_interval(seeded_hash(id_hash, seed, INCLUSION_STREAM))


def make_plan(
    supplies: list[Supply],
    scaled: ScaledRates,
    documents: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]],
    budget_tokens: int | None,
) -> MixturePlan:
    """Turn rates into thresholds on the inclusion numbers, never over a source's target.

    A source of rate a + q holds every document a times, and once more those whose inclusion number is below a
    threshold: the largest for which their tokens stay within q times the source's tokens.

    Args:
        supplies: the sources, in source order.
        scaled: their rates.
        documents: of all distinct documents, (n,) each: source number, tokens, inclusion number.
        budget_tokens: the budget, for what is lacking.
    """
    source, tokens, position = documents
    plans = []
    for number, (supply, rate, limit) in enumerate(zip(supplies, scaled.rates, scaled.limits, strict=True)):
        mine = np.flatnonzero(source == number)
        whole = int(rate)
        threshold = _threshold(position[mine], tokens[mine], rate - whole)
        extra = int(tokens[mine][position[mine] < threshold].sum())
        plans.append(
            SourcePlan(
                name=supply.name,
                kind=supply.kind,
                asked_rate=supply.rate,
                rate=rate,
                whole_copies=whole,
                threshold=threshold,
                available_documents=len(mine),
                available_tokens=supply.tokens,
                tokens=whole * supply.tokens + extra,
                limit=limit,
            )
        )
    lacking = 0 if budget_tokens is None else max(0, round(budget_tokens - scaled.tokens))
    return MixturePlan(
        budget_tokens=budget_tokens,
        scale=scaled.scale,
        tokens=sum(plan.tokens for plan in plans),
        lacking_tokens=lacking,
        sources=plans,
    )


def _threshold(position: NDArray[np.float64], tokens: NDArray[np.int64], fraction: float) -> float:
    """Largest threshold in [0, 1] below which the documents hold at most `fraction` of the tokens."""
    order = np.argsort(position, kind="stable")
    within = np.cumsum(tokens[order]) <= fraction * tokens.sum()
    count = int(within.sum())
    return 1.0 if count == len(position) and fraction > 0 else float(position[order[count]]) if count else 0.0


def copies(plan: MixturePlan, source: NDArray[np.int64], position: NDArray[np.float64]) -> NDArray[np.int64]:
    """(documents,) how often each distinct document is written."""
    whole = np.array([part.whole_copies for part in plan.sources])
    threshold = np.array([part.threshold for part in plan.sources])
    result: NDArray[np.int64] = whole[source] + (position < threshold[source])
    return result


def mixture_order(
    source: NDArray[np.int64], position: NDArray[np.float64], count: NDArray[np.int64], tiebreak: NDArray[np.uint64]
) -> NDArray[np.int64]:
    """Order of the shards: document numbers, with repeats.

    Within a source documents are ranked by inclusion number, the same in every epoch; a source's stream is its epochs
    one after another (in a partial last epoch the first-ranked), spread evenly over [0, 1), and the streams are
    merged. So every prefix holds the sources evenly, and two copies of a document are one epoch apart.

    Args:
        source: (n,) source numbers of the distinct documents.
        position: (n,) inclusion numbers.
        count: (n,) copies of each.
        tiebreak: (n,) id hashes, for equal inclusion numbers.

    Returns:
        (count.sum(),) document numbers.
    """
    documents, places = [], []
    for number in range(int(source.max()) + 1 if len(source) else 0):
        mine = np.flatnonzero((source == number) & (count > 0))
        ranked = mine[np.lexsort((tiebreak[mine], position[mine]))]
        epochs = int(count[ranked].max()) if len(ranked) else 0
        stream = np.concatenate([ranked[count[ranked] > epoch] for epoch in range(epochs)] or [ranked])
        documents.append(stream)
        places.append((np.arange(len(stream)) + 0.5) / max(len(stream), 1))
    if not documents:
        return np.empty(0, np.int64)
    merged, place = np.concatenate(documents), np.concatenate(places)
    return merged[np.lexsort((source[merged], place))]
