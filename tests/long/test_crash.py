"""SIGKILL of the whole process group at many moments: what the next run makes of it is always the same bytes."""

from pathlib import Path

import pytest

from polyculture.inspect.verify import verify_run
from polyculture.storage.run_directory import is_intact
from schemas.manifest import Manifest
from tests.conftest import Command
from tests.support.corpora import expanded_texts, three_kinds, tree_digests, write_config
from tests.support.processes import run_and_kill

pytestmark = pytest.mark.long


@pytest.mark.timeout(900)
def test_killed_at_any_moment_a_run_leaves_nothing_half_listed_and_resumes(tmp_path: Path, command: Command) -> None:
    config = three_kinds(tmp_path, synthetic=expanded_texts(800, 10, seed=7))
    config["sources"][0]["paths"] = ["pages.jsonl.gz"]  # type: ignore[index]
    path = write_config(tmp_path, config)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert command("run", path, "--out", whole).returncode == 0
    expected = tree_digests(whole)
    arguments = command.arguments("run", path, "--out", killed)
    moments = [2.0 + 0.4 * step for step in range(20)]
    was_running = []
    for seconds in moments:
        was_running.append(run_and_kill(arguments, command.environment, seconds))
        if (killed / "manifest.json").exists():
            manifest = Manifest.model_validate_json((killed / "manifest.json").read_bytes())
            assert all(is_intact(killed, file) for file in manifest.files)
    assert sum(was_running) >= 5
    result = command("run", path, "--out", killed)
    assert result.returncode == 0, result.stderr
    assert tree_digests(killed) == expected
    assert verify_run(killed) == []
