"""Answers to `what if the mixture were another one`: every number of it, from the ledger alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyculture.errors import ConfigError
from polyculture.measure.ledger.ledger import Ledger
from polyculture.mixture.estimate.copies import thinned_to
from polyculture.mixture.estimate.mixture import collapse, estimate_mixture, marginal_values
from polyculture.mixture.estimate.mixture_rows import MixtureRows, select_sources
from polyculture.mixture.plan.repetition import effective_tokens, last_epoch
from polyculture.mixture.plan.supply import LedgerSupply, ledger_supply, measured_lenses, rates_of_all, stage_of
from polyculture.mixture.plan.vector_mixture import vectors_what_if
from polyculture.mixture.plan.worth import Taken, WorthRows, mixture_worth, named, source_worth, worth_rows
from schemas.documents import Kind
from schemas.ledger import Weighting
from schemas.measures import TRIAL_FRACTIONS, Lens, Stage
from schemas.profile import Trial
from schemas.what_if import LensWhatIf, SourceMargin, WhatIf, WhatIfSource

FRACTIONS = (*TRIAL_FRACTIONS, 1.0)


@dataclass(frozen=True, slots=True)
class _LensRows:
    """The sources that a lens says something about.

    Attributes:
        rows: their rows in the ledger.
        members: their numbers.
    """

    rows: MixtureRows
    members: list[int]


Floats = NDArray[np.float64]


def what_if(
    ledger: Ledger,
    rates: Mapping[str, float],
    lenses: Sequence[Lens] | None = None,
    weighting: Weighting = Weighting.DOCUMENTS,
    fractions: Sequence[float] = FRACTIONS,
) -> WhatIf:
    """Estimate a mixture of the distinct documents, without touching them.

    Args:
        ledger: ledger of a run.
        rates: epochs by source name, 0 to 1000; 1 for a source that is not named. Sources without distinct documents
            add nothing at any rate.
        lenses: some that were measured, or None for all.
        weighting: the weighting of means.
        fractions: trials of the scale curve, above 0.

    Returns:
        The numbers, with 95 % intervals. Milliseconds to tenths of a second, by the different rows of the ledger.

    Raises:
        ConfigError: a source, rate, lens or fraction is not one, or the mixture would be empty.
    """
    return what_ifs(ledger, [rates], lenses, weighting, fractions)[0]


def what_ifs(
    ledger: Ledger,
    mixtures: Sequence[Mapping[str, float]],
    lenses: Sequence[Lens] | None = None,
    weighting: Weighting = Weighting.DOCUMENTS,
    fractions: Sequence[float] = FRACTIONS,
) -> list[WhatIf]:
    """Several mixtures side by side, reading the ledger once: see `what_if`."""
    if not all(0 < fraction < np.inf for fraction in fractions):
        raise ConfigError(f"trial fractions are above 0, got {', '.join(f'{fraction:g}' for fraction in fractions)}")
    supply = ledger_supply(ledger)
    chosen = [rates_of_all(supply, rates) for rates in mixtures]
    wanted = measured_lenses(ledger, lenses)
    found: list[list[LensWhatIf]] = [[] for _ in mixtures]
    for lens in wanted:
        measured = _rows(ledger, lens, weighting)
        if measured is None:
            continue
        for number, rates in enumerate(chosen):
            if (rates[measured.members] > 0).any():
                found[number].append(_lens(lens, measured, supply, rates, fractions))
    by_tokens = worth_rows(ledger, stage_of(ledger))
    return [
        _mixture(supply, mixture, rates, weighting, by_tokens).model_copy(
            update={
                "stage": stage_of(ledger),
                "lenses": numbers,
                "unmeasured": [lens for lens in wanted if lens not in {n.lens for n in numbers}],
                "vectors": vectors_what_if(ledger, supply, rates),
                "encoder": ledger.header.encoder,
            }
        )
        for mixture, rates, numbers in zip(mixtures, chosen, found, strict=True)
    ]


def _rows(ledger: Ledger, lens: Lens, weighting: Weighting) -> _LensRows | None:
    """The rows of the sources that the lens says something about; None if there are none."""
    matrix = ledger.matrix(stage_of(ledger), lens, weighting)
    members = [] if matrix is None else np.flatnonzero(matrix.weight > 0).tolist()
    return _LensRows(collapse(select_sources(matrix, members)), members) if matrix is not None and members else None


def _lens(
    lens: Lens, measured: _LensRows, supply: LedgerSupply, rates: Floats, fractions: Sequence[float]
) -> LensWhatIf:
    rows, members = measured.rows, measured.members
    mine = rates[members]
    whole = estimate_mixture(rows, mine)
    margins = marginal_values(rows, mine)
    trials = [whole if fraction == 1 else estimate_mixture(rows, mine * fraction) for fraction in fractions]
    samples = [estimate_mixture(rows, mine, thinned_to(fraction)) for fraction in fractions if fraction < 1]
    return LensWhatIf(
        lens=lens,
        **dict(whole),
        trials=[
            Trial(fraction=fraction, distinct_fraction=trial.distinct_fraction)
            for fraction, trial in zip(fractions, trials, strict=True)
        ],
        samples=[
            Trial(fraction=fraction, distinct_fraction=sample.distinct_fraction)
            for fraction, sample in zip([f for f in fractions if f < 1], samples, strict=True)
        ],
        margins=[
            SourceMargin(
                source=supply.names[number],
                hill_1=by_rate,
                distinct_fraction=distinct,
                hill_1_per_million_tokens=by_rate / float(supply.tokens[number]) * 1e6,
            )
            for number, by_rate, distinct in zip(
                members, margins.hill_1.tolist(), margins.distinct_fraction.tolist(), strict=True
            )
        ],
    )


def _mixture(
    supply: LedgerSupply, given: Mapping[str, float], rates: Floats, weighting: Weighting, found: list[WorthRows]
) -> WhatIf:
    """Numbers that follow from the rates, the sources' sizes, and what repeats are worth."""
    tokens = rates * supply.tokens
    total = float(tokens.sum())
    taken = Taken(supply.tokens.astype(np.float64), rates, rates)
    worth = mixture_worth(found, taken)
    effective, last = source_worth(found, worth, taken) if worth is not None else _by_epochs(taken)
    if worth is not None:
        worth = worth.model_copy(update={"last_epoch": named(supply.names, last)})
    sources = [
        WhatIfSource(
            name=name,
            kind=supply.kinds[number],
            documents=int(supply.documents[number]),
            tokens=int(supply.tokens[number]),
            is_rate_given=name in given,
            rate=float(rates[number]),
            mixture_tokens=float(tokens[number]),
            token_fraction=float(tokens[number]) / total,
            effective_tokens=float(effective[number]),
            last_epoch=last[number],
        )
        for number, name in enumerate(supply.names)
    ]
    return WhatIf(
        stage=Stage.DISTINCT,
        weighting=weighting,
        documents=float(rates @ supply.documents),
        tokens=total,
        effective_tokens=sum(source.effective_tokens for source in sources),
        sources=sources,
        kinds={kind: sum(s.token_fraction for s in sources if s.kind is kind) for kind in Kind if kind in supply.kinds},
        lenses=[],
        unmeasured=[],
        worth=worth,
    )


def _by_epochs(taken: Taken) -> tuple[Floats, list[float | None]]:
    """Effective tokens of each source and the worth of its last epoch, if only epochs repeat anything."""
    both = list(zip(taken.tokens.tolist(), taken.rates.tolist(), strict=True))
    found = np.array([effective_tokens(tokens, rate) for tokens, rate in both])
    return found, [last_epoch(rate) if tokens else None for tokens, rate in both]
