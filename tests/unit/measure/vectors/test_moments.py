import numpy as np
import pytest

from polyculture.encoders.encoder import from_fixed_point
from polyculture.measure.vectors.moments import RandomFeatures, SecondMoment, mixture_density, second_moment
from polyculture.measure.vectors.vendi import (
    entropy_gradient,
    kernel_spectrum,
    novelty,
    spectrum,
    vendi_score,
    von_neumann_entropy,
)
from tests.unit.encoders.made import clustered, even


def test_any_partition_order_and_tree_of_additions_gives_the_same_bytes() -> None:
    vectors = clustered(5_000, 32, seed=1)
    copies = np.random.default_rng(2).integers(0, 9, size=len(vectors))
    features = RandomFeatures(32, frequencies=16)
    for prepare in (lambda part: part, features.of):
        whole = second_moment(prepare(vectors), copies)
        for seed in range(20):
            generator = np.random.default_rng(seed)
            shuffled = generator.permutation(len(vectors))
            for parts in (1, 3, 17):
                cuts = np.sort(generator.integers(0, len(vectors), size=parts - 1))
                tree = [second_moment(prepare(vectors[p]), copies[p]) for p in np.split(shuffled, cuts)]
                while len(tree) > 1:
                    left, right = generator.choice(len(tree), 2, replace=False)
                    joined = tree[left] + tree[right]
                    tree = [part for number, part in enumerate(tree) if number not in (left, right)] + [joined]
                assert tree[0].sums.tobytes() == whole.sums.tobytes()
                assert tree[0].documents == whole.documents == copies.sum()


def test_the_sums_are_those_of_integers() -> None:
    vectors = even(300, 20, seed=3)
    copies = np.arange(300)
    long = vectors.astype(np.int64)
    np.testing.assert_array_equal(second_moment(vectors, copies).sums, (long * copies[:, None]).T @ long)
    extreme = np.full((70_000, 2), [32_767, -32_767], np.int16)
    assert second_moment(extreme).sums[0, 1] == -70_000 * 32_767**2
    with pytest.raises(ValueError, match="copies"):
        second_moment(vectors, copies - 1)
    with pytest.raises(ValueError, match="copies"):
        second_moment(vectors, copies + 10**5)


def test_documents_that_were_not_measured_do_not_count() -> None:
    vectors = even(10, 8, seed=4)
    vectors[3:5] = 0
    assert second_moment(vectors).documents == 8
    with pytest.raises(ValueError, match="no documents"):
        second_moment(vectors[3:5]).density()


def test_vendi_scores_of_the_published_example() -> None:
    kernel = np.array([[1, 0.9, 0], [0.9, 1, 0], [0, 0, 1]])
    assert vendi_score(kernel_spectrum(kernel)) == pytest.approx(2.1573, abs=5e-5)
    pairs = np.kron(np.eye(3), np.ones((2, 2)))
    for order in (0, 0.5, 1, 2, np.inf):
        assert vendi_score(kernel_spectrum(pairs), order) == pytest.approx(3.0)


@pytest.mark.parametrize("order", [0.5, 1, 2, np.inf])
def test_scores_from_moments_equal_those_of_the_whole_kernel(order: float) -> None:
    vectors = clustered(400, 24, seed=5)
    unit = from_fixed_point(vectors).astype(np.float64)
    kernel = unit @ unit.T
    assert vendi_score(spectrum(second_moment(vectors).density()), order) == pytest.approx(
        vendi_score(kernel_spectrum(kernel), order), rel=1e-4
    )


def test_a_doubled_corpus_is_not_more_varied() -> None:
    moment = second_moment(clustered(500, 24, seed=6))
    for order in (1, 2, np.inf):
        assert vendi_score(spectrum((moment + moment).density()), order) == vendi_score(
            spectrum(moment.density()), order
        )


def test_random_features_estimate_the_gaussian_kernel() -> None:
    vectors = clustered(200, 24, seed=7)
    unit = from_fixed_point(vectors).astype(np.float64)
    kernel = np.exp((unit @ unit.T - 1) / 0.7**2)
    features = RandomFeatures(24, bandwidth=0.7, frequencies=400).of(vectors)
    floats = features.astype(np.float64) / 32_767
    error = floats @ floats.T / 400 - kernel
    assert np.sqrt((error**2).mean()) < 1 / 800**0.5  # the standard error that the method promises
    assert np.abs(error).max() < 5 / 800**0.5  # of 20,000 pairs
    shares = spectrum(second_moment(features).density())
    for order, tolerance in ((1, 0.1), (2, 0.05)):
        assert vendi_score(shares, order) == pytest.approx(vendi_score(kernel_spectrum(kernel), order), rel=tolerance)


def test_random_features_of_a_document_do_not_depend_on_the_others() -> None:
    vectors = even(9_000, 32, seed=8)
    features = RandomFeatures(32, frequencies=16)
    np.testing.assert_array_equal(features.of(vectors)[4_321:4_324], features.of(vectors[4_321:4_324]))
    vectors[0] = 0
    assert not features.of(vectors[:1]).any()


def test_entropy_of_a_mixture_is_that_of_the_mixed_documents() -> None:
    left, right = clustered(600, 16, seed=9), even(300, 16, seed=10)
    both = second_moment(left) + second_moment(right)
    moments = [second_moment(left), second_moment(right)]
    assert von_neumann_entropy(moments, [600, 300]) == pytest.approx(
        np.log(vendi_score(spectrum(both.density()))), abs=1e-5
    )
    assert von_neumann_entropy(moments, [1, 0]) == pytest.approx(np.log(vendi_score(spectrum(moments[0].density()))))
    half = von_neumann_entropy(moments, [0.5, 0.5])
    assert half > (von_neumann_entropy(moments, [1, 0]) + von_neumann_entropy(moments, [0, 1])) / 2  # concave
    with pytest.raises(ValueError, match="weights"):
        mixture_density(moments, [-1, 2])


def test_the_gradient_is_the_slope_of_the_entropy() -> None:
    moments = [second_moment(clustered(400, 12, seed=11)), second_moment(even(400, 12, seed=12))]
    gradient = entropy_gradient(moments, [0.7, 0.3])
    ahead, behind = (von_neumann_entropy(moments, [0.7 + step, 0.3 - step]) for step in (1e-5, -1e-5))
    slope = (ahead - behind) / 2e-5
    assert gradient[0] - gradient[1] == pytest.approx(slope, rel=1e-5)


def test_novelty_is_high_where_the_mixture_is_thin() -> None:
    flat = np.zeros((1_000, 8), np.int16)
    flat[:, :2] = even(1_000, 2, seed=13)
    density = second_moment(flat).density()
    inside, outside = np.eye(8, dtype=np.int16)[[0, 5]] * np.int16(32_767)
    values = novelty(np.array([inside, outside, 0 * inside]), density)
    assert values[0] == pytest.approx(np.log(2), abs=0.1)
    assert values[1] == pytest.approx(-np.log(1e-6))
    assert values[2] == 0
    moment = second_moment(clustered(500, 16, seed=14))
    mean = novelty(clustered(500, 16, seed=14), moment.density()).mean()
    assert mean == pytest.approx(von_neumann_entropy([moment], [1]), rel=1e-4)


def test_a_moment_of_unit_vectors_has_mean_trace_one() -> None:
    moment: SecondMoment = second_moment(even(1_000, 256, seed=15))
    assert np.trace(moment.mean()) == pytest.approx(1, abs=2e-5)
