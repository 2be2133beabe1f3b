"""What the terminal shows of a mixture's worth."""

import pytest

from cli.mixture_display import print_what_if
from cli.terminal import Terminal
from cli.worth_display import print_worth
from polyculture.mixture.plan.what_if import what_ifs
from schemas.what_if import WhatIfAnswer
from tests.unit.mixture.plan.ledgers import ledger_of, overlapping_table


def test_a_what_if_shows_the_range_the_lens_and_the_repeat_counts(capsys: pytest.CaptureFixture[str]) -> None:
    mixture, own = what_ifs(ledger_of(overlapping_table(), probes=500), [{"b": 20.0}, {}])
    print_what_if(WhatIfAnswer(run="made", manifest_sha256="0" * 64, mixture=mixture, own=own))
    shown = capsys.readouterr().out
    print(shown)
    for words in (
        "million tokens (least by ",
        "The run's own: worth: ",
        "tokens by repeat count",
        "last epoch",
        "Repeated 17 times or more: ",
        "likeness to the text that a model is to read comes first",
    ):
        assert words in shown
    assert "effective" not in shown


def test_worth_is_shown_with_a_row_for_each_lens(capsys: pytest.CaptureFixture[str]) -> None:
    worth = what_ifs(ledger_of(overlapping_table(), probes=500), [{}])[0].worth
    assert worth is not None
    print_worth(Terminal(), worth)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Worth: ")
    assert lines[0].endswith(f"(least by {worth.least.lens}).")
    assert [line.split()[0] for line in lines[2:4]] == ["exact", "near"]
