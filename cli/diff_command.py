"""`polyculture diff`: two runs side by side."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.inspect_commands import require_run
from cli.terminal import Grid, Part, Terminal
from polyculture.errors import ConfigError
from polyculture.storage.messages import brief

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
    require_run(before)
    require_run(after)
    from cli.display import print_result
    from polyculture.inspect.difference import compare_runs
    from polyculture.storage.run_directory import RunDirectory

    try:
        found = compare_runs(RunDirectory(before), RunDirectory(after))
    except ValueError as error:
        why = str(error).splitlines()[0]
        raise ConfigError(f"a run is damaged: {why}; `polyculture verify RUN` says which and more") from error
    print_result(found, as_json, lambda: _show(found, rows))


def _show(found: "RunDifference", rows: int) -> None:
    terminal = Terminal()
    for number in (0, 1):
        verdict = found.verdicts[number] or "no verdict"
        which = ("first", "second")[number]
        terminal.line(f"{which:7}{found.names[number]}: {verdict}, stage {found.stages[number]}")
    changed = [row for row in found.numbers if row.change != 0]
    shown = Grid("", "lens", "weighting", "scope", "metric", "first", "second", "change", words=5)
    for row in changed[:rows]:
        shown.row(*_cells(row))
    shown.show()
    apart = sum(row.is_apart for row in found.numbers)
    terminal.line(
        f"{len(found.numbers):,} numbers: {apart:,} with intervals apart (marked *), {len(changed) - apart:,} "
        f"that differ within them or stand in one run only; {min(rows, len(changed)):,} are shown (--rows)."
    )
    for key in found.config:
        terminal.line(f"{key.key}: {_value(key.before)} -> {_value(key.after)}")
    if not found.config:
        terminal.line("The configurations are the same.")


def _cells(row: "NumberDifference") -> list[Part]:
    change = "" if row.change is None else f"{row.change:+.1%}"
    cells = ["*" if row.is_apart else "", row.lens, row.weighting, row.scope, row.metric]
    cells += [_shown(row.before), _shown(row.after), change]
    return [(cell, "yellow" if row.is_apart else "") for cell in cells]


def _shown(estimate: "Estimate | None") -> str:
    if estimate is None:
        return "-"
    if estimate.low == estimate.high:
        return f"{estimate.value:,.4g}"
    return f"{estimate.value:,.4g} [{estimate.low:,.4g}, {estimate.high:,.4g}]"


def _value(value: object) -> str:
    return brief(repr(value), 300)
