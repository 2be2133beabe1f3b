"""Runs that die or cannot write at a step, the same command again, and what must be true then."""

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
    elif case["act"] == "short" or (case["code"] == 0 and is_harmless(case)):
        assert (case["code"], case["message"]) == (0, ""), case
    else:
        assert case["code"] in (1, 2), case
        assert "/run-" in case["message"], case
        assert "run the same command again" in case["message"] or "choose another" in case["message"], case


def is_harmless(case: dict[str, Any]) -> bool:
    """Whether a run may go on without this step: making a folder that is there already, the number that a progress bar
    shows, and clearing up after the verdict.
    """
    operation = case["step"].split()[0]
    is_clearing = case["after"] < 2 and case["step"] in ("open state/work", "open state/steps")
    return operation == "mkdir" or is_clearing or (operation == "pwrite" and case["step"].endswith(".progress"))
