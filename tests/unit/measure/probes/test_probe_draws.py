"""Probes that are drawn by a limit are those of a full sort, and shared keys are those that two groups have."""

import numpy as np
import pytest
from numpy.typing import NDArray

from polyculture.measure.lenses.near_keys import count_candidates, find_key, is_shared, probe_keys, shared_bands
from polyculture.measure.probes.probes import StageCopies, choose_probes, choose_weighted_probes
from polyculture.storage.hashing import Stream, seeded_hash, unit_interval

SEED = 7


def by_sorting(copies: NDArray[np.int64], id_hash: NDArray[np.uint64], probes: int) -> NDArray[np.int64]:
    """The occurrences of one source with the smallest hashes."""
    document = np.repeat(np.arange(len(copies)), copies)
    copy = np.concatenate([np.arange(count, dtype=np.uint64) for count in copies])
    return document[np.argsort(seeded_hash(id_hash[document], SEED, Stream.PROBE, copy), kind="stable")[:probes]]


def by_arrival(weight: NDArray[np.int64], id_hash: NDArray[np.uint64], probes: int) -> NDArray[np.int64]:
    """The documents of one source whose arrivals are earliest, of as many arrivals of each as there are probes."""
    there = np.flatnonzero(weight)
    salts = np.tile(np.arange(probes, dtype=np.uint64), len(there))
    uniform = unit_interval(seeded_hash(np.repeat(id_hash[there], probes), SEED, Stream.TOKEN_PROBE, salts))
    times = np.cumsum(-np.log1p(-uniform.reshape(len(there), probes)) / weight[there, None], axis=1)
    return np.repeat(there, probes)[np.argsort(times.ravel(), kind="stable")[:probes]]


@pytest.mark.parametrize("probes", [3, 60, 400])
def test_probes_are_the_lowest_of_each_source(probes: int) -> None:
    generator = np.random.default_rng(probes)
    source = generator.permutation(np.repeat([0, 2, 3], [300, 40, 1]))  # there is no source 1
    id_hash = generator.integers(0, 2**64, len(source), np.uint64)
    copies, tokens = generator.integers(0, 4, len(source)), generator.integers(0, 300, len(source))
    copies[source == 3], tokens[source == 3] = 1, 5
    uniform = choose_probes(StageCopies("input", copies), source, id_hash, probes, SEED)
    weighted = choose_weighted_probes(copies * tokens, source, id_hash, probes, SEED)
    mine = [np.flatnonzero(source == number) for number in (0, 2, 3)]
    expected = [rows[by_sorting(copies[rows], id_hash[rows], probes)] for rows in mine]
    assert np.array_equal(uniform, np.concatenate(expected))
    expected = [rows[by_arrival((copies * tokens)[rows], id_hash[rows], probes)] for rows in mine]
    assert np.array_equal(weighted, np.concatenate(expected))
    assert len(weighted) == 3 * probes


def test_keys_that_two_groups_have_are_found_and_few_others() -> None:
    generator = np.random.default_rng(2)
    keys = generator.integers(0, 2**64, (3_000, 20), np.uint64)
    keys[1_000:1_400, 3:11] = keys[:400, 3:11]
    has_words = np.ones(len(keys), np.bool_)
    has_words[:50] = False
    shared = shared_bands(keys, has_words, threads=2)
    flags = np.array([[is_shared(shared, group, band) for band in range(20)] for group in range(len(keys))])
    assert flags[50:400, 3:11].all()
    assert flags[1_050:1_400, 3:11].all()
    assert not flags[:50].any()
    assert flags[1_400:].mean() < 0.1  # one in sixteen is expected
    groups = np.arange(50, 3_000, 7)
    probes = probe_keys(groups, keys, shared)
    found = np.zeros(len(probes.keys), np.int64)
    count_candidates((keys, shared, has_words), (0, len(keys)), probes.look_up, found)
    for number, group in enumerate(groups[:150]):
        for band in np.flatnonzero(flags[group]):
            at = find_key(keys[group, band], *probes.look_up)
            assert number in probes.probes[probes.first[at] : probes.first[at + 1]]
            assert found[at] == (keys[has_words, band] == keys[group, band]).sum()
    assert np.array_equal(probes.alone, 20 - flags[groups].sum(axis=1))
