"""Mixtures that a run plans itself: phases with `auto` rates, and a plan of one run fed to another and refused."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.ipc
import pytest

from polyculture.mixture.plan.data_digest import manifest_data_sha256
from polyculture.storage.hashing import file_sha256
from schemas.ledger import LedgerHeader
from schemas.manifest import Manifest
from schemas.measures import Stage
from schemas.plan import MixturePlan
from tests.conftest import Command
from tests.support.corpora import three_kinds, unique_texts, write_config, write_jsonl_gz

PHASES = [
    {"name": "broad", "tokens": 30_000, "rates": "auto", "objective": ["hill_1@exact"]},
    {"name": "anneal", "tokens": 15_000, "rates": {"pages": 0.2, "solutions": 1, "samples": 0}},
]


def manifest_of(run: Path) -> Manifest:
    return Manifest.model_validate_json((run / "manifest.json").read_bytes())


def rows_of(path: Path) -> list[str]:
    with pa.ipc.open_stream(path) as reader:
        found: list[str] = reader.read_all()["document_id"].to_pylist()
    return found


@pytest.fixture(scope="module")
def phased(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of two phases."""
    folder = tmp_path_factory.mktemp("phased")
    config = three_kinds(folder)
    config["mixture"] = {"phases": PHASES, "max_epochs": 3, "model_parameters": 1_000}
    result = Command()("run", write_config(folder, config), "--out", folder / "run")
    assert result.returncode in (0, 3), result.stdout + result.stderr
    assert "tokens per parameter of 1,000" in result.stdout
    assert "anneal" in result.stdout
    return folder


def test_phases_follow_each_other_and_the_later_takes_what_is_unused(phased: Path, command: Command) -> None:
    run = phased / "run"
    manifest = manifest_of(run)
    plan = MixturePlan.model_validate_json((run / "plan.json").read_bytes())
    assert manifest.plan == plan
    listed = {file.path: file for file in manifest.files}
    assert listed["plan.json"].sha256 == file_sha256(run / "plan.json")
    assert plan.data_sha256 == manifest_data_sha256(manifest)
    assert [phase.rates_from for phase in plan.phases] == ["auto", "fixed"]
    shards = {phase.name: rows_of(run / "shards" / f"{phase.name}-00000-of-00001.arrow") for phase in plan.phases}
    assert set(listed) >= {f"shards/{name}-00000-of-00001.arrow" for name in shards}
    state = json.loads((run / "shards" / "state.json").read_text())
    assert [file["filename"] for file in state["_data_files"]] == [f"{name}-00000-of-00001.arrow" for name in shards]
    before: set[str] = set()
    for phase in plan.phases:
        rows = shards[phase.name]
        assert len(rows) == phase.rows
        assert phase.tokens <= (phase.budget_tokens or 0)
        assert len(set(rows) - before) == sum(source.new_documents for source in phase.sources)
        assert phase.distinct_fraction is not None
        before |= set(rows)
    written = [row for rows in shards.values() for row in rows]
    assert sum(account.written for account in manifest.conservation) == len(written)
    assert sum(account.kept for account in manifest.conservation) == len(before)
    header = LedgerHeader.model_validate_json((run / "ledger" / "ledger.json").read_bytes())
    assert {population.stage for population in header.populations} == set(Stage)
    assert "Phases of training" in (run / "report" / "index.html").read_text()
    assert command("verify", run).returncode == 0


def test_a_plan_is_taken_over_on_its_data_and_refused_on_others(phased: Path, command: Command, tmp_path: Path) -> None:
    result = command("plan", phased / "run", "--tokens", "40000", "--lens", "exact", "--out", phased / "weights.json")
    assert result.returncode == 0, result.stderr
    assert "By the exact law of copies" in result.stdout
    config = three_kinds(phased)
    config["mixture"] = {"rates": {"file": "weights.json"}}
    result = command("run", write_config(phased, config), "--out", tmp_path / "run")
    assert result.returncode in (0, 3), result.stdout + result.stderr
    plan = manifest_of(tmp_path / "run").plan
    assert plan is not None
    assert plan.phases[0].rates_from == file_sha256(phased / "weights.json")
    assert plan.tokens == pytest.approx(40_000, rel=0.02)
    assert (tmp_path / "run" / "shards" / "train-00000-of-00001.arrow").is_file()
    # one more document, and the plan is another corpus's
    write_jsonl_gz(phased / "pages.jsonl.gz", unique_texts(301, 1))
    result = command("run", phased / "config.yaml", "--out", tmp_path / "other")
    assert result.returncode == 2, result.stdout + result.stderr
    stated = json.loads((phased / "weights.json").read_text())["data_sha256"]
    message = " ".join(result.stderr.split())
    assert f"stale weights: made from data {stated}, here are data" in message
    assert "plan or learn them again on these data" in message
    assert "Traceback" not in result.stderr
