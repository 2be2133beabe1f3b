"""Asked and delivered: sentences on mixtures whose shares, or whose size, are not what was asked for."""

from collections.abc import Iterator, Mapping

from schemas.mixture_config import MixtureConfig, MixtureTerms
from schemas.plan import MixturePlan, PhasePlan, PhaseSource

FAR = 0.01  # of the tokens: a delivered share that is further off the asked one is named
SUM_WITHIN = 0.01  # relative: rates whose sum is as near to 1, or to 100, look like shares
_ROUNDING = 1e-9  # sums that are .99 in decimals are not in binary
_MOST_NAMED = 6


def delivery_warnings(plan: MixturePlan, config: MixtureConfig) -> list[str]:
    """Sentences on rates that were perhaps meant as shares, on the source that limits shares, and on shares missed.

    Args:
        plan: the plan.
        config: the mixture that it is for.
    """
    found = []
    supply = {source.name: source.available_tokens for source in plan.sources}
    used = dict.fromkeys(supply, 0.0)
    for terms, phase in zip(config.terms, plan.phases, strict=False):
        where = f"{phase.name}: " if config.phases else ""
        sentences = (*_meant_as_shares(terms, phase), *_scarcest(phase, supply, used), *_missed(phase))
        found += [where + sentence for sentence in sentences]
        used = {source.name: used[source.name] + source.rate for source in phase.sources}
    return found


def size_notes(phase: PhasePlan, epochs: Mapping[str, float]) -> list[str]:
    """Say which source decides the size of a mixture of shares without a budget.

    Args:
        phase: the phase.
        epochs: epochs of each source at most.
    """
    if phase.rates_from != "shares" or phase.budget_tokens is not None:
        return []
    full = [s for s in phase.sources if s.asked_fraction and s.rate >= epochs[s.name]]
    named = ", ".join(f"{source.name} ({source.rate:.3g})" for source in full[:_MOST_NAMED])
    return [f"Without a budget the shares hold in at most {phase.tokens:,} tokens: at its last epoch is {named}."]


def percent(fraction: float) -> str:
    """`95.9 %`: three digits."""
    return f"{100 * fraction:.3g} %"


def epoch_words(epochs: float) -> str:
    """`1 epoch`, `0.7 epochs`."""
    return f"{epochs:.3g} epoch" + ("" if f"{epochs:.3g}" == "1" else "s")


def _meant_as_shares(terms: MixtureTerms, phase: PhasePlan) -> Iterator[str]:
    """Rates of two sources or more that sum to 1, or to 100, and gave other shares of the tokens."""
    rates = {name: rate for name, rate in terms.fixed_rates.items() if rate > 0}
    total = sum(rates.values())
    whole = next((size for size in (1.0, 100.0) if abs(total / size - 1) <= SUM_WITHIN + _ROUNDING), None)
    if whole is None or len(rates) < 2 or not phase.tokens:
        return
    delivered = {source.name: source.tokens / phase.tokens for source in phase.sources}
    off = {name: abs(delivered[name] - rate / whole) for name, rate in rates.items()}
    if max(off.values()) <= FAR:
        return
    named = sorted(rates, key=lambda name: -off[name])[:_MOST_NAMED]
    said = ", ".join(f"{name} {rates[name]:g} gave {percent(delivered[name])}" for name in rates if name in named)
    shares = ", ".join(f"{source.name}: {rates.get(source.name, 0.0) / total:.6g}" for source in phase.sources)
    yield (
        f"Rates are epochs, not shares, and these sum to {total:.3g}: {said} of the tokens. If shares were meant, "
        f"write `shares: {{{shares}}}` in place of `rates`."
    )


def _scarcest(phase: PhasePlan, supply: Mapping[str, int], used: Mapping[str, float]) -> Iterator[str]:
    """The source that keeps a mixture of shares below its budget, and the ways out; `used`: epochs before the phase."""
    budget = phase.budget_tokens
    if phase.rates_from != "shares" or budget is None or not phase.lacking_tokens:
        return
    for source in phase.sources:
        share = source.asked_fraction
        if source.limit is None or not share or not supply[source.name]:
            continue
        held = int(source.rate * supply[source.name] / share)
        outs = [f"more epochs of it (`max_epochs`; this budget needs {used[source.name] + source.asked_rate:.3g})"]
        outs += [f"a share of {percent(source.rate * supply[source.name] / budget)} at most"] if held else []
        outs += [f"`tokens: {held}`"] if held else []
        yield (
            f"{source.name} limits the mixture: with {epoch_words(source.rate)} of its {supply[source.name]:,} "
            f"distinct tokens the shares hold in {held:,} of the {budget:,} tokens budgeted; {phase.lacking_tokens:,} "
            f"lack, and nothing was put in their place. Ways out: {', or '.join(outs)}."
        )


def _missed(phase: PhasePlan) -> Iterator[str]:
    """Delivered shares that are far from those that were asked for."""
    if not phase.tokens:
        return
    missed = [source for source in phase.sources if _off(source, phase.tokens) > FAR]
    if missed:
        missed.sort(key=lambda source: -_off(source, phase.tokens))
        said = ", ".join(_asked_and_delivered(source, phase.tokens) for source in missed[:_MOST_NAMED])
        held = sorted({source.limit for source in phase.sources if source.limit and source.asked_fraction is not None})
        why = f"held by {', '.join(held)}" if held and phase.rates_from != "shares" else "documents are not cut"
        yield f"Shares of the tokens are not as asked: {said}; {why}."


def _off(source: PhaseSource, tokens: int) -> float:
    return abs(source.tokens / tokens - source.asked_fraction) if source.asked_fraction is not None else 0.0


def _asked_and_delivered(source: PhaseSource, tokens: int) -> str:
    asked = source.asked_fraction or 0.0
    return f"{source.name} {percent(asked)} asked, {percent(source.tokens / tokens)} delivered"
