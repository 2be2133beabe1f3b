"""The server that Prefect starts for a flow called in Python: it ends with the caller, and soon if it cannot start."""

import subprocess
import sys
from pathlib import Path

from tests.conftest import Command
from tests.support.processes import ROOT, is_group_alive, wait_until

START = """
import flows, sys
from prefect.server.api.server import SubprocessASGIServer
server = SubprocessASGIServer()
{how}
"""
STARTED_ONLY = """
server.port = server.find_available_port()
process = server._run_uvicorn_command()
print(process.pid, flush=True)
import time
time.sleep(60)
"""


def test_a_temporary_server_ends_with_a_caller_that_is_killed(command: Command, tmp_path: Path) -> None:
    code = START.format(how=STARTED_ONLY)
    caller = subprocess.Popen(
        [sys.executable, "-c", code],
        env={**command.environment, "PREFECT_HOME": str(tmp_path)},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert caller.stdout is not None
    assert int(caller.stdout.readline()) != caller.pid
    caller.kill()
    caller.wait()
    caller.stdout.close()
    wait_until(lambda: not is_group_alive(caller.pid), 10, "the end of the server")


def test_a_temporary_server_that_cannot_start_is_said_at_once(command: Command, tmp_path: Path) -> None:
    home = tmp_path / "file"
    home.write_text("not a folder")
    ended = subprocess.run(
        [sys.executable, "-c", START.format(how="server.start()")],
        env={**command.environment, "PREFECT_SERVER_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{home}/prefect.db"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert ended.returncode == 1
    assert "PolycultureError: the temporary Prefect server of a flow ended as it started" in ended.stderr
