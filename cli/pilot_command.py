"""`polyculture pilot`: what is known of a corpus of N documents of which a pilot exists."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.counts import count_of
from cli.terminal import Grid, Terminal

if TYPE_CHECKING:
    from schemas.pilot import PilotForecast, PilotReport
    from schemas.profile import Estimate

SUFFIX = "-pilot"  # of the default output directory
HEADER = ("lens", "scope", "pilot", "corpus", "distinct at N", "in the pilot", "pairs at N", "H2 at N")

Config = Annotated[Path, typer.Argument(help="Configuration file (YAML) of the pilot.", show_default=False)]
Target = Annotated[
    int,
    typer.Option(
        "--target-documents",
        parser=count_of(2),
        metavar="N",
        help="Documents of the corpus, all sources, such as 5M.",
        show_default=False,
    ),
]
Out = Annotated[Path | None, typer.Option("--out", help="Output directory.", show_default="runs/<name>-pilot")]
Largest = Annotated[
    int | None,
    typer.Option(
        "--largest-species",
        parser=count_of(),
        metavar="N",
        help="Documents that no species of the corpus exceeds.",
        show_default="unknown",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]
Workers = Annotated[
    int | None, typer.Option("--workers", min=1, max=1024, help="Worker processes.", show_default="one per core")
]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("pilot")(pilot)


def pilot(  # noqa: PLR0913, PLR0917 -- one parameter an option
    config: Config,
    target_documents: Target,
    out: Out = None,
    largest_species: Largest = None,
    as_json: Json = False,
    workers: Workers = None,
) -> None:
    """Forecast a corpus that is planned from a pilot of it, and judge it by the expectations of the configuration."""
    from cli.progress import ProgressDisplay

    with ProgressDisplay(enabled=not as_json) as display:
        with display.stage(f"checking {config}"):
            from cli.preflight import check_machine
            from polyculture.given import check_given

            given = check_given("pilot", config, out, SUFFIX)
            check_machine(given.directory.root, given.input_bytes)
        with display.loading():
            from cli.display import OUTCOME_EXIT_CODES, print_result
            from cli.starters import make_starter
        found = make_starter().pilot(given, (target_documents, largest_species), workers, display.update)
    directory = out or Path("runs") / f"{given.config.name}{SUFFIX}"
    print_result(found, as_json, lambda: _print(found, directory))
    raise typer.Exit(OUTCOME_EXIT_CODES[found.outcome])


def _print(found: "PilotReport", directory: Path) -> None:
    from cli.display import OUTCOME_STYLES

    terminal = Terminal()
    _table(found.forecasts).show()
    terminal.line(
        f"A pilot of {found.documents:,} documents for a corpus of {found.target_documents:,}. 'distinct at N' is all "
        "that the pilot does not rule out; what the pilot itself shows says nothing of the corpus.",
        style="dim",
    )
    for check in found.checks:
        word = check.outcome.value if check.severity == "fail" else f"warning, {check.outcome.value}"
        style = OUTCOME_STYLES[check.outcome].removeprefix("bold ")
        terminal.line(f"  {word}: {check.message} (wanted {check.bound})", style=style)
    for left_out in found.unjudged:
        terminal.line(f"  not judged: {left_out}", style="dim")
    if not found.checks:
        terminal.line("No expectation of the configuration can be judged by a pilot.", style="yellow")
    terminal.line(found.outcome.name, style=OUTCOME_STYLES[found.outcome])
    terminal.line(f"Numbers: {directory / 'pilot.json'}")


def _table(forecasts: "list[PilotForecast]") -> Grid:
    grid = Grid(*HEADER, words=2)
    for f in forecasts:
        grid.row(
            *(f.lens.value, f.scope, f"{f.documents:,}", f"{f.target_documents:,}"),
            *(f"{f.distinct_fraction.low:.3f} .. {f.distinct_fraction.high:.3f}", f"{f.naive_distinct_fraction:.3f}"),
            *(_count(f.duplicate_pairs), _count(f.hill_2)),
        )
    return grid


def _count(estimate: "Estimate") -> str:
    if estimate.low == estimate.high:
        return f"{estimate.value:,.4g}"
    return f"{estimate.low:,.3g} .. {estimate.high:,.3g}"
