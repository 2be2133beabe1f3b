"""`polyculture top-up`: broader data for a run that is under way."""

from pathlib import Path
from typing import Annotated

import typer

from cli.counts import count_of
from cli.run_commands import Json, Workers

Run = Annotated[Path, typer.Argument(help="Run directory that the training reads.", show_default=False)]
Consumed = Annotated[
    str,
    typer.Option(
        "--consumed",
        help="What was read: names of shards, separated by commas, or a number of steps; 0 for nothing.",
        show_default=False,
    ),
]
Candidates = Annotated[
    Path, typer.Option("--candidates", help="Configuration of the candidates (YAML).", show_default=False)
]
Tokens = Annotated[
    int,
    typer.Option(
        "--tokens", parser=count_of(), metavar="N", help="Most tokens to add, such as 500M.", show_default=False
    ),
]
PerStep = Annotated[
    int | None,
    typer.Option(
        "--tokens-per-step",
        parser=count_of(),
        metavar="N",
        help="Tokens per step of the whole training job; with a number of steps.",
    ),
]
Earlier = Annotated[
    list[Path] | None,
    typer.Option(
        "--earlier",
        help="Run directory of an earlier top-up that the training reads after RUN; once for each, in order.",
        show_default=False,
    ),
]
Out = Annotated[
    Path | None, typer.Option("--out", help="Run directory of the top-up.", show_default="runs/<name of candidates>")
]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("top-up")(top_up)


def top_up(  # noqa: PLR0913, PLR0917 -- one parameter an option
    run: Run,
    consumed: Consumed,
    candidates: Candidates,
    tokens: Tokens,
    tokens_per_step: PerStep = None,
    earlier: Earlier = None,
    out: Out = None,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Choose from new candidates what broadens a run most, and write it as shards to go on with."""
    from cli.progress import ProgressDisplay

    before = earlier or []
    with ProgressDisplay(enabled=not as_json) as display:
        with display.stage(f"checking {candidates}"):
            from cli.preflight import check_machine
            from polyculture.given import check_given
            from polyculture.storage.run_directory import RunDirectory
            from polyculture.top_up.candidates import check_candidates
            from polyculture.top_up.lineage import read_earlier, read_parent

            config = check_candidates(candidates, run, read_parent(run), out, before)
            read_earlier(run, before)
            directory = RunDirectory(out or Path("runs") / config.name)
            given = check_given("top_up", candidates, directory.root)
            check_machine(given.directory.root, given.input_bytes)
        with display.loading():
            from cli.display import EXIT_CODES, print_verdict
            from cli.starters import make_starter
            from cli.top_up_display import print_top_up
            from polyculture.steps.top_up import TopUpRequest
        asked = TopUpRequest(run, consumed, tokens_per_step, candidates, tokens, directory.root, tuple(before))
        verdict = make_starter().top_up(asked, workers, display.update)
    print_verdict(directory, verdict, as_json)
    if not as_json:
        print_top_up(directory)
    raise typer.Exit(EXIT_CODES[verdict.verdict])
