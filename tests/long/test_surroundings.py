"""A run works, or says in one line why not, on machines that lack what most have; and it ends with its parent."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import mkdtemp

import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings

from tests.conftest import Command
from tests.support.corpora import three_kinds, write_config
from tests.support.processes import is_group_alive, wait_until

pytestmark = pytest.mark.long

DEAD_PROXY = "http://127.0.0.1:9"
PROXIES = {f"{name}_proxy": DEAD_PROXY for name in ("http", "https", "all", "HTTP", "HTTPS", "ALL")}
NEEDS_ROOT = pytest.mark.skipif(os.getuid() != 0 or shutil.which("unshare") is None, reason="only root can part worlds")
WITHOUT_NETWORK = ["unshare", "--net"]
WITHOUT_SHARED_MEMORY = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs -o ro none /dev/shm && exec "$@"', "sh"]
AS_NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


def run_config(folder: Path) -> Path:
    return write_config(folder, three_kinds(folder))


@pytest.mark.parametrize(
    ("prefix", "environment"),
    [
        pytest.param([], PROXIES, id="dead proxy"),
        pytest.param([], {"HOME": "/proc/nowhere", "XDG_CACHE_HOME": ""}, id="home that cannot be written to"),
        pytest.param([], {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"}, id="ascii terminal"),
        pytest.param(["taskset", "-c", "0"], {}, id="one processor"),
        pytest.param(WITHOUT_NETWORK, {}, id="no loopback", marks=NEEDS_ROOT),
        pytest.param(WITHOUT_SHARED_MEMORY, {}, id="no shared memory", marks=NEEDS_ROOT),
    ],
)  # fmt: skip
def test_a_run_without_a_server_works_anywhere(
    prefix: list[str], environment: dict[str, str], command: Command, tmp_path: Path
) -> None:
    config, out = run_config(tmp_path), tmp_path / "größe-run"
    if prefix and shutil.which(prefix[0]) is None:
        pytest.skip(f"no {prefix[0]} on this machine")
    for arguments in (("run", config, "--out", out), ("gate", out)):
        done = subprocess.run(
            [*prefix, *command.arguments(*arguments)],
            env={**command.environment, **environment},
            capture_output=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert b"GO" in done.stdout
        assert b"Traceback" not in done.stderr


def test_a_server_of_this_machine_is_reached_past_a_dead_proxy(server: str, tmp_path: Path) -> None:
    done = Command(server)("run", run_config(tmp_path), "--out", tmp_path / "run", cwd=None, **PROXIES)
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stderr
    with temporary_settings({PREFECT_API_URL: server}), get_client(sync_client=True) as client:
        assert "curate config" in [run.name for run in client.read_flow_runs()]


@NEEDS_ROOT
def test_a_server_that_no_network_leads_to_is_said_in_one_line(command: Command, server: str, tmp_path: Path) -> None:
    arguments = [*WITHOUT_NETWORK, *command.arguments("run", run_config(tmp_path), "--out", tmp_path / "run")]
    environment = {**command.environment, "PREFECT_API_URL": server}
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 1
    assert [line for line in done.stderr.splitlines() if line.startswith("error: ")] == done.stderr.splitlines()[-1:]
    assert "PREFECT_API_URL" in done.stderr
    assert "Traceback" not in done.stderr


def is_readable_by_others(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o005 == 0o005 for folder in (path, *path.parents))


@NEEDS_ROOT
@pytest.mark.skipif(
    not is_readable_by_others(Path(os.path.realpath(sys.executable)))
    or not is_readable_by_others(Path(os.__file__).resolve().parent),
    reason="the interpreter lies where only root reads",
)
def test_another_user_runs_it_from_an_install_that_is_read_only(command: Command, tmp_path: Path) -> None:
    copy = Path(mkdtemp(prefix="another-user-"))  # folders of tests lie where only root reads
    copy.chmod(0o755)
    try:
        shutil.copytree(
            Path(__file__).parents[2],
            copy,
            dirs_exist_ok=True,
            ignore=shutil.ignore_patterns(".*", "runs", "__pycache__"),
        )
        config = run_config(copy)
        (copy / "out").mkdir()
        (copy / "out").chmod(0o777)
        done = subprocess.run(
            [*AS_NOBODY, *command.arguments("run", config, "--out", copy / "out" / "run")],
            env={**command.environment, "PYTHONPATH": str(copy), "HOME": "/nonexistent"},
            cwd=copy,
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
    finally:
        shutil.rmtree(copy, ignore_errors=True)


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM])
def test_at_no_moment_does_a_command_that_ends_leave_a_process(
    sent: signal.Signals, command: Command, tmp_path: Path
) -> None:
    """Five moments: at the start, and in the middle of four steps."""
    config = run_config(tmp_path)
    left = []
    for number, step in enumerate(("", "ingest", "deduplicate", "measure", "write_report")):
        out = tmp_path / f"run-{number}"
        process = subprocess.Popen(
            command.arguments("run", config, "--out", out, "--workers", "2"),
            env=command.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        journal = out / "state" / "journal.jsonl"
        time.sleep(0.3)
        if step:
            wait_until(lambda journal=journal, step=step: step in journal.read_text() or None, 120, step)  # type: ignore[misc]
        process.send_signal(sent)
        process.wait(60)
        ended = time.monotonic()
        while is_group_alive(process.pid) and time.monotonic() < ended + 10:
            time.sleep(0.1)
        left.append(is_group_alive(process.pid))
    assert left == [False] * 5
    resumed = command("run", config, "--out", tmp_path / "run-3")
    assert resumed.returncode == 0, resumed.stderr
