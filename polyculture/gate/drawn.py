"""Documents drawn by tokens, as the policy looks at them: how often what each says stands elsewhere."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from polyculture.statistics.intervals import Interval, Sample, combine, mean_interval, share_interval
from schemas.measures import Stage
from schemas.policy import USUAL_SIZE
from schemas.repetition import FRAMED_BY

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Drawn:
    """The documents drawn from the sources of a mixture, in proportion to tokens within each source.

    Attributes:
        names: sources that hold tokens of the mixture and have rows.
        weights: (names,) share of the mixture's tokens that each holds; they sum to 1.
        source: (n,) place of each row's source in `names`.
        columns: of the evidence, (n,) each; NaN where a lens of meaning has not read the document.
        answers: (n,) answers to one prompt that the document's source may hold, 1 where it says nothing.
        documents: that the sources hold together, of 50 tokens or more.
        times: how many documents that say one thing count as one, since the corpus is large: 1 in a usual one.
    """

    names: tuple[str, ...]
    weights: Floats
    source: NDArray[np.int64]
    columns: Mapping[str, Floats]
    answers: Floats
    documents: int
    times: float = 1.0

    def share(self, hits: Flags) -> Interval:
        """Share of the mixture's tokens in documents that have a property: Wilson's intervals, combined by weight."""
        return combine([self.share_of(number, hits) for number in range(len(self.names))], self.weights.tolist())

    def share_of(self, number: int, hits: Flags) -> Interval:
        """The same of one source."""
        mine = hits[self.source == number]
        return share_interval(int(mine.sum()), len(mine), None)

    def mean_inverse(self, multiplicity: Floats) -> Interval:
        """Mean over the mixture's tokens of 1/m: the distinct fraction by tokens. Rows that are NaN are left out."""
        return mean_of([self.mean_inverse_of(number, multiplicity) for number in range(len(self.names))], self.weights)

    def mean_inverse_of(self, number: int, multiplicity: Floats) -> Interval | None:
        """The same of one source; None if none of its rows was read."""
        mine = multiplicity[self.source == number]
        mine = mine[~np.isnan(mine)]
        if not len(mine):
            return None
        return mean_interval(Sample.of(1.0 / np.maximum(mine, 1.0), None, 0.0, 1.0)).within(0, 1)

    @property
    def is_read(self) -> Flags:
        """(n,) whether a lens of meaning has read the document."""
        return ~np.isnan(self.columns["twins"])

    @property
    def allowed(self) -> Floats:
        """(n,) how many documents may say what one does: the answers to a prompt that its source may hold, and size."""
        return self.answers * self.times

    def per_allowed(self, name: str) -> Floats:
        """(n,) a multiplicity over what is allowed, at least 1."""
        return np.maximum(self.columns[name] / self.allowed, 1.0)

    @property
    def holders(self) -> int:
        """Documents that hold a widespread passage or frame: eight in a usual corpus, in a larger one a doubling of it.

        It is the doubling that is nearest to what is allowed.
        """
        return FRAMED_BY[min(len(FRAMED_BY) - 1, round(math.log2(self.times)))]

    def words_held(self, name: str, of: str = "") -> Floats:
        """(n,) words that stand in what many documents hold: `shared` passages or `framed` words.

        Args:
            name: `shared` or `framed`.
            of: of which documents they are counted: of all, or `_before`.
        """
        return self.columns[f"{name}_{self.holders}{of}"]


def mean_of(parts: Sequence[Interval | None], weights: Floats) -> Interval:
    """The mean of a number over sources, by their weights; those of which it is not known are left out."""
    kept = [(part, weight) for part, weight in zip(parts, weights, strict=True) if part is not None]
    total = sum(weight for _, weight in kept)
    return combine([part for part, _ in kept], [float(weight / total) for _, weight in kept])


def drawn_of(
    rows: pa.Table,
    stage: Stage,
    tokens: Mapping[str, int],
    answers: Mapping[str, float] | None = None,
    usual_size: int = USUAL_SIZE,
) -> Drawn | None:
    """The evidence at a stage, weighed by a mixture.

    Args:
        rows: REPETITION_SCHEMA.
        stage: stage of the multiplicities.
        tokens: tokens of each source in the mixture.
        answers: answers to one prompt that a source may hold, where it says so.
        usual_size: documents up to which counts are as they stand.

    Returns:
        None if there are no rows of the stage, or a source that holds tokens has none.
    """
    held = [name for name, count in tokens.items() if count > 0]
    mine = rows.filter(pc.field("stage") == stage.value)
    place = pc.index_in(mine["source"], value_set=pa.array(held, pa.string())).to_numpy(zero_copy_only=False)
    if not held or not set(held) <= set(mine["source"].to_pylist()):
        return None
    mine, source = mine.filter(pa.array(~np.isnan(place))), place[~np.isnan(place)].astype(np.int64)
    total = sum(tokens[name] for name in held)
    first = [int(np.flatnonzero(source == number)[0]) for number in range(len(held))]
    documents = sum(mine["source_documents"].take(first).to_pylist())
    return Drawn(
        tuple(held),
        np.array([tokens[name] / total for name in held]),
        source,
        {name: _floats(mine[name]) for name in mine.schema.names if pa.types.is_integer(mine.schema.field(name).type)},
        np.array([(answers or {}).get(name, 1.0) for name in held])[source],
        documents,
        times_of(documents, usual_size),
    )


def times_of(documents: int, usual_size: int) -> float:
    """How many documents that say one thing count as one in a corpus of this size, at least 1.

    In healthy text some things are said by as many documents as the square root of its size, or fewer:
    docs/gate_flatness.md measures it.
    """
    return max(1.0, math.sqrt(documents / usual_size))


def _floats(column: pa.ChunkedArray) -> Floats:
    values: Floats = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return values


def taken_often(weights: Floats, factors: Floats) -> Floats:
    """Shares of the tokens where each source's are taken this many times as often."""
    taken = weights * factors
    found: Floats = taken / taken.sum()
    return found
