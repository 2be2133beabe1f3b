"""Variety by meaning through the command line: a source that says few things in many words, beside a healthy one."""

import json
from pathlib import Path

import pytest
import yaml

from polyculture.storage.run_directory import RunDirectory, read_manifest
from schemas.verdict import CheckResult, Outcome, Verdict
from tests.conftest import Command
from tests.support.corpora import unique_texts, write_config, write_jsonl_gz
from tests.support.topics import paraphrased_texts, varied_texts

SOURCES = {
    "textbook": ("expert", "en", varied_texts(1200, 1)),
    "pages": ("web", "en", varied_texts(1300, 2)),
    "samples": ("synthetic", "en", paraphrased_texts(300, 3)),
    "foreign": ("web", "xx", unique_texts(80, 4)),
}
OFF = dict.fromkeys(("narrow", "meaning", "unread", "reference"), "off")
SPACE = {"lens": "semantic", "relative_to": "reference", "metric": "rke", "at_least": 0.8}
COVERAGE = {"lens": "semantic", "relative_to": "ceiling", "metric": "coverage", "at_least": 0.9}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A run with the default gate and a reference, and what it printed."""
    folder = tmp_path_factory.mktemp("meaning")
    sources = []
    for name, (kind, language, texts) in SOURCES.items():
        write_jsonl_gz(folder / f"{name}.jsonl.gz", texts)
        sources.append({"name": name, "kind": kind, "paths": [f"{name}.jsonl.gz"], "language": language})
    config = {
        "name": "meaning",
        "sources": sources,
        "reference": ["textbook"],
        "measure": {"semantic": {"probes": 200}},
    }
    result = Command()("run", write_config(folder, config), "--out", folder / "run")
    assert result.returncode == 3, result.stdout + result.stderr
    return folder / "run", result.stdout


def checks(verdict: Verdict, metric: str, stage: str = "mixture") -> dict[str, CheckResult]:
    return {c.scope: c for c in verdict.checks if (c.lens, c.metric, c.stage) == ("semantic", metric, stage)}


def test_the_defaults_tell_a_source_of_few_things_from_a_healthy_one(finished: tuple[Path, str]) -> None:
    run, printed = finished
    verdict = Verdict.model_validate_json((run / "verdict.json").read_bytes())
    rke = checks(verdict, "rke")
    assert {scope: (c.outcome, c.severity) for scope, c in rke.items()} == {
        "all": (Outcome.PASS, "fail"),
        "synthetic": (Outcome.FAIL, "warn"),  # a kind that says little is named, and the narrow share decides
        "web": (Outcome.PASS, "warn"),
    }
    [narrow] = [c for c in verdict.checks if c.name == "narrow"]
    assert narrow.outcome is Outcome.FAIL
    assert "samples 9." in narrow.message
    [near] = [c for c in verdict.checks if (c.lens, c.scope, c.weighting) == ("near", "all", "documents")]
    assert near.outcome is Outcome.PASS  # no two texts are alike
    used = read_manifest(RunDirectory(run)).encoder
    assert used is not None
    assert verdict.encoder == used
    assert used.taus == [0.8, 0.9, 0.95]
    assert used.revision[:8] in rke["synthetic"].message
    assert "RKE by embeddings" in printed
    assert "Unmeasured by embeddings, not varied: foreign." in printed
    page = (run / "report" / "index.html").read_text()
    assert "foreign is unmeasured, which is not varied" in page
    assert {"rke_mixture.svg", "nearest_neighbours_mixture.svg"} <= {p.name for p in (run / "report").iterdir()}


@pytest.mark.parametrize(
    ("expectations", "code"),
    [
        ([{**SPACE, "scope": "pages"}, {**COVERAGE, "scope": "pages"}], 0),
        ([{**COVERAGE, "scope": "samples"}], 3),
        ([{**SPACE, "scope": "foreign"}], 4),  # somebody asked, so what is not measured is not GO
    ],
)
def test_a_policy_is_judged_on_embeddings(
    finished: tuple[Path, str], tmp_path: Path, command: Command, expectations: list[dict[str, object]], code: int
) -> None:
    (tmp_path / "policy.yaml").write_text(yaml.safe_dump({"expectations": expectations, "rules": OFF}))
    result = command("gate", finished[0], "--policy", tmp_path / "policy.yaml", "--json")
    assert result.returncode == code, result.stdout + result.stderr


def test_mixtures_are_foretold_and_what_is_not_measured_cannot_be_planned_for(
    finished: tuple[Path, str], command: Command
) -> None:
    narrow, varied = (
        json.loads(command("what-if", finished[0], "--rates", f"samples={rate}", "--json").stdout)["mixture"]["vectors"]
        for rate in (20, 0)
    )
    assert varied["rke"] > 1.5 * narrow["rke"]
    assert varied["unmeasured"] == 80
    result = command("plan", finished[0], "--objective", "spread")
    assert result.returncode == 2
    assert "most documents of foreign have no embedding" in result.stderr
