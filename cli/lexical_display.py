"""Lexical measures in the terminal."""

from cli.terminal import Grid, Terminal
from polyculture.measure.lexical.measures import LEXICAL_MEASURES
from schemas.lexical import LexicalValue
from schemas.measures import Stage
from schemas.profile import Profile


def show_lexical(terminal: Terminal, profile: Profile, stage: Stage) -> None:
    """Print the lexical measures of every scope, and under each synthetic source its ratios to human text.

    They are of the input or of what is distinct: for the mixture those of what is distinct are printed.
    """
    at = Stage.DISTINCT if stage is Stage.MIXTURE else stage
    scopes = [scope for scope in profile.lexical if scope.stage is at]
    if not scopes:
        return
    size = f"blocks of {scopes[0].block_words:,} words"
    terminal.line()
    terminal.line(("lexical", "bold"), f", stage {at.value}, {size}; -: too small for one block")
    grid = Grid("scope", "language", *LEXICAL_MEASURES, words=2)
    for scope in scopes:
        grid.row(scope.scope, scope.language or "-", *_cells(scope.measures))
        if scope.ratios:
            grid.row("  over human text", "", *_cells(scope.ratios), style="dim")
    grid.show()
    for scope in scopes:
        if scope.uncompared:
            terminal.line(f"  {scope.scope} is not compared with human text: {scope.uncompared}", style="dim")


def _cells(values: dict[str, LexicalValue | None]) -> list[str]:
    return [_shown(values.get(name)) for name in LEXICAL_MEASURES]


def _shown(found: LexicalValue | None) -> str:
    if found is None:
        return "-"
    half = "" if found.low is None or found.high is None else f" ±{(found.high - found.low) / 2:.3f}"
    return f"{found.value:.3f}{half}"
