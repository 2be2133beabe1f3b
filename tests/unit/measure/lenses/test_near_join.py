"""The near lens's join where many documents share their shingles, and its crowded stratum."""

import numpy as np
import pytest
from numpy.typing import NDArray

from polyculture.measure.lenses.near_index import NearIndex, closed
from polyculture.measure.probes.multiplicity import GroupCounts, count_groups
from polyculture.text.shingles import ShingleSets

SHINGLES = 40


def sets_of(documents: list[NDArray[np.int64]]) -> ShingleSets:
    hashed = [np.unique(numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)) for numbers in documents]
    return ShingleSets(np.concatenate(hashed), np.cumsum([0, *(len(one) for one in hashed)]).astype(np.int64))


def alike(count: int) -> ShingleSets:
    """Documents of 40 common shingles and one of their own: all are neighbours of all."""
    return sets_of([np.append(np.arange(SHINGLES), 10**6 + number) for number in range(count)])


def once(count: int, sources: NDArray[np.int64]) -> GroupCounts:
    return count_groups(np.arange(count), sources, np.ones((count, 1), np.int64), int(sources.max()) + 1)


def test_work_is_linear_where_all_documents_share_their_shingles_and_counts_stay_right() -> None:
    looked_at = []
    for count in (2_000, 4_000, 8_000):  # from the first on, either source has more candidates than its part
        index = NearIndex(alike(count), 0.8, seed=3, most_candidates=2_000)
        source = (np.arange(count) % 50 == 0).astype(np.int64)  # the second source has one in fifty
        found = index.join(np.arange(200), once(count, source))
        looked_at.append(found.looked_at)
        assert found.is_scaled.all()
        error = found.multiplicity[:, :, 0].mean(axis=0) / np.bincount(source) - 1
        assert np.abs(error).max() < 0.02, error
        assert (found.multiplicity[:, 1] > 0).all()  # none is missed
        each = found.multiplicity.sum(axis=(1, 2)) / count - 1
        assert np.sqrt((each**2).mean()) < 1.2 / np.sqrt(2_000)
    assert max(looked_at) < 2 * 200 * 2_000  # not 24 x documents x probes: 38,400,000
    assert looked_at[2] < 1.2 * looked_at[0]


@pytest.mark.parametrize("most", [50, 100_000])
def test_parts_of_the_groups_add_up_to_all_of_them(most: int) -> None:
    count = 600
    index = NearIndex(alike(count), 0.8, seed=3, threads=2, most_candidates=most)
    counts, probes = once(count, np.arange(count) % 3), np.arange(0, count, 7)
    whole = index.join(probes, counts)
    assert whole.is_scaled.all() == (most == 50)
    assert whole.is_scaled.any() == (most == 50)
    part_of = np.random.default_rng(1).integers(0, 5, count)
    parts = [part_of == number for number in range(5)]
    plan = index.plan(probes, counts, parts)
    added = sum(index.neighbours(plan, counts, part)[0] for part in parts)
    assert np.array_equal(closed(np.asarray(added), probes, counts), whole.multiplicity)
    assert np.array_equal(sum(index.bins(counts, part) for part in parts), index.bins(counts))


def test_no_document_has_more_neighbours_than_its_bins_allow() -> None:
    generator = np.random.default_rng(5)
    documents = [
        np.append(np.arange(SHINGLES - n % 7), generator.integers(10**6, 10**9, n % 7 + 1)) for n in range(300)
    ]
    documents += [generator.integers(10**10, 10**12, 30) for _ in range(300)]
    index, counts = NearIndex(sets_of(documents), 0.8, seed=1), once(600, np.zeros(600, np.int64))
    bounds = index.crowding(counts)
    m = index.multiplicities(np.arange(600), counts)[:, 0, 0]
    assert (m <= bounds.most[:, 0]).all()
    assert m[:300].max() > 100
    assert (bounds.largest[:300, 0] > 30).all()
    assert (bounds.largest[300:, 0] < 5).all()
