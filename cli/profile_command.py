"""`polyculture profile`: the numbers of a finished run, source by source and lens by lens."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.inspect_commands import require_evidence
from cli.terminal import Grid, Terminal, print_json
from polyculture.errors import ConfigError
from schemas.measures import TRIAL_FRACTIONS, Lens, Stage, Weighting

if TYPE_CHECKING:
    from schemas.profile import Estimate, Profile, ScopeProfile

Run = Annotated[Path, typer.Argument(help="Run directory.", show_default=False)]
StageOption = Annotated[
    Stage | None, typer.Option("--stage", help="Stage that the numbers are about.", show_default="what the gate judged")
]
LensOption = Annotated[
    list[Lens] | None, typer.Option("--lens", help="A lens; may be repeated.", show_default="all measured")
]
By = Annotated[Weighting, typer.Option("--weighting", help="documents: each counts the same; tokens: by its tokens.")]
Leaks = Annotated[
    float, typer.Option("--leaks", min=0, max=1, help="Least containment of a pair of sources that is listed.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the whole profile as JSON on standard output.")]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("profile")(profile)


def profile(  # noqa: PLR0913, PLR0917 - the options of the command
    run: Run,
    stage: StageOption = None,
    lens: LensOption = None,
    weighting: By = Weighting.DOCUMENTS,
    leaks: Leaks = 0.01,
    as_json: Json = False,
) -> None:
    """Print every measured number of a run: what trials of three sizes would have seen beside what is there."""
    require_evidence(run)
    from polyculture.evidence.evidence import read_profile
    from polyculture.storage.run_directory import RunDirectory, read_manifest

    directory = RunDirectory(run)
    try:
        manifest = read_manifest(directory)
        found = read_profile(directory, manifest)
    except ValueError as error:
        why = str(error).splitlines()[0]
        raise ConfigError(f"{run}: damaged: {why}; `polyculture verify {run}` says more") from error
    if as_json:
        print_json(found)
        return
    judged = stage or manifest.held_stage
    measured = {scope.lens for scope in found.scopes if (scope.stage, scope.weighting) == (judged, weighting)}
    absent = [name.value for name in lens or () if name not in measured]
    if absent or not measured:
        known = ", ".join(name for name in Lens if name in measured) or "none"
        what = f"lens {absent[0]!r} was not measured" if absent else "nothing was measured"
        raise ConfigError(f"stage {judged.value}: {what}; measured there: {known}")
    for name in lens or [each for each in Lens if each in measured]:
        _show_lens(found, judged, name, weighting, leaks)
    if not lens:
        from cli.lexical_display import show_lexical
        from cli.vector_display import show_vectors

        show_lexical(Terminal(), found, judged)
        show_vectors(Terminal(), found, judged)


def _show_lens(found: "Profile", stage: Stage, lens: Lens, weighting: Weighting, leaks: float) -> None:
    terminal = Terminal()
    terminal.line()
    terminal.line((lens.value, "bold"), f", stage {stage.value}, by {weighting.value}")
    trials = [f"{100 * fraction:g} % trial" for fraction in TRIAL_FRACTIONS]
    grid = Grid("scope", "documents", *trials, "distinct fraction", "hill_1", "hill_2", "duplicate_pairs")
    for scope in found.scopes:
        if (scope.stage, scope.lens, scope.weighting) == (stage, lens, weighting):
            grid.row(*_cells(scope))
    grid.show()
    if weighting is Weighting.DOCUMENTS:
        _show_leaks(terminal, found, stage, lens, leaks)


def _cells(scope: "ScopeProfile") -> Sequence[str]:
    return (
        scope.scope,
        f"{scope.documents:,}",
        *(f"{scope.trial(fraction).value:.3f}" for fraction in TRIAL_FRACTIONS),
        _shown(scope.distinct_fraction, ".3f"),
        _shown(scope.hill_1, ",.0f"),
        _shown(scope.hill_2, ",.0f") if scope.hill_2.says_something else "unknown",
        f"{scope.duplicate_pairs.value:,.0f}" if scope.duplicate_pairs.says_something else "unknown",
    )


def _shown(estimate: "Estimate", form: str) -> str:
    if estimate.low == estimate.high:
        return f"{estimate.value:{form}}"
    return f"{estimate.value:{form}} [{estimate.low:{form}}, {estimate.high:{form}}]"


def _show_leaks(terminal: Terminal, found: "Profile", stage: Stage, lens: Lens, least: float) -> None:
    """Ordered pairs of sources with a share of twins, the largest first."""
    pairs = [p for p in found.containments if (p.stage, p.lens) == (stage, lens)]
    large = sorted((p for p in pairs if p.containment.value >= least), key=lambda p: -p.containment.value)
    for pair in large:
        terminal.line(f"  {_shown(pair.containment, '.3f')} of {pair.of} has a twin in {pair.within}")
    if pairs:
        terminal.line(
            f"  {len(pairs) - len(large):,} of {len(pairs):,} ordered pairs are below {least:g}.", style="dim"
        )
