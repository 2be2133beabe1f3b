"""The plan of all phases of training: from rates to rows of the sources' streams, each going on where one stopped."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from polyculture.errors import ConfigError
from polyculture.mixture.plan.delivery import delivery_warnings, size_notes
from polyculture.mixture.plan.rates import ScaledRates, Supply, scale_rates
from polyculture.mixture.plan.repetition import effective_tokens, last_epoch
from polyculture.mixture.plan.selection import Streams, rows_within
from polyculture.mixture.plan.shares import hold_shares
from polyculture.mixture.plan.words import model_scale, plan_notes, plan_warnings
from schemas.documents import Kind
from schemas.mixture_config import KindLimit, MixtureConfig, MixtureTerms, SourceLimit
from schemas.plan import MixturePlan, PhasePlan, PhaseSource, SourcePlan

Integers = NDArray[np.int64]
ONLY_PHASE = "train"
AUTO_MAX_EPOCHS = 4.0  # up to four, repeated text is nearly as good as fresh (Muennighoff et al. 2023)


@dataclass(frozen=True, slots=True)
class Distinct:
    """The distinct documents of a run.

    Attributes:
        names, kinds: names and kinds of the sources.
        streams: the documents, ranked.
        tokens: (documents,) tokens of every document, distinct or not.
        position: (documents,) inclusion numbers in [0, 1).
    """

    names: tuple[str, ...]
    kinds: tuple[Kind, ...]
    streams: Streams
    tokens: Integers
    position: NDArray[np.float64]

    def supply(self) -> list[int]:
        """Tokens of each source."""
        return [int(self.tokens[self.streams.of(number)].sum()) for number in range(len(self.names))]


@dataclass(frozen=True, slots=True)
class PhaseRates:
    """The rates and the budget of a phase.

    Attributes:
        rates: epochs by source; 1 where absent.
        rates_from: `fixed`, `shares`, `auto`, or a digest.
        tokens: tokens that may be had: less than the budget where `auto` found that limits allow no more.
        notes: sentences for the reader.
        shares: asked share of the tokens by source, if shares are what was asked for; those of `shares` hold, those of
            a file give way to limits.
    """

    rates: Mapping[str, float]
    rates_from: str
    tokens: int | None
    notes: list[str] = field(default_factory=list)
    shares: Mapping[str, float] | None = None

    @property
    def held_shares(self) -> Mapping[str, float] | None:
        """The shares that hold whatever the supply is; rates then follow from them."""
        return self.shares if self.rates_from == "shares" else None


@dataclass(frozen=True, slots=True)
class _AskedPhase:
    """A phase by its name, with its terms and the rates that it asks for."""

    name: str
    terms: MixtureTerms
    asked: PhaseRates


# What a phase asks for, given its terms with all limits, and the sources' supply; None if that depends on the phases
# before it, whose epochs are then taken off the supply.
Ask = Callable[[MixtureTerms, Sequence[Supply]], PhaseRates | None]


def plan_phases(distinct: Distinct, config: MixtureConfig, ask: tuple[Ask, Ask], data_sha256: str) -> MixturePlan:
    """Turn rates into rows, phase by phase, never over a source's target in any.

    Epochs are counted over all phases. A plan nests: with a higher rate in any phase no document loses a copy.

    Args:
        distinct: the documents.
        config: budgets and limits.
        ask: give the rates that are known beforehand, and after the phases before; the second is asked where the first
            gives None.
        data_sha256: digest of the data.

    Raises:
        ConfigError: limits of a phase contradict each other, or it would be empty.
    """
    available = distinct.supply()
    terms = [config.limits_of(terms) for terms in config.terms]
    base = [Supply(*found, 1.0, 1.0) for found in zip(distinct.names, distinct.kinds, available, strict=True)]
    known = [ask[0](found, base) for found in terms]
    caps = [_epochs(config, supply, known) for supply in base]
    used, next_row = np.zeros(len(base)), np.zeros(len(base), np.int64)
    phases: list[PhasePlan] = []
    notes: list[str] = []
    for number, found in enumerate(terms):
        room = [_limited(supply, found, cap - done) for supply, cap, done in zip(base, caps, used, strict=True)]
        asked = known[number] or ask[1](found, room)
        if asked is None:
            raise ConfigError("mixture.rates: auto needs a ledger, and there is none")
        name = getattr(found, "name", ONLY_PHASE)
        supplies, scaled = _scaled(room, found, asked, f"mixture: {name}" if config.phases else "mixture")
        phases.append(_phase(distinct, _AskedPhase(name, found, asked), scaled, supplies, next_row))
        used += scaled.rates
        next_row += [source.rows for source in phases[-1].sources]
        notes += [f"{name}: {note}" if config.phases else note for note in asked.notes]
        notes += size_notes(phases[-1], {supply.name: supply.max_epochs for supply in room})
    sources = _sources(distinct, available, phases)
    plan = _whole(phases, sources, data_sha256)
    model = model_scale(plan, config.model_parameters) if config.model_parameters else None
    return plan.model_copy(
        update={
            "model": model,
            "warnings": plan_warnings(plan) + delivery_warnings(plan, config),
            "notes": plan_notes(plan, model) + notes,
        }
    )


def _scaled(
    room: Sequence[Supply], terms: MixtureTerms, asked: PhaseRates, where: str
) -> tuple[Sequence[Supply], ScaledRates]:
    """Supplies with the rates that are asked of them, and the rates within the limits."""
    if asked.held_shares is not None:
        return hold_shares(room, asked.held_shares, asked.tokens)
    supplies = [replace(supply, rate=asked.rates.get(supply.name, 1.0)) for supply in room]
    return supplies, scale_rates(supplies, terms.kinds, asked.tokens, where)


def _epochs(config: MixtureConfig, supply: Supply, known: Sequence[PhaseRates | None]) -> float:
    """Epochs of a source at most, over all phases."""
    of_source, of_kind = config.sources.get(supply.name), config.kinds.get(supply.kind)
    stated = [limit.max_epochs for limit in (of_source, of_kind) if limit is not None and limit.max_epochs is not None]
    if stated:
        return stated[0]
    if config.max_epochs is not None:
        return config.max_epochs
    stated_rates = [found.rates for found in known if found is not None and found.held_shares is None]
    asked = sum(rates.get(supply.name, 1.0) for rates in stated_rates)
    return max(1.0 if all(known) else AUTO_MAX_EPOCHS, asked)


def _limited(supply: Supply, terms: MixtureTerms, left: float) -> Supply:
    """A source within the limits of a phase, with the epochs that are left of it."""
    own, of_kind = terms.sources.get(supply.name), terms.kinds.get(supply.kind)
    limits: list[SourceLimit | KindLimit] = [limit for limit in (own, of_kind) if limit is not None]
    epochs = next((limit.max_epochs for limit in limits if limit.max_epochs is not None), left)
    most = max(0.0, min(epochs, left))
    if own is None:
        return replace(supply, max_epochs=most)
    return replace(supply, max_epochs=most, min_fraction=own.min_fraction, max_fraction=own.max_fraction)


def _phase(
    distinct: Distinct,
    phase: _AskedPhase,
    scaled: ScaledRates,
    supplies: Sequence[Supply],
    first_rows: Integers,
) -> PhasePlan:
    budget, shares = phase.terms.tokens, phase.asked.shares
    sources = []
    for number, supply in enumerate(supplies):
        rate, first = scaled.rates[number], int(first_rows[number])
        documents = distinct.streams.of(number)
        if supply.tokens:
            rows, tokens = rows_within(distinct.tokens[documents], first, int(rate * supply.tokens))
        else:
            rows, tokens = int(rate * len(documents)), 0
        sources.append(
            PhaseSource(
                name=supply.name,
                asked_rate=supply.rate,
                rate=rate,
                first_row=first,
                rows=rows,
                tokens=tokens,
                new_documents=max(0, min(first + rows, len(documents)) - first),
                limit=scaled.limits[number],
                asked_fraction=min(1.0, shares[supply.name]) if shares is not None else None,
            )
        )
    total = max(1, sum(source.tokens for source in sources))
    sources = [source.model_copy(update={"token_fraction": source.tokens / total}) for source in sources]
    return PhasePlan(
        name=phase.name,
        rates_from=phase.asked.rates_from,
        budget_tokens=budget,
        scale=scaled.scale,
        tokens=sum(source.tokens for source in sources),
        lacking_tokens=0 if budget is None else max(0, round(budget - scaled.tokens)),
        sources=sources,
    )


def _sources(distinct: Distinct, available: Sequence[int], phases: Sequence[PhasePlan]) -> list[SourcePlan]:
    """The sources over all phases."""
    found = []
    total = max(1, sum(phase.tokens for phase in phases))
    for number, (name, kind) in enumerate(zip(distinct.names, distinct.kinds, strict=True)):
        parts = [phase.sources[number] for phase in phases]
        documents = distinct.streams.of(number)
        whole, rest = divmod(parts[-1].first_row + parts[-1].rows, max(1, len(documents)))
        tokens = sum(part.tokens for part in parts)
        epochs = tokens / available[number] if available[number] else 0.0
        found.append(
            SourcePlan(
                name=name,
                kind=kind,
                asked_rate=sum(part.asked_rate for part in parts),
                rate=sum(part.rate for part in parts),
                whole_copies=whole,
                threshold=float(distinct.position[documents[rest]]) if rest else 0.0,
                available_documents=len(documents),
                available_tokens=available[number],
                tokens=tokens,
                limit=next((part.limit for part in parts if part.limit), None),
                effective_tokens=effective_tokens(available[number], epochs),
                last_epoch=last_epoch(epochs),
                asked_fraction=_asked_fraction(phases, number),
                token_fraction=tokens / total,
            )
        )
    return found


def _asked_fraction(phases: Sequence[PhasePlan], number: int) -> float | None:
    """Asked share of a source over all phases, each by its budget; None unless each asks for shares."""
    parts = [(phase.budget_tokens or 1, phase.sources[number].asked_fraction) for phase in phases]
    asked = [(budget, fraction) for budget, fraction in parts if fraction is not None]
    if len(asked) < len(parts):
        return None
    return min(1.0, sum(budget * fraction for budget, fraction in asked) / sum(budget for budget, _ in asked))


def _whole(phases: list[PhasePlan], sources: list[SourcePlan], data_sha256: str) -> MixturePlan:
    budgets = [phase.budget_tokens for phase in phases if phase.budget_tokens is not None]
    return MixturePlan(
        budget_tokens=sum(budgets) if budgets else None,
        scale=phases[0].scale if len(phases) == 1 else None,
        tokens=sum(phase.tokens for phase in phases),
        lacking_tokens=sum(phase.lacking_tokens for phase in phases),
        sources=sources,
        effective_tokens=sum(source.effective_tokens for source in sources),
        data_sha256=data_sha256,
        phases=phases,
    )
