"""Steps at which a run can die or fail, and random moments: the next run ends in the same bytes.

The long tests take some of the steps and moments, the exhaustive ones (`make test-exhaustive`, hours) every one.
"""

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Command
from tests.support.corpora import three_kinds, tree_digests, write_config
from tests.support.crashes import check, crashes
from tests.support.processes import ROOT

pytestmark = pytest.mark.timeout(6 * 3600)
LONG, EVERY = pytest.mark.long, pytest.mark.exhaustive


def checked(cases: list[dict[str, Any]]) -> Counter[str]:
    for case in cases:
        check(case)
    counts = Counter(case["act"] for case in cases)
    print(dict(counts))
    return counts


@pytest.mark.parametrize(("kills", "others"), [pytest.param(6, 18, marks=LONG), pytest.param(1, 1, marks=EVERY)])
def test_at_every_step_of_the_shards_a_run_may_die_or_fail(tmp_path: Path, kills: int, others: int) -> None:
    acts = {"kill": kills} | dict.fromkeys(("torn", "short", "ENOSPC", "EIO", "EINTR"), others)
    whole, *cases = crashes(tmp_path, "tail", [[act, f"every {stride}"] for act, stride in acts.items()])
    counts = checked(cases)
    steps = whole["steps"]
    writes = sum(step.startswith("write ") for step in steps)
    assert len(steps) > 100
    every = {act: writes if act in ("torn", "short") else len(steps) for act in acts}
    assert counts == {act: -(-every[act] // stride) for act, stride in acts.items()}


@pytest.mark.parametrize("stride", [pytest.param(8, marks=LONG), pytest.param(1, marks=EVERY)])
def test_killed_at_every_commit_of_a_whole_run_it_resumes(tmp_path: Path, stride: int) -> None:
    whole, *_ = crashes(tmp_path / "plain", "whole", [])
    commits = [i for i, step in enumerate(whole["steps"]) if step.split()[0] in ("replace", "link")]
    assert len(commits) > 30
    commits = commits[::stride]
    _, *cases = crashes(tmp_path / "killed", "whole", [["kill", at] for at in commits])
    assert checked(cases) == {"kill": len(commits)}


@pytest.mark.parametrize("count", [pytest.param(8, marks=LONG), pytest.param(100, marks=EVERY)])
def test_killed_at_random_moments_a_run_resumes(tmp_path: Path, count: int) -> None:
    generator = random.Random(39)
    moments = [["moment", 0.9 * generator.random()] for _ in range(count)]
    once, twice = moments[: count * 3 // 4], moments[count * 3 // 4 :]
    _, *cases = crashes(tmp_path / "once", "whole", once)
    _, *more = crashes(tmp_path / "twice", "whole", twice, again=True)
    assert checked(cases + more) == {"moment": count}
    assert sum(case["code"] == -9 for case in cases + more) > count / 2  # most were still running


@LONG
def test_a_worker_process_that_dies_or_cannot_write_ends_the_command_and_the_next_resumes(
    tmp_path: Path, command: Command
) -> None:
    config = three_kinds(tmp_path)
    config["shards"] = {"max_shard_bytes": 100_000, "batch_rows": 100}
    path = write_config(tmp_path, config)
    assert command("run", path, "--out", tmp_path / "whole", "--workers", 2).returncode == 0
    for act, code in (("kill", 1), ("ENOSPC", 1)):
        out, trace = tmp_path / act, tmp_path / f"{act}.trace"
        plan = f'{{"root": "{out}", "trace": "{trace}", "at": null, "act": "{act}", "match": "write shards/"}}'
        paths = f"{ROOT / 'tests' / 'support' / 'failpoints'}:{ROOT}"
        failed = command("run", path, "--out", out, "--workers", 2, FAILPOINTS=plan, PYTHONPATH=paths)
        assert failed.returncode == code, failed.stderr
        assert ("worker process died" if act == "kill" else f"{out}/shards/train-") in failed.stderr
        assert failed.stderr.rstrip().splitlines()[-1].startswith("error: ")  # after what Prefect logs
        assert not (out / "manifest.json").exists()
        again = command("run", path, "--out", out, "--workers", 2)
        assert again.returncode == 0, again.stderr
        assert tree_digests(out) == tree_digests(tmp_path / "whole")


@LONG
def test_twelve_runs_of_other_workers_file_order_and_hash_seed_are_one_tree(tmp_path: Path, command: Command) -> None:
    config = three_kinds(tmp_path)
    config["sources"][0]["paths"] = ["p*.jsonl.gz"]  # type: ignore[index]
    config["shards"] = {"max_shard_bytes": 100_000, "batch_rows": 100}
    trees = []
    for number, (workers, order, seed) in enumerate(
        (workers, order, seed) for workers in (1, 2, 4) for order in (1, -1) for seed in ("0", "random")
    ):
        # the same configuration by another name: its sources listed in the other order
        one = config | {"sources": config["sources"][::order]}  # type: ignore[index]
        path = write_config(tmp_path, one, f"config-{number}.yaml")
        out = tmp_path / f"run-{number}"
        result = command("run", path, "--out", out, "--workers", workers, PYTHONHASHSEED=seed)  # type: ignore[arg-type]
        assert result.returncode == 0, result.stderr
        trees.append(tree_digests(out))
    assert len(trees[0]) > 30
    assert all(tree == trees[0] for tree in trees)


@LONG
def test_killed_or_without_space_a_run_resumes_to_the_same_bytes(tmp_path: Path) -> None:
    wanted = [["kill", 0.35], ["kill", 0.55], ["torn", 0.5], ["kill", 0.75], ["kill", 0.97], ["ENOSPC", 0.5]]
    whole, *cases = crashes(tmp_path, "tail", wanted)
    assert len(cases) == len(wanted)
    for case in cases:
        check(case)
    # data, then the manifest, then the verdict
    names = [step.rpartition("-")[2] for step in whole["steps"] if step.split()[0] in ("replace", "link")]
    data = max(i for i, step in enumerate(names) if step.endswith((".arrow", "info.json", "statistics.json")))
    assert data < names.index("manifest.json") < names.index("verdict.json")
