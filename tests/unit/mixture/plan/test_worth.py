"""Worth of mixtures from ledgers: what is counted as a copy, what sources and last epochs add, and the words for it."""

import numpy as np
import pyarrow as pa
import pytest

from polyculture.evidence.worth import run_worth
from polyculture.mixture.plan.repetition import effective_tokens, last_epoch
from polyculture.mixture.plan.what_if import what_if
from polyculture.mixture.plan.worth import Taken, twin_worth
from polyculture.mixture.plan.worth_words import (
    CANNOT_SAY,
    foreseen_sentences,
    often_words,
    repeat_table,
    worth_sentences,
    worth_words,
)
from schemas.measures import Lens, Stage
from schemas.numbers import Estimate
from schemas.worth import LensWorth, Worth
from tests.unit.mixture.plan.ledgers import TOKENS, ledger_of, overlapping_table

UNIQUE = np.eye(2, dtype=np.int64).repeat(300, axis=0)


def exactly(value: float) -> Estimate:
    return Estimate(value=value, low=value, high=value)


def a_lens(name: str, unique: float, worth: float, often: float = 0.0) -> LensWorth:
    shares = [1 - often, 0.0, 0.0, often, 0.0, 0.0]
    return LensWorth(
        lens=name,
        tokens=15e9,
        unique_tokens=exactly(unique),
        effective_tokens=exactly(worth),
        repeats=[exactly(share) for share in shares],
        often=exactly(often),
    )


def draws(twins: list[int | None], source: str = "a") -> pa.Table:
    return pa.table({"source": [source] * len(twins), "twins": pa.array(twins, pa.int64())})


def test_unique_documents_at_whole_epochs_are_worth_what_the_law_of_epochs_gives() -> None:
    answer = what_if(ledger_of(UNIQUE, probes=1000), {"a": 4.0, "b": 1.0})
    assert answer.worth is not None
    for number, epochs in enumerate((4.0, 1.0)):
        source = answer.sources[number]
        assert source.effective_tokens == pytest.approx(effective_tokens(300 * TOKENS, epochs), rel=1e-8)
        assert source.last_epoch == pytest.approx(last_epoch(epochs), rel=1e-7)
    assert answer.worth.least.unique_tokens.value == pytest.approx(600 * TOKENS)


def test_copies_that_nobody_removed_are_not_taken_for_fresh_text() -> None:
    answer = what_if(ledger_of(np.full((100, 1), 20, np.int64), probes=500), {})
    epochs = effective_tokens(100 * TOKENS, 20)
    assert answer.tokens == 2000 * TOKENS
    assert answer.effective_tokens == pytest.approx(epochs, rel=1e-8)
    assert answer.worth is not None
    assert answer.worth.least.often.value == 1.0
    assert [share.value for share in answer.worth.least.repeats] == [0, 0, 0, 1, 0, 0]


def test_the_last_epoch_is_worth_what_the_mixture_loses_without_it() -> None:
    ledger, rates = ledger_of(overlapping_table(), probes=500), {"a": 1.0, "b": 2.5, "c": 0.6}
    answer = what_if(ledger, rates)
    for number, name in enumerate("abc"):
        less = what_if(ledger, rates | {name: max(0.0, rates[name] - 1)})
        lost = (answer.effective_tokens - less.effective_tokens) / (answer.tokens - less.tokens)
        assert answer.sources[number].last_epoch == pytest.approx(lost, rel=1e-6)
    assert answer.sources[3].last_epoch is None


def test_what_no_lens_of_worth_sees_is_repeated_by_its_epochs() -> None:
    answer = what_if(ledger_of(UNIQUE, probes=100, lenses=(Lens.SEED,)), {"a": 4.0})
    assert answer.worth is None
    assert answer.effective_tokens == pytest.approx((1 + 3.726) * 300 * TOKENS, rel=1e-3)


def test_a_finished_run_counts_the_copies_that_it_wrote() -> None:
    table = np.array([[3, 0], [3, 1]] * 50)
    worth = run_worth(ledger_of(table, probes=1000, stage=Stage.MIXTURE), None)
    assert worth is not None
    assert worth.tokens == 350 * TOKENS
    assert worth.least.unique_tokens.value == pytest.approx(100 * TOKENS)
    expected = 50 * (effective_tokens(TOKENS, 3) + effective_tokens(TOKENS, 4))
    assert worth.least.effective_tokens.value == pytest.approx(expected, rel=1e-8)


def test_twins_by_meaning_count_as_copies_times_the_epochs_of_their_source() -> None:
    taken = Taken(np.array([1000.0, 500.0]), np.array([2.0, 0.0]), np.array([2.0, 0.0]))
    found = twin_worth(draws([5] * 60 + [None] * 20), ["a", "b"], taken)
    assert found is not None
    assert found.tokens == pytest.approx(1500)  # three in four were read
    law = effective_tokens(1500 / 10, 10) + effective_tokens(250, 2)
    assert found.effective_tokens.value == pytest.approx(law)
    assert found.unique_tokens.value == pytest.approx(150 + 250)
    assert [share.value for share in found.repeats] == [0, 0, 1, 0, 0, 0]
    assert twin_worth(draws([None] * 5), ["a", "b"], taken) is None


def test_the_words_name_the_range_and_the_lens_that_sees_most_copies() -> None:
    worth = Worth(tokens=15e9, lenses=[a_lens("exact", 14.9e9, 14.99e9), a_lens("near", 12.3e9, 14.1e9)])
    assert worth_words(worth) == "worth: 12.3 to 14.1 of 15.0 billion tokens (least by near)"
    assert often_words(worth) is None
    assert worth_sentences(worth) == [
        "Worth: 12.3 to 14.1 of 15.0 billion tokens (least by near).",
        CANNOT_SAY,
    ]
    small = Worth(tokens=9000, lenses=[a_lens("exact", 8000, 8900.4)])
    assert worth_words(small) == "worth: 8,000 to 8,900 of 9,000 tokens (least by exact)"


def test_what_is_repeated_often_is_said_even_where_the_worth_is_high() -> None:
    often = a_lens("twins", 14.8e9, 14.97e9, 0.012)
    worth = Worth(
        tokens=15e9, lenses=[a_lens("near", 14.9e9, 14.99e9, 0.009), often], last_epoch={"a": 0.98, "b": 0.38}
    )
    first, second = foreseen_sentences(worth)
    assert first == "Worth: 14.8 to 15.0 of 15.0 billion tokens (least by twins)."
    assert second.startswith("Repeated 17 times or more: 1.2 % of the tokens by twins. ")
    assert "a token of the last epoch is worth 0.38 in b." in worth_sentences(worth)[2]
    assert "as often as the document's own source" in worth_sentences(worth)[-1]
    header, near, twins = repeat_table(worth)
    assert header[3:] == ["1", "2-4", "5-16", "17-64", "65-256", "> 256"]
    assert near == ["near", "14,900,000,000", "14,990,000,000", "99.1 %", "0 %", "0 %", "0.9 %", "0 %", "0 %"]
    assert twins[0] == "twins"
