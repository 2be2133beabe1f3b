"""The mixture that is best at what was asked, from the ledger alone."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from polyculture.errors import ConfigError
from polyculture.measure.ledger.ledger import Ledger
from polyculture.measure.probes.probe_matrix import ProbeMatrix
from polyculture.mixture.estimate.mixture import collapse, estimate_mixture
from polyculture.mixture.estimate.mixture_rows import MixtureRows, select_sources
from polyculture.mixture.plan.constraints import FractionLimits, InfeasibleError, MixtureProblem, MixtureSource
from polyculture.mixture.plan.objective import Objective
from polyculture.mixture.plan.objectives import CopyObjective, SimpsonGain, SpeciesEntropy, SpectralEntropy, WeightedSum
from polyculture.mixture.plan.optimise import MixtureChoice, OptimisedMixture, optimise_mixture
from polyculture.mixture.plan.supply import LedgerSupply, ledger_supply, measured_lenses, rates_of_all, stage_of
from polyculture.mixture.plan.vector_mixture import MEASURE, planning_moments
from polyculture.mixture.plan.worth import ledger_worth
from schemas.measures import Lens
from schemas.planned import (
    Choice,
    ObjectiveTerm,
    PlannedMixture,
    PlannedSource,
    PlanRequest,
    SourceRange,
    TermValue,
)

Moments = NDArray[np.float64]
SPREAD = "spread"


def entropy_of_species(matrix: ProbeMatrix, lens: str) -> Objective:
    """Ln H1: in the concave lambda form where the lens has species, else by the exact law of copies."""
    return SpeciesEntropy(matrix, lens) if matrix.is_partition else CopyObjective(matrix, lens, "hill_1")


def entropy_of_copies(matrix: ProbeMatrix, lens: str) -> Objective:
    """Ln H1 by the exact law of copies in any lens: never concave, but not above the truth at fractional rates."""
    return CopyObjective(matrix, lens, "hill_1")


def distinct_fraction(matrix: ProbeMatrix, lens: str) -> Objective:
    """The distinct fraction; never concave."""
    return CopyObjective(matrix, lens, "distinct_fraction")


def fall_of_collisions(matrix: ProbeMatrix, lens: str) -> Objective:
    """Fall of 1/H2; only of lenses with species."""
    if not matrix.is_partition:
        raise ConfigError(f"objective hill_2: lens {lens!r} has neighbourhoods, not species; use hill_1 there")
    return SimpsonGain(matrix, lens)


OBJECTIVES: dict[str, Callable[[ProbeMatrix, str], Objective]] = {
    "hill_1": entropy_of_species,
    "hill_1_of_copies": entropy_of_copies,
    "hill_2": fall_of_collisions,
    "distinct_fraction": distinct_fraction,
}


def check_objectives(terms: Sequence[ObjectiveTerm]) -> None:
    """Refuse metrics that nothing can be planned for.

    Raises:
        ConfigError: it names the known ones.
    """
    for term in terms:
        if term.metric not in OBJECTIVES and term.metric != SPREAD:
            raise ConfigError(f"unknown objective {term.metric!r}; known: {', '.join([*OBJECTIVES, SPREAD])}")


def plan_mixture(
    ledger: Ledger, request: PlanRequest, moments: Moments | None = None, *, with_frontier: bool = True
) -> PlannedMixture:
    """Choose rates that maximise an objective within a budget and limits.

    Args:
        ledger: ledger of a run.
        request: the objective and the limits.
        moments: (sources, d, d) second moments in the ledger's order, for the objective `spread`; those of the
            ledger's embeddings if None.
        with_frontier: whether to add the way there from the prior rates; else its ends alone.

    Returns:
        The best mixture, and the frontier to it from the prior rates; the same for the same arguments. Sources without
        distinct documents have rate 0.

    Raises:
        ConfigError: a name is unknown, a lens says nothing about some documents, or the limits contradict each other;
            the text names which.
    """
    supply = ledger_supply(ledger)
    members = supply.present
    if moments is None and any(term.metric == SPREAD for term in request.objectives):
        moments = planning_moments(ledger, supply)
    problem = _problem(supply, members, request)
    terms = [(term.weight, _objective(ledger, supply, term, moments)) for term in request.objectives]
    objective: Objective = terms[0][1] if len(terms) == 1 and terms[0][0] == 1 else WeightedSum(terms)
    try:
        found = optimise_mixture(problem, objective, request.seed, with_frontier=with_frontier)
    except InfeasibleError as error:
        raise ConfigError(f"{error}; lower --tokens, raise --max-epochs, or loosen one of them") from error
    rows = collapse(_matrix(ledger, supply, request.objectives[0].lens))
    choices = [_choice(supply, members, rows, choice) for choice in found.frontier]
    planned = _planned(request, objective.name, found, choices)
    if not with_frontier:  # a step of a run, whose plan says what all its phases are worth
        return planned
    rates = np.array([source.rate for source in planned.best.sources])
    return planned.model_copy(update={"worth": ledger_worth(ledger, supply, rates)})


def _problem(supply: LedgerSupply, members: list[int], request: PlanRequest) -> MixtureProblem:
    for name in request.sources:
        if name not in supply.names:
            raise ConfigError(f"--source: unknown source {name!r}; known: {', '.join(supply.names)}")
    for name, limits in [*request.sources.items(), *request.kinds.items()]:
        if limits.min_fraction > limits.max_fraction:
            raise ConfigError(
                f"{name}: min_fraction {limits.min_fraction:g} is above max_fraction {limits.max_fraction:g}"
            )
    prior = rates_of_all(supply, request.prior_rates)
    sources = []
    for number in members:
        name = supply.names[number]
        limits = request.sources.get(name, SourceRange())
        sources.append(
            MixtureSource(
                name=name,
                kind=supply.kinds[number].value,
                documents=int(supply.documents[number]),
                tokens=int(supply.tokens[number]),
                prior_rate=float(prior[number]),
                max_epochs=request.max_epochs if limits.max_epochs is None else limits.max_epochs,
                min_fraction=limits.min_fraction,
                max_fraction=limits.max_fraction,
            )
        )
    kinds = {kind.value: FractionLimits(at.min_fraction, at.max_fraction) for kind, at in request.kinds.items()}
    return MixtureProblem(tuple(sources), float(request.budget_tokens), kinds)


def _objective(ledger: Ledger, supply: LedgerSupply, term: ObjectiveTerm, moments: Moments | None) -> Objective:
    if term.metric == SPREAD:
        if moments is None:
            raise ConfigError(
                f"objective {SPREAD}: this ledger holds no second moments of embeddings; {MEASURE}; without them: "
                f"{', '.join(OBJECTIVES)}"
            )
        return SpectralEntropy(moments[supply.present], "embeddings")
    check_objectives([term])
    return OBJECTIVES[term.metric](_matrix(ledger, supply, term.lens), term.lens.value)


def _matrix(ledger: Ledger, supply: LedgerSupply, lens: Lens) -> ProbeMatrix:
    """The matrix of the sources that have something to give.

    Raises:
        ConfigError: the lens was not measured, or leaves documents out: shares of them are not shares of the mixture.
    """
    measured_lenses(ledger, [lens])
    matrix = ledger.matrix(stage_of(ledger), lens)
    if matrix is None:
        raise ConfigError(f"lens {lens.value!r} was not measured by documents")
    partly = [supply.names[number] for number in supply.present if matrix.documents[number] < supply.documents[number]]
    if partly:
        raise ConfigError(
            f"lens {lens.value!r} says nothing about documents of {', '.join(partly)}; plan through another lens"
        )
    return select_sources(matrix, supply.present)


def _planned(request: PlanRequest, objective: str, found: OptimisedMixture, choices: list[Choice]) -> PlannedMixture:
    return PlannedMixture(
        request=request,
        objective=objective,
        certainty="global" if found.certainty == "global" else "local",
        bound=found.bound,
        starts=found.starts,
        best=choices[-1],
        frontier=choices,
    )


def _choice(supply: LedgerSupply, members: list[int], rows: MixtureRows, choice: MixtureChoice) -> Choice:
    rates, fractions = np.zeros((2, len(supply.names)))
    rates[members], fractions[members] = choice.rates, choice.token_fractions
    estimate = estimate_mixture(rows, rates[members])
    return Choice(
        sources=[
            PlannedSource(
                name=name,
                kind=supply.kinds[number],
                rate=float(rates[number]),
                tokens=float(rates[number] * supply.tokens[number]),
                token_fraction=float(fractions[number]),
            )
            for number, name in enumerate(supply.names)
        ],
        objective=choice.objective,
        terms=[TermValue(name=name, value=value, exact=exact) for name, value, exact in choice.terms],
        distinct_fraction=estimate.distinct_fraction,
        hill_1=estimate.hill_1,
        moved_fraction=choice.moved_fraction,
        binding=list(choice.binding),
    )
