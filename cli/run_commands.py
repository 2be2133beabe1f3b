"""`polyculture run` and `polyculture audit`: start the job, show its progress, print the verdict."""

from pathlib import Path
from typing import Annotated, Literal

import typer

Config = Annotated[Path, typer.Argument(help="Configuration file (YAML).", show_default=False)]
Out = Annotated[Path | None, typer.Option("--out", help="Run directory.", show_default="runs/<name>")]
Json = Annotated[bool, typer.Option("--json", help="Print the verdict as JSON on standard output.")]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        min=1,
        max=1024,
        help="Worker processes; the output does not depend on it.",
        show_default="one per core",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command("run")(run)
    app.command("audit")(audit)


def run(config: Config, out: Out = None, as_json: Json = False, workers: Workers = None) -> None:
    """Curate a corpus: ingest, deduplicate, measure, mix, write shards, and judge them."""
    _start("run", config, out, as_json, workers)


def audit(config: Config, out: Out = None, as_json: Json = False, workers: Workers = None) -> None:
    """Measure and judge the input of a configuration; write no shards."""
    _start("audit", config, out, as_json, workers)


def _start(
    command: Literal["run", "audit"], config: Path, out: Path | None, as_json: bool, workers: int | None
) -> None:
    from cli.progress import ProgressDisplay

    with ProgressDisplay(enabled=not as_json) as display:
        with display.stage(f"checking {config}"):
            from cli.preflight import check_machine
            from polyculture.configuration import AUDIT_SUFFIX
            from polyculture.given import check_given

            suffix = "" if command == "run" else AUDIT_SUFFIX
            given = check_given(command, config, out, suffix)
            check_machine(given.directory.root, given.input_bytes)
        with display.loading():
            from cli.display import EXIT_CODES, print_verdict
            from cli.starters import make_starter
            from polyculture.storage.run_directory import RunDirectory
        verdict = make_starter().run(command, given, workers, display.update)
    print_verdict(RunDirectory(out or Path("runs") / f"{given.config.name}{suffix}"), verdict, as_json)
    raise typer.Exit(EXIT_CODES[verdict.verdict])
