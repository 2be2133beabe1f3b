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
    result = Command()("audit", write_config(folder, config), "--out", folder / "run", "--profile")
    assert result.returncode in (0, 3, 4), result.stderr
    (folder / "costs").write_text(result.stderr)
    return folder / "run"


def test_a_run_says_what_its_stages_cost_if_it_is_asked(audited: Path) -> None:
    lines = (audited.parent / "costs").read_text().splitlines()
    head = next(number for number, line in enumerate(lines) if line.startswith("stage "))
    costs = {line[:20].strip(): float(line[20:].split()[0]) for line in lines[head + 1 : -1]}
    assert {"ingest", "measure", "write report", "between stages"} < set(costs)
    assert costs["all"] == pytest.approx(sum(cost for name, cost in costs.items() if name != "all"), abs=0.1)
    assert costs["measure"] > 0
    assert lines[-1].startswith("700 documents, ")


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
