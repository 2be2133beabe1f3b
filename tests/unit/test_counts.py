import pytest
import typer
from pydantic import ValidationError
from typer.testing import CliRunner

from cli.counts import count_of
from schemas.counts import parse_count
from schemas.mixture_config import MixtureConfig, ValidationConfig

COUNTS = {
    "2B": 2 * 10**9,
    "2b": 2 * 10**9,
    "1e9": 10**9,
    "1E+9": 10**9,
    "5M": 5 * 10**6,
    "10k": 10**4,
    "10K": 10**4,
    "1.5M": 1_500_000,
    "0.25k": 250,
    "2.5e9": 2_500_000_000,
    "15T": 15 * 10**12,
    "2_000_000": 2 * 10**6,
    " 7 ": 7,
    "3 B": 3 * 10**9,
    "123456789012345678901": 123456789012345678901,
    "0.3B": 300_000_000,
}
WRONG = [
    "",
    "B",
    "2BB",
    "2 billion",
    "-5",
    "1.5",
    "1.2345k",
    "1e-3",
    "1,000",
    "0x10",
    "nan",
    "inf",
    "2G",
    "1e999",
    "k2",
]


@pytest.mark.parametrize("written", COUNTS)
def test_counts_are_read_exactly_in_configuration_and_on_the_command_line(written: str) -> None:
    assert parse_count(written) == COUNTS[written]
    assert count_of()(written) == COUNTS[written]
    assert MixtureConfig.model_validate({"tokens": written}).tokens == COUNTS[written]
    assert ValidationConfig.model_validate({"tokens": written}).tokens == COUNTS[written]
    phase = {"phases": [{"name": "main", "tokens": written}]}
    assert MixtureConfig.model_validate(phase).phases[0].tokens == COUNTS[written]


@pytest.mark.parametrize("written", WRONG)
def test_what_is_no_count_is_refused_with_the_forms(written: str) -> None:
    with pytest.raises(ValueError, match="a whole number such as"):
        parse_count(written)
    with pytest.raises(typer.BadParameter, match="a whole number such as"):
        count_of()(written)
    with pytest.raises(ValidationError, match="a whole number such as"):
        MixtureConfig.model_validate({"tokens": written})


@pytest.mark.parametrize("value", [0, "0", "0k", -1, 1.5, [1]])
def test_a_budget_is_a_whole_number_above_0(value: object) -> None:
    with pytest.raises(ValidationError):
        MixtureConfig.model_validate({"tokens": value})


def test_numbers_stay_numbers() -> None:
    assert MixtureConfig.model_validate({"tokens": 5}).tokens == 5
    assert MixtureConfig.model_validate({"tokens": 1e9}).tokens == 10**9
    assert MixtureConfig.model_validate({}).tokens is None


def test_the_command_line_says_what_is_wrong_with_a_count() -> None:
    app = typer.Typer()

    @app.command()
    def show(tokens: int = typer.Option(5, "--tokens", parser=count_of(2), metavar="N")) -> None:
        typer.echo(tokens)

    assert CliRunner().invoke(app, ["--tokens", "2B"]).stdout == "2000000000\n"
    assert CliRunner().invoke(app, []).stdout == "5\n"
    for wrong in ("2X", "1"):
        assert CliRunner().invoke(app, ["--tokens", wrong]).exit_code == 2
