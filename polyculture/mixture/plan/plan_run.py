"""Planning a finished run's mixture: what the command and the Python interface ask for, with the run's own limits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from polyculture.errors import ConfigError
from polyculture.mixture.plan.auto import kind_ranges, source_ranges
from polyculture.mixture.plan.phases import AUTO_MAX_EPOCHS
from polyculture.mixture.plan.plan_file import bind_plan
from polyculture.mixture.plan.plan_mixture import plan_mixture
from polyculture.mixture.plan.run_ledger import RunLedger
from schemas.documents import Kind
from schemas.planned import FractionRange, ObjectiveTerm, PlanFile, PlanRequest, SourceRange


@dataclass(frozen=True, slots=True)
class PlanLimits:
    """Limits on a plan, which go before those of the run's configuration.

    Attributes:
        tokens: of the mixture; None takes as many as the run's own mixture has.
        max_epochs: largest rate of every source, in (0, 1000]; None leaves it to the configuration, else 4.
        kinds, sources: least and largest shares of the mixture's tokens.
    """

    tokens: int | None = None
    max_epochs: float | None = None
    kinds: Mapping[Kind, FractionRange] = field(default_factory=dict)
    sources: Mapping[str, SourceRange] = field(default_factory=dict)


def plan_run(run: RunLedger, objectives: Sequence[ObjectiveTerm], limits: PlanLimits, seed: int = 0) -> PlanFile:
    """Find the mixture of a run that is best at an objective within a budget and limits.

    Args:
        run: with its ledger; no other data is read.
        objectives: terms, summed.
        limits: those that are typed; the configuration's hold where none is.
        seed: of the random starts.

    Returns:
        The plan, bound to the run's digests. Tenths of a second to some seconds.

    Raises:
        ConfigError: limits contradict each other, no budget is known, or an objective cannot be seen in the ledger.
    """
    prior, own, config = run.own_rates, run.manifest.plan, run.manifest.config
    budget = limits.tokens or (own.tokens if own is not None else 0)
    if not budget:
        raise ConfigError("tokens: the run's own mixture is empty, so there is no budget to take over; give one")
    ranges = source_ranges(config.mixture, {source.name: source.kind for source in config.sources})
    if limits.max_epochs is not None:  # what is typed holds for all
        ranges = {name: limit.model_copy(update={"max_epochs": None}) for name, limit in ranges.items()}
    request = PlanRequest(
        objectives=tuple(objectives),
        budget_tokens=budget,
        max_epochs=limits.max_epochs or config.mixture.max_epochs or AUTO_MAX_EPOCHS,
        prior_rates=prior,
        kinds=kind_ranges(config.mixture.kinds) | dict(limits.kinds),
        sources=ranges | dict(limits.sources),
        seed=seed,
    )
    return bind_plan(run, plan_mixture(run.ledger, request))
