"""Rates that the run chooses itself: those that are best at an objective, as its own ledger sees it."""

from collections.abc import Mapping, Sequence

from polyculture.errors import ConfigError
from polyculture.measure.ledger.ledger import Ledger
from polyculture.mixture.plan.check import share_limits
from polyculture.mixture.plan.limits import Supply, refuse_clash
from polyculture.mixture.plan.phases import PhaseRates
from polyculture.mixture.plan.plan_mixture import plan_mixture
from polyculture.mixture.plan.rates import largest_mixture
from polyculture.mixture.plan.terms import parse_terms
from polyculture.mixture.plan.what_if import what_ifs
from polyculture.mixture.plan.words import model_scale, plan_notes, plan_warnings
from schemas.documents import Kind
from schemas.measures import Lens
from schemas.mixture_config import KindLimit, MixtureConfig, MixtureTerms
from schemas.plan import MixturePlan
from schemas.planned import FractionRange, PlanRequest, SourceRange
from schemas.what_if import WhatIf

LEFT_OUT = 1e-8  # epochs: what a solver leaves of a source that it leaves out
LEAST_EPOCHS = 1e-9  # for the solver, of a source that is used up
WITHIN = 1e-9  # of the most that limits allow: room for the solver's own rounding


def ask_best(terms: MixtureTerms, supplies: Sequence[Supply], ledger: Ledger, seed: int) -> PhaseRates:
    """The rates that are best at the phase's objective, within its limits and the epochs that are left.

    Args:
        terms: terms of the phase, with all limits.
        supplies: supplies of the sources, in the ledger's order.
        ledger: the stage `distinct` is read.
        seed: seed of the random starts, where the objective is not concave.

    Returns:
        The rates, at the budget or as near as limits allow; without a budget, of as many tokens as are distinct.

    Raises:
        ConfigError: limits contradict each other, or the objective cannot be seen in this ledger.
    """
    refuse_clash("mixture", supplies, terms.kinds)
    budget = terms.tokens or sum(supply.tokens for supply in supplies)
    reach = largest_mixture(supplies, terms.kinds, budget)
    if reach < 1:  # phases before took what limits need: the budget lacks, and the plan says so
        return PhaseRates({}, "auto", budget)
    request = PlanRequest(
        objectives=parse_terms("mixture.objective", terms.objective),
        budget_tokens=max(1, int(min(reach, budget) * (1 - WITHIN)) if reach < budget else budget),
        max_epochs=max(*(supply.max_epochs for supply in supplies), LEAST_EPOCHS),
        kinds=kind_ranges(terms.kinds),
        sources={
            supply.name: SourceRange(
                min_fraction=supply.min_fraction,
                max_fraction=supply.max_fraction,
                max_epochs=max(supply.max_epochs, LEAST_EPOCHS),
            )
            for supply in supplies
        },
        seed=seed,
    )
    planned = plan_mixture(ledger, request, with_frontier=False)
    best = planned.best
    rates = {source.name: source.rate if source.rate > LEFT_OUT else 0.0 for source in best.sources}
    words = f"Rates chosen for the largest {planned.objective}: {best.objective:.6g}, {planned.certainty}; no mixture "
    notes = [f"{words}within the limits has more than {planned.bound:.6g}."]
    absent = [supply.name for supply in supplies if supply.tokens and rates[supply.name] == 0]
    notes += [f"Left out, since the objective gains nothing by it: {', '.join(absent)}."] if absent else []
    return PhaseRates(rates, "auto", budget, notes)


def kind_ranges(kinds: Mapping[Kind, KindLimit]) -> dict[Kind, FractionRange]:
    """The shares of kinds that the optimiser keeps to."""
    return {kind: FractionRange(min_fraction=k.min_fraction, max_fraction=k.max_fraction) for kind, k in kinds.items()}


def source_ranges(config: MixtureConfig, kinds: Mapping[str, Kind]) -> dict[str, SourceRange]:
    """The limits of a configuration on each source, those of its kind on epochs included."""
    found = {}
    for name, kind in kinds.items():
        own, of_kind = config.sources.get(name), config.kinds.get(kind)
        limits = [limit for limit in (own, of_kind) if limit is not None]
        epochs = next((limit.max_epochs for limit in limits if limit.max_epochs is not None), None)
        least, most = share_limits(config, name)
        if epochs is not None or own is not None:
            found[name] = SourceRange(min_fraction=least, max_fraction=most, max_epochs=epochs)
    return found


def foresee(plan: MixturePlan, ledger: Ledger) -> MixturePlan:
    """The plan with what each phase holds alone, and what all are worth, as the stage `distinct` foresees it.

    What a phase holds is by the near lens; what it is worth is by the lens that sees most copies.
    """
    size = {source.name: source.available_documents for source in plan.sources}
    rates = [
        {source.name: source.rows / size[source.name] if size[source.name] else 0.0 for source in phase.sources}
        for phase in plan.phases
    ]
    together = {source.name: source.epochs for source in plan.sources}
    wanted = [found for found in (*rates, together) if any(found.values())]
    try:
        answers = what_ifs(ledger, wanted, [Lens.NEAR])
    except ConfigError:  # the lens was not measured
        return plan
    left = iter(answers)
    phases = []
    for phase, found in zip(plan.phases, rates, strict=True):
        answer = next(left) if any(found.values()) else None
        near = answer.lens(Lens.NEAR) if answer else None
        update = {"distinct_fraction": near.distinct_fraction, "hill_1": near.hill_1} if near else {}
        phases.append(phase.model_copy(update={**update, "worth": answer.worth if answer else None}))
    plan = plan.model_copy(update={"phases": phases})
    return _with_worth(plan, answers[-1]) if any(together.values()) else plan


def _with_worth(plan: MixturePlan, answer: WhatIf) -> MixturePlan:
    """The plan by what it is worth as a whole, in place of what its epochs alone would leave."""
    if answer.worth is None:
        return plan
    by_name = {source.name: source for source in answer.sources}
    sources = [
        source.model_copy(
            update={
                "effective_tokens": by_name[source.name].effective_tokens,
                "last_epoch": by_name[source.name].last_epoch,
            }
        )
        for source in plan.sources
    ]
    update = {"sources": sources, "effective_tokens": answer.effective_tokens, "worth": answer.worth}
    found = plan.model_copy(update=update)
    model = model_scale(found, plan.model.parameters) if plan.model else None
    own_notes = plan.notes[len(plan_notes(plan, plan.model)) :]  # of the phases' rates
    own_warnings = plan.warnings[len(plan_warnings(plan)) :]  # of what was asked and delivered
    update = {
        "model": model,
        "warnings": plan_warnings(found) + own_warnings,
        "notes": plan_notes(found, model) + own_notes,
    }
    return found.model_copy(update=update)
