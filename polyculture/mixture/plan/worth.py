"""Worth of mixtures, from the copies that the ledger's probes found: epochs and copies in the corpus are one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from polyculture.measure.ledger.ledger import Ledger
from polyculture.mixture.estimate.mixture import collapse, estimate_mixture
from polyculture.mixture.estimate.mixture_rows import MixtureRows, select_sources
from polyculture.mixture.estimate.repeats import effective_weight, repeat_shares, repeats_of
from polyculture.mixture.plan.repetition import effective_tokens
from polyculture.mixture.plan.supply import LedgerSupply, stage_of
from polyculture.statistics.intervals import Interval, Sample, combine, mean_interval
from schemas.ledger import Weighting
from schemas.measures import Lens, Stage
from schemas.numbers import Estimate
from schemas.worth import TWINS, LensWorth, Worth

WORTH_LENSES = (Lens.EXACT, Lens.NEAR, Lens.TEMPLATE)  # that say what a copy is by the text alone

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Taken:
    """A mixture of a ledger's sources.

    Attributes:
        tokens: (sources,) tokens of each at the stage that the probes are of.
        rates: (sources,) times that the mixture takes them.
        epochs: (sources,) times that it holds each of their documents: more than the rates where the stage itself holds
            documents more than once.
    """

    tokens: Floats
    rates: Floats
    epochs: Floats

    def by_epochs(self, tokens: Floats) -> tuple[Floats, Floats]:
        """(sources,) unique and effective tokens of some tokens of the mixture, if only epochs repeat them."""
        epochs = np.maximum(self.epochs, 1.0)
        unique = tokens / epochs
        worth = [effective_tokens(u, e) for u, e in zip(unique.tolist(), epochs.tolist(), strict=True)]
        return unique, np.array(worth)


@dataclass(frozen=True, slots=True)
class WorthRows:
    """A lens, and the probes by tokens of the sources that it says something about.

    Attributes:
        lens: the lens.
        rows: their different rows.
        members: numbers of the sources.
    """

    lens: Lens
    rows: MixtureRows
    members: list[int]

    def unmeasured(self, taken: Taken) -> Floats:
        """(sources,) tokens of a mixture that the lens says nothing about."""
        measured = np.zeros(len(taken.tokens))
        measured[self.members] = self.rows.matrix.weight
        found: Floats = np.maximum(taken.tokens - measured, 0.0) * taken.rates
        return found


def worth_rows(ledger: Ledger, stage: Stage) -> list[WorthRows]:
    """The lenses that say what a copy is, as far as they were measured by tokens at a stage."""
    found = []
    for lens in WORTH_LENSES:
        matrix = ledger.matrix(stage, lens, Weighting.TOKENS)
        if matrix is None:
            continue
        has_rows = [any(len(part.rows) for part in probes.strata) for probes in matrix.probes]
        members = np.flatnonzero((matrix.weight > 0) & has_rows).tolist()
        if members:
            found.append(WorthRows(lens, collapse(select_sources(matrix, members)), members))
    return found


def mixture_worth(found: Sequence[WorthRows], taken: Taken, others: Sequence[LensWorth] = ()) -> Worth | None:
    """Worth of a mixture.

    Args:
        found: the lenses at the stage.
        taken: the mixture.
        others: the same through what else is known of it.

    Returns:
        None if no lens says anything about the mixture. Milliseconds to tenths of a second.
    """
    lenses = [_lens(rows, taken) for rows in found if (taken.rates[rows.members] > 0).any()] + list(others)
    return Worth(tokens=float(taken.rates @ taken.tokens), lenses=lenses) if lenses else None


def _lens(found: WorthRows, taken: Taken) -> LensWorth:
    rates = taken.rates[found.members]
    whole = estimate_mixture(found.rows, rates)
    repeats, often = repeat_shares(found.rows, rates)
    tokens = float(rates @ found.rows.matrix.weight)
    unique, worth = taken.by_epochs(found.unmeasured(taken))
    return LensWorth(
        lens=found.lens.value,
        tokens=tokens,
        unique_tokens=_tokens(whole.distinct_fraction, tokens, float(unique.sum())),
        effective_tokens=_tokens(whole.effective_fraction, tokens, float(worth.sum())),
        repeats=repeats,
        often=often,
    )


def _tokens(fraction: Estimate, tokens: float, counted: float) -> Estimate:
    ends = (tokens * end + counted for end in (fraction.value, fraction.low, fraction.high))
    return Estimate(**dict(zip(("value", "low", "high"), ends, strict=True)))


def source_worth(found: Sequence[WorthRows], worth: Worth, taken: Taken) -> tuple[Floats, list[float | None]]:
    """Part of each source in a mixture's worth, and worth of its last epoch, by the lens that sees most copies.

    Args:
        found: the lenses at the stage.
        worth: what the mixture is worth by them.
        taken: the mixture; rates are its epochs.

    Returns:
        (sources,) effective tokens of each source's own, that sum to the mixture's; and for each source, fresh tokens
        that the mixture would lose by each token of its last epoch (of the part of one that is taken), None at rate 0.
    """
    rows = next(rows for rows in found if rows.lens.value == worth.least.lens)
    sources = len(taken.rates)
    without = np.minimum(taken.rates, 1.0)
    rates = np.vstack([taken.rates, taken.rates - np.diag(without)])
    worths = np.zeros(rates.shape)
    worths[:, rows.members] = effective_weight(rows.rows, rates[:, rows.members])
    for number, mine in enumerate(rates):
        there = replace(taken, rates=mine, epochs=mine)
        worths[number] += there.by_epochs(rows.unmeasured(there))[1]
    lost = worths[0].sum() - worths[1:].sum(axis=1)
    taken_last = without * taken.tokens
    kept = np.clip(np.divide(lost, taken_last, out=np.zeros(sources), where=taken_last > 0), 0.0, 1.0)
    last = [float(kept[j]) if taken_last[j] > 0 else None for j in range(sources)]
    return worths[0], last


def ledger_worth(ledger: Ledger, supply: LedgerSupply, rates: Floats) -> Worth | None:
    """Worth of a mixture of a ledger's distinct documents, and of the last epoch of each source.

    Args:
        ledger: ledger of a run.
        supply: what its sources have to give.
        rates: (sources,) epochs of each.
    """
    rows, taken = worth_rows(ledger, stage_of(ledger)), Taken(supply.tokens.astype(np.float64), rates, rates)
    worth = mixture_worth(rows, taken)
    if worth is None:
        return None
    return worth.model_copy(update={"last_epoch": named(supply.names, source_worth(rows, worth, taken)[1])})


def named(names: Sequence[str], last: Sequence[float | None]) -> dict[str, float]:
    """Worth of last epochs, by the names of the sources that have one."""
    return {name: value for name, value in zip(names, last, strict=True) if value is not None}


def twin_worth(draws: pa.Table, names: Sequence[str], taken: Taken) -> LensWorth | None:
    """Worth of a mixture where documents that are alike by meaning and share words count as copies.

    The documents drawn for the verdict say how many twins each has among the distinct documents, of all sources
    together. What the mixture holds of them is taken to be that many times the epochs of the document's own source: an
    approximation, right where the sources that twins lie in are taken as often.

    Args:
        draws: REPETITION_SCHEMA, of one stage.
        names: the sources.
        taken: the mixture; rates are its epochs.

    Returns:
        None if no source that the mixture takes was read by meaning. Documents that were not read are repeated by
        their epochs alone.
    """
    read = draws.filter(pc.is_valid(draws["twins"]))
    parts: list[list[Interval]] = []
    measured = np.zeros(len(names))
    for number, name in enumerate(names):
        mine = read.filter(pc.field("source") == name)
        rate = float(taken.rates[number])
        if not mine.num_rows or rate <= 0:
            continue
        drawn = pc.sum(pc.equal(draws["source"], name)).as_py()
        measured[number] = rate * taken.tokens[number] * mine.num_rows / drawn
        rest = rate - np.floor(rate)
        own = rate + rest * (1.0 - rest) / rate  # of its own document's copies, as an occurrence meets them
        twins = np.maximum(mine["twins"].to_numpy().astype(np.float64), 1.0)
        values = repeats_of(own + (twins - 1.0) * rate)
        parts.append([mean_interval(Sample.of(column, None, 0.0, 1.0)) for column in values.T])
    if not parts:
        return None
    shares = (measured[measured > 0] / measured.sum()).tolist()
    inverse, worth, *repeats, often = (
        combine(list(column), shares).within(0, 1).estimate() for column in zip(*parts, strict=True)
    )
    tokens = float(measured.sum())
    unique_rest, worth_rest = taken.by_epochs(taken.rates * taken.tokens - measured)
    return LensWorth(
        lens=TWINS,
        tokens=tokens,
        unique_tokens=_tokens(inverse, tokens, float(unique_rest.sum())),
        effective_tokens=_tokens(worth, tokens, float(worth_rest.sum())),
        repeats=repeats,
        often=often,
    )
