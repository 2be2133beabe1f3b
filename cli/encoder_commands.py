"""`polyculture encoder fit-background`: teach the embedded encoder a language."""

from pathlib import Path
from typing import Annotated

import typer

from cli.inspect_commands import require_run
from cli.terminal import Terminal

Run = Annotated[Path, typer.Argument(help="Run directory whose shards are read.", show_default=False)]
Out = Annotated[Path, typer.Option("--out", help="File to write, for `measure.semantic.path`.", show_default=False)]
Most = Annotated[int, typer.Option("--most", min=1, help="Most documents of each language and source.")]
Least = Annotated[int, typer.Option("--least", min=2, help="Documents that a language needs in order to be measured.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    group = typer.Typer(help="The encoder that documents are embedded with.", no_args_is_help=True)
    group.command("fit-background")(fit_background)
    app.add_typer(group, name="encoder")


def fit_background(run: Run, out: Out, most: Most = 5000, least: Least = 100) -> None:
    """Fit what documents of each language have in common, on a varied corpus that you trust, not one to be judged."""
    require_run(run)
    from polyculture.encoders.fit import fit_on_shards
    from polyculture.storage.files import write_bytes
    from polyculture.storage.run_directory import RunDirectory, read_manifest

    directory = RunDirectory(run)
    names = [file.path for file in read_manifest(directory).files if file.path.endswith(".arrow")]
    shards = [directory.root / name for name in sorted(names) if name.startswith(f"{directory.shards.name}/")]
    fitted, read = fit_on_shards(shards, most, least)
    write_bytes(out, fitted)
    terminal = Terminal()
    for language, documents in read.items():
        word = "fitted" if documents >= least else f"too few, {least} are needed: unmeasured"
        terminal.line(f"{language:8} {documents:>9,} documents, {word}")
    terminal.line(f"Background: {out}")
    terminal.line(f"In a configuration: measure: {{semantic: {{path: {out.name}}}}}", style="dim")
