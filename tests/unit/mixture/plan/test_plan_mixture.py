"""Plans from a made ledger: against a grid, within limits, and bound to their evidence."""

from itertools import product

import numpy as np
import pytest

from polyculture.errors import ConfigError
from polyculture.mixture.plan.plan_mixture import OBJECTIVES, plan_mixture
from polyculture.mixture.plan.what_if import what_if
from schemas.documents import Kind
from schemas.measures import Lens
from schemas.planned import FractionRange, ObjectiveTerm, PlannedMixture, PlanRequest, SourceRange
from tests.unit.mixture.plan.ledgers import TOKENS, ledger_of, overlapping_table

TABLE = overlapping_table()
LEDGER = ledger_of(TABLE, probes=300)
BUDGET = 600_000


def request_of(metric: str = "hill_1", lens: Lens = Lens.EXACT, **changes: object) -> PlanRequest:
    values = {
        "objectives": [{"metric": metric, "lens": lens}],
        "budget_tokens": BUDGET,
        "max_epochs": 2.0,
        "kinds": {Kind.SYNTHETIC: FractionRange(max_fraction=0.3)},
    }
    return PlanRequest.model_validate(values | changes)


@pytest.mark.parametrize(
    ("metric", "lens"), [("hill_1", Lens.NEAR), ("distinct_fraction", Lens.EXACT), ("hill_1_of_copies", Lens.EXACT)]
)
def test_no_mixture_of_a_grid_within_the_limits_is_better(metric: str, lens: Lens) -> None:
    planned = plan_mixture(LEDGER, request_of(metric, lens))
    number = "distinct_fraction" if metric == "distinct_fraction" else "hill_1"
    tokens = TABLE.sum(axis=0) * TOKENS
    best = 0.0
    for a, b in product(np.linspace(0, 1, 21), repeat=2):
        shares = np.array([a, b, 1 - a - b])
        rates = shares * BUDGET / tokens[:3]
        if (shares > -1e-12).all() and b <= 0.3 and (rates <= 2).all():
            mixture = dict(zip("abc", np.maximum(rates, 0).tolist(), strict=True))
            best = max(best, getattr(what_if(LEDGER, mixture, [lens], fractions=[]).lenses[0], number).value)
    assert best > 0
    assert getattr(planned.best, number).value >= best * (1 - 1e-9)
    reached = planned.best.objective if number == "distinct_fraction" else np.exp(planned.best.objective)
    assert reached == pytest.approx(getattr(planned.best, number).value, rel=1e-9)
    assert planned.bound >= planned.best.objective - 1e-9


@pytest.mark.parametrize("metric", OBJECTIVES)
def test_plans_keep_within_budget_epochs_and_limits(metric: str) -> None:
    planned = plan_mixture(LEDGER, request_of(metric))
    for choice in planned.frontier:
        assert sum(source.tokens for source in choice.sources) == pytest.approx(BUDGET)
        assert all(source.rate <= 2 + 1e-9 for source in choice.sources)
        assert choice.sources[1].token_fraction <= 0.3 + 1e-9
        assert choice.sources[3].rate == 0  # it has no documents
    values = [choice.objective for choice in planned.frontier]
    assert values == sorted(values)
    assert planned.best == planned.frontier[-1]
    is_concave = metric in ("hill_1", "hill_2")
    assert planned.certainty == "global" if is_concave else planned.starts > 5
    assert PlannedMixture.model_validate_json(planned.model_dump_json()) == planned


def test_the_frontier_starts_at_prior_rates_that_the_limits_allow() -> None:
    prior = {"a": 0.5, "b": 0.25, "c": 0.5}
    tokens = TABLE.sum(axis=0)[:3] * TOKENS
    planned = plan_mixture(LEDGER, request_of(prior_rates=prior))
    fractions = np.array(list(prior.values())) * tokens
    fractions /= fractions.sum()
    assert [s.token_fraction for s in planned.frontier[0].sources[:3]] == pytest.approx(fractions, abs=1e-4)
    assert planned.frontier[0].moved_fraction == pytest.approx(0, abs=1e-4)


def test_a_limit_on_a_source_binds_and_is_named() -> None:
    planned = plan_mixture(LEDGER, request_of(sources={"c": SourceRange(min_fraction=0.4)}))
    assert "c: min_fraction 0.4" in planned.best.binding
    assert planned.best.sources[2].token_fraction == pytest.approx(0.4, abs=1e-5)


def test_weighted_terms_are_summed() -> None:
    terms = [
        ObjectiveTerm(metric="hill_1", lens=Lens.EXACT, weight=2.0),
        ObjectiveTerm(metric="hill_2", lens=Lens.EXACT),
    ]
    planned = plan_mixture(LEDGER, request_of(objectives=terms))
    values = [term.value for term in planned.best.terms]
    assert planned.best.objective == pytest.approx(2 * values[0] + values[1])
    assert planned.certainty == "global"


def test_spread_is_that_of_the_moments_that_are_given() -> None:
    moments = np.array([np.diag([1.0, 0.0]), np.diag([0.0, 1.0]), np.diag([1.0, 0.0]), np.diag([0.0, 1.0])])
    planned = plan_mixture(LEDGER, request_of("spread", budget_tokens=200_000, kinds={}), moments)
    assert planned.best.objective == pytest.approx(np.log(2), abs=1e-6)
    with pytest.raises(ConfigError, match="no second moments"):
        plan_mixture(LEDGER, request_of("spread"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"budget_tokens": 10**9}, r"no mixture meets the budget .*max_epochs 2.*--tokens"),
        (
            {"budget_tokens": 10**6, "kinds": {Kind.SYNTHETIC: FractionRange(min_fraction=0.9)}},
            "kind synthetic: min_fraction 0.9",
        ),
        ({"sources": {"z": SourceRange(max_fraction=0.5)}}, "unknown source 'z'; known: a, b, c, d"),
        ({"sources": {"a": SourceRange(min_fraction=0.5, max_fraction=0.4)}}, "0.5 is above max_fraction 0.4"),
        ({"objectives": [{"metric": "variety", "lens": "exact"}]}, "unknown objective 'variety'; known: hill_1"),
        ({"objectives": [{"metric": "hill_2", "lens": "near"}]}, "'near' has neighbourhoods"),
        ({"objectives": [{"metric": "hill_1", "lens": "seed"}]}, "'seed' was not measured"),
    ],
)
def test_what_cannot_be_planned_is_said(changes: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        plan_mixture(LEDGER, request_of(**changes))


def test_a_lens_that_leaves_documents_out_is_no_ground_for_shares() -> None:
    populations = [
        population.model_copy(update={"documents": [1, *population.documents[1:]]})
        if population.lens is Lens.NEAR
        else population
        for population in LEDGER.header.populations
    ]
    header = LEDGER.header.model_copy(update={"populations": populations})
    with pytest.raises(ConfigError, match="'near' says nothing about documents of a;"):
        plan_mixture(type(LEDGER)(header, LEDGER.rows, LEDGER.heavy), request_of(lens=Lens.NEAR))


def test_a_form_that_lies_above_is_shown_beside_the_exact_value() -> None:
    planned = plan_mixture(LEDGER, request_of("hill_1", Lens.EXACT, budget_tokens=900_000))
    assert any(1 < source.rate < 2 for source in planned.best.sources)  # where the form overstates
    term = planned.best.terms[0]
    assert term.exact == pytest.approx(np.log(planned.best.hill_1.value))
    assert term.exact is not None
    assert term.value > term.exact + 1e-3
    assert plan_mixture(LEDGER, request_of("hill_1", Lens.NEAR)).best.terms[0].exact is None


def test_a_plan_without_the_way_there_has_the_same_end() -> None:
    whole, ends = (plan_mixture(LEDGER, request_of(), with_frontier=found) for found in (True, False))
    assert ends.best == whole.best
    assert len(ends.frontier) == 2
