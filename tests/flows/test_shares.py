"""Shares as a run delivers them: the table on a terminal of 80 columns, the shards, the evidence, and the warnings."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.ipc
import pytest

from schemas.manifest import Manifest
from tests.conftest import Command
from tests.support.corpora import three_kinds, write_config

SHARES = {"pages": 0.5, "solutions": 0.3, "samples": 0.2}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A finished run of shares whose budget is above the supply, and what it printed."""
    folder = tmp_path_factory.mktemp("shared")
    config = three_kinds(folder)
    config["mixture"] = {"shares": SHARES, "tokens": "1M"}
    result = Command()("run", write_config(folder, config), "--out", folder / "run", COLUMNS="80")
    assert result.returncode == 0, result.stdout + result.stderr
    return folder / "run", result.stdout


def test_shards_hold_the_shares_and_the_evidence_says_both(shared: tuple[Path, str]) -> None:
    run, _ = shared
    manifest = Manifest.model_validate_json((run / "manifest.json").read_bytes())
    assert manifest.plan is not None
    with pa.ipc.open_stream(run / "shards" / "train-00000-of-00001.arrow") as reader:
        rows = reader.read_all().select(["source", "tokens"]).to_pylist()
    held = {name: sum(row["tokens"] for row in rows if row["source"] == name) for name in SHARES}
    for source in manifest.plan.sources:
        assert source.asked_fraction == pytest.approx(SHARES[source.name])
        assert source.tokens == held[source.name]
        assert source.token_fraction == pytest.approx(held[source.name] / sum(held.values()))
        longest = max(row["tokens"] for row in rows if row["source"] == source.name)
        missing = SHARES[source.name] * manifest.plan.tokens - source.tokens
        assert abs(missing) <= 3 * longest
    report = json.loads((run / "report" / "report.json").read_text())
    assert report["plan"]["sources"][0]["asked_fraction"] == pytest.approx(0.5)
    assert "Asked share" in (run / "report" / "index.html").read_text()


def test_the_table_fits_80_columns_and_the_binding_source_and_budget_are_said_once(shared: tuple[Path, str]) -> None:
    run, printed = shared
    lines = printed.splitlines()
    start = next(number for number, line in enumerate(lines) if line.split()[:3] == ["source", "asked", "delivered"])
    table = lines[start : start + 5]
    assert all(len(line) <= 80 for line in table)
    assert {line.split()[0]: line.split()[1] for line in table[1:4]} == {
        "pages": "50.0", "solutions": "30.0", "samples": "20.0",
    }  # fmt: skip
    assert " ".join(printed.split()).count("pages limits the mixture: with 1 epoch of its") == 1
    assert "all rates scaled" not in printed
    assert printed.count("The budget lacks") == 1
    verdict = json.loads((run / "verdict.json").read_text())
    warned = {check["name"]: check for check in verdict["checks"] if check["name"] in ("shares", "budget")}
    assert {check["severity"] for check in warned.values()} == {"warn"}
    assert set(warned) == {"shares", "budget"}


def test_what_if_and_the_next_run_take_the_same_shares(
    shared: tuple[Path, str], command: Command, tmp_path: Path
) -> None:
    run, _ = shared
    asked = ",".join(f"{name}={share}" for name, share in SHARES.items())
    result = command("what-if", run, "--shares", asked, "--tokens", "10k", "--lens", "exact", "--json")
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)["mixture"]
    assert found["tokens"] == pytest.approx(10_000)
    assert {s["name"]: s["token_fraction"] for s in found["sources"]} == pytest.approx(SHARES)
    for arguments, words in (
        (("--shares", "pages=1"), "shares: no share for"),
        (("--shares", "pages=0.5,solutions=0.4,samples=0.2"), "these sum to 1.1"),
        (("--shares", asked, "--rates", "pages=1"), "keep one"),
        (("--tokens", "5k"), "leave it out"),
    ):
        refused = command("what-if", run, *arguments)
        assert refused.returncode == 2
        assert words in " ".join(refused.stderr.split())


def test_rates_that_sum_to_1_are_warned_of_with_what_they_gave(tmp_path: Path, command: Command) -> None:
    config = three_kinds(tmp_path)
    config["mixture"] = {"rates": {"pages": 0.3, "solutions": 0.7, "samples": 0}}
    result = command("run", write_config(tmp_path, config), "--out", tmp_path / "run", COLUMNS="80")
    assert result.returncode == 0, result.stdout + result.stderr
    said = " ".join(result.stdout.split())
    assert said.count("Rates are epochs, not shares") == 1
    assert "`shares: {pages: 0.3, samples: 0, solutions: 0.7}`" in said
    table = {line.split()[0]: line.split() for line in result.stdout.splitlines() if " epochs " in line and "%" in line}
    assert table["pages"][1:3] == ["0.3", "epochs"]
    assert f"pages 0.3 gave {float(table['pages'][3]):.3g}" in said
