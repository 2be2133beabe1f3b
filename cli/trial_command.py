"""`polyculture trial`: what a small run trained on, against the full mixture."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.inspect_commands import require_run
from cli.terminal import Grid, Terminal
from polyculture.errors import ConfigError
from polyculture.storage.messages import brief
from schemas.measures import Lens

if TYPE_CHECKING:
    from schemas.profile import Estimate
    from schemas.trial import TrialComparison, TrialReport

HEADER = (
    "lens",
    "scope",
    "documents",
    "distinct",
    "uniform",
    "mixture",
    "gap",
    "twins",
    "mixture",
    "H1",
    "mixture",
    "H2",
    "mixture",
)

Run = Annotated[Path, typer.Argument(help="Run directory of the full mixture.", show_default=False)]
Ids = Annotated[
    Path | None,
    typer.Option(
        "--ids",
        help="What the trial trained on: one document_id a line, or JSON Lines or Parquet with `document_id`.",
        show_default=False,
    ),
]
ManifestFile = Annotated[
    Path | None,
    typer.Option(
        "--manifest", help="Instead: manifest.json of the run whose shards it trained on.", show_default=False
    ),
]
Lenses = Annotated[
    list[Lens] | None,
    typer.Option(
        "--lens", help="A lens that may raise the alarm, for any source; repeat it.", show_default="what the gate binds"
    ),
]
MostGap = Annotated[
    float, typer.Option("--most-gap", min=0, max=1, help="Distinct fraction by which the trial may exceed the mixture.")
]
NoFail = Annotated[bool, typer.Option("--no-fail", help="Exit with 0, whatever is found.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("trial")(trial)


def trial(  # noqa: PLR0913, PLR0917 -- one parameter an option
    run: Run,
    ids: Ids = None,
    manifest: ManifestFile = None,
    lens: Lenses = None,
    most_gap: MostGap = 0.1,
    no_fail: NoFail = False,
    as_json: Json = False,
) -> None:
    """Compare what a trial trained on with the full mixture, and raise the alarm where they differ."""
    if (ids is None) == (manifest is None):
        raise ConfigError("name what the trial trained on: either --ids FILE or --manifest FILE")
    require_run(run)
    for option, file in (("--ids", ids), ("--manifest", manifest)):
        if file is not None and not file.is_file():
            raise ConfigError(f"{option}: no file {file}")
    from cli.display import OUTCOME_EXIT_CODES, print_result
    from polyculture.compute.machine import usable_cpus
    from polyculture.trial import compare_trial
    from polyculture.trial.compare import Alarm
    from polyculture.trial.ids import ids_of_shards, read_ids

    wanted = read_ids(ids) if ids else ids_of_shards(manifest or Path())
    try:
        found = compare_trial(run, wanted, Alarm(most_gap, frozenset(lens) if lens else None), usable_cpus())
    except ValueError as error:
        raise ConfigError(
            f"{run}: damaged: {str(error).splitlines()[0]}; `polyculture verify {run}` says more"
        ) from error
    print_result(found, as_json, lambda: _print(found))
    raise typer.Exit(0 if no_fail else OUTCOME_EXIT_CODES[found.outcome])


def _print(found: "TrialReport") -> None:
    from schemas.verdict import Outcome

    terminal = Terminal()
    _table(found.comparisons).show()
    lines = [
        f"The trial read {found.trial_documents:,} of the mixture's {found.mixture_documents:,} documents; "
        "columns named mixture are the full run, uniform is what a uniform trial of the same size would have seen.",
    ]
    if found.unknown:
        examples = ", ".join(brief(name, 200) for name in found.unknown_examples)
        lines.append(f"{found.unknown:,} of {found.listed:,} ids are in no shard of the run: {examples}")
    sample = "The trial looks like a uniform sample of the mixture."
    lines.append(sample if found.is_uniform else "The trial is no uniform sample of the mixture:")
    for line in (*lines, *(f"  {departure}" for departure in found.departures)):
        terminal.line(line, style="dim")
    for words, name, style in ((found.alarms, "ALARM", "bold red"), (found.unsettled, "UNKNOWN", "yellow")):
        for line in words:
            terminal.line(f"{name} {line}", style=style)
    for line in found.notes:
        terminal.line(f"note {line}", style="dim")
    if found.outcome is Outcome.PASS:
        terminal.line(f"No gap above {found.most_gap:g} in what the gate binds.", style="bold green")


def _table(comparisons: "list[TrialComparison]") -> Grid:
    grid = Grid(*HEADER, words=2)
    for c in comparisons:
        uniform = _fraction(c.uniform_distinct_fraction) if c.uniform_distinct_fraction else "-"
        grid.row(
            *(c.lens.value, c.scope, f"{c.trial.documents:,}"),
            *(_fraction(c.trial.distinct_fraction), uniform, _fraction(c.mixture.distinct_fraction)),
            *(f"{c.gap.value:+.3f}", _fraction(c.trial.duplicate_fraction), _fraction(c.mixture.duplicate_fraction)),
            *(f"{c.trial.hill_1.value:,.0f}", f"{c.mixture.hill_1.value:,.0f}"),
            *(f"{h.value:,.0f}" if h.says_something else "unknown" for h in (c.trial.hill_2, c.mixture.hill_2)),
        )
    return grid


def _fraction(estimate: "Estimate") -> str:
    half = (estimate.high - estimate.low) / 2
    return f"{estimate.value:.3f}" + (f" ±{half:.3f}" if half > 0 else "")
