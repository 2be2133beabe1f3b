"""`polyculture trial` as a person runs it, on a run of planted redundancy."""

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.ipc
import pytest

from tests.conftest import Command, Ended
from tests.support.corpora import expanded_texts, three_kinds, write_config


def shard_ids(run: Path) -> list[str]:
    shards = [pa.ipc.open_stream(path.read_bytes()).read_all() for path in sorted((run / "shards").glob("*.arrow"))]
    return [str(name) for shard in shards for name in shard["document_id"].to_pylist()]


@pytest.fixture(scope="module")
def few_seeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose synthetic source is 40 texts with 15 variants each, which its near lens only measures."""
    folder = tmp_path_factory.mktemp("few-seeds")
    config = three_kinds(folder, synthetic=expanded_texts(40, 15, seed=4))
    config["dedupe"] = {"near": {"action": "measure"}}
    result = Command()("run", write_config(folder, config), "--out", folder / "run")
    assert result.returncode == 3, result.stdout + result.stderr
    return folder / "run"


def test_a_trial_that_looked_varied_raises_the_alarm(
    few_seeds: Path, tmp_path: Path, command: Command, here: Callable[..., Ended]
) -> None:
    ids = tmp_path / "ids.txt"
    chosen = shard_ids(few_seeds)[::25]
    ids.write_text("\n".join([*chosen, "pages:nowhere"]))
    result = command("trial", few_seeds, "--ids", ids)
    assert result.returncode == 3, result.stdout + result.stderr
    assert "ALARM all, near: your trial saw" in result.stdout
    assert "note samples, near: your trial saw" in result.stdout
    assert "the run will see 7 %" in result.stdout
    assert "1 of 45 ids are in no shard of the run: pages:nowhere" in result.stdout
    assert here("trial", few_seeds, "--ids", ids, "--no-fail").returncode == 0
    healthy = here("trial", few_seeds, "--ids", ids, "--lens", "exact")
    assert healthy.returncode == 0, healthy.stdout
    found = json.loads(here("trial", few_seeds, "--ids", ids, "--json").stdout)
    assert (found["outcome"], found["unknown"], found["trial_documents"]) == ("fail", 1, len(chosen))
    near = next(c for c in found["comparisons"] if (c["lens"], c["scope"]) == ("near", "samples"))
    assert near["trial"]["distinct_fraction"]["value"] > 0.6
    assert near["gap"]["low"] > 0.1
    assert found["is_uniform"]


def test_a_trial_on_all_shards_sees_what_the_run_holds(few_seeds: Path, here: Callable[..., Ended]) -> None:
    result = here("trial", few_seeds, "--manifest", few_seeds / "manifest.json", "--json")
    assert result.returncode == 0, result.stdout + result.stderr
    found = json.loads(result.stdout)
    assert (found["is_uniform"], found["unknown"]) == (True, 0)
    for c in found["comparisons"]:
        for metric in ("distinct_fraction", "duplicate_fraction", "hill_1", "hill_2"):
            assert c["mixture"][metric]["low"] <= c["trial"][metric]["value"] * (1 + 1e-9)
            assert c["trial"][metric]["value"] <= c["mixture"][metric]["high"] * (1 + 1e-9)


def test_a_trial_of_one_source_is_no_uniform_sample(
    few_seeds: Path, tmp_path: Path, here: Callable[..., Ended]
) -> None:
    ids = tmp_path / "ids.txt"
    ids.write_text("\n".join(name for name in shard_ids(few_seeds) if name.startswith("pages:")))
    result = here("trial", few_seeds, "--ids", ids, "--lens", "near")
    assert result.returncode == 3  # all of the mixture is less distinct than this source
    assert "no uniform sample of the mixture" in result.stdout
    assert "pages is 100.0 % of the trial" in result.stdout


def test_ids_of_another_corpus_and_missing_options_are_usage(
    few_seeds: Path, tmp_path: Path, here: Callable[..., Ended]
) -> None:
    ids = tmp_path / "ids.txt"
    ids.write_text("other:1\nother:2\n")
    result = here("trial", few_seeds, "--ids", ids)
    assert result.returncode == 2
    assert "none of the 2 ids is in the shards" in result.stderr
    assert here("trial", few_seeds).returncode == 2
    assert here("trial", tmp_path, "--ids", ids).returncode == 2
