"""What-ifs from a made ledger, against mixtures that are drawn and counted."""

import numpy as np
import pytest

from polyculture.errors import ConfigError
from polyculture.mixture.plan.supply import ledger_supply, rates_of_shares
from polyculture.mixture.plan.what_if import what_if, what_ifs
from schemas.documents import Kind
from schemas.ledger import Weighting
from schemas.measures import Lens, Stage
from schemas.what_if import WhatIf
from tests.unit.mixture.plan.ledgers import TOKENS, ledger_of, made_numbers, overlapping_table

TABLE = overlapping_table()
LEDGER = ledger_of(TABLE, probes=500)


@pytest.mark.parametrize("lens", [Lens.EXACT, Lens.NEAR])
@pytest.mark.parametrize("metric", ["distinct_fraction", "hill_1", "hill_2"])
def test_mixtures_that_are_made_lie_inside_the_intervals(metric: str, lens: Lens) -> None:
    generator = np.random.default_rng(3)
    hits = 0
    for number in range(20):
        rates = np.append(generator.choice([0.2, 0.5, 1.0, 1.4, 2.0, 3.0], 3), 1.0)
        ledger = ledger_of(TABLE, probes=500, seed=number + 1, lenses=(lens,))
        answer = what_if(ledger, dict(zip("abcd", rates.tolist(), strict=True)))
        estimate = getattr(answer.lenses[0], metric)
        hits += estimate.low <= made_numbers(TABLE, rates, number)[metric] <= estimate.high
    assert hits >= 17  # at 95 % fewer are seen once in some two hundred times


def test_a_corpus_probed_whole_gives_the_mean_of_what_is_made() -> None:
    ledger, rates = ledger_of(TABLE, probes=10**6), np.array([0.3, 1.5, 2.0, 1.0])
    found = what_if(ledger, dict(zip("abcd", rates.tolist(), strict=True)), [Lens.EXACT]).lenses[0]
    made = [made_numbers(TABLE, rates, seed) for seed in range(200)]
    for metric in ("distinct_fraction", "hill_1", "hill_2"):
        values = np.array([numbers[metric] for numbers in made])
        # expectations of ratios and of logarithms differ from ratios and logarithms of expectations by O(1 / N)
        assert getattr(found, metric).value == pytest.approx(values.mean(), abs=3 * values.std() / 200**0.5, rel=1e-3)


def test_the_scale_curve_is_what_trials_mixed_afresh_hold() -> None:
    found = what_if(ledger_of(TABLE, 10**6), {"b": 2.0}, [Lens.EXACT]).lenses[0]
    assert [trial.fraction for trial in found.trials] == [0.001, 0.01, 0.1, 1.0]
    for trial in found.trials[1:]:
        rates = np.array([1.0, 2.0, 1.0, 1.0]) * trial.fraction
        seen = [made_numbers(TABLE, rates, seed)["distinct_fraction"] for seed in range(100)]
        assert trial.distinct_fraction.value == pytest.approx(np.mean(seen), abs=4 * np.std(seen) / 10 + 1e-3)


@pytest.mark.parametrize("source", ["a", "b", "c"])
def test_margins_are_what_a_little_more_of_a_source_adds(source: str) -> None:
    rates = {"a": 0.4, "b": 1.3, "c": 0.0}
    step = 1e-5
    base, more = what_ifs(LEDGER, [rates, rates | {source: rates[source] + step}], [Lens.NEAR])
    margin = next(m for m in base.lenses[0].margins if m.source == source)
    for metric in ("hill_1", "distinct_fraction"):
        slope = (getattr(more.lenses[0], metric).value - getattr(base.lenses[0], metric).value) / step
        assert getattr(margin, metric) == pytest.approx(slope, rel=1e-3)
    tokens = next(s.tokens for s in base.sources if s.name == source)
    assert margin.hill_1_per_million_tokens == pytest.approx(margin.hill_1 / tokens * 1e6)


def test_tokens_epochs_shares_and_effective_tokens_follow_from_the_rates() -> None:
    answer = what_if(LEDGER, {"a": 0.5, "b": 4.0})
    size = TABLE.sum(axis=0)
    expected = size * [0.5, 4.0, 1.0, 1.0] * TOKENS
    assert [source.mixture_tokens for source in answer.sources] == pytest.approx(expected)
    assert [source.is_rate_given for source in answer.sources] == [True, True, False, False]
    assert answer.tokens == pytest.approx(expected.sum())
    assert answer.documents == pytest.approx(expected.sum() / TOKENS)
    assert answer.kinds[Kind.SYNTHETIC] == pytest.approx(expected[1] / expected.sum())
    assert sum(answer.kinds.values()) == pytest.approx(1)
    assert answer.worth is not None
    assert answer.effective_tokens == pytest.approx(answer.worth.least.effective_tokens.value)
    assert sum(source.effective_tokens for source in answer.sources) == answer.effective_tokens


def test_a_source_without_documents_changes_nothing_and_has_no_margin() -> None:
    with_it, without = what_ifs(LEDGER, [{"d": 7.0}, {"d": 0.0}])
    assert with_it.lenses == without.lenses
    assert [margin.source for margin in with_it.lenses[0].margins] == ["a", "b", "c"]
    assert with_it.sources[3].mixture_tokens == 0


def test_means_over_tokens_read_the_probes_that_were_drawn_by_tokens() -> None:
    by_tokens = what_if(LEDGER, {}, weighting=Weighting.TOKENS)
    by_documents = what_if(LEDGER, {})
    # all documents have the same tokens, so both estimate one number from different probes
    for found, other in zip(by_tokens.lenses, by_documents.lenses, strict=True):
        assert found.distinct_fraction != other.distinct_fraction
        assert found.distinct_fraction.low < other.distinct_fraction.high
        assert other.distinct_fraction.low < found.distinct_fraction.high


def test_a_lens_that_says_nothing_about_a_mixture_is_listed() -> None:
    table = np.array([[1, 0], [1, 0], [0, 2]])
    ledger = ledger_of(table, 10, lenses=(Lens.EXACT,))
    seeded = ledger_of(np.array([[0, 2]]), 10, lenses=(Lens.SEED,))
    populations = [*ledger.header.populations, *seeded.header.populations]
    both = type(ledger)(
        ledger.header.model_copy(update={"populations": populations}),
        type(ledger.rows).from_pylist(ledger.rows.to_pylist() + seeded.rows.to_pylist(), ledger.rows.schema),
        ledger.heavy,
    )
    answer, whole = what_ifs(both, [{"b": 0.0}, {}])
    assert answer.unmeasured == [Lens.SEED]
    assert answer.lens(Lens.SEED) is None
    seed = whole.lens(Lens.SEED)
    assert seed is not None
    assert (seed.documents, seed.distinct_fraction.value) == (2, 0.5)


def test_the_answer_survives_json() -> None:
    answer = what_if(LEDGER, {"a": 0.1})
    assert WhatIf.model_validate_json(answer.model_dump_json()) == answer


@pytest.mark.parametrize(
    ("rates", "words"),
    [
        ({"e": 1.0}, "unknown source 'e'; known: a, b, c, d"),
        ({"a": -0.5}, "a: -0.5 is no rate"),
        ({"a": float("nan")}, "a: nan is no rate"),
        ({"a": float("inf")}, "a: inf is no rate"),
        ({"a": 0.0, "b": 0.0, "c": 0.0}, "the mixture would be empty: .* a, b, c"),
    ],
)
def test_rates_that_are_no_mixture_are_refused_by_name(rates: dict[str, float], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        what_if(LEDGER, rates)


def test_lenses_fractions_and_stages_that_are_not_there_are_refused() -> None:
    with pytest.raises(ConfigError, match="'seed' was not measured; known here: exact, near"):
        what_if(LEDGER, {}, [Lens.SEED])
    with pytest.raises(ConfigError, match="trial fractions are above 0"):
        what_if(LEDGER, {}, fractions=[0.0])
    with pytest.raises(ConfigError, match="no documents that a mixture could be made from"):
        what_if(ledger_of(TABLE, 5, stage=Stage.MIXTURE), {})


def test_of_an_audit_a_mixture_is_made_from_what_was_read() -> None:
    found, distinct = (what_if(ledger_of(TABLE, 5, stage=stage), {}) for stage in (Stage.INPUT, Stage.DISTINCT))
    assert found.stage is Stage.INPUT
    assert found.model_copy(update={"stage": Stage.DISTINCT}) == distinct


def test_a_sample_of_the_stream_sees_the_repeats_that_a_trial_mixed_afresh_does_not() -> None:
    found = what_if(LEDGER, dict.fromkeys(LEDGER.header.sources, 4.0)).lenses[0]
    for trial, sample in zip(found.trials, found.samples, strict=False):
        assert trial.fraction == sample.fraction
        assert sample.distinct_fraction.value <= trial.distinct_fraction.value + 1e-9
    assert found.samples[-1].distinct_fraction.value < found.trials[len(found.samples) - 1].distinct_fraction.value


@pytest.mark.parametrize("tokens", [None, 5_000, 10**7])
def test_shares_are_epochs_that_give_them_and_repeat_nothing_unless_a_size_asks_for_it(tokens: int | None) -> None:
    shares = {"a": 0.5, "b": 0.3, "c": 0.2, "d": 0.0}
    rates = rates_of_shares(ledger_supply(LEDGER), shares, tokens)
    found = what_if(LEDGER, rates, [Lens.EXACT])
    assert {source.name: source.token_fraction for source in found.sources} == pytest.approx(shares)
    if tokens is None:
        assert max(rates.values()) == 1
    else:
        assert found.tokens == pytest.approx(tokens)


@pytest.mark.parametrize(
    ("shares", "words"),
    [
        ({"a": 0.5, "b": 0.5}, "no share for c, d"),
        ({"a": 0.5, "b": 0.5, "c": 0, "d": 0, "e": 0}, "unknown source 'e'"),
        ({"a": 0.5, "b": 0.6, "c": 0, "d": 0}, "these sum to 1.1"),
        ({"a": 50, "b": 50, "c": 0, "d": 0}, "write 70 % as 0.7"),
        ({"a": 1.5, "b": -0.5, "c": 0, "d": 0}, "greater than or equal to 0"),
        ({"a": 0.5, "b": 0.25, "c": 0, "d": 0.25}, "d has the share 0.25, but no distinct documents"),
    ],
)
def test_shares_that_no_mixture_has_are_refused(shares: dict[str, float], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        rates_of_shares(ledger_supply(LEDGER), shares, None)
