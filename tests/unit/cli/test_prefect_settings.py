"""A Prefect server that is configured is found in every place that Prefect reads, mostly without its import."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import ROOT

ASK = """
import sys
from cli.prefect_settings import is_server_configured
print(is_server_configured(), "prefect" in sys.modules)
"""
API = "http://127.0.0.1:9/api"
PROFILES = """active = "there"
[profiles.there]
PREFECT_API_URL = "http://127.0.0.1:9/api"
[profiles.none]
PREFECT_LOGGING_LEVEL = "INFO"
"""


def asked(folder: Path, **environment: str) -> tuple[str, str]:
    settings = {"PATH": "/usr/bin", "HOME": str(folder / "home"), "PYTHONPATH": str(ROOT), **environment}
    done = subprocess.run(
        [sys.executable, "-c", ASK], env=settings, cwd=folder, capture_output=True, text=True, check=True
    )
    configured, loaded = done.stdout.split()
    return configured, loaded


def test_nothing_names_a_server_and_prefect_is_not_even_imported(tmp_path: Path) -> None:
    assert asked(tmp_path) == ("False", "False")
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "mine"\ndescription = "an api"\ndependencies = ["prefect"]\n'
    )
    assert asked(tmp_path, PREFECT_API_URL="") == ("False", "False")
    assert asked(tmp_path) == ("False", "False")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".env", f"PREFECT_API_URL={API}\n"),
        ("prefect.toml", f'[api]\nurl = "{API}"\n'),
        ("pyproject.toml", f'[tool.prefect.api]\nurl = "{API}"\n'),
        ("home/.prefect/profiles.toml", PROFILES),
    ],
)
def test_every_file_that_prefect_reads_can_name_one(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text(text)
    assert asked(tmp_path) == ("True", "True")


def test_the_environment_and_another_profile_decide_before_the_active_one(tmp_path: Path) -> None:
    home = tmp_path / "elsewhere"
    home.mkdir()
    (home / "profiles.toml").write_text(PROFILES)
    assert asked(tmp_path, PREFECT_HOME=str(home))[0] == "True"
    assert asked(tmp_path, PREFECT_HOME=str(home), PREFECT_PROFILE="none")[0] == "False"
    assert asked(tmp_path, PREFECT_HOME=str(home), PREFECT_API_URL="") == ("False", "False")
    assert asked(tmp_path, PREFECT_API_URL=API) == ("True", "False")
