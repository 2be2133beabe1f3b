import numpy as np
import pytest
from numpy.typing import NDArray

from polyculture.encoders.encoder import from_fixed_point, inverse_lengths, to_fixed_point
from polyculture.measure.vectors.curve import (
    FRACTIONS,
    CurvePoint,
    CurveStratum,
    distance_exponent,
    nearest_neighbour_curve,
    nested_samples,
)
from polyculture.measure.vectors.neighbours import (
    ALONE,
    OUTSIDE,
    Block,
    Neighbours,
    Probes,
    Question,
    count_neighbours,
    merge,
)

KINDS = (0, 1, 0)
QUESTION = Question(taus=(0.75, 0.9, 0.95, 1.0), kinds=KINDS, samples=3)


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
    sample = generator.choice(4, size=documents, p=(0.1, 0.3, 0.5, 0.1))
    copies = generator.integers(0, 4, size=(documents, 2)) * (generator.random((documents, 2)) < 0.8)
    return Block(vectors, generator.integers(3, size=documents), copies, np.arange(documents), sample)


def one_source(vectors: NDArray[np.int16], samples: NDArray[np.int64] | int = 0) -> Block:
    n = len(vectors)
    sample = np.full(n, samples) if isinstance(samples, int) else samples
    return Block(vectors, np.zeros(n, np.int64), np.ones((n, 1), np.int64), np.arange(n), sample)


def rows(block: Block, chosen: NDArray[np.int64] | slice) -> Block:
    names = ("vectors", "source", "copies", "number", "sample")
    return Block(*(getattr(block, name)[chosen] for name in names))


def probes_of(block: Block, chosen: NDArray[np.int64] | slice) -> Probes:
    return Probes(block.vectors[chosen], block.number[chosen], block.source[chosen])


def brute_force(probes: Probes, block: Block, question: Question) -> Neighbours:
    """Every pair by itself, in Python integers."""
    taus, samples, stages = question.taus, question.samples, block.copies.shape[1]
    multiplicity = np.zeros((len(probes.number), len(question.kinds), len(taus), stages), np.int64)
    pairs = np.zeros((len(probes.number), 3, samples, len(taus), stages), np.int32)
    nearest = np.full((len(probes.number), 3, samples, stages), ALONE)
    for x, left in enumerate(probes.vectors.astype(object)):
        for y, right in enumerate(block.vectors.astype(object)):
            scale = (left @ left) * (right @ right)
            if scale == 0:
                continue
            cosine = float(left @ right) / float(scale) ** 0.5
            hit = [cosine >= tau for tau in taus]
            multiplicity[x, block.source[y]] += np.outer(hit, block.copies[y])
            if block.number[y] == probes.number[x]:
                continue
            mine, its = probes.source[x], block.source[y]
            inside = (mine == its, question.kinds[mine] == question.kinds[its], True)
            for stage in range(stages):
                for ring in range(3):
                    for sample in range(block.sample[y], samples):
                        if inside[ring] and block.copies[y, stage]:
                            pairs[x, ring, sample, :, stage] += hit
                            nearest[x, ring, sample, stage] = max(nearest[x, ring, sample, stage], cosine)
    return Neighbours(multiplicity, pairs, nearest)


def assert_equal(left: Neighbours, right: Neighbours) -> None:
    np.testing.assert_array_equal(left.multiplicity, right.multiplicity)
    np.testing.assert_array_equal(left.pairs, right.pairs)
    np.testing.assert_array_equal(left.nearest, right.nearest)


def test_counts_equal_brute_force_over_all_pairs() -> None:
    block = corpus()
    outside = Probes(block.vectors[40:41], np.array([OUTSIDE]), np.array([1]))
    for chosen in (probes_of(block, slice(0, 30)), outside):
        found = count_neighbours(chosen, [block], QUESTION)
        assert_equal(found, brute_force(chosen, block, QUESTION))
    assert found.multiplicity.sum() > 0
    assert found.pairs.sum() > 0


def test_any_partition_and_order_of_the_corpus_gives_the_same_counts() -> None:
    block = corpus(documents=3_000, dimensions=256)
    probes = probes_of(block, slice(0, 600))
    whole = count_neighbours(probes, [block], QUESTION)
    for seed, parts in enumerate([1, 3, 17, 170]):
        shuffled = np.random.default_rng(seed).permutation(3_000)
        blocks = [rows(block, chosen) for chosen in np.array_split(shuffled, parts)]
        assert_equal(count_neighbours(probes, blocks, QUESTION), whole)
        half = len(blocks) // 2
        halves = [count_neighbours(probes, some, QUESTION) for some in (blocks[:half], blocks[half:])]
        if half:
            assert_equal(merge(halves), whole)
    few = count_neighbours(probes_of(block, slice(0, 7)), [block], QUESTION)
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
    alone = Probes(left, np.array([OUTSIDE]), np.array([0]))
    found = count_neighbours(alone, [one_source(others)], Question(taus, (0,), 1))
    assert found.multiplicity[0, 0, :, 0].tolist() == [(cosine >= level).sum() for level in taus]
    assert np.abs(product[0] - cosine).max() < 272 * 2.0**-24
    assert np.abs(product[0] - cosine).max() > 0  # the product alone would decide otherwise


def test_equal_vectors_are_neighbours_at_every_tau() -> None:
    block = one_source(to_fixed_point(unit(np.random.default_rng(4).normal(size=(2_000, 64)))))
    probes, question = probes_of(block, slice(None)), Question((1.0,), (0,), 1)
    assert (count_neighbours(probes, [block], question).multiplicity == 1).all()
    assert (count_neighbours(probes, [block, block], question).multiplicity == 2).all()


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
        count_neighbours(probes_of(corpus(10), slice(None)), [], Question(taus, (0,), 1))


def curve(block: Block, probed: NDArray[np.int64], sample: NDArray[np.int64]) -> list[CurvePoint]:
    """The curve of one source whose documents are in these samples."""
    nested = Block(block.vectors, block.source, block.copies, block.number, sample)
    found = count_neighbours(probes_of(nested, probed), [nested], Question((0.9,), (0,), len(FRACTIONS)))
    stratum = CurveStratum(found.pairs[:, 0, :, 0, 0].astype(np.int64), found.nearest[:, 0, :, 0], 1.0)
    sizes = np.cumsum(np.bincount(sample, minlength=len(FRACTIONS)))
    return nearest_neighbour_curve([stratum], sizes.tolist())


def evenly_spread(documents: int, species: int, seed: int) -> Block:
    """Documents in species of about equal size, far from each other."""
    generator = np.random.default_rng(seed)
    centres = to_fixed_point(unit(generator.normal(size=(species, 64))))
    return one_source(centres[generator.integers(species, size=documents)])


def hashed(documents: int, seed: int) -> NDArray[np.int64]:
    return nested_samples(np.random.default_rng(seed).integers(2**63, size=documents).astype(np.uint64), 1)


def test_samples_are_nested_and_of_their_fractions() -> None:
    sizes = np.cumsum(np.bincount(hashed(200_000, 1), minlength=len(FRACTIONS)))
    np.testing.assert_allclose(sizes / 200_000, FRACTIONS, rtol=0.2)
    assert sizes[-1] == 200_000


def test_the_isotropic_extrapolation_holds_for_species_of_equal_size() -> None:
    block = evenly_spread(20_000, 15_000, seed=6)
    points = curve(block, np.arange(18_000, 20_000), hashed(20_000, 6))
    assert points[-1].documents == 20_000
    for point in points:
        truth = 1 - (1 - 1 / 15_000) ** (point.documents - 1)
        assert point.observed.low <= truth <= point.observed.high
        assert point.isotropic is not None
        assert point.isotropic.low <= truth <= point.isotropic.high
        assert not point.alarm


def test_a_first_hundredth_that_is_unlike_the_rest_raises_the_alarm() -> None:
    varied, narrow = evenly_spread(400, 10**5, seed=7), evenly_spread(39_600, 2_000, seed=8)
    block = one_source(np.concatenate([varied.vectors, narrow.vectors]))
    sample = np.searchsorted(np.array(FRACTIONS) * 40_000, np.arange(40_000), side="right")
    points = curve(block, np.random.default_rng(9).choice(40_000, 500, replace=False), sample)
    assert points[0].observed.value == 0
    assert [point.alarm for point in points] == [False] * (len(points) - 1) + [True]
    shuffled = curve(block, np.random.default_rng(9).choice(40_000, 500, replace=False), hashed(40_000, 9))
    assert not any(point.alarm for point in shuffled)


def test_the_distance_exponent_of_isotropic_data_is_two_over_the_dimension() -> None:
    vectors = to_fixed_point(unit(np.random.default_rng(10).normal(size=(20_000, 5))))
    sizes = (500, 3_000, 20_000)
    block = one_source(vectors, np.searchsorted(sizes, np.arange(20_000), side="right"))
    found = count_neighbours(probes_of(block, slice(0, 400)), [block], Question((1.0,), (0,), 3))
    np.testing.assert_allclose(distance_exponent(found.nearest[:, 0, :, 0], sizes), 0.5, atol=0.1)  # a sphere of 5
