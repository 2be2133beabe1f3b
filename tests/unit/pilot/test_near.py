import numpy as np
import pytest
from numpy.typing import NDArray

from polyculture.pilot.forecast import PilotExpectation, PilotMetric
from polyculture.pilot.near import judge_near, near_bounds
from schemas.verdict import Outcome
from tests.unit.pilot.test_pairs import populations

Numbers = NDArray[np.int64]
AT_LEAST = PilotExpectation(PilotMetric.DISTINCT_FRACTION, at_least=0.8)


def neighbours_of_species(species: Numbers) -> Numbers:
    return np.bincount(species)[species] - 1


def neighbours_of_stars(document: Numbers, leaves: int) -> Numbers:
    """Document k (leaves + 1) is a hub, the next `leaves` documents are its neighbours and not each other's."""
    star, place = document // (leaves + 1), document % (leaves + 1)
    found = np.bincount(star[place > 0], minlength=star.max() + 1)[star]
    has_hub = np.isin(star, star[place == 0])
    return np.where(place == 0, found, has_hub).astype(np.int64)


@pytest.mark.parametrize("name", sorted(populations()))
@pytest.mark.parametrize("share", [0.01, 0.3, 0.95])
def test_the_bounds_hold_the_truth_of_clusters(name: str, share: float) -> None:
    sizes = populations()[name]
    documents = np.repeat(np.arange(len(sizes)), sizes)
    truth = len(sizes) / len(documents)
    generator = np.random.default_rng(8)
    for _ in range(20):
        chosen = generator.choice(documents, int(share * len(documents)), replace=False)
        found = near_bounds(neighbours_of_species(chosen), len(documents))
        assert 0 < found.low <= truth <= found.high <= 1


@pytest.mark.parametrize("leaves", [1, 10, 60])
def test_the_bounds_hold_the_truth_where_neighbourhoods_are_no_partition(leaves: int) -> None:
    size = 200 * (leaves + 1)
    truth = (1 / (1 + neighbours_of_stars(np.arange(size), leaves))).mean()
    generator = np.random.default_rng(9)
    for n in (size // 20, size // 2, size - 10):
        for _ in range(100):
            chosen = generator.choice(size, n, replace=False)
            found = near_bounds(neighbours_of_stars(chosen, leaves), size)
            assert found.low <= truth <= found.high
    whole = near_bounds(neighbours_of_stars(np.arange(size), leaves), size)
    assert (whole.low, whole.high) == pytest.approx((truth, truth))


def test_few_seeds_that_look_varied_are_unknown_and_a_larger_pilot_fails_them() -> None:
    documents = np.repeat(np.arange(2000), 50)
    generator = np.random.default_rng(1)
    small = neighbours_of_species(generator.choice(documents, 200, replace=False))
    assert near_bounds(small, 100_000).naive > 0.9
    outcome, needed = judge_near(small, 100_000, AT_LEAST)
    assert outcome is Outcome.UNKNOWN
    assert needed == 100_000
    large = neighbours_of_species(generator.choice(documents, 10_000, replace=False))
    assert judge_near(large, 100_000, AT_LEAST) == (Outcome.FAIL, None)


def test_a_healthy_pilot_passes_when_it_is_as_large_as_was_said() -> None:
    outcome, needed = judge_near(np.zeros(1000, np.int64), 100_000, AT_LEAST)
    assert outcome is Outcome.UNKNOWN
    assert needed is not None
    assert 1000 < needed < 100_000
    assert judge_near(np.zeros(needed, np.int64), 100_000, AT_LEAST)[0] is Outcome.PASS
    assert judge_near(np.zeros(needed // 2, np.int64), 100_000, AT_LEAST)[0] is Outcome.UNKNOWN
