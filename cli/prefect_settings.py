"""Settings of Prefect for the one-command run: an embedded server, a quiet terminal, nothing sent anywhere."""

from collections.abc import MutableMapping

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
