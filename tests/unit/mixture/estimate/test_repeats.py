"""Worth and repeat counts of mixtures, against the law, against sums, and against mixtures that are made."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import integrate, stats

from polyculture.measure.probes.probe_matrix import Weighting
from polyculture.mixture.estimate.copies import copy_rule
from polyculture.mixture.estimate.mixture import collapse, estimate_mixture
from polyculture.mixture.estimate.repeat_law import DECAY_EPOCHS, least_worth, worth_of_copy
from polyculture.mixture.estimate.repeats import effective_weight, repeat_shares, repeats_of
from polyculture.mixture.plan.repetition import effective_tokens
from schemas.worth import REPEAT_ENDS
from tests.unit.measure.probes.matrices import matrix_of, species_matrix

Integers = NDArray[np.int64]


def counted(copies: Integers) -> dict[str, float | NDArray[np.float64]]:
    """Worth, unique share and repeat counts of a mixture, from the copies of each of its species."""
    c = copies[copies > 0].astype(np.float64)
    size = c.sum()
    ends = np.array([0, *REPEAT_ENDS, np.inf])
    shares = [float(c[(c > low) & (c <= high)].sum() / size) for low, high in pairwise(ends)]
    return {
        "unique": len(c) / size,
        "worth": float((1 + DECAY_EPOCHS * (1 - np.exp(-(c - 1) / DECAY_EPOCHS))).sum() / size),
        "shares": np.array(shares),
    }


def made(table: Integers, rates: NDArray[np.float64], seed: int) -> Integers:
    """Copies of each species in a mixture that is drawn document by document."""
    generator, whole = np.random.default_rng(seed), np.floor(rates).astype(np.int64)
    more = generator.binomial(table, np.broadcast_to(rates - whole, table.shape))
    copies: Integers = (table * whole + more).sum(axis=1)
    return copies


@pytest.mark.parametrize("largest", [1, 64, 65, 5_000, 10**6])
def test_a_rule_gives_the_worth_of_every_number_of_copies(largest: int) -> None:
    rule = copy_rule(largest)
    c = np.unique(np.concatenate([np.arange(1, min(largest, 3_000) + 1), np.geomspace(1, largest, 3_000).round()]))
    powers = rule.nodes[None, :] ** (c[:, None] - 1)
    assert np.abs(powers @ rule.worth / worth_of_copy(c) - 1).max() < 1e-9
    assert np.abs(rule.worth).sum() < 50  # large weights of both signs would cancel


@pytest.mark.parametrize(("others", "chance"), [(1, 0.5), (7, 0.9), (40, 0.3), (600, 0.05)])
def test_worth_is_two_integrals_of_the_generating_function(others: int, chance: float) -> None:
    """E[1/c] is the integral of G over [0, 1], and E[x^c/c] that over [0, x]: so E[h] is their combination."""

    def generating(s: float) -> float:
        return (1 - chance + chance * s) ** others

    x = np.exp(-1 / DECAY_EPOCHS)
    whole, part = (integrate.quad(generating, 0, end, epsabs=1e-13)[0] for end in (1.0, x))
    by_integrals = (1 + DECAY_EPOCHS) * whole - DECAY_EPOCHS / x * part
    c = np.arange(others + 1) + 1.0
    mass = stats.binom.pmf(c - 1, others, chance)
    assert whole == pytest.approx(float(mass @ (1 / c)), rel=1e-10)
    assert part == pytest.approx(float(mass @ (x**c / c)), rel=1e-10)
    assert by_integrals == pytest.approx(float(mass @ worth_of_copy(c)), rel=1e-9)
    rows = collapse(matrix_of([[[others + 1]]], [10**7]))
    found = estimate_mixture(rows, np.array([chance])).effective_fraction.value
    assert found == pytest.approx(by_integrals, rel=1e-8)


@pytest.mark.parametrize("epochs", [1, 2, 4, 8, 16, 40])
def test_unique_documents_at_whole_epochs_are_worth_what_muennighoff_et_al_publish(epochs: int) -> None:
    rows = collapse(species_matrix(np.ones((50, 1), np.int64)))
    estimate = estimate_mixture(rows, np.array([float(epochs)]))
    assert estimate.effective_fraction.value * epochs == pytest.approx(effective_tokens(1.0, epochs), rel=1e-9)
    assert effective_weight(rows, np.array([[float(epochs)]]))[0, 0] / 50 == pytest.approx(
        effective_tokens(1.0, epochs), rel=1e-9
    )


@pytest.mark.parametrize("copies", [2, 5, 16, 64])
def test_copies_in_the_corpus_count_like_epochs(copies: int) -> None:
    many = collapse(species_matrix(np.full((30, 1), copies, np.int64)))
    split = collapse(species_matrix(np.array([[1, copies - 1]] * 30)))  # half of them in another source
    once = collapse(species_matrix(np.ones((30, 1), np.int64)))
    epochs = estimate_mixture(once, np.array([float(copies)])).effective_fraction.value
    assert estimate_mixture(many, np.ones(1)).effective_fraction.value == pytest.approx(epochs, rel=1e-9)
    assert estimate_mixture(split, np.ones(2)).effective_fraction.value == pytest.approx(epochs, rel=1e-9)
    shares, often = repeat_shares(many, np.ones(1))
    assert [share.value for share in shares] == [
        share.value for share in repeat_shares(once, np.array([copies * 1.0]))[0]
    ]
    assert often.value == (copies >= 17)


TABLE = np.random.default_rng(2).choice([0, 0, 1, 1, 2, 3, 9, 30], (400, 3))
TABLE[:4, 0] = 150
TABLE = TABLE[TABLE.any(axis=1)]


@pytest.mark.parametrize("rates", [(1.0, 1.0, 1.0), (0.3, 1.6, 0.5), (4.5, 0.1, 2.0), (0.7, 0.0, 12.25)])
def test_means_are_those_of_mixtures_that_are_made(rates: tuple[float, ...]) -> None:
    r, rows = np.array(rates), collapse(species_matrix(TABLE))
    copies = [made(TABLE, r, seed) for seed in range(300)]
    sizes = np.array([c.sum() for c in copies], np.float64)
    many = [counted(c) for c in copies]
    found = estimate_mixture(rows, r)
    shares, often = repeat_shares(rows, r)
    values = np.array([share.value for share in shares])
    assert values.sum() == pytest.approx(1, abs=1e-12)
    assert often.value == pytest.approx(values[3:].sum(), abs=1e-12)
    weight = sizes / sizes.sum()  # expectations are of sums, over that of sizes
    for got, name in ((found.distinct_fraction.value, "unique"), (found.effective_fraction.value, "worth")):
        seen = np.array([numbers[name] for numbers in many], np.float64)
        assert got == pytest.approx(weight @ seen, abs=4 * seen.std() / 300**0.5 + 1e-9)
    seen = np.stack([np.asarray(numbers["shares"]) for numbers in many])
    assert (np.abs(values - weight @ seen) <= 4 * seen.std(axis=0) / 300**0.5 + 1e-9).all()
    assert effective_weight(rows, r[None]).sum() == pytest.approx(found.effective_fraction.value * found.documents)


def test_intervals_hold_what_all_documents_give() -> None:
    generator = np.random.default_rng(7)
    hits = {"unique": 0, "worth": 0, "shares": 0}
    tries = 40
    for _ in range(tries):
        rates = generator.choice([0.5, 1.0, 1.4, 3.0], 3)
        stacked = []
        for source in range(3):
            documents = np.repeat(np.arange(len(TABLE)), TABLE[:, source])
            stacked.append(TABLE[generator.choice(documents, 300)].tolist())
        matrix = replace(matrix_of(stacked, TABLE.sum(axis=0).tolist()), weighting=Weighting.TOKENS)
        whole, rows = collapse(species_matrix(TABLE)), collapse(matrix)
        estimate = estimate_mixture(rows, rates)
        truth = estimate_mixture(whole, rates)  # of all documents, as the test above finds it in what is made
        for name, found, true in (
            ("unique", estimate.distinct_fraction, truth.distinct_fraction),
            ("worth", estimate.effective_fraction, truth.effective_fraction),
            ("shares", repeat_shares(rows, rates)[1], repeat_shares(whole, rates)[1]),
        ):
            hits[name] += found.low <= true.value <= found.high
    assert min(hits.values()) >= 0.85 * tries, hits  # at 95 % fewer are seen once in some two hundred times


@pytest.mark.parametrize(("documents", "rate"), [(3, 0.4), (120, 0.999999), (300, 0.51), (10**6, 1e-5), (10**6, 0.7)])
def test_repeat_counts_of_one_species_are_those_of_its_mass_function(documents: int, rate: float) -> None:
    shares, often = repeat_shares(collapse(matrix_of([[[documents]]], [10**7])), np.array([rate]))
    within = stats.binom.cdf(np.array(REPEAT_ENDS) - 1, documents - 1, rate)
    expected = np.diff(within, prepend=0.0, append=1.0)
    assert [share.value for share in shares] == pytest.approx(expected, abs=1e-8)
    assert often.value == pytest.approx(1 - within[2], abs=1e-8)


def test_the_least_worth_lies_below_that_of_every_law_of_copies_with_its_mean() -> None:
    c = np.arange(1, 400).astype(np.float64)
    lower = np.array([least_worth(mean) for mean in c])
    assert (lower <= worth_of_copy(c) + 1e-12).all()
    assert (np.diff(lower, 2) >= -1e-12).all()  # convex: Jensen's inequality holds
    assert least_worth(1.0) == 1.0


def test_single_occurrences_count_for_their_own_repeat_count() -> None:
    found = repeats_of(np.array([1.0, 3.6, 17.0, 300.0]))
    assert found[:, 2:8].tolist() == [[1, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0], [0, 0, 0, 1, 0, 0], [0, 0, 0, 0, 0, 1]]
    assert found[:, 8].tolist() == [0, 0, 1, 1]
    assert found[2, 1] == pytest.approx(effective_tokens(1, 17) / 17)
