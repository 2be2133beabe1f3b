"""A run that dies or cannot write, and the same command again: the end is the same bytes."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.processes import ROOT


def crashes(folder: Path, part: str, cases: list[list[Any]], again: bool = False) -> list[dict[str, Any]]:
    """What the driver says: first the steps of a run that nothing happens to, then each case."""
    spec = {"folder": str(folder), "part": part, "cases": cases, "again": again}
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.crash_driver", json.dumps(spec)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def check(case: dict[str, Any]) -> None:
    """What holds after any fault: nothing is listed that is not whole, and the next run ends in the same bytes."""
    assert case["is_listed_whole"], case
    assert (case["resumed"], case["is_identical"], case["leftovers"]) == (0, True, []), case
    if case["act"] in ("kill", "torn", "moment"):
        assert case["code"] in (0, -9) if case["act"] == "moment" else case["code"] == -9, case
    elif case["act"] == "short":
        assert case["code"] == 0, case
    else:
        assert case["code"] in (1, 2), case
        assert "/run-" in case["message"], case
        assert "run the same command again" in case["message"] or "choose another" in case["message"], case


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
