"""`polyculture history`: send what a run directory says of its jobs to a Prefect server."""

import os
from pathlib import Path
from typing import Annotated

import typer

from cli.terminal import Terminal, print_json
from polyculture.errors import ConfigError

Run = Annotated[Path, typer.Argument(help="Run directory.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("history")(history)


def history(run: Run, as_json: Json = False) -> None:
    """Send the history of a run to the Prefect server that is configured: jobs, steps, messages and the verdict.

    Jobs that ran without a server, or while it did not answer, stand in its dashboard afterwards. What the server has
    is not sent again.
    """
    from cli.prefect_settings import is_server_configured, quiet_prefect
    from polyculture.steps.journal import JOURNAL
    from polyculture.storage.run_directory import RunDirectory

    directory = RunDirectory(run.absolute())
    if not (directory.state / JOURNAL).is_file():
        raise ConfigError(f"{run}: no run that keeps a journal; name the folder that --out of a run named")
    if not is_server_configured():
        raise ConfigError("history: no Prefect server is configured; set PREFECT_API_URL to the address of its API")
    quiet_prefect(os.environ)
    from tasks.history import Sender
    from tasks.server import UnreachableError, check_server

    address = check_server()
    with directory.lock():
        sender = Sender(directory, address)
        try:
            sender.send()
        except UnreachableError as error:
            raise UnreachableError(f"PREFECT_API_URL: {address} {error}; the same command goes on") from None
    if as_json:
        print_json({"run": str(run), "server": address, "jobs": sender.flow_runs})
    elif sender.flow_runs:
        Terminal().line(f"Sent {sender.flow_runs} {'job' if sender.flow_runs == 1 else 'jobs'} of {run} to {address}.")
    else:
        Terminal().line(f"{address} has the history of {run}.")
