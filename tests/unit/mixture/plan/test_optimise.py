"""The optimiser, against brute force over a grid; its certificates, its limits and its errors."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from polyculture.measure.probes.probe_matrix import ProbeMatrix
from polyculture.mixture.estimate.mixture import collapse, estimate_mixture
from polyculture.mixture.plan.constraints import (
    FractionLimits,
    InfeasibleError,
    MixtureProblem,
    MixtureSource,
    binding,
    bounds_of,
    inner_point,
    is_left_out,
)
from polyculture.mixture.plan.objectives import (
    CopyObjective,
    Objective,
    SimpsonGain,
    SpeciesEntropy,
    SpectralEntropy,
    WeightedSum,
)
from polyculture.mixture.plan.optimise import optimise_mixture
from tests.unit.measure.probes.matrices import species_matrix

# Three sources: a varied one, one that repeats itself, one that repeats the first.
GENERATOR = np.random.default_rng(12)
TABLE = np.zeros((900, 3), np.int64)
TABLE[:600, 0] = 1
TABLE[600:640, 1] = 12
TABLE[640:, 1] = GENERATOR.random(260) < 0.3
TABLE[:300, 2] = 2
TABLE[640:700, 2] += 1
TABLE = TABLE[TABLE.sum(axis=1) > 0]
MATRIX = species_matrix(TABLE)
NEAR = ProbeMatrix(MATRIX.probes, MATRIX.documents, MATRIX.weight, MATRIX.weighting, False)
MOMENTS = np.array(
    [np.cov(GENERATOR.standard_normal((6, 40)) * (1.0 + np.arange(6))[:, None] ** k) for k in (0, 1, -1)]
)
MOMENTS /= np.trace(MOMENTS, axis1=1, axis2=2)[:, None, None]
OBJECTIVES: dict[str, Objective] = {
    "species entropy": SpeciesEntropy(MATRIX, "exact"),
    "simpson": SimpsonGain(MATRIX, "exact"),
    "spectral entropy": SpectralEntropy(MOMENTS, "cosine"),
    "copies, hill_1": CopyObjective(NEAR, "near", "hill_1"),
    "copies, distinct": CopyObjective(NEAR, "near", "distinct_fraction"),
    "sum": WeightedSum([(1.0, SpeciesEntropy(MATRIX, "exact")), (0.5, SpectralEntropy(MOMENTS, "cosine"))]),
}


def problem_of(**changes: object) -> MixtureProblem:
    documents = MATRIX.documents.tolist()
    sources = (
        MixtureSource("web", "web", documents[0], documents[0] * 100, max_epochs=4.0),
        MixtureSource("synth", "synthetic", documents[1], documents[1] * 40, max_epochs=2.0),
        MixtureSource("expert", "expert", documents[2], documents[2] * 250, max_epochs=1.5, min_fraction=0.1),
    )
    kinds = {"synthetic": FractionLimits(max_fraction=0.3)}
    return replace(MixtureProblem(sources, 150_000.0, kinds), **changes)  # type: ignore[arg-type]


def is_allowed(problem: MixtureProblem, rates: np.ndarray) -> bool:
    fractions = rates * problem.tokens / problem.budget_tokens
    least = [s.min_fraction for s in problem.sources]
    return bool(
        abs(fractions.sum() - 1) < 1e-9
        and (rates <= [s.max_epochs + 1e-9 for s in problem.sources]).all()
        and (fractions >= np.array(least) - 1e-9).all()
        and fractions[1] <= 0.3 + 1e-9
    )


@pytest.mark.parametrize("name", OBJECTIVES)
def test_the_optimum_is_not_below_any_point_of_a_grid(name: str) -> None:
    problem, objective = problem_of(), OBJECTIVES[name]
    found = optimise_mixture(problem, objective)
    assert is_allowed(problem, np.array(found.best.rates))
    assert sum(found.best.token_fractions) == pytest.approx(1)
    values = []
    for y in product(np.linspace(0, 1, 61), repeat=2):
        rates = np.array([*y, 1 - sum(y)]) * problem.budget_tokens / problem.tokens
        if (rates >= 0).all() and is_allowed(problem, rates):
            values.append(objective.evaluate(problem.shares(rates), problem)[0])
    assert len(values) > 50
    spread = max(values) - min(values)
    assert found.best.objective >= max(values) - 1e-6 * spread
    assert found.best.objective <= max(values) + 0.05 * spread  # the grid is fine enough to know
    assert found.bound >= found.best.objective - 1e-12
    if objective.is_concave:
        assert found.certainty == "global"
        assert found.bound - found.best.objective <= 1e-6 * max(1.0, abs(found.bound))
        assert found.starts == 1
    else:
        assert found.starts > 5
        assert found.bound < max(values) + 2 * spread


@pytest.mark.parametrize("name", OBJECTIVES)
def test_gradients_are_the_slopes_of_finite_differences(name: str) -> None:
    problem, objective = problem_of(), OBJECTIVES[name]
    shares, step = np.array([0.45, 0.25, 0.3]), 1e-6
    for which in (objective, objective.relaxed(problem)):
        gradient = which.evaluate(shares, problem)[1]
        slopes = [
            (which.evaluate(shares + d, problem)[0] - which.evaluate(shares - d, problem)[0]) / (2 * step)
            for d in step * np.eye(3)
        ]
        # along the simplex: shares sum to 1
        assert gradient - gradient.mean() == pytest.approx(np.array(slopes) - np.mean(slopes), rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_what_is_said_to_be_concave_and_above_is_so(name: str) -> None:
    problem, objective = problem_of(), OBJECTIVES[name]
    relaxed = objective.relaxed(problem)
    assert relaxed.is_concave
    generator = np.random.default_rng(5)
    for _ in range(60):
        left, right = generator.dirichlet(np.full(3, 0.5), 2)
        # the bound is over mixtures within the limits of epochs
        if (problem.rates(left) <= [s.max_epochs for s in problem.sources]).all():
            assert relaxed.evaluate(left, problem)[0] >= objective.evaluate(left, problem)[0] - 1e-9
        middle = relaxed.evaluate((left + right) / 2, problem)[0]
        ends = (relaxed.evaluate(left, problem)[0] + relaxed.evaluate(right, problem)[0]) / 2
        assert middle >= ends - 1e-9


def test_the_lambda_form_is_the_exact_entropy_at_whole_rates_of_a_corpus_probed_whole() -> None:
    problem, rates = problem_of(), np.array([2.0, 1.0, 3.0])
    entropy = SpeciesEntropy(MATRIX, "exact").evaluate(problem.shares(rates), problem)[0]
    assert np.exp(entropy) == pytest.approx(estimate_mixture(collapse(MATRIX), rates).hill_1.value, rel=1e-6)


def test_the_lambda_form_from_few_probes_is_near_that_from_all() -> None:
    shares, problem = np.array([0.5, 0.2, 0.3]), problem_of()
    truth = SpeciesEntropy(MATRIX, "exact").evaluate(shares, problem)[0]
    few = [
        SpeciesEntropy(species_matrix(TABLE, 100, seed, heavy=8), "exact").evaluate(shares, problem)[0]
        for seed in range(100)
    ]
    assert np.mean(few) == pytest.approx(truth, abs=3 * np.std(few) / 10)
    assert np.std(few) < 0.05


def test_two_equal_sources_of_orthogonal_vectors_are_best_mixed_evenly() -> None:
    moments = np.array([np.diag([1.0, 0.0]), np.diag([0.0, 1.0])])
    sources = tuple(MixtureSource(name, "web", 100, 1_000, max_epochs=2.0) for name in "ab")
    found = optimise_mixture(MixtureProblem(sources, 1_000.0), SpectralEntropy(moments, "cosine"))
    assert found.best.rates == pytest.approx((0.5, 0.5), abs=1e-4)
    assert found.best.objective == pytest.approx(np.log(2))
    assert (found.certainty, found.best.binding) == ("global", ())


def test_the_limit_that_binds_is_named() -> None:
    tight = problem_of(kinds={"synthetic": FractionLimits(max_fraction=0.01)})
    objective = SpeciesEntropy(MATRIX, "exact")
    assert "kind synthetic: max_fraction 0.01" in optimise_mixture(tight, objective).best.binding
    loose = optimise_mixture(problem_of(kinds={}), objective).best
    assert not any("kind" in name for name in loose.binding)


def test_a_source_that_adds_nothing_is_left_out_and_said_to_be() -> None:
    table = np.zeros((300, 2), np.int64)
    table[:299, 0], table[299, 1] = 1, 50
    sources = (MixtureSource("varied", "web", 299, 299), MixtureSource("one", "web", 50, 50, max_epochs=4.0))
    problem = MixtureProblem(sources, 200.0)
    found = optimise_mixture(problem, WeightedSum([(1.0, SimpsonGain(species_matrix(table), "exact"))]))
    assert found.best.rates[1] < 0.02
    nothing = np.array([1.0, 3.3e-15])
    assert binding(bounds_of(problem), sources, nothing, problem.rates(nothing)) == ("one: left out",)


def test_only_what_is_rounding_beside_the_others_is_left_out_not_a_source_that_is_tiny() -> None:
    shares, rates = np.array([1.0, 1e-7, 1e-9, 1e-7]), np.array([1.0, 1.0, 1e-8, 9e-4])
    assert is_left_out(shares, rates).tolist() == [False, False, True, True]


def test_a_source_that_is_left_out_has_the_rate_zero_and_no_tokens() -> None:
    table = np.zeros((300, 2), np.int64)
    table[:299, 0], table[299, 1] = 1, 50
    sources = (MixtureSource("varied", "web", 299, 299), MixtureSource("one", "web", 50, 50, max_fraction=0.0))
    best = optimise_mixture(MixtureProblem(sources, 200.0), SimpsonGain(species_matrix(table), "exact")).best
    assert best.rates[1] == best.token_fractions[1] == 0
    assert "one: left out" in best.binding


@pytest.mark.parametrize("name", ["species entropy", "copies, distinct"])
def test_the_frontier_rises_from_the_prior_to_the_optimum(name: str) -> None:
    problem = problem_of()
    found = optimise_mixture(problem, OBJECTIVES[name])
    values = [choice.objective for choice in found.frontier]
    prior = problem.shares(np.ones(3))
    distances = [np.linalg.norm(problem.shares(np.array(choice.rates)) - prior) for choice in found.frontier]
    assert values == sorted(values)
    assert values[-1] == found.best.objective > values[0]
    assert distances == sorted(distances)
    assert np.diff(distances) == pytest.approx(np.full(4, (distances[-1] - distances[0]) / 4), rel=0.05)
    assert all(is_allowed(problem, np.array(choice.rates)) for choice in found.frontier)


def test_a_prior_within_the_limits_is_the_first_point_of_the_frontier() -> None:
    free = tuple(replace(s, max_epochs=10.0, min_fraction=0.0, prior_rate=0.5) for s in problem_of().sources)
    first = optimise_mixture(problem_of(sources=free, kinds={}), OBJECTIVES["species entropy"]).frontier[0]
    assert first.moved_fraction == pytest.approx(0, abs=1e-5)
    assert np.ptp(first.rates) == pytest.approx(0, abs=1e-4)


def test_the_same_arguments_give_the_same_result() -> None:
    runs = [optimise_mixture(problem_of(), OBJECTIVES["copies, hill_1"], seed=3) for _ in range(2)]
    assert runs[0] == runs[1]


def test_limits_that_contradict_each_other_are_named_and_the_others_are_not() -> None:
    sources = problem_of().sources
    greedy = (sources[0], replace(sources[1], min_fraction=0.4), sources[2])
    with pytest.raises(InfeasibleError) as caught:
        optimise_mixture(problem_of(sources=greedy), OBJECTIVES["species entropy"])
    assert "synth: min_fraction 0.4" in str(caught.value)
    assert "kind synthetic: max_fraction 0.3" in str(caught.value)
    assert "web" not in str(caught.value)


def test_a_budget_beyond_supply_names_every_source_that_is_used_up() -> None:
    with pytest.raises(InfeasibleError) as caught:
        inner_point(bounds_of(problem_of(budget_tokens=10**6, kinds={})))
    for source in problem_of().sources:
        assert f"{source.name}: {source.tokens:,} tokens, max_epochs {source.max_epochs:g}" in str(caught.value)
    assert "min_fraction" not in str(caught.value)


def test_a_least_share_of_a_kind_without_sources_is_infeasible() -> None:
    with pytest.raises(InfeasibleError, match=r"kind nobody: min_fraction 0\.1"):
        inner_point(bounds_of(problem_of(kinds={"nobody": FractionLimits(min_fraction=0.1)})))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"budget_tokens": 0.0}, "token budget above 0"),
        ({"budget_tokens": float("nan")}, "token budget above 0"),
        ({"sources": ()}, "needs sources"),
        ({"kinds": {"web": FractionLimits(max_fraction=1.2)}}, r"kind web: .* are in \[0, 1\]"),
        ({"sources": (MixtureSource("empty", "web", 0, 0),)}, "empty has nothing to give"),
        ({"sources": (MixtureSource("never", "web", 5, 5, max_epochs=0.0),)}, "max_epochs must be above 0"),
    ],
)
def test_a_problem_that_is_none_is_an_error(changes: dict[str, object], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        bounds_of(problem_of(**changes))


def test_objectives_refuse_what_they_cannot_judge() -> None:
    with pytest.raises(ValueError, match="unknown metric 'hill_2'"):
        CopyObjective(MATRIX, "exact", "hill_2")
    with pytest.raises(ValueError, match="only a partition lens"):
        SpeciesEntropy(NEAR, "near")
    with pytest.raises(ValueError, match="trace of 1"):
        SpectralEntropy(np.array([np.eye(3)]), "cosine")
    with pytest.raises(ValueError, match="weights of 0 or more"):
        WeightedSum([(-1.0, OBJECTIVES["simpson"])])
