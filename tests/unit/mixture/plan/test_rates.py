"""Rates under a budget and limits: as asked where nothing holds them, the nearest to it where something does."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from polyculture.errors import ConfigError
from polyculture.mixture.plan.rates import MAX_EPOCHS, MAX_FRACTION, MIN_FRACTION, Supply, scale_rates
from schemas.documents import Kind
from schemas.mixture_config import KindLimit

WEB, EXPERT, SYNTHETIC = Kind.WEB, Kind.EXPERT, Kind.SYNTHETIC


def supplies(most: float | None = None, **limits: tuple[float, float]) -> list[Supply]:
    """Three sources; without `most`, epochs at most as without max_epochs in a configuration."""
    found = [("a", WEB, 1_000_000, 1.0), ("b", EXPERT, 100_000, 2.0), ("c", SYNTHETIC, 2_000_000, 0.5)]
    return [Supply(*row, most or max(1.0, row[3]), *limits.get(row[0], (0.0, 1.0))) for row in found]


def test_without_a_budget_rates_stand_as_asked() -> None:
    scaled = scale_rates(supplies(), {}, None)
    assert scaled.rates == (1.0, 2.0, 0.5)
    assert scaled.scale == 1.0
    assert scaled.limits == (None, None, None)


def test_a_small_budget_scales_all_rates_by_one_factor() -> None:
    scaled = scale_rates(supplies(), {}, 220_000)
    assert scaled.scale == pytest.approx(0.1)
    assert scaled.rates == pytest.approx((0.1, 0.2, 0.05))
    assert scaled.tokens == pytest.approx(220_000)


def test_a_large_budget_is_not_filled_by_repetition_that_nobody_allowed() -> None:
    scaled = scale_rates(supplies(), {}, 10**9)
    assert scaled.rates == (1.0, 2.0, 1.0)
    assert scaled.tokens == 3_200_000
    assert MAX_EPOCHS in scaled.limits


def test_max_epochs_allows_repetition_up_to_it() -> None:
    scaled = scale_rates(supplies(4.0), {}, 10**9)
    assert scaled.rates == (4.0, 4.0, 4.0)
    assert scaled.limits[1] == MAX_EPOCHS


def test_a_kind_keeps_to_its_share_of_what_is_written() -> None:
    found = supplies()
    scaled = scale_rates(found, {SYNTHETIC: KindLimit(max_fraction=0.3)}, 3_000_000)
    amounts = [rate * supply.tokens for rate, supply in zip(scaled.rates, found, strict=True)]
    assert amounts[2] / sum(amounts) == pytest.approx(0.3)
    assert scaled.limits[2] == f"{MAX_FRACTION} of synthetic"
    assert scaled.tokens == pytest.approx(1_200_000 / 0.7)


def test_a_floor_is_kept_and_the_others_share_one_factor() -> None:
    found = supplies(b=(0.2, 1.0))
    scaled = scale_rates(found, {}, 500_000)
    assert scaled.rates[1] * 100_000 == pytest.approx(100_000)
    assert scaled.rates[0] / scaled.rates[2] == pytest.approx(2)
    assert scaled.limits == (None, MIN_FRACTION, None)


def test_a_floor_that_supply_cannot_keep_makes_the_mixture_smaller_and_says_why() -> None:
    scaled = scale_rates(supplies(b=(0.5, 1.0)), {}, 10**9)
    assert scaled.tokens == pytest.approx(400_000)  # 2 epochs of b are half of it
    assert scaled.limits[1] == MAX_EPOCHS
    assert scaled.rates[1] == 2.0


share = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.8, 1.0])


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(Kind)), st.integers(1, 10**6), st.floats(0.05, 4), st.floats(0.05, 8), share, share
        ),
        min_size=1,
        max_size=5,
    ),
    st.dictionaries(st.sampled_from(list(Kind)), st.tuples(share, share), max_size=3),
    st.integers(1, 10**7),
)
def test_the_total_is_that_of_a_linear_program_and_every_limit_is_kept(
    rows: list[tuple[Kind, int, float, float, float, float]], kinds: dict[Kind, tuple[float, float]], budget: int
) -> None:
    found = [Supply(f"s{n}", k, u, r, e, min(a, b), max(a, b)) for n, (k, u, r, e, a, b) in enumerate(rows)]
    limits = {kind: KindLimit(min_fraction=min(bounds), max_fraction=max(bounds)) for kind, bounds in kinds.items()}
    matrix = [
        np.eye(len(found))[n] * sign - bound * sign
        for n, s in enumerate(found)
        for sign, bound in ((1, s.max_fraction), (-1, s.min_fraction))
    ]
    for kind, limit in limits.items():
        mine = np.array([s.kind is kind for s in found], float)
        matrix += [mine - limit.max_fraction, limit.min_fraction - mine]
    matrix.append(np.ones(len(found)))
    right = np.append(np.zeros(len(matrix) - 1), budget)
    caps = [(0, s.max_epochs * s.tokens) for s in found]
    best = optimize.linprog(-np.ones(len(found)), A_ub=np.array(matrix), b_ub=right, bounds=caps, method="highs")
    most = -best.fun
    if most < 1e-6:
        with pytest.raises(ConfigError, match="no mixture keeps within these limits together"):
            scale_rates(found, limits, budget)
        return
    scaled = scale_rates(found, limits, budget)
    amounts = np.array([rate * s.tokens for rate, s in zip(scaled.rates, found, strict=True)])
    assert scaled.tokens == pytest.approx(most, rel=1e-6)
    assert (np.array(matrix) @ amounts <= right + 1e-6 * most).all()
    assert all(rate <= s.max_epochs for rate, s in zip(scaled.rates, found, strict=True))
    free = [rate / s.rate for rate, s, limit in zip(scaled.rates, found, scaled.limits, strict=True) if limit is None]
    assert free == pytest.approx([scaled.scale] * len(free), rel=1e-6)


@pytest.mark.parametrize(
    ("limits", "kinds", "words"),
    [
        ({}, dict.fromkeys(Kind, KindLimit(max_fraction=0.3)), "kind web: max_fraction 0.3; kind expert: max_"),
        ({"a": (0.7, 1.0), "b": (0.5, 1.0)}, {}, "a: min_fraction 0.7; b: min_fraction 0.5"),
        ({"a": (0.7, 1.0)}, {WEB: KindLimit(max_fraction=0.5)}, "kind web: max_fraction 0.5; a: min_fraction 0.7"),
        ({"c": (0.0, 0.2)}, {SYNTHETIC: KindLimit(min_fraction=0.4)}, "min_fraction 0.4; c: max_fraction 0.2"),
    ],
)  # fmt: skip
def test_limits_that_contradict_each_other_are_named(
    limits: dict[str, tuple[float, float]], kinds: dict[Kind, KindLimit], words: str
) -> None:
    with pytest.raises(ConfigError) as error:
        scale_rates(supplies(**limits), kinds, 1000)
    assert words in str(error.value)


def test_a_floor_of_a_source_at_rate_0_or_a_mixture_without_rates_is_refused() -> None:
    nothing = [Supply("a", WEB, 100, 1.0, 1.0), Supply("b", WEB, 100, 0.0, 1.0, 0.1, 1.0)]
    with pytest.raises(ConfigError, match=r"b: min_fraction 0\.1, but it has nothing to give or a rate of 0"):
        scale_rates(nothing, {}, 10)
    with pytest.raises(ConfigError, match="would be empty"):
        scale_rates([Supply("a", WEB, 10, 0.0, 1.0)], {}, 10)


def test_sources_without_any_document_give_an_empty_mixture_for_the_gate_to_judge() -> None:
    found = scale_rates([Supply("a", WEB, 0, 1.0, 1.0, 0.1, 1.0), Supply("b", WEB, 0, 1.0, 2.0)], {}, 10)
    assert found.tokens == 0
