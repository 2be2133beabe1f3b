import numpy as np
import pytest
from numpy.typing import NDArray

from polyculture.encoders.encoder import from_fixed_point
from polyculture.measure.vectors.moments import second_moment
from polyculture.measure.vectors.rke import exact_rke, kernel_means, rke_from_probes, rke_from_sample
from tests.unit.encoders.made import clustered, even

REPETITIONS = 400
POPULATION = 6_000


def mean_kernel(vectors: NDArray[np.int16]) -> NDArray[np.float64]:
    """By brute force: mean of k**2 with the other documents, for each."""
    unit = from_fixed_point(vectors).astype(np.float64)
    kernel = (unit @ unit.T) ** 2
    np.fill_diagonal(kernel, 0)
    means: NDArray[np.float64] = kernel.sum(axis=1) / (len(vectors) - 1)
    return means


POPULATIONS = {
    "even": lambda: even(POPULATION, 16, seed=1),
    "clustered": lambda: clustered(POPULATION, 32, seed=2),
    "narrow": lambda: clustered(POPULATION, 32, seed=3, exponent=0.5, noise=0.1),
}


@pytest.mark.parametrize("name", sorted(POPULATIONS))
@pytest.mark.parametrize("way", ["sample", "probes"])
def test_intervals_cover_the_truth(name: str, way: str) -> None:
    vectors = POPULATIONS[name]()
    g = mean_kernel(vectors)
    truth = 1 / (1 / POPULATION + (1 - 1 / POPULATION) * float(g.mean()))
    generator = np.random.default_rng(4)
    covered, known, values = 0, 0, []
    for _ in range(REPETITIONS):
        chosen = generator.choice(POPULATION, 200, replace=False)
        found = (
            rke_from_sample(vectors[chosen], POPULATION) if way == "sample" else rke_from_probes(g[chosen], POPULATION)
        )
        covered += found.score.low <= truth <= found.score.high
        known += found.is_known
        values.append(found.mean_kernel.value)
    assert known == REPETITIONS
    assert 0.925 <= covered / REPETITIONS <= 0.985, (
        f"{covered / REPETITIONS:.3f} of the 95 % intervals hold {truth:.2f}"
    )
    assert np.mean(values) == pytest.approx(g.mean(), rel=0.02)  # unbiased


def test_the_estimate_is_the_mean_over_all_pairs() -> None:
    vectors = clustered(500, 24, seed=5)
    g = mean_kernel(vectors)
    found = rke_from_sample(vectors, 500)
    assert found.mean_kernel.value == pytest.approx(g.mean(), rel=1e-5)
    assert found.score.value == pytest.approx(exact_rke(second_moment(vectors)), rel=1e-4)
    assert found.score.low == found.score.value == found.score.high == found.naive


def test_variance_is_the_one_of_the_formula() -> None:
    vectors = clustered(200, 24, seed=6)
    unit = from_fixed_point(vectors).astype(np.float64)
    squared = ((unit @ unit.T) ** 2)[~np.eye(200, dtype=bool)].reshape(200, 199)
    variance = 4 * squared.mean(axis=1).var(ddof=1) / 200 - 2 * squared.var() / (200 * 199)
    found = rke_from_sample(vectors, 10**6).mean_kernel
    assert np.log(found.high / found.value) == pytest.approx(1.96 * variance**0.5 / found.value, rel=1e-3)


def test_kernel_means_by_moment_equal_brute_force_over_pairs() -> None:
    vectors = clustered(800, 24, seed=7)
    np.testing.assert_allclose(
        kernel_means(vectors[:100], second_moment(vectors)), mean_kernel(vectors)[:100], rtol=2e-3
    )


def test_a_tight_cluster_met_by_luck_is_not_known() -> None:
    rare = even(20_000, 400, seed=8)
    rare[:60] = rare[0]
    sample = np.concatenate([rare[:28], rare[100:572]])
    found = rke_from_sample(sample, 20_000)
    assert not found.is_known
    assert found.rows_of_half < 30
    assert rke_from_sample(rare[100:600], 20_000).is_known


def test_what_is_no_sample_is_refused() -> None:
    vectors = even(10, 8, seed=9)
    with pytest.raises(ValueError, match="3 to 5"):
        rke_from_sample(vectors, 5)
    vectors[2] = 0
    with pytest.raises(ValueError, match="not measured"):
        rke_from_sample(vectors, 50)
    with pytest.raises(ValueError, match="finite"):
        rke_from_probes(np.array([0.1, np.nan]), 50)
