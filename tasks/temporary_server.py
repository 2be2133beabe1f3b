"""The server that Prefect starts where a flow is called and none is configured: it ends with that process.

Prefect ends it when Python exits, so that after a kill it would stay for ever. Here it watches a pipe that the kernel
closes with its parent, and one that dies while it starts is an error at once, not after all the time it is given.
"""

import os
import subprocess
import sys
import weakref
from typing import Any

from prefect.server.api.server import SubprocessASGIServer
from prefect.settings import get_current_settings

from polyculture.errors import PolycultureError

# Run by the child: end when nothing can write to its standard input any more, and be the module that is named.
TIED = """
import os, runpy, sys, threading
def watch():
    while os.read(0, 1):
        pass
    os._exit(1)
threading.Thread(target=watch, daemon=True).start()
sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""
START_FAILED = 3  # where Prefect tries another port, again and again, whatever the reason is


class TiedProcess(subprocess.Popen[Any]):
    """A server whose standard input is the tie to this process."""

    def __init__(self, port: int, environment: dict[str, str]) -> None:
        """Start it."""
        served = ["--host", "127.0.0.1", "--port", str(port), "--log-level", "error", "--lifespan", "on"]
        arguments = ["uvicorn", "--factory", "prefect.server.api.server:create_app", *served]
        end, tie = os.pipe()
        try:
            super().__init__([sys.executable, "-c", TIED, *arguments], env=environment, stdin=end)
        finally:
            os.close(end)
            weakref.finalize(self, os.close, tie)
        self._port, self._is_told = port, False

    def poll(self) -> int | None:
        """Exit code, or None while it runs.

        Raises:
            PolycultureError: it ended by itself; said once.
        """
        code = super().poll()
        if code is None or code <= 0 or self._is_told:
            return code
        self._is_told = True
        if code == START_FAILED and not SubprocessASGIServer.is_port_available(self._port):
            return code
        home = os.environ.get("PREFECT_HOME", "~/.prefect")
        raise PolycultureError(
            f"the temporary Prefect server of a flow ended as it started (exit code {code}; it says why above): "
            f"{home} must be writable and its database one of this version of Prefect. Or set PREFECT_API_URL to a "
            "server that runs; `polyculture run` and `polyculture.run` need none"
        )

    def terminate(self) -> None:
        """Ask it to end; that it has ended is no error then."""
        self._is_told = True
        super().terminate()


def tie_temporary_servers() -> None:
    """Have every temporary server that Prefect starts in this process end with it."""
    SubprocessASGIServer._run_uvicorn_command = _start  # type: ignore[method-assign, assignment]


def _start(server: SubprocessASGIServer) -> TiedProcess:
    settings = get_current_settings().to_environment_variables(exclude_unset=True)
    own = {"PREFECT_UI_ENABLED": "0", "PREFECT__SERVER_EPHEMERAL": "1", "PREFECT__SERVER_FINAL": "1"}
    return TiedProcess(server.port or server.find_available_port(), {**os.environ, **own, **settings})
