"""Settings of Prefect for the commands: whether a server is configured, a quiet terminal, nothing sent anywhere."""

import os
from collections.abc import Iterator, MutableMapping
from pathlib import Path

SETTINGS = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_EPHEMERAL_ENABLED": "true",
    # 20 seconds, the default, fail on a busy machine.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
    "PREFECT_RESULTS_DEFAULT_SERIALIZER": "json",
    # The log goes to the run's page; the terminal has its own display.
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
}


def quiet_prefect(environment: MutableMapping[str, str]) -> None:
    """Set what the operator has not set. Call it before Prefect is imported."""
    for name, value in SETTINGS.items():
        environment.setdefault(name, value)


def is_server_configured() -> bool:
    """True if Prefect's settings name a server: in the environment, a file of this folder, or the active profile.

    Prefect is asked only where something may name one, since its import takes a second.
    """
    named = os.environ.get("PREFECT_API_URL")
    if named is not None:
        return bool(named.strip())
    if not any(_mentions_server(path) for path in _settings_files()):
        return False
    quiet_prefect(os.environ)
    from prefect.settings import PREFECT_API_URL

    return bool(PREFECT_API_URL.value())


def _settings_files() -> Iterator[Path]:
    """Every file that Prefect reads settings from."""
    home = Path(os.environ.get("PREFECT_HOME") or "~/.prefect").expanduser()
    yield Path(os.environ.get("PREFECT_PROFILES_PATH") or home / "profiles.toml").expanduser()
    yield from (Path(".env"), Path("prefect.toml"), Path("pyproject.toml"))


def _mentions_server(path: Path) -> bool:
    try:
        text = path.read_text(encoding="utf-8", errors="replace").lower()
    except OSError:
        return False
    words = {"prefect.toml": ("api",), "pyproject.toml": ("tool.prefect", "api")}.get(path.name, ("prefect_api_url",))
    return all(word in text for word in words)
