import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from polyculture.mixture.rates import MAX_EPOCHS, MAX_FRACTION, Supply, limited_total, scale_rates
from polyculture.mixture.selection import copies, inclusion, make_plan, mixture_order
from schemas.documents import Kind
from schemas.mixture_config import KindLimit, MixtureConfig
from schemas.plan import MixturePlan

WEB, EXPERT, SYNTHETIC = Kind.WEB, Kind.EXPERT, Kind.SYNTHETIC
SUPPLIES = [Supply("a", WEB, 1_000_000, 1.0), Supply("b", EXPERT, 100_000, 2.0), Supply("c", SYNTHETIC, 2_000_000, 0.5)]


def test_without_a_budget_rates_stand_as_asked() -> None:
    scaled = scale_rates(SUPPLIES, MixtureConfig())
    assert scaled.rates == (1.0, 2.0, 0.5)
    assert scaled.limits == (None, None, None)


def test_a_small_budget_scales_all_rates_by_one_factor() -> None:
    scaled = scale_rates(SUPPLIES, MixtureConfig(tokens=220_000))
    assert scaled.scale == pytest.approx(0.1)
    assert scaled.rates == pytest.approx((0.1, 0.2, 0.05))
    assert scaled.tokens == pytest.approx(220_000)


def test_a_large_budget_is_not_filled_by_repetition_that_nobody_allowed() -> None:
    scaled = scale_rates(SUPPLIES, MixtureConfig(tokens=10**9))
    assert scaled.rates == (1.0, 2.0, 1.0)
    assert scaled.tokens == 3_200_000
    assert MAX_EPOCHS in scaled.limits


def test_max_epochs_allows_repetition_up_to_it() -> None:
    scaled = scale_rates(SUPPLIES, MixtureConfig(tokens=10**9, max_epochs=4))
    assert scaled.rates == (4.0, 4.0, 4.0)
    assert scaled.limits[1] == MAX_EPOCHS


def test_a_kind_keeps_to_its_share_of_what_is_written() -> None:
    config = MixtureConfig(tokens=3_000_000, kinds={SYNTHETIC: KindLimit(max_fraction=0.3)})
    scaled = scale_rates(SUPPLIES, config)
    amounts = [rate * supply.tokens for rate, supply in zip(scaled.rates, SUPPLIES, strict=True)]
    assert amounts[2] / sum(amounts) == pytest.approx(0.3)
    assert scaled.limits[2] == MAX_FRACTION
    assert scaled.tokens == pytest.approx(1_200_000 / 0.7)


def test_a_kind_alone_under_a_share_gets_nothing() -> None:
    config = MixtureConfig(tokens=1000, kinds={SYNTHETIC: KindLimit(max_fraction=0.3)})
    assert scale_rates(SUPPLIES[2:], config).tokens == 0


amounts = st.floats(0, 1e6)


@given(st.tuples(amounts, amounts, amounts), st.tuples(*[st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.9, 1.0])] * 3))
def test_the_limited_total_is_the_largest_fixed_point(tokens: tuple[float, ...], shares: tuple[float, ...]) -> None:
    wanted, limits = dict(zip(Kind, tokens, strict=True)), dict(zip(Kind, shares, strict=True))
    total = sum(tokens)
    for _ in range(20_000):  # falls to the largest fixed point from above
        smaller = sum(min(wanted[kind], limits[kind] * total) for kind in Kind)
        if total - smaller <= 1e-9 * total:
            break
        total = smaller
    assert limited_total(wanted, limits) == pytest.approx(total, rel=1e-3, abs=1)


def plan_for(
    rates: list[float], seed: int, documents: int = 3_000
) -> tuple[MixturePlan, NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    generator = np.random.default_rng(seed)
    source = generator.integers(0, len(rates), documents)
    tokens = generator.integers(1, 2_000, documents)
    position = inclusion(generator.integers(0, 2**63, documents).astype(np.uint64), seed)
    supplies = [Supply(f"s{i}", WEB, int(tokens[source == i].sum()), rate) for i, rate in enumerate(rates)]
    scaled = scale_rates(supplies, MixtureConfig())
    return make_plan(supplies, scaled, (source, tokens, position), None), source, position, tokens


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 3), min_size=1, max_size=4), st.integers(0, 1000))
def test_a_plan_never_exceeds_its_targets_and_is_near_them(rates: list[float], seed: int) -> None:
    plan, source, position, tokens = plan_for(rates, seed)
    count = copies(plan, source, position)
    for number, (part, rate) in enumerate(zip(plan.sources, rates, strict=True)):
        written = int((count * tokens)[source == number].sum())
        assert written == part.tokens
        assert written <= rate * part.available_tokens + 1e-6
        assert written > rate * part.available_tokens - 2_000 or not part.available_documents


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 3), st.floats(0, 3), st.integers(0, 1000))
def test_plans_nest_a_higher_rate_only_adds_copies(one: float, other: float, seed: int) -> None:
    low, source, position, _ = plan_for([min(one, other), 1.0], seed)
    high, _, _, _ = plan_for([max(one, other), 1.0], seed)
    assert (copies(low, source, position) <= copies(high, source, position)).all()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0.2, 2.5), min_size=1, max_size=4), st.integers(0, 1000))
def test_every_prefix_of_the_mixture_holds_the_sources_evenly(rates: list[float], seed: int) -> None:
    plan, source, position, _ = plan_for(rates, seed)
    count = copies(plan, source, position)
    order = mixture_order(source, position, count, np.arange(len(source)).astype(np.uint64))
    assert np.array_equal(np.bincount(order, minlength=len(source)), count)
    total = np.bincount(source[order], minlength=len(rates))
    for cut in (len(order) // 7, len(order) // 2, len(order) - 1):
        held = np.bincount(source[order[:cut]], minlength=len(rates))
        assert np.abs(held - total * cut / len(order)).max() <= len(rates)


def test_two_copies_of_a_document_are_an_epoch_apart() -> None:
    source, position = np.zeros(10, np.int64), np.linspace(0.05, 0.95, 10)
    order = mixture_order(source, position, np.array([2] * 5 + [1] * 5), np.arange(10).astype(np.uint64))
    assert order.tolist() == [*range(10), *range(5)]
