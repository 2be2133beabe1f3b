"""Do the intervals of the shares that close the gate hold the truth? Populations of documents whose twins are known."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.coverage_page import Cell
from polyculture.gate.drawn import Drawn
from polyculture.gate.narrow import share_of_said
from polyculture.measure.probes.probe_matrix import Weighting
from polyculture.statistics.intervals import FEW_HITS, Interval
from schemas.policy import SHIPPED, NarrowRule

DRAWS = 500  # of a source, as by default
DOCUMENTS = 60_000  # of all sources
GROUPS = (5, 8, 16, 64, 400)  # documents that say one thing
TWICE = 0.1  # of the other documents say what one more says
UNREAD = 0.03
NARROW = SHIPPED.narrow or NarrowRule()

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Twinned:
    """Documents whose verified twins are known.

    Attributes:
        name: what they are like.
        source: (n,) of each.
        tokens: (n,) of each.
        twins: (n,) documents that say what it says, itself included; NaN where it was not read.
    """

    name: str
    source: Numbers
    tokens: Numbers
    twins: NDArray[np.float64]

    @property
    def shares(self) -> NDArray[np.float64]:
        """(sources,) share of the tokens that each holds."""
        held = np.bincount(self.source, self.tokens)
        found: NDArray[np.float64] = held / held.sum()
        return found

    def truths(self) -> Mapping[str, float]:
        """Values that the intervals have to hold."""
        tokens, is_read = self.tokens.astype(np.float64), ~np.isnan(self.twins)
        hits = is_read & (self.twins >= NARROW.twins)
        said = np.where(hits | ~is_read, 1.0, 1 / np.maximum(self.twins, 1))
        narrow = float(tokens[hits].sum() / tokens.sum())
        repeats = float((tokens * (1 - said)).sum() / tokens.sum())
        means = [
            float(np.average(1 / self.twins[mine], weights=tokens[mine]))
            for number in range(len(self.shares))
            if (mine := is_read & (self.source == number)).any()
        ]
        return {
            "narrow share": narrow / (1 - repeats),
            "meaning": float(np.average(means, weights=self.shares)),
            "unread": float(tokens[~is_read].sum() / tokens.sum()),
        }

    def drawn(self, generator: np.random.Generator) -> Drawn:
        """The evidence of one draw."""
        rows = []
        for number in range(len(self.shares)):
            mine = np.flatnonzero(self.source == number)
            rows.append(generator.choice(mine, DRAWS, p=self.tokens[mine] / self.tokens[mine].sum()))
        at, ones = np.concatenate(rows), np.ones(DRAWS * len(rows))
        nothing = dict.fromkeys(("near", "words", "frame_words"), ones)
        nothing |= dict.fromkeys(("shared_8", "framed_8"), 0 * ones)
        names = tuple(f"source {number}" for number in range(len(rows)))
        return Drawn(names, self.shares, self.source[at], {"twins": self.twins[at], **nothing}, ones, DOCUMENTS)


def populations(seed: int) -> Iterator[Twinned]:
    """Shares around the limit, in one source, in several, in one among many, and in all of many."""
    generator = np.random.default_rng(seed)
    for share in (0.01, 0.04, 0.08, 0.3):
        yield _made(f"narrow {share:.0%}, one source", share, (1.0,), (1.0,), generator)
        yield _made(f"narrow {share:.0%}, one of three", share, (0.2, 0.5, 0.3), (1.0, 0.0, 0.0), generator)
        even = (0.05,) * 20
        yield _made(f"narrow {share:.0%}, all of twenty", share, even, even, generator)
    yield _made("narrow 4%, one of twenty", 0.04, (0.05,) * 20, (1.0, *(0.0,) * 19), generator)


def _made(
    name: str, share: float, sizes: tuple[float, ...], narrow: tuple[float, ...], generator: np.random.Generator
) -> Twinned:
    """A population whose narrow documents lie in the sources in these proportions."""
    sources, tokens, twins = [], [], []
    total, number = DOCUMENTS * np.array(sizes) / sum(sizes), np.array(narrow) / sum(narrow)
    for at, (documents, part) in enumerate(zip(total.astype(int), number, strict=True)):
        many = np.ones(documents)
        again = generator.random(documents) < TWICE
        many[again] = 2
        many[generator.random(documents) < UNREAD] = np.nan
        count, filled = min(documents, round(share * DOCUMENTS * part)), 0
        while filled < count:
            size = int(generator.choice(GROUPS))
            many[filled : filled + size] = size
            filled += size
        sources.append(np.full(documents, at))
        twins.append(many)
        tokens.append(np.maximum(20, generator.lognormal(5.5, 1.0, documents)).astype(np.int64))
    return Twinned(name, np.concatenate(sources), np.concatenate(tokens), np.concatenate(twins))


def measure_decided(population: Twinned, repetitions: int, generator: np.random.Generator) -> Iterator[Cell]:
    """Coverage of each share that closes the gate."""
    truths = population.truths()
    covered, rare, squares = (dict.fromkeys(truths, 0.0) for _ in range(3))
    for _ in range(repetitions):
        drawn = population.drawn(generator)
        with np.errstate(invalid="ignore"):
            hits = drawn.per_allowed("twins") >= NARROW.twins
        found: dict[str, tuple[Interval, NDArray[np.bool_]]] = {
            "narrow share": (share_of_said(drawn, hits), hits),
            "meaning": (drawn.mean_inverse(drawn.per_allowed("twins")), np.nan_to_num(drawn.columns["twins"]) > 1),
            "unread": (drawn.share(~drawn.is_read), ~drawn.is_read),
        }
        for name, (interval, flags) in found.items():
            truth = truths[name]
            covered[name] += float(interval.low) <= truth <= float(interval.high)
            by_source = np.bincount(drawn.source, flags, len(drawn.names))
            rare[name] += bool((np.minimum(by_source, DRAWS - by_source) < FEW_HITS).any())
            squares[name] += (float(interval.value) / truth - 1) ** 2
    for name in truths:
        n = repetitions
        error = (squares[name] / n) ** 0.5
        yield Cell(population.name, "all", Weighting.TOKENS, DRAWS, name, covered[name] / n, rare[name] / n, 0, error)
