"""`polyculture run` and `polyculture audit`: start the job, show its progress, print the verdict."""

from pathlib import Path
from typing import Annotated, Literal, NamedTuple

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
Costs = Annotated[bool, typer.Option("--profile", help="Print what each stage costs, in CPU seconds of all processes.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command("run")(run)
    app.command("audit")(audit)


def run(config: Config, out: Out = None, as_json: Json = False, workers: Workers = None, costs: Costs = False) -> None:
    """Curate a corpus: ingest, deduplicate, measure, mix, write shards, and judge them."""
    _start("run", config, out, Shown(as_json, costs), workers)


def audit(
    config: Config, out: Out = None, as_json: Json = False, workers: Workers = None, costs: Costs = False
) -> None:
    """Measure and judge the input of a configuration; write no shards."""
    _start("audit", config, out, Shown(as_json, costs), workers)


class Shown(NamedTuple):
    """What is shown of a run: its verdict as JSON, and what its stages cost."""

    as_json: bool
    costs: bool


def _start(command: Literal["run", "audit"], config: Path, out: Path | None, shown: Shown, workers: int | None) -> None:
    from cli.progress import ProgressDisplay

    with ProgressDisplay(enabled=not shown.as_json) as display:
        with display.stage(f"checking {config}"):
            from cli.preflight import check_machine
            from polyculture.configuration import AUDIT_SUFFIX
            from polyculture.given import check_given

            suffix = "" if command == "run" else AUDIT_SUFFIX
            given = check_given(command, config, out, suffix)
            check_machine(given.directory.root, given.input_bytes)
        with display.loading():
            from cli.display import EXIT_CODES, print_verdict
            from cli.stage_costs import StageCosts
            from cli.starters import make_starter
            from polyculture.storage.run_directory import RunDirectory, read_manifest
        costs = StageCosts(display.update)
        verdict = make_starter().run(command, given, workers, costs.update if shown.costs else display.update)
    directory = RunDirectory(out or Path("runs") / f"{given.config.name}{suffix}")
    print_verdict(directory, verdict, shown.as_json)
    if shown.costs:
        costs.print(sum(account.read for account in read_manifest(directory).conservation))
    raise typer.Exit(EXIT_CODES[verdict.verdict])
