"""`polyculture profile` on a run that the other tests of the ledger measured too."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.application import app
from cli.main import main
from tests.conftest import Command
from tests.support.corpora import three_kinds, unique_texts, write_config


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An audit whose synthetic source repeats half of the expert one."""
    folder = tmp_path_factory.mktemp("audited")
    config = three_kinds(folder, synthetic=[*unique_texts(100, 2), *unique_texts(100, 5)])
    result = Command()("audit", write_config(folder, config), "--out", folder / "run")
    assert result.returncode in (0, 3, 4), result.stderr
    return folder / "run"


def test_it_prints_what_the_report_holds(audited: Path) -> None:
    printed = CliRunner().invoke(app, ["profile", str(audited), "--json"])
    assert printed.exit_code == 0
    assert json.loads(printed.stdout) == json.loads((audited / "report" / "report.json").read_text())["profile"]


def test_it_names_what_leaks_where(audited: Path) -> None:
    printed = CliRunner().invoke(app, ["profile", str(audited), "--lens", "exact"])
    assert printed.exit_code == 0
    assert "exact, stage input, by documents" in printed.stdout
    assert "near, stage" not in printed.stdout
    lines = [line.strip() for line in printed.stdout.split("\n") if " has a twin in " in line]
    assert lines == [
        "0.500 of samples has a twin in solutions",
        "0.500 of solutions has a twin in samples",
    ]
    assert "4 of 6 ordered pairs are below 0.01" in printed.stdout


@pytest.mark.parametrize(
    ("options", "problem"),
    [(["--lens", "semantic_90"], "'semantic_90' was not measured"), (["--stage", "mixture"], "nothing")],
)
def test_what_was_not_measured_is_said(
    audited: Path, options: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["profile", str(audited), *options])
    assert ended.value.code == 2
    assert problem in capsys.readouterr().err
