import numpy as np
import pytest
from numpy.typing import NDArray

from polyculture.encoders.encoder import from_fixed_point
from polyculture.encoders.self_check import Fitness, check_languages
from polyculture.measure.vectors.cells import cell_of, fit_cells
from polyculture.measure.vectors.coverage import Points, ReferenceSplit, reference_coverage
from schemas.numbers import Estimate
from tests.unit.encoders.made import clustered, even, fixed


def points(vectors: NDArray[np.int16], seed: int) -> Points:
    hashes = np.random.default_rng(seed).integers(2**63, size=len(vectors), dtype=np.uint64)
    return Points(vectors, hashes)


def brute_force(reference: Points, corpus: Points, k: int) -> tuple[float, float]:
    """Coverage and its ceiling, point by point."""
    r = from_fixed_point(reference.vectors[np.argsort(reference.id_hash)]).astype(float)
    c = from_fixed_point(corpus.vectors[np.argsort(corpus.id_hash)]).astype(float)
    n = min(len(r) // 2, len(c))
    a, b, c = r[: 2 * n : 2], r[1 : 2 * n : 2], c[:n]
    hits, top = 0, 0
    for number, point in enumerate(a):
        distance = np.linalg.norm(a - point, axis=1)
        radius = np.sort(np.delete(distance, number))[k - 1] + 1e-7
        hits += (np.linalg.norm(c - point, axis=1) <= radius).any()
        top += (np.linalg.norm(b - point, axis=1) <= radius).any()
    return hits / n, top / n


def test_coverage_equals_brute_force_and_the_ceiling_stands_beside_it() -> None:
    reference, corpus = points(clustered(600, 24, seed=1), 2), points(clustered(400, 24, seed=3), 4)
    found = reference_coverage(reference, corpus)
    share, ceiling = brute_force(reference, corpus, 5)
    assert (found.coverage.share.value, found.coverage.ceiling.value) == pytest.approx((share, ceiling))
    assert found.coverage.relative.value == pytest.approx(share / ceiling)
    assert (found.points, found.own) == (300, 0)
    assert ceiling > 0.9


def test_a_corpus_like_the_reference_reaches_the_ceiling_and_one_without_the_tail_does_not() -> None:
    everything = clustered(8_000, 24, seed=5, exponent=0.9, noise=0.2)
    reference = points(everything[:2_000], 6)
    like = reference_coverage(reference, points(everything[2_000:4_000], 7))
    assert like.coverage.relative.low < 1 < like.coverage.relative.high
    assert like.rare_cell_recall.relative.value > 0.9
    centre = from_fixed_point(everything[:2_000]).astype(float)
    rest = from_fixed_point(everything[4_000:]).astype(float)
    crowded = ((rest @ centre.T) > 0.8).sum(axis=1)
    head = everything[4_000:][np.argsort(-crowded)[:1_500]]  # the fuller half: the tail is gone
    narrow = reference_coverage(reference, points(head, 8))
    assert narrow.coverage.relative.high < 0.9
    assert narrow.rare_cell_recall.relative.value < 0.8


def test_documents_of_the_reference_are_not_corpus_points() -> None:
    reference = points(even(300, 16, seed=9), 10)
    far = np.zeros((400, 16), np.int16)
    far[:, 0] = 32_767
    mixed = Points(
        np.concatenate([far, reference.vectors]), np.concatenate([points(far, 11).id_hash, reference.id_hash])
    )
    found = reference_coverage(reference, mixed)
    assert found.own == 300
    assert found.coverage.share.value < 0.1
    with pytest.raises(ValueError, match="coverage needs 100 documents"):
        reference_coverage(reference, reference)


def test_order_and_surplus_of_the_corpus_change_nothing() -> None:
    reference, corpus = points(clustered(500, 24, seed=12), 13), points(clustered(2_000, 24, seed=14), 15)
    whole = reference_coverage(reference, corpus)
    smallest = np.argsort(corpus.id_hash)[:250][::-1]
    assert reference_coverage(reference, Points(corpus.vectors[smallest], corpus.id_hash[smallest])) == whole
    shuffled = np.random.default_rng(16).permutation(500)
    assert reference_coverage(Points(reference.vectors[shuffled], reference.id_hash[shuffled]), corpus) == whole


def test_the_intervals_of_relative_coverage_hold_one_under_equal_distributions() -> None:
    held = np.zeros(2)
    for seed in range(200):
        everything = clustered(450, 16, seed=seed + 100)
        found = reference_coverage(points(everything[:300], seed), points(everything[300:], seed + 1))
        held += [part.relative.low <= 1 <= part.relative.high for part in (found.coverage, found.rare_cell_recall)]
    assert (held / 200 >= 0.93).all(), f"{held / 200} of the 95 % intervals hold 1"


def test_cells_are_those_of_the_clusters_that_made_the_data() -> None:
    generator = np.random.default_rng(17)
    truth = generator.integers(6, size=600)
    centres = np.linalg.qr(generator.normal(size=(12, 6)))[0].T
    unit = from_fixed_point(fixed(centres[truth] + 0.1 * generator.normal(size=(600, 12))))
    found = cell_of(unit, fit_cells(unit, 6))
    assert len({(a, b) for a, b in zip(found.tolist(), truth.tolist(), strict=True)}) == 6
    assert fit_cells(np.tile(unit[:1], (50, 1)), 4).shape == (1, 12)
    np.testing.assert_array_equal(fit_cells(unit, 6), fit_cells(unit, 6))


def test_the_self_check_finds_the_language_whose_documents_all_look_alike() -> None:
    generator = np.random.default_rng(18)
    alike = fixed(np.eye(32)[0] * 3 + generator.normal(size=(300, 32)) / 32**0.5)
    vectors = np.concatenate([even(300, 64, seed=19)[:, :32], alike, even(300, 32, seed=20), even(40, 32, seed=21)])
    vectors[:300] = even(300, 32, seed=19)
    languages = ["en"] * 300 + ["th"] * 300 + ["de"] * 300 + ["xx"] * 40
    source = np.concatenate([np.arange(600) % 2, np.zeros(300, np.int64), np.arange(40) % 2])
    found = {check.language: check for check in check_languages(vectors, languages, source, 0.9)}
    assert found["en"].fitness == Fitness.FIT
    assert found["th"].fitness == Fitness.UNFIT
    assert found["de"].fitness == Fitness.FIT  # by pairs within its one source
    assert found["xx"].fitness == Fitness.UNCHECKED
    assert (found["de"].pairs, found["xx"].pairs) == (300 * 299 // 2, 2 * 20 * 19 // 2)
    unit = from_fixed_point(vectors[:300]).astype(float)
    crossing = (unit[0::2] @ unit[1::2].T).ravel()
    assert found["en"].quantile == pytest.approx(np.quantile(crossing, 0.999), abs=1e-5)
    assert found["en"].pairs == 150 * 150


def test_one_source_made_from_another_does_not_make_their_language_unfit() -> None:
    generator = np.random.default_rng(22)
    seeds = even(20, 32, seed=23)
    made = [seeds[generator.integers(20, size=200)] for _ in range(2)]  # a twentieth of their pairs are the same
    vectors, source = np.concatenate([*made, even(400, 32, seed=24)]), np.repeat(np.arange(4), 200)
    assert check_languages(vectors[:400], ["en"] * 400, source[:400], 0.9)[0].fitness is Fitness.UNFIT  # cannot tell
    assert check_languages(vectors, ["en"] * 800, source, 0.9)[0].fitness is Fitness.FIT


def density(reference: Points, *parts: NDArray[np.int16]) -> Estimate:
    """Relative coverage by density of a corpus that is read in parts."""
    blocks = [(part, np.ones((len(part), 1), np.bool_)) for part in parts]
    return ReferenceSplit(reference).density(blocks, 1)[0].relative


def test_coverage_by_density_equals_brute_force() -> None:
    reference, corpus = points(clustered(600, 24, seed=1), 2), clustered(500, 24, seed=3)
    r = from_fixed_point(reference.vectors[np.argsort(reference.id_hash)]).astype(float)
    a, b, c = r[::2], r[1::2], from_fixed_point(corpus).astype(float)
    hits = top = 0
    for number, point in enumerate(a):
        radius = np.sort(np.linalg.norm(np.delete(a, number, axis=0) - point, axis=1))[4] + 1e-7
        theirs = (np.linalg.norm(b - point, axis=1) <= radius).sum()
        hits += (np.linalg.norm(c - point, axis=1) <= radius).sum() >= max(1, theirs / 4)
        top += theirs >= 1
    found = ReferenceSplit(reference).density([(corpus, np.ones((500, 2), np.bool_))], 2)
    assert [part.relative.value for part in found] == pytest.approx([hits / top] * 2)
    assert found[0].ceiling.value == pytest.approx(top / len(a))


def test_what_a_corpus_holds_beside_never_lowers_its_coverage_by_density() -> None:
    everything = clustered(4_000, 24, seed=5, exponent=0.9, noise=0.2)
    reference, like = points(everything[:1_000], 6), everything[1_000:2_000]
    alone = density(reference, like)
    assert alone.value > 0.95
    with_others = density(reference, like, even(20_000, 24, seed=11))
    assert with_others.value >= alone.value
    assert density(reference, np.concatenate([like, even(2_000, 24, seed=11)])).value >= alone.value
    assert density(reference, like[:40]).high < 0.9
    assert density(reference, np.zeros((100, 24), np.int16)).value == 0
