"""The mixture that maximises an objective under a budget and limits, and the way to it from the prior rates.

Solvers are SciPy's: HiGHS for a start inside the limits and for bounds, SLSQP (Kraft 1988) for the optimum. A concave
objective has one optimum, and the linear program over its gradient certifies how far from it the result can be (the
duality gap of Frank & Wolfe 1956). Any other is tried from several seeded starts and said to be `local`, beside a bound
from a concave function above it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from polyculture.mixture.plan.constraints import (
    Bounds,
    MixtureProblem,
    best_corner,
    binding,
    bounds_of,
    inner_point,
    is_left_out,
)
from polyculture.mixture.plan.objective import Objective, Valued
from polyculture.mixture.plan.objectives import SpeciesEntropy, WeightedSum

Floats = NDArray[np.float64]
Function = Callable[[Floats], Valued]
GLOBAL, LOCAL = "global", "local"
GAP = 1e-6  # of the objective: what a certified optimum may be below the best
ROUGH, FINE = 1e-7, 1e-13  # tolerance of SLSQP: to choose among starts, and to finish
_STEPS = {ROUGH: 30, FINE: 100}  # at most
FRONTIER = (0.0, 0.25, 0.5, 0.75, 1.0)  # of the way from the prior rates, by distance in document shares
_RANDOM_STARTS, _LEANING_STARTS, _ROUNDS = 6, 5, 12
_ROUNDING = 1e-10  # of a share: what a limit may be passed by


@dataclass(frozen=True, slots=True)
class _Domain:
    """The limits, and shares well inside them."""

    bounds: Bounds
    inside: Floats


@dataclass(frozen=True, slots=True)
class MixtureChoice:
    """One mixture.

    Attributes:
        rates: per source, epochs of its distinct documents.
        token_fractions: per source, of the mixture's tokens.
        objective: its value.
        terms: name and value of each term of the objective, and the exact value where that is a form above it.
        moved_fraction: share of the mixture's tokens that come from other sources than at the prior rates, in [0, 1].
        binding: the limits that hold it where it is, in words.
    """

    rates: tuple[float, ...]
    token_fractions: tuple[float, ...]
    objective: float
    terms: tuple[tuple[str, float, float | None], ...]
    moved_fraction: float
    binding: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OptimisedMixture:
    """The best mixture found.

    Attributes:
        best: it.
        certainty: `global`, or `local`: the best of several starts.
        bound: no mixture within the limits has more of the objective, as the probes estimate it.
        frontier: mixtures from the feasible one nearest to the prior rates to the best one; more of the objective the
            further it may move.
        starts: number of starts that were tried.
    """

    best: MixtureChoice
    certainty: str
    bound: float
    frontier: tuple[MixtureChoice, ...]
    starts: int


def optimise_mixture(
    problem: MixtureProblem, objective: Objective, seed: int = 0, *, with_frontier: bool = True
) -> OptimisedMixture:
    """Maximise an objective over rates, within supply, epochs and fractions, at exactly the budget.

    Args:
        problem: sources, budget and limits.
        objective: any of `objectives`; the sources of its matrix in the same order.
        seed: seed of the random starts, where the objective is not concave.
        with_frontier: whether to add the mixtures between the ends of the frontier.

    Returns:
        The result; the same for the same arguments. Tens of evaluations if the objective is concave, else some
        thousand: seconds for a dozen sources.

    Raises:
        InfeasibleError: the limits contradict each other; it names them.
        ValueError: a number of the problem is not what it should be.
    """
    bounds = bounds_of(problem)
    domain = _Domain(bounds, inner_point(bounds))
    function = _of_problem(objective, problem)
    prior = problem.shares(np.array([source.prior_rate for source in problem.sources]))
    nearest = _maximise(_closeness(prior), domain, domain.inside)
    above = _of_problem(objective.relaxed(problem), problem)
    highest = None if objective.is_concave else _maximise(above, domain, domain.inside)
    starts = [domain.inside] if highest is None else _starts(function, domain, (nearest, highest), seed)
    found = starts if highest is None else [_solve(function, domain, start, ROUGH) for start in starts]
    best = _maximise(function, domain, max(found, key=lambda shares: function(shares)[0]))
    bound = min(objective.most, _bound(above, domain, best if highest is None else highest))
    is_certain = bound - function(best)[0] <= GAP * max(1.0, abs(bound))
    path = [_within_reach(function, domain, (prior, nearest, best), share) for share in FRONTIER[1:-1] if with_frontier]
    choices = [_choice(problem, objective, domain, (prior, shares)) for shares in (nearest, *path, best)]
    return OptimisedMixture(choices[-1], GLOBAL if is_certain else LOCAL, bound, tuple(choices), len(starts))


def _of_problem(objective: Objective, problem: MixtureProblem) -> Function:
    return lambda shares: objective.evaluate(shares, problem)


def _closeness(prior: Floats) -> Function:
    """Minus the squared distance in document shares: concave."""
    return lambda shares: (-float(((shares - prior) ** 2).sum()), -2.0 * (shares - prior))


def _bound(above: Function, domain: _Domain, highest: Floats) -> float:
    """Upper bound within the limits: the optimum of a concave function that lies above, and its duality gap."""
    value, gradient = above(highest)
    return value + max(0.0, float(gradient @ (best_corner(domain.bounds, gradient) - highest)))


def _starts(function: Function, domain: _Domain, known: tuple[Floats, Floats], seed: int) -> list[Floats]:
    """The middle, the prior, the optimum of the bound, and the best of many that lean to one side.

    These lean towards as much as possible of each source, and towards random corners. Only a few are solved: each
    costs some hundred evaluations, and from most the same optimum is found.
    """
    inside = domain.inside
    generator = np.random.default_rng(seed)
    directions = [*np.eye(len(inside)), *generator.standard_normal((_RANDOM_STARTS, len(inside)))]
    leaning = [0.8 * best_corner(domain.bounds, direction) + 0.2 * inside for direction in directions]
    leaning.sort(key=lambda shares: -function(shares)[0])
    return [inside, *(0.9 * shares + 0.1 * inside for shares in known), *leaning[:_LEANING_STARTS]]


def _maximise(function: Function, domain: _Domain, start: Floats) -> Floats:
    """SLSQP from a start; again from a step towards the corner that the gradient points to, while that gains."""
    best = _solve(function, domain, start, FINE)
    for _ in range(_ROUNDS):
        value, gradient = function(best)
        corner = best_corner(domain.bounds, gradient)
        if gradient @ (corner - best) <= 0.1 * GAP * max(1.0, abs(value)):
            break
        steps = [best + step * (corner - best) for step in (0.5, 0.1, 0.01, 1e-3)]
        further = max(steps, key=lambda shares: function(shares)[0])
        again = _solve(function, domain, further, FINE)
        gained = max((further, again), key=lambda shares: function(shares)[0])
        if function(gained)[0] <= value + 0.1 * GAP * max(1.0, abs(value)):
            break
        best = gained
    return best


def _solve(
    function: Function, domain: _Domain, start: Floats, tolerance: float, further: Sequence[dict[str, object]] = ()
) -> Floats:
    """One run of SLSQP; what it leaves outside the limits by rounding is moved inside."""
    ones, matrix = np.ones(len(start)), domain.bounds.matrix
    constraints: list[dict[str, object]] = [
        {"type": "eq", "fun": lambda w: w.sum() - 1.0, "jac": lambda _: ones},
        *further,
    ]
    if len(matrix):
        constraints.append({"type": "ineq", "fun": lambda w: -matrix @ w, "jac": lambda _: -matrix})

    def falling(w: Floats) -> Valued:
        value, gradient = function(np.maximum(w, 0.0))
        return -value, -gradient

    result = optimize.minimize(
        falling,
        start,
        jac=True,
        method="SLSQP",
        bounds=[(0.0, 1.0)] * len(start),
        constraints=constraints,
        options={"maxiter": _STEPS[tolerance], "ftol": tolerance},
    )
    found = _inside(result.x, domain)
    return found if function(found)[0] >= function(start)[0] else start


def _inside(shares: Floats, domain: _Domain) -> Floats:
    """Shares that sum to 1, moved towards a point inside until no limit is passed."""
    if not np.isfinite(shares).all():
        return domain.inside
    found = np.maximum(shares, 0.0)
    found = found / found.sum()
    over = domain.bounds.matrix @ found - _ROUNDING
    room = over - domain.bounds.matrix @ domain.inside
    is_over = (over > 0) & (room > 0)
    step = min(1.0, float((over[is_over] / room[is_over]).max(initial=0.0)))
    moved: Floats = found + step * (domain.inside - found)
    return moved


def _within_reach(function: Function, domain: _Domain, ends: tuple[Floats, Floats, Floats], share: float) -> Floats:
    """The best mixture no further from the prior than `share` of the way between the nearest and the best.

    The point on the straight line between these two is within reach, because a norm is convex: the solver starts there.
    """
    prior, nearest, best = ends
    start = nearest + share * (best - nearest)
    shortest, longest = (float(np.linalg.norm(end - prior)) for end in (nearest, best))
    reach = (shortest + share * (longest - shortest)) ** 2
    limit = {
        "type": "ineq",
        "fun": lambda w: reach - ((w - prior) ** 2).sum(),
        "jac": lambda w: -2.0 * (w - prior),
    }
    return _solve(function, domain, start, FINE, [limit])


def _choice(
    problem: MixtureProblem, objective: Objective, domain: _Domain, ends: tuple[Floats, Floats]
) -> MixtureChoice:
    shares = ends[1]
    rates = problem.rates(shares)
    is_out = is_left_out(shares, rates)
    per_document = problem.tokens / problem.documents
    before, tokens = (found * per_document / (found @ per_document) for found in ends)
    terms = objective.terms if isinstance(objective, WeightedSum) else ((1.0, objective),)
    return MixtureChoice(
        rates=tuple(np.where(is_out, 0.0, rates).tolist()),
        token_fractions=tuple(np.where(is_out, 0.0, tokens).tolist()),
        objective=objective.evaluate(shares, problem)[0],
        terms=tuple((term.name, term.evaluate(shares, problem)[0], _exact(term, shares, problem)) for _, term in terms),
        moved_fraction=float(np.abs(tokens - before).sum()) / 2.0,
        binding=binding(domain.bounds, problem.sources, shares, rates),
    )


def _exact(term: Objective, shares: Floats, problem: MixtureProblem) -> float | None:
    return term.exact(shares, problem) if isinstance(term, SpeciesEntropy) else None
