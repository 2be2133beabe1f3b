import numpy as np
import pytest
from numpy.typing import NDArray

from polyculture.semantic.curve import distance_exponent, nearest_neighbour_curve, sample_sizes
from polyculture.semantic.encoder import from_fixed_point, inverse_lengths, to_fixed_point
from polyculture.semantic.neighbours import (
    ALONE,
    NOT_RANKED,
    OUTSIDE,
    Block,
    Neighbours,
    Question,
    count_neighbours,
    merge,
)

QUESTION = Question(taus=(0.75, 0.9, 0.95, 1.0), sources=3, sizes=(10, 100, 900))


def unit(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    rows: NDArray[np.float32] = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return rows


def corpus(documents: int = 900, dimensions: int = 32, seed: int = 1) -> Block:
    """Clusters of several widths, with equal vectors, a row of zeros and documents that are in no sample."""
    generator = np.random.default_rng(seed)
    centres = generator.normal(size=(60, dimensions))
    noise = generator.choice([0.0, 0.1, 0.3, 1.0], size=(documents, 1)) * generator.normal(size=(documents, dimensions))
    vectors = to_fixed_point(unit(centres[generator.integers(60, size=documents)] + noise))
    vectors[5] = 0
    rank = generator.permutation(documents)
    rank[7] = NOT_RANKED
    return Block(vectors, generator.integers(3, size=documents), generator.integers(0, 4, size=(documents, 2)), rank)


def rows(block: Block, chosen: NDArray[np.int64] | slice) -> Block:
    return Block(block.vectors[chosen], block.source[chosen], block.copies[chosen], block.rank[chosen])


def brute_force(probes: Block, block: Block, question: Question) -> Neighbours:
    """Every pair by itself, in Python integers."""
    taus, sizes = question.taus, question.sizes
    multiplicity = np.zeros((len(probes.rank), question.sources, len(taus), 2), np.int64)
    pairs = np.zeros((len(probes.rank), len(sizes), len(taus)), np.int64)
    nearest = np.full((len(probes.rank), len(sizes)), ALONE)
    for x, left in enumerate(probes.vectors.astype(object)):
        for y, right in enumerate(block.vectors.astype(object)):
            scale = (left @ left) * (right @ right)
            if scale == 0:
                continue
            cosine = float(left @ right) / float(scale) ** 0.5
            hit = [cosine >= tau for tau in taus]
            multiplicity[x, block.source[y]] += np.outer(hit, block.copies[y])
            if block.rank[y] < 0 or block.rank[y] == probes.rank[x]:
                continue
            place = block.rank[y] - (probes.rank[x] < block.rank[y])
            for number, size in enumerate(sizes):
                if place < size - 1:
                    pairs[x, number] += hit
                    nearest[x, number] = max(nearest[x, number], cosine)
    return Neighbours(multiplicity, pairs, nearest)


def assert_equal(left: Neighbours, right: Neighbours) -> None:
    np.testing.assert_array_equal(left.multiplicity, right.multiplicity)
    np.testing.assert_array_equal(left.pairs, right.pairs)
    np.testing.assert_array_equal(left.nearest, right.nearest)


def test_counts_equal_brute_force_over_all_pairs() -> None:
    block = corpus()
    probes = rows(block, slice(0, 30))
    outside = Block(
        *(getattr(rows(block, slice(40, 41)), name) for name in ("vectors", "source", "copies")), np.array([OUTSIDE])
    )
    for chosen in (probes, outside):
        found = count_neighbours(chosen.vectors, chosen.rank, [block], QUESTION)
        assert_equal(found, brute_force(chosen, block, QUESTION))
    assert found.multiplicity.sum() > 0


def test_any_partition_and_order_of_the_corpus_gives_the_same_counts() -> None:
    block = corpus(documents=3_000, dimensions=256)
    probes = rows(block, slice(0, 600))
    whole = count_neighbours(probes.vectors, probes.rank, [block], QUESTION)
    for seed, parts in enumerate([1, 3, 17, 170]):
        shuffled = np.random.default_rng(seed).permutation(3_000)
        blocks = [rows(block, chosen) for chosen in np.array_split(shuffled, parts)]
        assert_equal(count_neighbours(probes.vectors, probes.rank, blocks, QUESTION), whole)
        half = len(blocks) // 2
        halves = [
            count_neighbours(probes.vectors, probes.rank, some, QUESTION) for some in (blocks[:half], blocks[half:])
        ]
        if half:
            assert_equal(merge(halves), whole)
    few = count_neighbours(probes.vectors[:7], probes.rank[:7], [block], QUESTION)
    np.testing.assert_array_equal(few.multiplicity, whole.multiplicity[:7])


def test_pairs_exactly_at_tau_are_neighbours_whatever_the_matrix_product_says() -> None:
    generator = np.random.default_rng(3)
    left = to_fixed_point(unit(generator.normal(size=(1, 256))))
    others = to_fixed_point(unit(left.astype(float) / 32767 + 0.03 * generator.normal(size=(4_000, 256))))
    dot = (others.astype(np.int64) * left.astype(np.int64)).sum(1).astype(float)
    square = lambda v: (v.astype(np.int64) ** 2).sum(1).astype(float)  # noqa: E731  # used twice, here
    cosine = dot / np.sqrt(square(left) * square(others))
    product = (left * inverse_lengths(left)[:, None]) @ (others * inverse_lengths(others)[:, None]).T
    tau = float(np.median(cosine))
    near = np.argsort(np.abs(cosine - tau))[0]
    taus = (float(cosine[near]), float(np.nextafter(cosine[near], 2)))
    block = Block(others, np.zeros(4_000, np.int64), np.ones((4_000, 1), np.int64), np.arange(4_000))
    found = count_neighbours(left, np.array([OUTSIDE]), [block], Question(taus, 1, (4_000,)))
    assert found.multiplicity[0, 0, :, 0].tolist() == [(cosine >= level).sum() for level in taus]
    assert np.abs(product[0] - cosine).max() < 272 * 2.0**-24
    assert np.abs(product[0] - cosine).max() > 0  # the product alone would decide otherwise


def test_equal_vectors_are_neighbours_at_every_tau() -> None:
    vectors = to_fixed_point(unit(np.random.default_rng(4).normal(size=(2_000, 64))))
    block = Block(vectors, np.zeros(2_000, np.int64), np.ones((2_000, 1), np.int64), np.arange(2_000))
    found = count_neighbours(vectors, block.rank, [block], Question((1.0,), 1, (2_000,)))
    assert (found.multiplicity == 1).all()
    twice = count_neighbours(vectors, block.rank, [block, block], Question((1.0,), 1, (2_000,)))
    assert (twice.multiplicity == 2).all()


def test_fixed_point_keeps_cosines() -> None:
    vectors = unit(np.random.default_rng(5).normal(size=(200, 256)))
    again = from_fixed_point(to_fixed_point(vectors)).astype(np.float64)
    exact = vectors.astype(np.float64) @ vectors.astype(np.float64).T
    assert (again @ again.T - exact).std() < 1.3e-5
    assert np.abs(again @ again.T - exact).max() < 1e-4
    with pytest.raises(ValueError, match="length 1"):
        to_fixed_point(np.array([[np.nan, 0.5]]))
    with pytest.raises(ValueError, match="length 1"):
        to_fixed_point(np.array([[2.0, 0.5]]))


@pytest.mark.parametrize("taus", [(), (0.9, 0.8), (0.0,), (1.1,), (float("nan"),)])
def test_taus_that_mean_nothing_are_refused(taus: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="taus"):
        count_neighbours(corpus(10).vectors, np.arange(10), [], Question(taus, 1, (2,)))


def evenly_spread(documents: int, species: int, seed: int) -> Block:
    """Documents in species of about equal size, far from each other."""
    generator = np.random.default_rng(seed)
    centres = to_fixed_point(unit(generator.normal(size=(species, 64))))
    chosen = generator.integers(species, size=documents)
    return Block(
        centres[chosen], np.zeros(documents, np.int64), np.ones((documents, 1), np.int64), np.arange(documents)
    )


def test_the_isotropic_extrapolation_holds_for_species_of_equal_size() -> None:
    block = evenly_spread(20_000, 15_000, seed=6)
    sizes = (2_000, 6_000, 20_000)
    found = count_neighbours(block.vectors[-2_000:], block.rank[-2_000:], [block], Question((0.9,), 1, sizes))
    for point in nearest_neighbour_curve(found, sizes, 0):
        truth = 1 - (1 - 1 / 15_000) ** (point.documents - 1)
        assert point.observed.low <= truth <= point.observed.high
        assert point.isotropic.low <= truth <= point.isotropic.high
        assert not point.alarm


def test_a_first_hundredth_that_is_unlike_the_rest_raises_the_alarm() -> None:
    varied, narrow = evenly_spread(400, 10**5, seed=7), evenly_spread(39_600, 2_000, seed=8)
    vectors = np.concatenate([varied.vectors, narrow.vectors])
    block = Block(vectors, np.zeros(40_000, np.int64), np.ones((40_000, 1), np.int64), np.arange(40_000))
    sizes = sample_sizes(40_000)
    assert sizes[0] == 400
    assert sizes[-1] == 40_000
    probes = np.random.default_rng(9).choice(40_000, 500, replace=False)
    found = count_neighbours(vectors[probes], probes, [block], Question((0.9,), 1, sizes))
    points = nearest_neighbour_curve(found, sizes, 0)
    assert points[0].observed.value == 0
    assert [point.alarm for point in points] == [False] * (len(points) - 1) + [True]


def test_the_distance_exponent_of_isotropic_data_is_two_over_the_dimension() -> None:
    vectors = to_fixed_point(unit(np.random.default_rng(10).normal(size=(20_000, 5))))
    block = Block(vectors, np.zeros(20_000, np.int64), np.ones((20_000, 1), np.int64), np.arange(20_000))
    sizes = (500, 3_000, 20_000)
    found = count_neighbours(vectors[:400], block.rank[:400], [block], Question((1.0,), 1, sizes))
    np.testing.assert_allclose(distance_exponent(found, sizes), 0.5, atol=0.1)  # 4 dimensions on the sphere of 5
