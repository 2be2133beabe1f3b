import numpy as np
import pyarrow as pa
import pytest

from polyculture.errors import ConfigError
from polyculture.mixture.plan.held_out import DistinctDocuments, choose_held_out, find_twins
from polyculture.storage.hashing import id_hash
from polyculture.text.shingles import shingle_sets

SOURCES = ("large", "small", "single")


def documents(generator: np.random.Generator, count: int = 3000) -> DistinctDocuments:
    source = np.sort(generator.choice([0, 0, 0, 0, 0, 0, 0, 0, 0, 1], count))
    source[-1] = 2
    ids = np.array([id_hash(f"{s}:{i}") for i, s in enumerate(source)], np.uint64)
    return DistinctDocuments(source, generator.integers(1, 500, count), ids, np.arange(count))


def test_each_source_gives_its_part_and_a_larger_budget_only_adds() -> None:
    found = documents(np.random.default_rng(1))
    smaller = choose_held_out(found, SOURCES, 20_000, seed=5)
    larger = choose_held_out(found, SOURCES, 40_000, seed=5)
    assert (larger | ~smaller).all()
    total = found.tokens.sum()
    for number in range(2):
        mine = found.source == number
        part = 20_000 * found.tokens[mine].sum() / total
        held = found.tokens[smaller & mine].sum()
        assert part - 500 < held <= part
    assert not larger[-1]  # the only document of its source stays in training


def test_the_choice_depends_on_ids_alone() -> None:
    found = documents(np.random.default_rng(2), 500)
    held = choose_held_out(found, SOURCES, 5_000, seed=5)
    order = np.random.default_rng(3).permutation(500)
    turned = DistinctDocuments(found.source[order], found.tokens[order], found.id_hash[order], found.group[order])
    assert (choose_held_out(turned, SOURCES, 5_000, seed=5) == held[order]).all()
    assert (choose_held_out(found, SOURCES, 5_000, seed=6) != held).any()


def test_more_than_half_is_refused() -> None:
    found = documents(np.random.default_rng(1), 100)
    with pytest.raises(ConfigError, match=r"validation\.tokens"):
        choose_held_out(found, SOURCES, int(found.tokens.sum() * 0.6), seed=5)


@pytest.mark.parametrize("threshold", [0.5, 0.8, 1.0])
def test_twins_are_those_of_brute_force(threshold: float) -> None:
    generator = np.random.default_rng(4)
    texts: list[str] = []
    for _ in range(60):  # families that lie on both sides of each threshold
        words = [f"w{generator.integers(400)}" for _ in range(int(generator.integers(3, 60)))]
        for _ in range(4):
            texts.append(" ".join(words))
            for at in generator.integers(len(words), size=int(generator.integers(0, 3))):
                words[at] = f"v{generator.integers(400)}"
    texts += ["", "..."]  # without words
    distinct, group = np.unique(texts, return_inverse=True)
    sets = shingle_sets(pa.array(distinct.tolist(), pa.large_string()))
    held = generator.random(len(texts)) < 0.2
    ids = np.arange(len(texts), dtype=np.uint64)
    found = DistinctDocuments(
        np.zeros(len(texts), np.int64), np.ones(len(texts), np.int64), ids, group.astype(np.int64)
    )

    as_sets = [set(sets.hashes[sets.offsets[g] : sets.offsets[g + 1]].tolist()) for g in group]

    def are_twins(a: int, b: int) -> bool:
        union = as_sets[a] | as_sets[b]
        return texts[a] == texts[b] or (bool(union) and len(as_sets[a] & as_sets[b]) >= threshold * len(union))

    expected = [not held[a] and any(are_twins(a, b) for b in np.flatnonzero(held)) for a in range(len(texts))]
    assert find_twins(found, held, sets, threshold).tolist() == expected
    assert 20 < sum(expected) < len(texts) - 20


def test_a_source_without_tokens_gives_nothing() -> None:
    found = documents(np.random.default_rng(1), 500)
    tokens = np.where(found.source == 1, 0, found.tokens)
    held = choose_held_out(DistinctDocuments(found.source, tokens, found.id_hash, found.group), SOURCES, 5_000, seed=5)
    assert held[found.source == 0].any()
    assert not held[found.source == 1].any()
