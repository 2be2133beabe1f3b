"""What a person may type about mixtures, and what is said to what they may not."""

import pytest

from cli.mixture_options import parse_kinds, parse_lenses, parse_limits, parse_objectives, parse_rates
from polyculture.errors import ConfigError
from schemas.documents import Kind
from schemas.measures import Lens
from schemas.planned import FractionRange, ObjectiveTerm, SourceRange


def test_rates_limits_and_objectives_are_read() -> None:
    assert parse_rates("a=1, b=.3,c-d.e=2e-1,") == {"a": 1.0, "b": 0.3, "c-d.e": 0.2}
    assert parse_rates("") == {}
    with pytest.raises(ConfigError, match="--shares: a is given twice"):
        parse_rates("a=1,a=2", "--shares")
    assert parse_kinds(["synthetic<=.3", "web>=0.1", "web<=0.5"]) == {
        Kind.SYNTHETIC: FractionRange(max_fraction=0.3),
        Kind.WEB: FractionRange(min_fraction=0.1, max_fraction=0.5),
    }
    assert parse_limits("--source", ["a <= 1"]) == {"a": SourceRange()}
    assert parse_objectives(["hill_1", "distinct_fraction@exact=2"], Lens.NEAR) == (
        ObjectiveTerm(metric="hill_1", lens=Lens.NEAR),
        ObjectiveTerm(metric="distinct_fraction", lens=Lens.EXACT, weight=2.0),
    )


@pytest.mark.parametrize(
    ("parse", "text", "words"),
    [
        (parse_rates, "pages", "'pages' is not NAME=RATE"),
        (parse_rates, "=1", "'=1' is not NAME=RATE"),
        (parse_rates, "pages=x", "'x' is not a number"),
        (parse_rates, "pages=nan", "'nan' is not a number"),
        (parse_rates, "pages=inf", "'inf' is not a number"),
        (parse_rates, "pages=1,pages=2", "pages is given twice"),
        (lambda text: parse_lenses([text]), "semntic", "unknown lens 'semntic'; known: exact, near"),
        (lambda text: parse_objectives([text], Lens.NEAR), "hill_1=0", "a weight is above 0"),
        (lambda text: parse_objectives([text], Lens.NEAR), "hill_1@nera", "unknown lens 'nera'"),
        (lambda text: parse_objectives([text], Lens.NEAR), "@near", r"is not METRIC\[@LENS\]"),
        (lambda text: parse_kinds([text]), "syntetic<=.3", "unknown kind 'syntetic'; known: web"),
        (lambda text: parse_kinds([text]), "synthetic=.3", "'synthetic=.3' is not a limit"),
        (lambda text: parse_kinds([text]), "synthetic<.3", "'synthetic<.3' is not a limit"),
        (lambda text: parse_kinds([text]), "synthetic<=", "not a limit"),
        (lambda text: parse_limits("--source", [text]), "pages<=3", "a share of the mixture's tokens is 0 to 1"),
        (lambda text: parse_limits("--source", [text, "pages<=.2"]), "pages<=.3", "pages has two limits <="),
    ],
)
def test_what_is_wrong_is_said_with_its_cure(parse, text: str, words: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ConfigError, match=words):
        parse(text)
