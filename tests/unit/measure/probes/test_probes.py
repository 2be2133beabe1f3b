import numpy as np
import pytest

from polyculture.measure.probes.probes import StageCopies, choose_probes, choose_weighted_probes, split_probes


def corpus(documents: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    tokens = np.exp(generator.normal(5, 1.5, documents)).astype(np.int64)
    return tokens, generator.integers(0, 3, documents), generator.integers(0, 2**63, documents).astype(np.uint64)


@pytest.mark.parametrize("documents", [5_000, 90])
def test_weighted_probes_merge_over_partitions_nest_and_have_no_order(documents: int) -> None:
    tokens, source, ids = corpus(documents)
    generator = np.random.default_rng(2)
    whole = choose_weighted_probes(tokens, source, ids, 200, 7)
    assert np.bincount(source[whole]).tolist() == [200, 200, 200]
    order = generator.permutation(documents)
    assert (
        ids[whole].tolist()
        == ids[order][choose_weighted_probes(tokens[order], source[order], ids[order], 200, 7)].tolist()
    )
    part = generator.integers(0, 5, documents)
    chosen = [
        mine[choose_weighted_probes(tokens[mine], source[mine], ids[mine], 200, 7)]
        for mine in (np.flatnonzero(part == number) for number in range(5))
    ]
    left = np.unique(np.concatenate(chosen))
    merged = left[choose_weighted_probes(tokens[left], source[left], ids[left], 200, 7)]
    assert ids[merged].tolist() == ids[whole].tolist()
    few = choose_weighted_probes(tokens, source, ids, 40, 7)
    for number in range(3):
        assert few[source[few] == number].tolist() == whole[source[whole] == number][:40].tolist()


@pytest.mark.parametrize("probes", [3, pytest.param(40, marks=pytest.mark.long)])
def test_a_document_is_drawn_in_proportion_to_its_tokens_however_large_a_part_is_drawn(probes: int) -> None:
    tokens, ids = np.array([1, 2, 10, 0, 87]), np.arange(5, dtype=np.uint64) * np.uint64(977)
    source = np.zeros(5, np.int64)
    seeds = 4_000
    drawn = np.concatenate([choose_weighted_probes(tokens, source, ids, probes, seed) for seed in range(seeds)])
    assert len(drawn) == seeds * probes
    share = np.bincount(drawn, minlength=5) / len(drawn)
    error = np.sqrt(tokens / 100 * (1 - tokens / 100) / len(drawn))
    assert (np.abs(share - tokens / 100) <= 4 * error).all(), share


def test_probes_by_tokens_are_another_draw_than_probes_by_documents() -> None:
    _, _, ids = corpus(20_000)
    source, ones = np.zeros(20_000, np.int64), np.ones(20_000, np.int64)
    by_documents = choose_probes(StageCopies("input", ones), source, ids, 2_000, 3)
    by_tokens = choose_weighted_probes(ones, source, ids, 2_000, 3)
    assert len(np.intersect1d(by_documents, by_tokens)) == pytest.approx(
        190, abs=60
    )  # 2,000 x 1,903 / 20,000 by chance


def test_nothing_is_chosen_of_nothing() -> None:
    none = np.empty(0, np.int64)
    assert choose_weighted_probes(none, none, none.astype(np.uint64), 10, 1).tolist() == []


def test_light_probes_keep_their_order() -> None:
    light, heavy = split_probes(np.array([5, 1, 4, 1]), np.array([False, False, True, True, True, False]))
    assert (light.tolist(), heavy.tolist()) == ([5, 1, 1], [4])
