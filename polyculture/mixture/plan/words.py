"""Notes and warnings on a plan: epochs that a budget needs, what repeats are worth, tokens per parameter."""

from collections.abc import Iterator, Mapping
from typing import Literal

from polyculture.mixture.plan.worth_words import foreseen_sentences
from schemas.documents import Kind
from schemas.plan import MixturePlan, ModelScale, SourcePlan

TOKENS_PER_PARAMETER = 20  # compute-optimal, about: Hoffmann et al. 2022, arXiv:2203.15556
OFF_BY = 2.0  # from the optimum, before it is called by another name: the loss is flat about it
WORTH_SAYING = 1.005  # epochs: what rounds to more than one


def plan_warnings(plan: MixturePlan) -> list[str]:
    """Sentences on where the budget needs text more than once, or more than there is: by kind, then by source."""
    return list(_epochs(plan))


def plan_notes(plan: MixturePlan, model: ModelScale | None) -> list[str]:
    """State what the tokens are worth, and for which model."""
    notes = []
    if plan.worth is not None:
        notes += foreseen_sentences(plan.worth)
    elif plan.effective_tokens < plan.tokens * (1 - 1e-3):
        notes.append(
            f"With repeats the {plan.tokens:,} tokens are worth {plan.effective_tokens:,.0f} fresh ones at most, by "
            "the law of repetition (Muennighoff et al. 2023): epochs are counted, and copies in the corpus are not yet."
        )
    return notes + ([model_words(model)] if model is not None else [])


def _epochs(plan: MixturePlan) -> Iterator[str]:
    """Sentences on where the budget, at the asked proportions, needs more than one epoch: by kind, then by source."""
    needed = _needed_epochs(plan)
    most = "" if plan.worth is not None else "at most "  # before the ledger epochs alone are known
    for kind in Kind:
        members = [source for source in plan.sources if source.kind is kind and source.available_tokens]
        yield from _supply(f"{kind.value} text", members, needed, most)
        if len(members) > 1:
            for source in members:
                yield from _supply(source.name, [source], needed, most)


def _needed_epochs(plan: MixturePlan) -> dict[str, float]:
    """Epochs of each source if every phase met its budget at its asked proportions."""
    available = {source.name: source.available_tokens for source in plan.sources}
    needed = dict.fromkeys(available, 0.0)
    for phase in plan.phases:
        asked = sum(source.asked_rate * available[source.name] for source in phase.sources)
        is_scaled = phase.budget_tokens is not None and phase.rates_from != "auto" and asked > 0
        factor = phase.budget_tokens / asked if is_scaled and phase.budget_tokens is not None else 1.0
        for source in phase.sources:
            needed[source.name] += factor * source.asked_rate
    return needed


def _supply(what: str, sources: list[SourcePlan], epochs: Mapping[str, float], most: str) -> Iterator[str]:
    supply = sum(source.available_tokens for source in sources)
    if not supply:
        return
    planned = sum(source.tokens for source in sources) / supply
    needed = max(planned, sum(epochs[source.name] * source.available_tokens for source in sources) / supply)
    if needed < WORTH_SAYING:
        return
    found = f"The budget needs {needed:.3g} epochs of {what} (unique supply {supply:,} tokens"
    if planned < needed * (1 - 1e-2):
        held = sorted({source.limit for source in sources if source.limit})
        yield f"{found}); the plan gives {planned:.3g}" + (f", held by {', '.join(held)}." if held else ".")
    else:
        worth = sum(source.effective_tokens for source in sources)
        last = [source.last_epoch for source in sources if source.last_epoch is not None]
        lowest = f"; of the last epoch a token is worth {min(last):.2f}" if last else ""
        yield f"{found}), worth {most}{worth:,.0f} fresh tokens so repeated{lowest}."


def model_scale(plan: MixturePlan, parameters: int) -> ModelScale:
    """The mixture beside a model's size."""
    optimal = TOKENS_PER_PARAMETER * parameters
    regime: Literal["under-trained", "compute-optimal", "over-trained"] = "compute-optimal"
    if plan.effective_tokens < optimal / OFF_BY:
        regime = "under-trained"
    elif plan.effective_tokens > optimal * OFF_BY:
        regime = "over-trained"
    return ModelScale(
        parameters=parameters,
        tokens_per_parameter=plan.tokens / parameters,
        effective_tokens_per_parameter=plan.effective_tokens / parameters,
        compute_optimal_tokens=optimal,
        regime=regime,
    )


def model_words(model: ModelScale) -> str:
    """One sentence on a model's size."""
    ratio = model.effective_tokens_per_parameter / TOKENS_PER_PARAMETER
    found = (
        f"{model.tokens_per_parameter:.3g} tokens per parameter of {model.parameters:,} "
        f"({model.effective_tokens_per_parameter:.3g} by worth)"
    )
    if model.regime == "under-trained":
        lacking = model.compute_optimal_tokens - model.effective_tokens_per_parameter * model.parameters
        return (
            f"{found}: under-trained; about {TOKENS_PER_PARAMETER} are compute-optimal (Hoffmann et al. 2022), which "
            f"lacks {lacking:,.0f} tokens' worth."
        )
    if model.regime == "over-trained":
        return (
            f"{found}: over-trained, {ratio:.3g} times the compute-optimal {TOKENS_PER_PARAMETER} or so (Hoffmann et "
            "al. 2022), as models are that are to be cheap to run."
        )
    return f"{found}: about compute-optimal, which is some {TOKENS_PER_PARAMETER} (Hoffmann et al. 2022)."
