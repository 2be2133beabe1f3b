"""Documents alike are those that plain arithmetic finds, and who is named depends on the two documents alone."""

import numpy as np
import pytest
from numpy.typing import NDArray

from polyculture.encoders.encoder import to_fixed_point
from polyculture.measure.vectors.alike import NOBODY, Alike, Named, find_alike

TAU, SOURCES = 0.9, 3


def made(count: int, seed: int) -> Named:
    """Documents around a few directions, some of them equal, some without an embedding."""
    generator = np.random.default_rng(seed)
    centres = generator.normal(size=(6, 24))
    vectors = centres[generator.integers(0, 6, count)] + generator.normal(0, 0.38, (count, 24))
    vectors /= np.linalg.norm(vectors, axis=1)[:, None]
    vectors[5::9] = vectors[::9][: len(vectors[5::9])]
    fixed = to_fixed_point(vectors)
    fixed[7::13] = 0
    source, hashes = generator.integers(0, SOURCES, count), generator.integers(0, 2**63, count).astype(np.uint64)
    return Named(fixed, np.arange(count), source, hashes)


def taken(documents: Named, rows: NDArray[np.int64]) -> Named:
    return Named(documents.vectors[rows], documents.number[rows], documents.source[rows], documents.hashes[rows])


def brute_force(documents: Named, rows: NDArray[np.int64]) -> list[set[int]]:
    whole = documents.vectors.astype(np.int64)
    length = np.sqrt((whole * whole).sum(axis=1).astype(float))
    found = []
    for row in rows:
        scale = np.maximum(length * length[row], 1)
        cosine = (whole @ whole[row]) / scale
        found.append({int(other) for other in np.flatnonzero(cosine >= TAU) if other != row and length[row] > 0})
    return found


def names(found: Alike) -> list[set[int]]:
    return [set(row[row != NOBODY].tolist()) for row in found.named]


@pytest.mark.parametrize("seed", [1, 2])
def test_those_alike_are_counted_by_source_and_named(seed: int) -> None:
    documents, rows = made(700, seed), np.arange(0, 700, 3)
    found = find_alike(taken(documents, rows), [documents], TAU, SOURCES, most=700)
    expected = brute_force(documents, rows)
    assert names(found) == expected
    assert max(map(len, expected)) > 20
    for counts, mine in zip(found.documents, expected, strict=True):
        assert counts.tolist() == [sum(documents.source[other] == source for other in mine) for source in range(3)]


def test_blocks_and_order_change_neither_counts_nor_names() -> None:
    documents, rows = made(600, 4), np.arange(0, 600, 2)
    probes = taken(documents, rows)
    whole = find_alike(probes, [documents], TAU, SOURCES, most=5)
    assert max(whole.documents.sum(axis=1)) > 20
    order = np.random.default_rng(0).permutation(600)
    cut = find_alike(probes, [taken(documents, part) for part in np.array_split(order, 7)], TAU, SOURCES, most=5)
    assert np.array_equal(cut.documents, whole.documents)
    assert np.array_equal(cut.named, whole.named)
    every = find_alike(probes, [documents], TAU, SOURCES, most=600)
    assert np.array_equal(every.named[:, :5], whole.named)


def test_probes_of_one_cluster_name_different_documents_of_it() -> None:
    equal = np.tile(made(1, 1).vectors, (400, 1))
    hashes = np.random.default_rng(2).integers(0, 2**63, 400).astype(np.uint64)
    documents = Named(equal, np.arange(400), np.zeros(400, np.int64), hashes)
    found = find_alike(documents, [documents], TAU, 1, most=20)
    assert (found.documents == 399).all()
    named = np.bincount(found.named.ravel(), minlength=400)
    assert named.min() > 0
    assert named.std() == pytest.approx(np.sqrt(20 * 380 / 400), rel=0.25)
