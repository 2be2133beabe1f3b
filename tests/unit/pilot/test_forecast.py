import numpy as np
import pytest
from numpy.typing import NDArray

from polyculture.pilot.classical import frequency_counts
from polyculture.pilot.forecast import Forecast, PilotExpectation, PilotMetric, forecast, forecast_neighbours
from polyculture.pilot.pairs import PilotPairs
from polyculture.pilot.profile import Extreme, distinct_interval, expected_frequencies
from schemas.verdict import Outcome
from tests.unit.pilot.test_pairs import SIZE, populations

DISTINCT, HILL_2, PAIRS = PilotMetric.DISTINCT_FRACTION, PilotMetric.HILL_2, PilotMetric.DUPLICATE_PAIRS


def drawn(name: str, n: int, seed: int) -> tuple[NDArray[np.int64], int, float]:
    """Frequency counts of a pilot, documents and distinct fraction of its corpus."""
    sizes = populations()[name]
    documents = np.repeat(np.arange(len(sizes)), sizes)
    chosen = np.random.default_rng(seed).choice(documents, n, replace=False)
    return frequency_counts(np.bincount(chosen)), len(documents), len(sizes) / len(documents)


@pytest.mark.parametrize("n", [10_000, 1_000])
@pytest.mark.parametrize("name", sorted(populations()))
def test_the_interval_of_the_linear_program_holds_the_truth(name: str, n: int) -> None:
    for seed in range(2):
        f, size, truth = drawn(name, n, seed)
        found = distinct_interval(f, size)
        assert found.low <= truth <= found.high
        assert found.sigmas == 3.0
        assert found.grid_error < 1e-4
        assert f.sum() / size <= found.low <= found.high <= 1 - (n - f.sum()) / size + 1e-12


def test_extremes_are_populations_of_the_corpus_that_explain_the_pilot() -> None:
    f, size, _ = drawn("mixed", 1_000, 1)
    found = distinct_interval(f, size)
    for extreme, end in ((found.fewest, found.low), (found.most, found.high)):
        assert extreme is not None
        assert extreme.sizes @ extreme.species == pytest.approx(size, rel=1e-6)
        assert extreme.species.sum() / size == pytest.approx(end, abs=1e-3)
        expected = expected_frequencies(extreme, 1_000 / size)
        for j in range(1, 16):
            there, wanted = (int(g[j]) if j < len(g) else 0 for g in (expected, f))
            assert abs(there - wanted) <= 3 * np.sqrt(wanted + 1) + 1


def test_the_interval_equals_that_of_every_size_where_the_corpus_is_small() -> None:
    """A corpus of 3,000 against a program of all sizes, with the constraints as the specification writes them."""
    from scipy import optimize, stats

    f, size, _ = drawn("few_seeds", 900, 3)
    size = 3_000
    sizes = np.arange(1.0, size + 1)
    rows = stats.binom.pmf(np.arange(1, 16)[:, None], sizes, 900 / size)
    counts = np.zeros(15)
    counts[: len(f) - 1] = f[1:16]
    slack = 3 * np.sqrt(counts + 1)
    heavy = stats.binom.sf(15, sizes, 900 / size)[None]
    documents = (sizes * 900 / size * stats.binom.sf(14, sizes - 1, 900 / size))[None]
    everything = np.vstack([rows, heavy, documents])
    limits = np.concatenate([slack, [3.0, 3.0 * 16]])
    counts = np.concatenate([counts, [0.0, 0.0]])
    ends = [
        optimize.linprog(
            sign * np.ones(size),
            A_ub=np.vstack([everything, -everything]),
            b_ub=np.concatenate([counts + limits, limits - counts]),
            A_eq=sizes[None],
            b_eq=[size],
        ).fun
        * sign
        / size
        for sign in (1, -1)
    ]
    found = distinct_interval(f, size)
    assert found.low == pytest.approx(max(ends[0], f.sum() / size), abs=1e-3)
    assert found.high == pytest.approx(min(ends[1], 1 - (900 - f.sum()) / size), abs=1e-3)


def test_a_pilot_that_is_no_sample_is_said_to_fit_no_population() -> None:
    f = np.zeros(16, np.int64)
    f[15] = 600  # every species seen fifteen times, at a rate of a thousandth: chance would scatter them
    found = forecast(f, 9_000_000)
    assert found.distinct_fraction is not None
    assert np.isinf(found.distinct_fraction.sigmas)
    assert "No population fits" in found.words[0]
    judged = forecast(f, 9_000_000, PilotExpectation(DISTINCT, at_least=0.5))
    assert (judged.outcome, judged.needed_documents) == (Outcome.UNKNOWN, 9_000_000)


def test_expectations_are_judged_by_the_whole_interval() -> None:
    f, size, _ = drawn("all_ten_times", 10_000, 2)
    assert forecast(f, size, PilotExpectation(DISTINCT, at_least=0.5)).outcome is Outcome.FAIL
    assert forecast(f, size, PilotExpectation(DISTINCT, at_most=0.5)).outcome is Outcome.PASS
    assert forecast(f, size, PilotExpectation(PAIRS, at_most=440_000 * 2)).outcome is Outcome.PASS
    assert forecast(f, size, PilotExpectation(HILL_2, at_least=20_000)).outcome is Outcome.FAIL
    unknown = forecast(f, size, PilotExpectation(HILL_2, at_least=10_010))
    assert unknown.outcome is Outcome.UNKNOWN
    assert unknown.needed_documents is not None
    assert 10_000 < unknown.needed_documents <= size
    assert forecast(f, size).outcome is None
    with pytest.raises(ValueError, match="at_least or at_most"):
        PilotExpectation(DISTINCT)


def test_an_unknown_outcome_names_a_larger_pilot_and_following_it_ends() -> None:
    f, size, _ = drawn("few_seeds", 400, 4)
    expectation = PilotExpectation(DISTINCT, at_least=0.3)
    outcomes, needed = [], 400
    for seed in range(5):
        found = forecast(f, size, expectation)
        outcomes.append(found.outcome)
        if found.outcome is not Outcome.UNKNOWN:
            break
        assert found.needed_documents is not None
        assert needed < found.needed_documents < size
        needed = found.needed_documents
        assert f"{needed:,}" in found.words[-1]
        f, _, _ = drawn("few_seeds", needed, seed)
    assert outcomes[0] is Outcome.UNKNOWN
    assert outcomes[-1] is Outcome.FAIL
    assert needed < size / 10


def test_the_naive_number_never_stands_alone() -> None:
    f, size, _ = drawn("few_seeds", 1_000, 6)
    found = forecast(f, size)
    assert found.distinct_fraction is not None
    for number in (found.naive_distinct_fraction, found.distinct_fraction.low, found.distinct_fraction.high):
        assert f"{number:.3f}" in found.words[0]
    assert "No estimator can go further than about 6.9 times" in found.words[0]


def test_classical_estimates_are_given_only_near_the_pilot() -> None:
    sizes = populations()["heavy_tailed"]
    f, size, truth = drawn("heavy_tailed", 60_000, 7)
    assert len(sizes) / size == truth
    near: Forecast = forecast(f, size)
    assert set(near.extrapolated) == {"smoothed Good-Toulmin", "iNEXT"}
    for value in near.extrapolated.values():
        assert value == pytest.approx(truth, rel=0.05)
    assert forecast(f, 130_000).extrapolated == {}


def test_neighbours_give_pairs_and_no_distinct_fraction() -> None:
    neighbours = np.array([2, 1, 1, *[0] * 997])
    found = forecast_neighbours(neighbours, 50_000, PilotExpectation(PAIRS, at_most=1e9))
    assert found.pairs.value == pytest.approx(2 * 50_000 * 49_999 / (1_000 * 999))
    assert found.distinct_fraction is None
    assert found.outcome is Outcome.PASS
    with pytest.raises(ValueError, match="do not bound the distinct fraction"):
        forecast_neighbours(neighbours, 50_000, PilotExpectation(DISTINCT, at_least=0.1))


def test_expected_frequencies_are_those_of_the_binomial_law() -> None:
    f = expected_frequencies(Extreme(np.array([1.0, 4_000.0]), np.array([10_000.0, 3.0])), 0.1)
    assert f[1] == 1_000
    assert f[400] == 3
    assert f.sum() == 1_003


def test_a_corpus_smaller_than_its_pilot_is_refused() -> None:
    f, _, _ = drawn("few_seeds", 200, 4)
    with pytest.raises(ValueError, match="pilot"):
        forecast(f, 199)
    assert PilotPairs.of_frequencies(f).documents == 200
    found = forecast(f, 200)
    assert found.distinct_fraction is not None
    assert found.distinct_fraction.low == found.distinct_fraction.high == found.naive_distinct_fraction
    assert SIZE > 200
