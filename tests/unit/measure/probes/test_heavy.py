from collections import Counter

import numpy as np
import pytest

from polyculture.measure.probes.heavy import Documents, heavy_species
from polyculture.measure.probes.probe_matrix import Weighting


def corpus(seed: int, documents: int = 30_000) -> tuple[np.ndarray, Documents]:
    generator = np.random.default_rng(seed)
    species = np.minimum(generator.zipf(1.5, documents), 20_000) * 7 - 3  # neither dense nor ordered
    return species, Documents(
        source=generator.integers(0, 3, documents),
        copies=generator.integers(0, 3, documents),
        tokens=generator.integers(1, 500, documents),
        id_hash=generator.integers(0, 2**63, documents).astype(np.uint64),
        sources=3,
    )


def test_heavy_species_are_those_that_counting_one_by_one_finds() -> None:
    species, documents = corpus(1)
    found = heavy_species(species, documents)
    sizes: Counter[int] = Counter()
    for number, copies in zip(species.tolist(), documents.copies.tolist(), strict=True):
        sizes[number] += copies
    limit = sum(sizes.values()) / 10_000
    assert set(found.species.tolist()) == {number for number, size in sizes.items() if size > limit}
    assert 50 < len(found.species) < len(sizes)
    for row, number in enumerate(found.species.tolist()):
        mine = (species == number) & (documents.copies > 0)
        for source in range(3):
            here = mine & (documents.source == source)
            assert found.documents[row, source] == documents.copies[here].sum()
            assert found.tokens[row, source] == (documents.copies * documents.tokens)[here].sum()
        members = np.flatnonzero(mine)
        assert found.example[row] == members[np.argmin(documents.id_hash[members])]
    assert (np.diff(found.documents.sum(axis=1)) <= 0).all()


def test_heavy_species_do_not_depend_on_the_order_of_documents() -> None:
    species, documents = corpus(2)
    order = np.random.default_rng(3).permutation(len(species))
    shuffled = Documents(
        documents.source[order], documents.copies[order], documents.tokens[order], documents.id_hash[order], 3
    )
    one, other = heavy_species(species, documents), heavy_species(species[order], shuffled)
    assert one.species.tolist() == other.species.tolist()
    assert one.example.tolist() == order[other.example].tolist()
    assert (one.documents == other.documents).all()
    assert (one.tokens == other.tokens).all()


@pytest.mark.parametrize("weighting", Weighting)
def test_a_source_is_its_heavy_species_and_the_rest(weighting: Weighting) -> None:
    species, documents = corpus(4)
    found = heavy_species(species, documents)
    is_heavy = found.has(species)
    for source in range(3):
        probes = found.source_probes(source, np.ones((5, 3), np.int64), weighting)
        mine = documents.source == source
        weight = documents.copies * (documents.tokens if weighting is Weighting.TOKENS else 1)
        (heavy,), (light,) = probes.counted, probes.sampled
        assert light.share == pytest.approx(weight[mine & ~is_heavy].sum() / weight[mine].sum())
        assert heavy.population == documents.copies[mine & is_heavy].sum()
        assert light.population == documents.copies[mine & ~is_heavy].sum()
        assert (heavy.rows[:, source] > 0).all()


def test_a_corpus_of_unique_documents_and_an_empty_one_have_no_heavy_species() -> None:
    ones = np.ones(20_000, np.int64)
    unique = heavy_species(np.arange(20_000), Documents(ones * 0, ones, ones, ones.astype(np.uint64), 2))
    assert len(unique.species) == 0
    assert unique.totals[0].tolist() == [20_000, 0]
    none = heavy_species(ones[:0], Documents(ones[:0], ones[:0], ones[:0], ones[:0].astype(np.uint64), 2))
    assert (len(none.species), none.documents.shape, none.above) == (0, (0, 2), 0.0)


def test_a_small_corpus_is_counted_whole() -> None:
    ones = np.ones(6, np.int64)
    small = heavy_species(
        np.array([4, 4, 4, 9, 9, 5]), Documents(ones * 0, ones, ones, np.arange(6).astype(np.uint64), 1)
    )
    assert small.species.tolist() == [4, 9, 5]
    assert not small.source_probes(0, np.empty((0, 1), np.int64), Weighting.DOCUMENTS).sampled
