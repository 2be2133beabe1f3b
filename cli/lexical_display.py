"""Lexical measures in the terminal."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.tables import print_whole
from polyculture.measure.lexical.measures import LEXICAL_MEASURES
from polyculture.storage.messages import safe_detail
from schemas.lexical import LexicalValue
from schemas.measures import Stage
from schemas.profile import Profile


def show_lexical(console: Console, profile: Profile, stage: Stage) -> None:
    """Print the lexical measures of every scope, and under each synthetic source its ratios to human text.

    They are of the input or of what is distinct: for the mixture those of what is distinct are printed.
    """
    at = Stage.DISTINCT if stage is Stage.MIXTURE else stage
    scopes = [scope for scope in profile.lexical if scope.stage is at]
    if not scopes:
        return
    size = f"blocks of {scopes[0].block_words:,} words"
    console.print(f"\n[bold]lexical[/bold], stage {at.value}, {size}; -: too small for one block")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, name in enumerate(("scope", "language", *LEXICAL_MEASURES)):
        table.add_column(name, justify="right" if number > 1 else "left", no_wrap=True)
    for scope in scopes:
        table.add_row(safe_detail(scope.scope), escape(safe_detail(scope.language or "-")), *_cells(scope.measures))
        if scope.ratios:
            table.add_row("  over human text", "", *_cells(scope.ratios), style="dim")
    print_whole(table)
    for scope in scopes:
        if scope.uncompared:
            said = f"  {scope.scope} is not compared with human text: {scope.uncompared}"
            console.print(safe_detail(said, 300), style="dim", markup=False)


def _cells(values: dict[str, LexicalValue | None]) -> list[str]:
    return [_shown(values.get(name)) for name in LEXICAL_MEASURES]


def _shown(found: LexicalValue | None) -> str:
    if found is None:
        return "-"
    half = "" if found.low is None or found.high is None else f" ±{(found.high - found.low) / 2:.3f}"
    return f"{found.value:.3f}{half}"
