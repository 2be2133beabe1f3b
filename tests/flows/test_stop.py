"""A run that a person or the machine stops: it ends soon, leaves no process, and the same command goes on."""

import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.conftest import Command
from tests.support.corpora import three_kinds, write_config
from tests.support.processes import is_group_alive, journal_of, wait_until


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_stopped_ends_soon_leaves_no_process_and_resumes(
    command: Command, tmp_path: Path, sent: signal.Signals
) -> None:
    path = write_config(tmp_path, three_kinds(tmp_path))
    arguments = command.arguments("run", path, "--out", tmp_path / "run", "--workers", "2")
    process = subprocess.Popen(
        arguments, env=command.environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    wait_until((tmp_path / "run" / "state" / "journal.jsonl").exists, 150, "the first step")
    time.sleep(0.5)
    process.send_signal(sent)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert said.strip().splitlines()[-1].startswith("error: stopped; the same command resumes (it was ")
    assert "Traceback" not in said
    wait_until(lambda: not is_group_alive(process.pid), 10, "the end of every process of the run")
    assert journal_of(tmp_path / "run")[-1].event == "stopped"
    resumed = command("run", path, "--out", tmp_path / "run")
    assert resumed.returncode == 0, resumed.stderr
