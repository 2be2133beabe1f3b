"""The narrow share: tokens of the mixture that lie in documents which say what many others say.

It is counted document by document over all sources together, so that splitting, merging, renaming or relabelling
sources does not move it, and what other documents repeat is counted once, so that copies of healthy text do not dilute
it. Planned epochs are no duplicates: multiplicities are those of what is distinct.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyculture.gate.drawn import Drawn, Flags, Floats, mean_of, taken_often
from polyculture.statistics.intervals import Interval, between, combine
from schemas.policy import NarrowRule

# The causes, in the order in which a document that has several is charged to one.
CAUSES = ("copies", "meaning", "passages", "frames")


@dataclass(frozen=True, slots=True)
class NarrowSource:
    """The narrow share of one source, but for what other sources copy from it.

    Attributes:
        name: of the source.
        weight: share of the mixture's tokens that the source holds.
        share: share of the source's tokens that are narrow.
        causes: share of the source's tokens by cause; they sum to the narrow share.
        contribution: share of the mixture's tokens that are this source's narrow ones, what others repeat counted once.
        says: verified distinct fraction by tokens: what the source says over what it holds; None if it was not read.
    """

    name: str
    weight: float
    share: Interval
    causes: dict[str, float]
    contribution: float
    says: float | None


def causes_of(drawn: Drawn, rule: NarrowRule) -> dict[str, Flags]:
    """(n,) for each cause, whether a document is narrow by it, and by none before it."""
    with np.errstate(invalid="ignore"):
        by = {
            "copies": drawn.per_allowed("near") >= rule.near,
            "meaning": drawn.per_allowed("twins") >= rule.twins,  # NaN, which was not read, is not narrow
            "passages": _by_passages(drawn, rule, ""),
            "frames": _by_frames(drawn, rule, ""),
        }
    found, taken = {}, np.zeros(len(drawn.source), np.bool_)
    for cause in CAUSES:
        found[cause] = by[cause] & ~taken
        taken |= by[cause]
    return found


def _by_passages(drawn: Drawn, rule: NarrowRule, of: str) -> Flags:
    """(n,) whether each document is mostly made of passages that others hold.

    Args:
        drawn: evidence.
        rule: the rule.
        of: of which documents passages are counted: of all, or `_before`.
    """
    words = np.maximum(drawn.columns["words"], 1)
    widespread: Flags = drawn.words_held("shared", of) / words >= rule.passages
    return widespread


def _by_frames(drawn: Drawn, rule: NarrowRule, of: str) -> Flags:
    """(n,) whether each document mostly puts other words into frames that others hold; `of` as above."""
    looked_at = np.maximum(drawn.columns["frame_words"], 1)
    widespread: Flags = drawn.words_held("framed", of) / looked_at >= rule.frames
    return widespread


def narrow_documents(drawn: Drawn, rule: NarrowRule) -> Flags:
    """(n,) whether each document is narrow."""
    found: Flags = np.any(list(causes_of(drawn, rule).values()), axis=0)
    return found


def copied_documents(drawn: Drawn, rule: NarrowRule) -> Flags:
    """(n,) whether each document is narrow only since others copy it: its source is not named for that.

    What its source and those before it in the survivors' order say is too little to make it narrow.
    """
    found = narrow_documents(drawn, rule) & ~_by_passages(drawn, rule, "_before")
    found &= ~_by_frames(drawn, rule, "_before")
    for name, least in (("near", rule.near), ("twins", rule.twins)):
        own, before = drawn.columns[f"{name}_own"], drawn.columns[f"{name}_before"]
        with np.errstate(invalid="ignore"):
            is_narrow = drawn.per_allowed(name) >= least
            is_first = (own + before) / drawn.allowed < least
        found &= ~is_narrow | is_first
    return found


@dataclass(frozen=True, slots=True)
class Said:
    """Shares of the sources' tokens in some documents, and what the other documents say once.

    Attributes:
        shares: of each source, the share of its tokens.
        distinct: of each source, the mean of 1/m over its tokens, m the near-duplicates or verified twins of a document
            that is none of those, itself included.
    """

    shares: list[Interval]
    distinct: list[Interval | None]

    @classmethod
    def of(cls, drawn: Drawn, hits: Flags) -> "Said":
        """O(sources x rows), once for all weights.

        Args:
            drawn: evidence.
            hits: (n,) the documents.
        """
        said = np.where(hits, 1.0, np.fmax(drawn.per_allowed("near"), drawn.per_allowed("twins")))
        sources = range(len(drawn.names))
        return cls([drawn.share_of(i, hits) for i in sources], [drawn.mean_inverse_of(i, said) for i in sources])

    def repeated(self, weights: Floats) -> Interval:
        """Share of the tokens that only repeat what other documents say, the documents themselves left out."""
        distinct = mean_of(self.distinct, weights)
        return between(1 - distinct.value, 1 - distinct.high, 1 - distinct.low)

    def share(self, weights: Floats) -> Interval:
        """Share of a mixture's tokens in the documents, where of all others that say one thing one is counted.

        T / (T + sum of tokens / m over the others).

        Args:
            weights: (sources,) share of the mixture's tokens that each holds; they sum to 1.
        """
        share, repeats = combine(self.shares, weights.tolist()), self.repeated(weights)
        ends = ((share.low, repeats.low), (share.value, repeats.value), (share.high, repeats.high))
        low, value, high = (min(1.0, max(0.0, float(part)) / max(1e-9, 1 - float(again))) for part, again in ends)
        return between(value, low, high)


@dataclass(frozen=True, slots=True)
class NarrowShare:
    """The narrow share of a mixture at any rates.

    Attributes:
        weights: (sources,) share of the mixture's tokens that each holds.
        every: all narrow documents.
        repeating: those that are not narrow only since others copy them.
        repeaters: numbers of the sources that have such.
    """

    weights: Floats
    every: Said
    repeating: Said
    repeaters: NDArray[np.int64]

    @classmethod
    def of(cls, drawn: Drawn, rule: NarrowRule) -> "NarrowShare":
        """From evidence that is weighed by a mixture."""
        hits = narrow_documents(drawn, rule)
        repeating = hits & ~copied_documents(drawn, rule)
        return cls(drawn.weights, Said.of(drawn, hits), Said.of(drawn, repeating), np.unique(drawn.source[repeating]))

    def at(self, factors: Floats) -> Interval:
        """The share where each source's tokens are taken so many times as often.

        What is narrow since others copy it is narrow no more where all who repeat something are given up.
        """
        is_given_up = len(self.repeaters) > 0 and not factors[self.repeaters].any()
        return (self.repeating if is_given_up else self.every).share(taken_often(self.weights, factors))


def narrow_share(drawn: Drawn, rule: NarrowRule) -> Interval:
    """Share of the mixture's tokens in narrow documents."""
    return share_of_said(drawn, narrow_documents(drawn, rule))


def share_of_said(drawn: Drawn, hits: Flags) -> Interval:
    """Share of the tokens in some documents, where of all others that say one thing one is counted."""
    return Said.of(drawn, hits).share(drawn.weights)


def narrow_sources(drawn: Drawn, rule: NarrowRule) -> list[NarrowSource]:
    """Every source that has narrow tokens, the one with most of them first."""
    return sorted(_sources(drawn, rule), key=lambda source: (-source.contribution, source.name))


def _sources(drawn: Drawn, rule: NarrowRule) -> Iterator[NarrowSource]:
    causes, hits, copied = causes_of(drawn, rule), narrow_documents(drawn, rule), copied_documents(drawn, rule)
    counted, hits = 1 - float(Said.of(drawn, hits).repeated(drawn.weights).value), hits & ~copied
    for number, name in enumerate(drawn.names):
        mine = drawn.source == number
        if not hits[mine].any():
            continue
        says, share = drawn.mean_inverse_of(number, drawn.columns["twins"]), drawn.share_of(number, hits)
        yield NarrowSource(
            name,
            float(drawn.weights[number]),
            share,
            {cause: float((flags & hits)[mine].mean()) for cause, flags in causes.items()},
            float(drawn.weights[number] * share.value) / counted,
            None if says is None else float(says.value),
        )
