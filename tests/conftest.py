"""A real Prefect server for the session. Prefect's settings stand before it is imported anywhere."""

import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

from cli.prefect_settings import quiet_prefect
from tests.support.processes import ROOT, free_port, process_group, wait_until

# Examples are the same in every run, and a slow machine is no failure.
hypothesis.settings.register_profile(
    "repeatable", derandomize=True, deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("repeatable")


def pytest_configure() -> None:
    for name in [name for name in os.environ if name.startswith("PREFECT_")]:
        del os.environ[name]  # a test run must not see the developer's profile
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # or each of hundreds of commands compiles every module anew
    os.environ["PREFECT_HOME"] = tempfile.mkdtemp(prefix="prefect-home-")
    quiet_prefect(os.environ)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """No bytes in the name of a test: a gzip header holds the time, and workers must agree on the names."""
    return argname if isinstance(val, bytes) else None


def pytest_unconfigure() -> None:
    shutil.rmtree(os.environ["PREFECT_HOME"], ignore_errors=True)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """API address of a real server; flows of this process and of child processes report to it."""
    home, port = tmp_path_factory.mktemp("server"), free_port()
    api = f"http://127.0.0.1:{port}/api"
    environment = os.environ | {
        "PREFECT_HOME": str(home),
        "PREFECT_SERVER_API_HOST": "127.0.0.1",
        "PREFECT_SERVER_API_PORT": str(port),
        "PREFECT_SERVER_UI_API_URL": api,
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    }
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    log = home / "server.log"
    with process_group(command, environment, log) as process:

        def is_up() -> bool:
            assert process.poll() is None, log.read_text()
            with urllib.request.urlopen(f"{api}/health", timeout=5) as answer:  # noqa: S310 -- our own server
                return bool(answer.status == 200)

        wait_until(is_up, 180, "the Prefect server")
        os.environ["PREFECT_API_URL"] = api
        yield api
        del os.environ["PREFECT_API_URL"]


@pytest.fixture(scope="session")
def worker(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server with the deployments of prefect.yaml, and a worker started in the checkout."""
    home = tmp_path_factory.mktemp("worker")
    environment = os.environ | {
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": server,
        "PREFECT_WORKER_QUERY_SECONDS": "1",
    }
    prefect = [sys.executable, "-m", "prefect"]
    _create_pool(server)
    deployed = subprocess.run(
        [*prefect, "--no-prompt", "deploy", "--all"],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert deployed.returncode == 0, deployed.stdout + deployed.stderr
    command = [*prefect, "worker", "start", "--pool", "polyculture", "--type", "process"]
    with process_group(command, environment, home / "worker.log"):
        yield server


def _create_pool(server: str) -> None:
    # `prefect work-pool create` looks up worker types on the network; the template is at hand.
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.settings import PREFECT_API_URL, temporary_settings
    from prefect.workers.process import ProcessWorker

    pool = WorkPoolCreate(
        name="polyculture", type="process", base_job_template=ProcessWorker.get_default_base_job_template()
    )
    with temporary_settings({PREFECT_API_URL: server}), get_client(sync_client=True) as client:
        client.create_work_pool(pool, overwrite=True)


@pytest.fixture
def command() -> "Command":
    """Runs `polyculture` as a process, without a server."""
    return Command()


WITH_WORKERS = {"run", "audit", "pilot", "dedupe"}
Ended = subprocess.CompletedProcess[str]


@pytest.fixture
def here(capfd: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Runs `polyculture` in this process, where a second of imports would be most of the test.

    Only for commands that start no flow. What they are as processes is tested once for each.
    """
    from cli.main import main

    def run(*arguments: str | Path) -> Ended:
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        code = ended.value.code
        assert isinstance(code, int | None)
        return Ended(arguments, code or 0, *capfd.readouterr())

    return run


class Command:
    """The console script in a process of its own, alone or reporting to a server.

    It has one worker process unless a test asks for more: each of them costs a second of imports.
    """

    def __init__(self, server: str | None = None) -> None:
        alone = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"}
        self.environment = alone | {"PYTHONPATH": str(ROOT)} | ({"PREFECT_API_URL": server} if server else {})

    def arguments(self, *arguments: str | Path) -> list[str]:
        """The command line that a call runs."""
        is_said = "--workers" in arguments or not WITH_WORKERS.intersection(map(str, arguments[:1]))
        workers = [] if is_said else ["--workers", "1"]
        return [sys.executable, "-m", "cli.main", *map(str, arguments), *workers]

    def __call__(
        self, *arguments: str | Path, cwd: Path | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.arguments(*arguments),
            env={**self.environment, **environment},
            cwd=cwd or ROOT,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
