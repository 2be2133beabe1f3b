"""Rates that a run chooses itself, what is foreseen of phases, and what is said of a plan."""

import numpy as np
import pytest

from polyculture.errors import ConfigError
from polyculture.measure.ledger.extend import extended
from polyculture.mixture.plan.auto import ask_best, foresee
from polyculture.mixture.plan.check import check_mixture, needs_ledger
from polyculture.mixture.plan.phases import Distinct, plan_phases
from polyculture.mixture.plan.plan_mixture import OBJECTIVES
from polyculture.mixture.plan.selection import rank_documents
from polyculture.mixture.plan.weights import ask_known
from polyculture.mixture.plan.what_if import what_if
from polyculture.report.summary import phase_rows
from schemas.documents import Kind
from schemas.measures import Lens, Stage
from schemas.mixture_config import MixtureConfig
from schemas.plan import MixturePlan
from schemas.planned import OBJECTIVE_METRICS
from tests.unit.mixture.plan.ledgers import KINDS, TOKENS, ledger_of, overlapping_table

TABLE = overlapping_table()
LEDGER = ledger_of(TABLE, probes=300)
SIZES = TABLE.sum(axis=0)
NAMES = ("a", "b", "c", "d")


def planned(**mixture: object) -> MixturePlan:
    """A plan of documents as the ledger's."""
    config = MixtureConfig.model_validate(mixture)
    source = np.repeat(np.arange(len(SIZES)), SIZES)
    hashes = np.random.default_rng(1).integers(0, 2**63, len(source)).astype(np.uint64)
    streams = rank_documents(source, hashes, np.arange(len(source)), len(SIZES))
    distinct = Distinct(NAMES, tuple(KINDS), streams, np.full(len(source), TOKENS), hashes / 2.0**63)
    asks = (lambda t, s: ask_known(t, s, {}), lambda t, s: ask_best(t, s, LEDGER, 0))
    return plan_phases(distinct, config, asks, "0" * 64)


def test_auto_is_better_than_even_rates_and_keeps_its_limits() -> None:
    tokens = int(SIZES.sum()) * TOKENS // 2
    limits = {"kinds": {"synthetic": {"max_fraction": 0.1}}, "sources": {"c": {"max_epochs": 0.5}}}
    plan = planned(tokens=tokens, rates="auto", max_epochs=2, **limits)
    rates = {source.name: source.rate for source in plan.sources}
    even = dict.fromkeys(NAMES, 0.5)
    near = [what_if(LEDGER, found, [Lens.NEAR], fractions=[]).lenses[0].hill_1.value for found in (rates, even)]
    assert near[0] > near[1] * 1.001
    held = {source.name: source.tokens / plan.tokens for source in plan.sources}
    assert held["b"] <= 0.1 + 1e-3
    assert rates["c"] <= 0.5 + 1e-9
    assert plan.lacking_tokens == 0
    assert plan.tokens == pytest.approx(tokens, abs=len(NAMES) * TOKENS)
    assert plan.phases[0].rates_from == "auto"
    assert any("Rates chosen for the largest ln hill_1 of near species" in note for note in plan.notes)


def test_auto_takes_all_that_limits_allow_and_says_what_lacks() -> None:
    plan = planned(tokens=10**9, rates="auto", max_epochs=1.5)
    assert [source.rate for source in plan.sources[:3]] == pytest.approx([1.5] * 3, rel=1e-6)
    assert plan.lacking_tokens == pytest.approx(10**9 - 1.5 * SIZES.sum() * TOKENS, rel=1e-6)


def test_phases_share_their_epochs_and_each_is_foreseen_alone() -> None:
    tokens = int(SIZES.sum()) * TOKENS
    phases = [
        {"name": "broad", "tokens": tokens // 2, "rates": "auto"},
        {"name": "anneal", "tokens": tokens * 2, "rates": "auto"},
        {"name": "rest", "tokens": tokens, "rates": {"a": 1, "b": 0, "c": 1, "d": 0}},
    ]
    plan = foresee(planned(phases=phases, max_epochs=1), LEDGER)
    assert all(source.rate <= 1 + 1e-9 for source in plan.sources)
    assert plan.phases[1].lacking_tokens == pytest.approx(tokens * 1.5, rel=1e-3)
    assert plan.phases[2].rows == 0
    assert plan.phases[2].distinct_fraction is None
    assert plan.phases[0].distinct_fraction is not None
    first = plan.phases[0]
    rates = {s.name: s.rows / max(1, int(n)) for s, n in zip(first.sources, SIZES, strict=True)}
    assert first.distinct_fraction == what_if(LEDGER, rates, [Lens.NEAR]).lenses[0].distinct_fraction


def test_the_supply_that_a_budget_needs_is_said_with_what_holds_it() -> None:
    expert = int(SIZES[2]) * TOKENS
    plan = planned(
        tokens=int(3.3 * expert / 0.9),
        rates={"a": 0.1 * 3.3 * expert / 0.9 / (SIZES[0] * TOKENS), "b": 0, "c": 3.3},
        max_epochs=4,
    )
    assert f"The budget needs 3.3 epochs of expert text (unique supply {expert:,} tokens), worth" in plan.warnings[0]
    worth = next(source for source in plan.sources if source.name == "c").effective_tokens
    assert worth == pytest.approx(expert * (1 + 15.387756 * (1 - np.exp(-2.3 / 15.387756))), rel=1e-2)
    assert plan.effective_tokens < plan.tokens
    held = planned(tokens=int(3.3 * expert), rates={"a": 0, "b": 0, "c": 1}, max_epochs=2)
    assert held.warnings == [
        f"The budget needs 3.3 epochs of expert text (unique supply {expert:,} tokens); the plan gives 2, "
        "held by max_epochs."
    ]
    assert held.lacking_tokens == pytest.approx(1.3 * expert, rel=1e-3)


@pytest.mark.parametrize(("ratio", "regime"), [(4, "under-trained"), (20, "compute-optimal"), (200, "over-trained")])
def test_tokens_per_parameter_are_judged_by_the_compute_optimal_number(ratio: int, regime: str) -> None:
    plan = planned(model_parameters=int(SIZES.sum()) * TOKENS // ratio)
    assert plan.model is not None
    assert plan.model.tokens_per_parameter == pytest.approx(ratio, rel=1e-3)
    assert plan.model.regime == regime
    assert regime in plan.notes[-1]


def test_what_can_be_known_before_the_data_is_refused_before_it() -> None:
    kinds = dict(zip(NAMES, KINDS, strict=True))
    config = MixtureConfig.model_validate({"sources": {"a": {"min_fraction": 0.6}, "c": {"min_fraction": 0.6}}})
    with pytest.raises(ConfigError, match=r"a: min_fraction 0\.6; c: min_fraction 0\.6"):
        check_mixture(config, kinds)
    with pytest.raises(ConfigError, match="unknown objective 'hill_9'"):
        check_mixture(MixtureConfig(rates="auto", objective=("hill_9",)), kinds)
    assert tuple(OBJECTIVES) == OBJECTIVE_METRICS
    check_mixture(MixtureConfig(rates="auto", objective=("hill_1@exact=2", "distinct_fraction")), kinds)
    assert needs_ledger(MixtureConfig(rates="auto"))
    assert not needs_ledger(MixtureConfig(rates={"a": 2}))


def test_a_ledger_is_extended_by_other_stages_alone() -> None:
    more = ledger_of(TABLE, probes=50, stage=Stage.MIXTURE)
    more = type(more)(
        more.header.model_copy(update={"probes_per_source": LEDGER.header.probes_per_source}), more.rows, more.heavy
    )
    both = extended(LEDGER, more)
    for stage, alone in ((Stage.DISTINCT, LEDGER), (Stage.MIXTURE, more)):
        found, wanted = (ledger.matrix(stage, Lens.NEAR) for ledger in (both, alone))
        assert found is not None
        assert wanted is not None
        strata = [[part.rows for source in matrix.probes for part in source.strata] for matrix in (found, wanted)]
        assert all(np.array_equal(x, y) for x, y in zip(*strata, strict=True))
    with pytest.raises(ValueError, match="other stages of the same corpus"):
        extended(both, more)


def test_a_kind_is_a_kind() -> None:
    config = MixtureConfig.model_validate({"kinds": {"expert": {"max_fraction": 0}}})
    assert config.leaves_out("c", Kind.EXPERT)
    assert not config.leaves_out("a", Kind.WEB)


def test_a_plan_that_reads_the_ledger_counts_copies_in_the_corpus_as_it_counts_epochs() -> None:
    phases = [{"name": "one", "tokens": 200_000}, {"name": "two", "tokens": 400_000, "rates": {"b": 20.0}}]
    blind = planned(phases=phases, max_epochs=30, model_parameters=10_000)
    plan = foresee(blind, LEDGER)
    assert plan.worth is not None
    assert plan.worth.tokens == pytest.approx(plan.tokens)
    assert plan.effective_tokens == pytest.approx(plan.worth.least.effective_tokens.value)
    assert plan.effective_tokens < 0.95 * blind.effective_tokens
    assert plan.effective_tokens == pytest.approx(sum(source.effective_tokens for source in plan.sources))
    assert all(phase.worth and phase.worth.tokens == pytest.approx(phase.tokens, rel=1e-2) for phase in plan.phases)
    assert plan.notes[0].startswith("Worth: ")
    assert not any("at most" in note for note in plan.notes)
    assert plan.model is not None
    assert plan.model.effective_tokens_per_parameter == pytest.approx(plan.effective_tokens / 10_000)
    assert [row[8].split(" (")[1][:8] for row in phase_rows(plan)[1:]] == ["least by"] * 2
