"""Published numbers of estimators from a sample, and what is wrong with them beyond it."""

import numpy as np
import pytest
from scipy import stats

from polyculture.measure.probes.metrics import trial_distinct
from polyculture.pilot import classical

CORBET = np.array([0, 118, 74, 44, 24, 29, 22, 20, 19, 20, 15, 12, 14, 6, 12, 6, 9, 9, 6, 10, 10, 11, 5, 3, 3])
GIRDLED = classical.frequency_counts(np.array([46, 22, 17, 15, 15, 9, 8, 6, 6, 4, 2, 2, 2, 2] + [1] * 12))
LOGGED = classical.frequency_counts(
    np.array([88, 22, 16, 15, 13, 10, 8, 8, 7, 7, 7, 5, 4, 4, 4, 3, 3, 3, 3, 2, 2, 2, 2] + [1] * 14)
)


def test_good_toulmin_expects_75_new_butterflies_of_corbet() -> None:
    # Fisher, Corbet & Williams 1943; Good & Toulmin 1956
    assert classical.good_toulmin(CORBET, 1) == pytest.approx(75, abs=0.5)


@pytest.mark.parametrize(
    ("f", "published"),
    [
        (GIRDLED, (168, 26, 0.9289, 43.893, 13.826, 8.175)),
        (LOGGED, (252, 37, 0.9446, 61.403, 16.337, 6.920)),
    ],
)
def test_asymptotic_estimates_are_inexts_of_its_spiders(f: classical.Frequencies, published: tuple[float, ...]) -> None:
    n, species, coverage, richness, shannon, simpson = published
    assert (classical.sample_size(f), f.sum()) == (n, species)
    assert classical.sample_coverage(f) == pytest.approx(coverage, abs=5e-5)
    assert classical.chao1(f) == pytest.approx(richness, abs=5e-4)
    assert classical.asymptotic_shannon(f) == pytest.approx(shannon, abs=5e-4)
    assert classical.asymptotic_simpson(f) == pytest.approx(simpson, abs=5e-4)


def test_the_tail_of_shannons_estimate_is_its_sum() -> None:
    for n, a in [(20, 0.3), (500, 0.01), (3_000, 0.2)]:
        terms = np.arange(n, n + 20_000)
        expected = float(((1 - a) ** (terms - n + 1.0) / terms).sum())
        assert classical._tail(n, a) == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize(
    ("tokens", "distinct", "seen"),
    [
        (1e9, 0.9975, (0.994974, 0.005008, 0.000018)),
        (10e9, 0.9756, (0.951508, 0.047331, 0.001144)),
        (100e9, 0.7885, (0.608873, 0.302822, 0.074548)),
        (350e9, 0.4737, (0.174147, 0.307120, 0.268018)),
        (1e12, 0.1988, (0.006232, 0.032470, 0.083743)),
        (20e12, 0.01, ()),
    ],
)
def test_finewebs_published_duplicate_simulation(tokens: float, distinct: float, seen: tuple[float, ...]) -> None:
    # FineWeb blog post, data/plots/duplicates-simul: samples of a pool of 20 T tokens, every document there 100 times
    fraction = tokens / 20e12
    assert float(trial_distinct(fraction)(np.array([100.0]))[0]) == pytest.approx(distinct, abs=2.5e-4)
    law = stats.binom.pmf(np.arange(100), 99, fraction)
    assert law[: len(seen)] == pytest.approx(seen, abs=2.5e-4)
    assert (law / (1 + np.arange(100))).sum() == pytest.approx(distinct, abs=2.5e-4)


def sampled(sizes: np.ndarray, n: int, seed: int) -> classical.Frequencies:
    drawn = np.random.default_rng(seed).multivariate_hypergeometric(sizes, n, method="marginals")
    return classical.frequency_counts(drawn)


def test_smoothed_good_toulmin_is_near_within_its_range() -> None:
    sizes = np.full(10_000, 20)
    f = sampled(sizes, 20_000, 1)
    more = np.mean([sampled(sizes, 60_000, seed)[1:].sum() for seed in range(5)]) - f.sum()
    assert classical.smoothed_good_toulmin(f, 2) == pytest.approx(more, rel=0.15)
    assert classical.smoothed_good_toulmin(f, 1) == classical.good_toulmin(f, 1)


def test_extrapolated_richness_runs_from_the_sample_to_chao1() -> None:
    assert classical.extrapolated_richness(GIRDLED, 168) == 26
    assert classical.extrapolated_richness(GIRDLED, 10**7) == pytest.approx(classical.chao1(GIRDLED))
    assert 26 < classical.extrapolated_richness(GIRDLED, 336) < 43.893


def test_no_estimator_from_a_small_sample_is_near_on_every_population() -> None:
    generator = np.random.default_rng(2)
    populations = [
        np.full(20, 10_000),
        np.full(20_000, 10),
        np.concatenate([np.ones(194_000, np.int64), np.full(2_000, 3)]),
        np.minimum(generator.zipf(1.6, 20_000), 4_000),
    ]
    worst = dict.fromkeys(classical.RICHNESS, 0.0)
    for sizes in populations:
        total = int(sizes.sum())
        f = sampled(sizes, total // 100, 3)
        for name, estimate in classical.RICHNESS.items():
            worst[name] = max(worst[name], abs(estimate(f, total) / len(sizes) - 1))
    assert min(worst.values()) > 0.5, worst


def test_a_sample_without_repeats_or_singles_has_estimates() -> None:
    unique, whole = classical.frequency_counts(np.ones(50, np.int64)), classical.frequency_counts(np.array([30]))
    assert classical.asymptotic_simpson(unique) == np.inf
    assert classical.chao1(unique) == pytest.approx(50 + 49 / 50 * 50 * 49 / 2)
    assert (classical.chao1(whole), classical.asymptotic_shannon(whole), classical.asymptotic_simpson(whole)) == (
        1,
        1,
        1,
    )
    assert classical.sample_coverage(whole) == 1
