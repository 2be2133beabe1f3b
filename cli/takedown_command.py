"""`polyculture takedown`: a finished run without some documents; only the shards that hold them are written again."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from typing import Annotated

import typer

from cli.inspect_commands import require_run
from cli.terminal import Terminal
from polyculture.errors import ConfigError, PolycultureError, RunInUseError

Run = Annotated[Path, typer.Argument(help="Run directory.", show_default=False)]
Lists = Annotated[
    list[Path],
    typer.Option(
        "--exclude",
        help="Takedown list: lines `id ID`, `url URL`, `host HOST` or `sha256 DIGEST`; may be repeated.",
        show_default=False,
    ),
]
Out = Annotated[Path, typer.Option("--out", help="Run directory of the run without them.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print the verdict as JSON on standard output.")]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("takedown")(takedown)


def takedown(run: Run, exclude: Lists, out: Out, as_json: Json = False) -> None:
    """Take documents out of a finished run. The run itself stays as it is: delete it when the new one is in use."""
    require_run(run)
    from datetime import UTC, datetime

    from polyculture.filters.entries import read_exclusions

    lists = {path.name: path for path in exclude}
    if len(lists) < len(exclude):
        raise ConfigError("--exclude: two lists have the same file name, by which the manifest tells them; rename one")
    exclusions = read_exclusions(lists)
    if not exclusions:
        raise ConfigError("--exclude: the list is empty; there is nothing to take down")
    from cli.display import EXIT_CODES, print_verdict
    from polyculture.evidence.evidence import read_profile
    from polyculture.gate import Terms
    from polyculture.gate.rejudge import judge_directory
    from polyculture.report.render import render_report
    from polyculture.storage.files import write_bytes, write_text
    from polyculture.storage.run_directory import RunDirectory, read_manifest
    from polyculture.takedown.takedown import take_down, taken_down

    parent, directory = RunDirectory(run), RunDirectory(out)
    made = taken_down(parent, directory, exclusions)
    if made is None and out.exists() and {path.name for path in out.iterdir()} - PARTS:
        raise ConfigError(f"--out: {out} holds other files; choose another folder, or delete that one")
    with _leaving_nothing(out), directory.lock():
        if made is None:
            made = take_down(parent, directory, exclusions)
            directory.seal(made.model_dump_json(indent=1) + "\n")
        verdict = judge_directory(directory, None, Terms(as_of=datetime.now(UTC).date()))
        write_text(directory.verdict, verdict.model_dump_json(indent=1) + "\n")
        profile = read_profile(directory, read_manifest(directory))
        for name, content in render_report(made, profile, verdict).items():
            write_bytes(directory.report / name, content)
    found = made.takedown
    if found is not None and not as_json:
        Terminal().line(
            f"{found.documents:,} documents ({found.rows:,} rows) taken down; {len(found.rewritten):,} shards written "
            f"again; {found.unmatched:,} of {found.entries:,} entries name nothing in the shards."
        )
    print_verdict(directory, verdict, as_json)
    raise typer.Exit(EXIT_CODES[verdict.verdict])


# What an interrupted takedown leaves: the same command begins anew.
FOLDERS = {"shards", "removed", "quarantined", "filtered", "unselected", "ledger", "report", "state"}
PARTS = FOLDERS | {"plan.json", "top_up.json", "README.md", "croissant.json"}


@contextmanager
def _leaving_nothing(out: Path) -> Iterator[None]:
    """Remove what a takedown that is refused has written, and the folder too if it was not there."""
    was_there = out.exists()
    before = {path.name for path in out.iterdir()} if was_there else set[str]()
    try:
        yield
    except RunInUseError:  # what is there is another's
        raise
    except PolycultureError:
        for path in out.iterdir() if out.is_dir() and not (out / "manifest.json").exists() else ():
            if path.name not in before:
                rmtree(path) if path.is_dir() else path.unlink()
        if not was_there and out.is_dir() and not any(out.iterdir()):
            out.rmdir()
        raise
