import numpy as np
import pytest
from scipy import stats

from polyculture.statistics.intervals import (
    Z95,
    Interval,
    Sample,
    between,
    clopper_pearson,
    combine,
    exact,
    exp_of,
    inverse_of,
    mean_interval,
    scaled,
    share_interval,
)


def ends(interval: Interval) -> tuple[float, float, float]:
    return float(interval.value), float(interval.low), float(interval.high)


def test_several_functions_at_once_are_what_each_is_alone() -> None:
    generator = np.random.default_rng(1)
    levels, counts = np.array([1.0, 2.0, 5.0, 40.0]), generator.integers(30, 200, 4)
    columns = np.stack([1 / levels, np.log(levels), levels], axis=1)
    together = mean_interval(Sample(columns, counts, None, np.zeros(3), np.ones(3)))
    for number in range(3):
        alone = mean_interval(Sample(columns[:, number], counts, None, 0.0, 1.0))
        assert together.estimates()[number].model_dump() == pytest.approx(alone.estimate().model_dump(), rel=1e-12)


def test_units_and_levels_are_the_same_sample() -> None:
    values = np.random.default_rng(2).integers(1, 6, 400).astype(float)
    found = mean_interval(Sample.of(values, None, 1, 5))
    half = Z95 * values.std(ddof=1) / 20
    # 1 to 5 equally often is next to symmetric
    assert ends(found) == pytest.approx((values.mean(), values.mean() - half, values.mean() + half), rel=2e-3)


def test_the_rare_rule_reaches_as_far_as_what_was_not_seen_could() -> None:
    nothing = mean_interval(Sample(np.array([1.0]), np.array([2_000]), None, 0.01, 0.5))
    unseen = clopper_pearson(0, 2_000)[1]
    assert ends(nothing) == pytest.approx((1.0, 1 - unseen * 0.99, 1.0))
    some = mean_interval(Sample(np.array([0.25, 1.0]), np.array([8, 1_992]), None, 0.01, 0.5))
    least, most = clopper_pearson(8, 2_000)
    assert ends(some) == pytest.approx((0.997, 1 - most * 0.99, 1 - least * 0.5))
    assert some.low < some.value < some.high


@pytest.mark.parametrize("population", [2_000, 1_000, None])
def test_the_finite_population_is_neither_forgotten_nor_overdone(population: int | None) -> None:
    generator = np.random.default_rng(3)
    units = np.concatenate([np.full(700, 1.0), np.full(300, 4.0)]).repeat((population or 2_000) // 1_000)
    covered = covered_share = 0
    for _ in range(1_500):
        drawn = generator.choice(units, 600, replace=population is None)
        mean = mean_interval(Sample.of(drawn, population, 1, 4))
        share = share_interval(int((drawn > 1).sum()), 600, population)
        covered += bool(mean.low <= 1.9 <= mean.high)
        covered_share += bool(share.low <= 0.3 <= share.high)
    assert 0.93 < covered / 1_500 < 0.97  # without the factor 99.8 and 99.9 % of 600 in 1,000
    assert 0.93 < covered_share / 1_500 < 0.97


def test_strata_add_as_standard_errors_do_and_counted_parts_add_no_width() -> None:
    parts = [
        mean_interval(Sample(np.array([0.0, 1.0]), np.array([60, 40]), None, 0, 1)),
        mean_interval(Sample(np.array([0.0, 1.0]), np.array([150, 50]), None, 0, 1)),
        exact(1.0),
    ]
    pooled = combine(parts, [0.5, 0.3, 0.2])
    error = np.sqrt(0.25 * 0.24 / 99 + 0.09 * (0.25 * 0.75) / 199)
    assert float(pooled.value) == pytest.approx(0.5 * 0.4 + 0.3 * 0.25 + 0.2)
    assert float(pooled.high - pooled.low) == pytest.approx(2 * Z95 * error, rel=0.01)
    assert ends(combine([exact(3.0)], [1.0])) == (3.0, 3.0, 3.0)


def test_lopsided_parts_keep_their_sides() -> None:
    pooled = combine([between(0.5, 0.4, 0.8), between(0.2, 0.1, 0.2)], [1.0, 2.0])
    assert ends(pooled) == pytest.approx((0.9, 0.9 - np.hypot(0.1, 0.2), 1.2))


def test_functions_of_a_mean_have_the_functions_of_its_ends() -> None:
    mean = between(4.0, 3.0, 8.0)
    assert ends(exp_of(scaled(mean, 0.5))) == pytest.approx((np.exp(2), np.exp(1.5), np.exp(4)))
    assert ends(inverse_of(mean)) == pytest.approx((1 / 4, 1 / 8, 1 / 3))
    assert ends(mean.within(3.5, 5)) == (4, 3.5, 5)


@pytest.mark.parametrize("sign", [1, -1])
def test_means_of_skewed_values_are_covered_where_the_normal_interval_fails(sign: int) -> None:
    generator = np.random.default_rng(4)
    values = sign * np.array([1.0, 2.0, 30.0, 250.0])
    truth = float(values @ [0.6, 0.33, 0.06, 0.01])
    covered = normal = 0
    for counts in generator.multinomial(300, [0.6, 0.33, 0.06, 0.01], 4_000):
        found = mean_interval(Sample(values, counts, None, values.min(), values.max()))
        covered += bool(found.low <= truth <= found.high)
        mean = counts @ values / 300
        normal += abs(mean - truth) <= Z95 * np.sqrt((counts @ values**2 / 300 - mean**2) / 299)
    assert normal / 4_000 < 0.91
    assert 0.93 < covered / 4_000 < 0.98


def test_what_reaches_down_to_zero_has_no_inverse() -> None:
    with pytest.raises(ValueError, match="above 0"):
        inverse_of(between(0.01, 0.0, 1.0))


@pytest.mark.parametrize("n", [500, 2_000])
def test_shares_are_covered_whatever_the_share(n: int) -> None:
    hits = np.arange(n // 5)
    found = [share_interval(int(count), n, None) for count in hits]
    low, high = np.array([float(i.low) for i in found]), np.array([float(i.high) for i in found])
    for share in np.geomspace(0.1 / n, 0.1, 700):
        covers = (low <= share) & (share <= high)
        assert float(stats.binom.pmf(hits[covers], n, share).sum()) > 0.93, share


@pytest.mark.parametrize(
    "call",
    [
        lambda: mean_interval(Sample(np.empty(0), np.empty(0, np.int64), 5, 0, 1)),
        lambda: share_interval(0, 0, 5),
        lambda: combine([], []),
    ],
)
def test_nothing_measured_is_an_error_and_no_number(call) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match="at least one probe"):
        call()
