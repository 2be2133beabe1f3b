"""The true numbers of the canary, worked out from its layout: no key, signature or kernel takes part."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from polyculture.canary.layout import SHINGLE, Planted, layout
from schemas.measures import Lens, Metric, Weighting

LENSES = (Lens.EXACT, Lens.NEAR, Lens.TEMPLATE, Lens.OPENING, Lens.SEED)
METRICS = (Metric.DISTINCT_FRACTION, Metric.HILL_1, Metric.HILL_2, Metric.DUPLICATE_PAIRS)


@dataclass(frozen=True, slots=True)
class Truth:
    """Known facts about the n documents of the canary through one lens.

    Attributes:
        multiplicity: (n,) documents in the species, or closed neighbourhood, of each; 0 where the lens does not apply.
        tokens: (n,) tokens of each document.
    """

    multiplicity: NDArray[np.int64]
    tokens: NDArray[np.int64]

    @property
    def documents(self) -> int:
        """Number of documents that the lens applies to."""
        return int((self.multiplicity > 0).sum())

    @property
    def total_tokens(self) -> int:
        """Their tokens."""
        return int(self.tokens[self.multiplicity > 0].sum())

    def number(self, metric: Metric, weighting: Weighting) -> float:
        """One of METRICS of the whole canary, by documents or by tokens.

        Raises:
            KeyError: the metric is another one.
        """
        there = self.multiplicity > 0
        m = self.multiplicity[there].astype(np.float64)
        weight = np.ones(len(m)) if weighting is Weighting.DOCUMENTS else self.tokens[there].astype(np.float64)
        share, size = weight / weight.sum(), len(m)
        return {
            Metric.DISTINCT_FRACTION: float(share @ (1 / m)),
            Metric.HILL_1: float(np.exp(share @ np.log(size / m))),
            Metric.HILL_2: float(1 / (share @ (m / size))),
            Metric.DUPLICATE_PAIRS: float(size * (share @ (m - 1)) / 2),
        }[metric]


@lru_cache(maxsize=4)
def truths(threshold: float) -> dict[Lens, Truth]:
    """The truth in every lens of LENSES, for a threshold of the near lens. About 30 milliseconds, once a process."""
    documents = layout(threshold)
    tokens = np.array([document.words for document in documents], np.int64)
    multiplicities = {
        Lens.EXACT: _sizes(document.text for document in documents),
        Lens.NEAR: _neighbours(documents, threshold),
        Lens.TEMPLATE: _sizes(document.template for document in documents),
        Lens.OPENING: _sizes(document.opening for document in documents),
        Lens.SEED: _sizes(document.seed for document in documents),
    }
    return {lens: Truth(np.array(multiplicities[lens], np.int64), tokens) for lens in LENSES}


def _sizes(labels: Iterable[object]) -> list[int]:
    """Documents with the same label as each; 0 for those without."""
    every = list(labels)
    sizes = Counter(every)
    return [0 if label is None else sizes[label] for label in every]


def _neighbours(documents: tuple[Planted, ...], threshold: float) -> list[int]:
    """Documents at least as similar as the threshold to each: copies, and what is close in its family."""
    found = _sizes(document.text for document in documents)
    families: dict[int, list[Planted]] = {}
    for document in documents:
        if document.family is not None:
            families.setdefault(document.family, []).append(document)
    least = Fraction(str(threshold))
    for family in families.values():
        for document in family:
            found[document.number] = sum(_similarity(document, other) >= least for other in family)
    return found


def _similarity(left: Planted, right: Planted) -> Fraction:
    """Jaccard similarity of two of one family: each changes one word, and so five shingles, or none."""
    if left.text == right.text:
        return Fraction(1)
    shingles = left.words - SHINGLE + 1
    if left.changed is None or right.changed is None:
        lost = SHINGLE
    else:
        lost = SHINGLE + min(SHINGLE, abs(left.changed - right.changed))
    return Fraction(shingles - lost, shingles + lost)
