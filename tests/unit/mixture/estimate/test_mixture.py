"""Mixtures from the multiplicity matrix, against enumeration, against simulation, and against published numbers."""

from dataclasses import fields
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from polyculture.measure.probes.probe_matrix import ProbeMatrix, Weighting
from polyculture.mixture.estimate.copies import copy_rule, mixed_afresh, thinned_to, with_replacement
from polyculture.mixture.estimate.mixture import (
    MixtureValues,
    collapse,
    estimate_mixture,
    marginal_values,
    mixture_values,
    replacement_curve,
    scale_curve,
    thinned_curve,
)
from polyculture.mixture.estimate.mixture_rows import select_sources
from schemas.what_if import MixtureEstimate
from tests.unit.measure.probes.matrices import GRAPH, NEIGHBOURS, SOURCE, matrix_of, species_matrix

NUMBERS = [field.name for field in fields(MixtureValues)]


def truth(copies: NDArray[np.float64], neighbours: NDArray[np.float64]) -> dict[str, float]:
    """Numbers of a materialised mixture, counted: copies of each document, and who is whose neighbour."""
    c = neighbours @ copies
    size = copies.sum()
    there = copies > 0
    k, c = copies[there], c[there]
    distinct, mean = (k / c).sum() / size, (k * c).sum() / size
    return {
        "documents": size,
        "distinct_fraction": distinct,
        "duplicate_fraction": (k * (c > 1)).sum() / size,
        "duplicate_pairs": size * (mean - 1) / 2,
        "hill_0": size * distinct,
        "hill_1": float(np.exp((k * np.log(size / c)).sum() / size)),
        "hill_2": size / mean,
    }


@pytest.mark.parametrize("rates", [(0.3, 1.6, 0.5), (2.0, 1.0, 3.0), (0.7, 0.0, 2.25), (0.01, 0.02, 0.03)])
def test_a_mixtures_means_are_those_of_enumerating_every_draw(rates: tuple[float, ...]) -> None:
    r = np.array(rates)
    whole, rest = np.floor(r)[SOURCE], (r - np.floor(r))[SOURCE]
    sums = np.zeros(5)
    for extra in product((0, 1), repeat=6):
        taken = np.array(extra)
        k = whole + taken
        c = np.maximum(NEIGHBOURS @ k, 1)
        odds = np.prod(np.where(taken == 1, rest, 1 - rest))
        sums += odds * np.array([k.sum(), (k / c).sum(), (k * np.log(c)).sum(), (k * (c > 1)).sum(), (k * c).sum()])
    size, inverse, logarithm, repeated, mean = sums / np.array([1.0, *[sums[0]] * 4])
    got = mixture_values(collapse(GRAPH), r[None])
    assert got.documents[0] == pytest.approx(size, rel=1e-12)
    assert got.distinct_fraction[0] == pytest.approx(inverse, abs=1e-10)
    assert got.duplicate_fraction[0] == pytest.approx(repeated, abs=1e-10)
    assert np.log(got.documents[0] / got.hill_1[0]) == pytest.approx(logarithm, abs=1e-10)
    assert got.hill_2[0] == pytest.approx(size / mean, rel=1e-10)
    assert got.duplicate_pairs[0] == pytest.approx(size * (mean - 1) / 2, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("m", "q"), [(1, 0.5), (7, 0.2), (60, 0.9), (400, 0.01), (5_000, 0.3), (300_000, 0.7)])
def test_means_of_a_binomial_number_of_copies_are_those_of_its_mass_function(m: int, q: float) -> None:
    others = np.arange(m)
    mass = stats.binom.pmf(others, m - 1, q)
    got = mixture_values(collapse(matrix_of([[[m]]], [10**7])), np.array([[q]]))
    assert got.distinct_fraction[0] == pytest.approx((mass / (others + 1)).sum(), rel=1e-9)
    expected = (mass * np.log(others + 1)).sum()
    assert np.log(got.documents[0] / got.hill_1[0]) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("largest", [1, 64, 65, 5_000, 10**6])
def test_a_rule_gives_the_inverse_and_the_logarithm_of_every_number_of_copies(largest: int) -> None:
    rule = copy_rule(largest)
    c = np.unique(np.concatenate([np.arange(1, min(largest, 3_000) + 1), np.geomspace(1, largest, 3_000).round()]))
    powers = rule.nodes[None, :] ** (c[:, None] - 1)
    assert np.abs(powers @ rule.inverse * c - 1).max() < 1e-9
    assert np.abs((1 - powers) @ rule.logarithm - np.log(c)).max() < 1e-9
    assert np.abs(rule.logarithm).sum() < 50  # large weights of both signs would cancel


def test_a_hub_of_neighbours_is_not_a_species() -> None:
    # STATISTICS section 3: a hub taken whole, its ten neighbours, unlike each other, at rate .5.
    rows = collapse(matrix_of([[[1, 10]], [[1, 1]] * 10], is_partition=False))
    rates = np.array([1.0, 0.5])
    got = mixture_values(rows, rates[None]).distinct_fraction[0]
    assert got == pytest.approx(0.447, abs=5e-4)
    by_species = (1 * (1 / 6) + 5 * (1 / 1.5)) / 6  # present / lambda, as of a partition
    assert by_species == pytest.approx(0.583, abs=5e-4)


@pytest.mark.parametrize("law", [mixed_afresh, thinned_to(0.3), with_replacement])
def test_in_a_partition_the_sum_is_that_of_the_species_present(law) -> None:  # type: ignore[no-untyped-def]
    table = np.random.default_rng(5).poisson(0.8, (300, 3))
    rates = np.array([0.4, 1.7, 2.0])
    copies = law(rates, np.zeros(1))
    present = 1 - np.prod(copies.base[:, 0] ** table, axis=1)
    got = mixture_values(collapse(species_matrix(table)), rates[None], law)
    assert got.hill_0[0] == pytest.approx(present.sum(), rel=1e-9)


def test_a_thinned_stream_is_not_a_mixture_made_afresh() -> None:
    # STATISTICS section 3: r = 4, f = .25 gives .148 thinned, .184 afresh; a population for which both hold.
    sizes = np.repeat([1, 12, 13], [1_138, 264, 438])
    rows = collapse(species_matrix(sizes[:, None]))
    afresh, thinned = scale_curve(rows, np.array([4.0]), [0.25])[0], thinned_curve(rows, np.array([4.0]), [0.25])[0]
    assert afresh.distinct_fraction.value == pytest.approx(0.184, abs=5e-4)
    assert thinned.distinct_fraction.value == pytest.approx(0.148, abs=5e-4)
    assert thinned.documents == pytest.approx(afresh.documents)
    generator = np.random.default_rng(1)
    species = np.repeat(np.arange(len(sizes)), sizes)
    stream = np.repeat(species, 4)
    seen = [len(np.unique(s)) / len(s) for s in (stream[generator.random(len(stream)) < 0.25] for _ in range(60))]
    assert thinned.distinct_fraction.value == pytest.approx(np.mean(seen), rel=0.005)


@pytest.mark.parametrize("law", ["afresh", "thinned", "with replacement"])
def test_a_mixture_has_the_numbers_of_simulated_ones(law: str) -> None:
    generator = np.random.default_rng(2)
    table = np.minimum(generator.zipf(1.7, (1_500, 3)) * (generator.random((1_500, 3)) < 0.5), 60)
    species = np.concatenate([np.repeat(np.arange(1_500), table[:, j]) for j in range(3)])
    source = np.repeat(np.arange(3), table.sum(axis=0))
    rates, fraction = np.array([0.35, 2.4, 1.0]), 0.4
    rows = collapse(species_matrix(table))
    whole, rest = np.floor(rates)[source].astype(int), (rates - np.floor(rates))[source]
    draws = []
    for _ in range(40):
        if law == "with replacement":
            k = generator.poisson(fraction * rates[source])
        else:
            k = whole + (generator.random(len(source)) < rest)
            k = generator.binomial(k, fraction) if law == "thinned" else k
        grouped = np.bincount(species, k, 1_500)
        draws.append(truth(grouped, np.eye(1_500)) | {"duplicate_fraction": (grouped * (grouped > 1)).sum() / k.sum()})
    if law == "afresh":
        got: MixtureEstimate = estimate_mixture(rows, rates)
    else:
        got = (thinned_curve if law == "thinned" else replacement_curve)(rows, rates, [fraction])[0]
    # species by species: truth() takes a species as one document of many copies
    for name in NUMBERS:
        mean = np.mean([draw[name] for draw in draws])
        value = getattr(got, name)
        assert (value if name == "documents" else value.value) == pytest.approx(mean, rel=0.01), name


@pytest.mark.parametrize("rates", [(0.3, 1.6, 0.5), (1.2, 0.9, 2.7)])
def test_marginal_values_are_the_slopes_of_finite_differences(rates: tuple[float, ...]) -> None:
    table = np.random.default_rng(4).poisson(0.7, (200, 3)) * np.array([[1], [4]] * 100)
    for weighting in Weighting:
        base = species_matrix(table, heavy=12)
        weight = base.weight if weighting is Weighting.DOCUMENTS else base.weight * np.array([3, 1, 7])
        rows = collapse(ProbeMatrix(base.probes, base.documents, weight, weighting, True))
        got, r, step = marginal_values(rows, np.array(rates)), np.array(rates), 1e-5
        both = mixture_values(rows, np.concatenate([r + step * np.eye(3), r - step * np.eye(3)]))
        for name in ("documents", "distinct_fraction", "hill_0", "hill_1", "hill_2"):
            value = getattr(both, name)
            slopes = (value[:3] - value[3:]) / (2 * step)
            assert getattr(got, name) == pytest.approx(slopes, rel=1e-5, abs=1e-8), name


def test_at_an_integer_rate_the_marginal_value_is_that_of_more() -> None:
    rows = collapse(species_matrix(np.random.default_rng(4).poisson(1.0, (200, 2))))
    rates, step = np.array([1.0, 0.0]), 1e-6
    values = mixture_values(rows, rates + step * np.array([[0, 0], [1, 0], [0, 1]])).distinct_fraction
    assert marginal_values(rows, rates).distinct_fraction == pytest.approx((values[1:] - values[0]) / step, rel=1e-4)


def test_many_mixtures_at_once_are_the_same_as_one_by_one_with_intervals() -> None:
    generator = np.random.default_rng(6)
    table = np.minimum(generator.zipf(1.6, (900, 4)) * (generator.random((900, 4)) < 0.4), 500)
    rows = collapse(species_matrix(table, drawn=300, heavy=100))
    rates = generator.gamma(0.5, 2.0, (600, 4))
    values = mixture_values(rows, rates)
    for number in (0, 17, 599):
        one = estimate_mixture(rows, rates[number])
        for name in NUMBERS[1:]:
            estimate = getattr(one, name)
            assert estimate.value == pytest.approx(getattr(values, name)[number], rel=1e-9), name
            assert estimate.low < estimate.value < estimate.high


def test_what_was_counted_whole_has_no_interval() -> None:
    got = estimate_mixture(collapse(GRAPH), np.array([0.5, 2.5, 1.0]))
    for name in NUMBERS[1:]:
        estimate = getattr(got, name)
        assert estimate.low == pytest.approx(estimate.value, rel=1e-12) == estimate.high


def test_an_all_unique_sample_still_leaves_room_for_what_it_did_not_see() -> None:
    got = estimate_mixture(collapse(matrix_of([[[1]] * 2_000], [10**6])), np.array([0.5]))
    assert got.distinct_fraction.value == 1
    assert 0.99 < got.distinct_fraction.low < 1
    assert got.duplicate_pairs.value == 0
    assert got.duplicate_pairs.high > 0
    assert got.hill_2.low < got.hill_2.value == pytest.approx(got.documents)


def test_rate_one_everywhere_is_the_corpus_itself() -> None:
    table = np.random.default_rng(8).poisson(0.9, (400, 3))
    table = table[table.sum(axis=1) > 0]
    share = table.sum(axis=1) / table.sum()
    got = estimate_mixture(collapse(species_matrix(table)), np.ones(3))
    assert got.hill_0.value == pytest.approx(len(table))
    assert got.hill_1.value == pytest.approx(np.exp(-(share * np.log(share)).sum()))
    assert got.hill_2.value == pytest.approx(1 / (share**2).sum())


@pytest.mark.parametrize("rates", [(0.01, 0.01, 0.01), (0.3, 2.0, 0.7), (1.3, 0.0, 3.5)])
def test_intervals_cover_the_truth_over_mixtures(rates: tuple[float, ...]) -> None:
    generator = np.random.default_rng(11)
    table = np.minimum(generator.zipf(1.9, (12_000, 3)) * (generator.random((12_000, 3)) < 0.45), 400)
    r = np.array(rates)
    whole = mixture_values(collapse(species_matrix(table)), r[None])
    covered = dict.fromkeys(NUMBERS[1:], 0)
    repetitions = 150
    for seed in range(repetitions):
        got = estimate_mixture(collapse(species_matrix(table, drawn=500, seed=seed, heavy=20)), r)
        for name in covered:
            estimate = getattr(got, name)
            covered[name] += estimate.low <= getattr(whole, name)[0] <= estimate.high
    # 150 repetitions of a 95 % interval: fewer than 135 hits have a probability of .003
    assert min(covered.values()) >= 135, covered


@pytest.mark.parametrize(
    ("rates", "problem"),
    [
        ([1.0], "one finite rate of 0 or more for each of 3 sources"),
        ([1.0, -0.1, 1.0], "one finite rate of 0 or more"),
        ([1.0, np.nan, 1.0], "one finite rate of 0 or more"),
        ([0.0, 0.0, 0.0], "the mixture is empty"),
    ],
)
def test_rates_that_are_no_mixture_are_an_error(rates: list[float], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        estimate_mixture(collapse(GRAPH), np.array(rates))


def test_a_source_without_probes_is_an_error_only_where_it_is_in_the_mixture() -> None:
    rows = collapse(matrix_of([[[1, 0]], []], [5, 5]))
    assert mixture_values(rows, np.array([[1.0, 0.0]])).distinct_fraction[0] == pytest.approx(1)
    with pytest.raises(ValueError, match="source number 1 is in the mixture, but has no probes"):
        mixture_values(rows, np.array([[1.0, 0.1]]))


def test_sources_alone_have_the_numbers_of_a_mixture_that_leaves_the_others_out() -> None:
    table = np.random.default_rng(9).poisson(0.8, (300, 3))
    for matrix in (species_matrix(table, heavy=4), GRAPH):
        alone = mixture_values(collapse(select_sources(matrix, [2, 0])), np.array([[1.5, 0.3]]))
        within = mixture_values(collapse(matrix), np.array([[0.3, 0.0, 1.5]]))
        for name in NUMBERS:
            assert getattr(alone, name) == pytest.approx(getattr(within, name), rel=1e-10), name


@pytest.mark.parametrize("fraction", [0.0, 1.5])
def test_a_fraction_of_a_stream_is_more_than_nothing_and_at_most_all(fraction: float) -> None:
    with pytest.raises(ValueError, match="in \\(0, 1\\]"):
        thinned_to(fraction)
