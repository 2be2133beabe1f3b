"""Plans in phases: they nest, keep to their budgets, and take first what is unused."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from polyculture.mixture.plan.phases import Distinct, plan_phases
from polyculture.mixture.plan.selection import copies_of, rank_documents, rows_within
from polyculture.mixture.plan.weights import ask_known
from polyculture.storage.hashing import inclusion_hash, unit_interval
from schemas.documents import Kind
from schemas.mixture_config import MixtureConfig, PhaseConfig
from schemas.plan import MixturePlan, PhasePlan

KINDS = (Kind.WEB, Kind.EXPERT, Kind.SYNTHETIC)


def corpus(seed: int, documents: int = 400) -> Distinct:
    """Three sources of random sizes; some documents have no tokens, some are not distinct."""
    generator = np.random.default_rng(seed)
    source = generator.integers(0, 3, documents)
    tokens = generator.integers(0, 500, documents) * (generator.random(documents) > 0.05)
    hashes = inclusion_hash(generator.integers(0, 2**63, documents).astype(np.uint64), seed)
    members = np.flatnonzero(generator.random(documents) > 0.2)
    return Distinct(("a", "b", "c"), KINDS, rank_documents(source, hashes, members, 3), tokens, unit_interval(hashes))


def planned(distinct: Distinct, config: MixtureConfig) -> MixturePlan:
    return plan_phases(distinct, config, (lambda t, s: ask_known(t, s, {}), lambda *_: None), "0" * 64)


def phase_copies(distinct: Distinct, phase: PhasePlan) -> NDArray[np.int64]:
    first, rows = (np.array([getattr(s, name) for s in phase.sources]) for name in ("first_row", "rows"))
    return copies_of(distinct.streams, first, rows, len(distinct.tokens))


def all_copies(distinct: Distinct, plan: MixturePlan) -> NDArray[np.int64]:
    return np.sum([phase_copies(distinct, phase) for phase in plan.phases], axis=0)


def config_of(rates: Sequence[dict[str, float]], budgets: Sequence[int] = (), **more: object) -> MixtureConfig:
    if len(rates) == 1 and not budgets:
        return MixtureConfig.model_validate({"rates": rates[0], **more})
    phases = [{"name": f"p{n}", "rates": r, "tokens": budgets[n]} for n, r in enumerate(rates)]
    return MixtureConfig.model_validate({"phases": phases, **more})


rate = st.one_of(st.sampled_from([0.0, 1.0, 2.0, 3.0]), st.floats(0.01, 3))
rates = st.fixed_dictionaries({"a": rate, "b": rate, "c": st.floats(0.1, 2)})


@settings(max_examples=40, deadline=None)
@given(rates, st.integers(0, 1000))
def test_a_plan_never_exceeds_its_targets_and_is_near_them(asked: dict[str, float], seed: int) -> None:
    distinct = corpus(seed)
    plan = planned(distinct, config_of([asked]))
    copies = all_copies(distinct, plan)
    for number, part in enumerate(plan.sources):
        mine = distinct.streams.of(number)
        assert int((copies * distinct.tokens)[mine].sum()) == part.tokens
        assert part.tokens <= asked[part.name] * part.available_tokens + 1e-6
        assert part.tokens > asked[part.name] * part.available_tokens - 501
        # what the plan says of inclusion by hash is what was done
        more = distinct.position[mine] < part.threshold
        assert np.array_equal(copies[mine], part.whole_copies + more)
    assert not copies[np.setdiff1d(np.arange(len(copies)), distinct.streams.ranked)].any()


@settings(max_examples=40, deadline=None)
@given(rates, st.sampled_from(["a", "b", "c"]), st.floats(0, 2), st.integers(0, 1000))
def test_plans_nest_a_higher_rate_only_adds_copies(asked: dict[str, float], name: str, more: float, seed: int) -> None:
    distinct = corpus(seed)
    low = all_copies(distinct, planned(distinct, config_of([asked])))
    high = all_copies(distinct, planned(distinct, config_of([asked | {name: asked[name] + more}])))
    assert (low <= high).all()


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(rates, st.integers(1_000, 200_000)), min_size=1, max_size=4),
    st.integers(0, 3),
    st.floats(1, 3),
    st.integers(0, 1000),
)
def test_plans_in_phases_nest_too(
    phases: list[tuple[dict[str, float], int]], which: int, times: float, seed: int
) -> None:
    distinct = corpus(seed)
    asked, budgets = [r for r, _ in phases], [b for _, b in phases]
    low = planned(distinct, config_of(asked, budgets, max_epochs=50))
    at = which % len(phases)
    raised = [int(b * times) if n == at else b for n, b in enumerate(budgets)]
    high = planned(distinct, config_of(asked, raised, max_epochs=50))
    assert (all_copies(distinct, low) <= all_copies(distinct, high)).all()
    for plan in (low, high):
        for phase in plan.phases:
            assert phase.tokens <= (phase.budget_tokens or 0) + 1e-6


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(rates, st.integers(1_000, 300_000)), min_size=2, max_size=4), st.integers(0, 1000))
def test_a_phase_takes_first_what_no_phase_before_has_used_and_epochs_count_over_all(
    phases: list[tuple[dict[str, float], int]], seed: int
) -> None:
    distinct = corpus(seed)
    plan = planned(distinct, config_of([r for r, _ in phases], [b for _, b in phases], max_epochs=2))
    before = np.zeros(len(distinct.tokens), np.int64)
    for phase in plan.phases:
        mine = phase_copies(distinct, phase)
        for number, part in enumerate(phase.sources):
            documents = distinct.streams.of(number)
            assert part.rows == mine[documents].sum()
            assert part.new_documents == ((before[documents] == 0) & (mine[documents] > 0)).sum()
            after = (before + mine)[documents]
            assert not len(after) or after.max() - after.min() <= 1  # nothing is taken again while another is behind
        before += mine
    assert before.max() <= 2
    written, kept = int(before.sum()), int((before > 0).sum())
    assert written == sum(phase.rows for phase in plan.phases)
    assert kept == sum(source.new_documents for phase in plan.phases for source in phase.sources)


def test_an_expert_source_kept_for_the_end_is_still_unused_there() -> None:
    distinct = corpus(7)
    supply = distinct.supply()
    config = config_of(
        [{"a": 1, "b": 0, "c": 0.1}, {"a": 0.1, "b": 1, "c": 1}], [supply[0] // 2, supply[1] // 2], max_epochs=1
    )
    plan = planned(distinct, config)
    assert plan.phases[0].sources[1].rows == 0
    last = plan.phases[1].sources
    assert all(source.new_documents == source.rows for source in last)
    assert last[0].first_row == plan.phases[0].sources[0].rows > 0
    assert plan.scale is None
    assert plan.budget_tokens == supply[0] // 2 + supply[1] // 2


def test_limits_beside_the_phases_hold_in_each_and_a_phases_own_stand_before_them() -> None:
    distinct = corpus(3)
    limits = {"kinds": {"web": {"max_fraction": 0.5}}}
    asked = {"a": 1.0, "b": 0.2, "c": 0.2}
    own = PhaseConfig.model_validate(
        {"name": "own", "tokens": 20_000, "rates": asked, "kinds": {"web": {"max_fraction": 0.9}}}
    )
    general = PhaseConfig(name="general", tokens=20_000, rates=asked)
    plan = planned(distinct, MixtureConfig.model_validate({"phases": [general, own], **limits}))
    held = [phase.sources[0].rate * distinct.supply()[0] / 20_000 for phase in plan.phases]
    assert held[0] == pytest.approx(0.5)
    assert 0.5 < held[1] <= 0.9


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=8).filter(any), st.integers(0, 20), st.integers(0, 60))
def test_rows_within_a_budget_are_what_counting_one_by_one_gives(tokens: list[int], first: int, budget: int) -> None:
    rows, held = rows_within(np.array(tokens), first, budget)
    stream = [tokens[row % len(tokens)] for row in range(first, first + rows)]
    assert sum(stream) == held <= budget
    ahead = [tokens[(first + rows + step) % len(tokens)] for step in range(len(tokens))]
    assert held + sum(ahead) > budget  # no epoch more would fit
    to_next = next(step for step, amount in enumerate(ahead) if amount)
    assert held + ahead[to_next] > budget
