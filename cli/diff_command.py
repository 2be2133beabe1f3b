"""`polyculture diff`: two runs side by side."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.inspect_commands import require_run
from polyculture.errors import ConfigError
from polyculture.storage.messages import safe_detail

if TYPE_CHECKING:
    from schemas.difference import NumberDifference, RunDifference
    from schemas.profile import Estimate

Before = Annotated[Path, typer.Argument(help="Run directory of the first run.", show_default=False)]
After = Annotated[Path, typer.Argument(help="Run directory of the second run.", show_default=False)]
Rows = Annotated[int, typer.Option("--rows", min=1, help="Numbers to show.")]
Json = Annotated[bool, typer.Option("--json", help="Print all of it as JSON on standard output.")]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("diff")(diff)


def diff(before: Before, after: After, rows: Rows = 30, as_json: Json = False) -> None:
    """Compare two finished runs: every number with its interval, and every other key of the configuration."""
    from cli.display import print_result
    from polyculture.inspect.difference import compare_runs
    from polyculture.storage.run_directory import RunDirectory

    require_run(before)
    require_run(after)
    try:
        found = compare_runs(RunDirectory(before), RunDirectory(after))
    except ValueError as error:
        why = str(error).splitlines()[0]
        raise ConfigError(f"a run is damaged: {why}; `polyculture verify RUN` says which and more") from error
    print_result(found, as_json, lambda: _show(found, rows))


def _show(found: "RunDifference", rows: int) -> None:
    console = Console(highlight=False)
    for number in (0, 1):
        verdict = found.verdicts[number] or "no verdict"
        which = ("first", "second")[number]
        console.print(
            f"{which:7}{safe_detail(found.names[number])}: {verdict}, stage {found.stages[number]}", markup=False
        )
    changed = [row for row in found.numbers if row.change != 0]
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for number, name in enumerate(("", "lens", "weighting", "scope", "metric", "first", "second", "change")):
        shown.add_column(name, justify="right" if number > 4 else "left", no_wrap=True)
    for row in changed[:rows]:
        shown.add_row(*_cells(row))
    Console(highlight=False, width=max(console.width, 160)).print(shown)
    apart = sum(row.is_apart for row in found.numbers)
    console.print(
        f"{len(found.numbers):,} numbers: {apart:,} with intervals apart (marked *), {len(changed) - apart:,} "
        f"that differ within them or stand in one run only; {min(rows, len(changed)):,} are shown (--rows).",
        soft_wrap=True,
    )
    for key in found.config:
        line = f"{key.key}: {key.before!r} -> {key.after!r}"
        console.print(Text(safe_detail(line, 300)), soft_wrap=True)
    if not found.config:
        console.print("The configurations are the same.")


def _cells(row: "NumberDifference") -> list[Text]:
    change = "" if row.change is None else f"{row.change:+.1%}"
    cells = ["*" if row.is_apart else "", row.lens, row.weighting, safe_detail(row.scope), row.metric]
    cells += [_shown(row.before), _shown(row.after), change]
    return [Text(cell, style="yellow" if row.is_apart else "") for cell in cells]


def _shown(estimate: "Estimate | None") -> str:
    if estimate is None:
        return "-"
    if estimate.low == estimate.high:
        return f"{estimate.value:,.4g}"
    return f"{estimate.value:,.4g} [{estimate.low:,.4g}, {estimate.high:,.4g}]"
