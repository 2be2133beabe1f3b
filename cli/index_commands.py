"""`polyculture index`: look at the indexes that `polyculture dedupe --index` writes, and merge them."""

from pathlib import Path
from typing import Annotated

import typer

from cli.terminal import Terminal

Folder = Annotated[Path, typer.Argument(help="Folder of an index.", show_default=False)]
Folders = Annotated[list[Path], typer.Argument(help="Folders of indexes of one scheme.", show_default=False)]
Out = Annotated[Path, typer.Option("--out", help="Folder of the merged index.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    commands = typer.Typer(help="Indexes of what earlier runs kept, for `polyculture dedupe --against`.")
    commands.command("show")(show)
    commands.command("merge")(merge)
    app.add_typer(commands, name="index", no_args_is_help=True)


def show(index: Folder) -> None:
    """Print what an index holds, and how its signatures were made."""
    from polyculture.deduplication.index import read_manifest

    manifest = read_manifest(index)
    terminal = Terminal()
    for name, value in manifest.scheme.model_dump().items():
        terminal.line(f"{name:14} {value}")
    for part in manifest.parts:
        size = sum(file.bytes for file in part.files.values())
        terminal.line(f"{part.name:22} {part.documents:>14,} documents {size / 2**20:>10,.1f} MiB")


def merge(indexes: Folders, out: Out) -> None:
    """Put the parts of several indexes into one, and check every digest on the way."""
    from polyculture.deduplication.index import merge_indexes

    manifest = merge_indexes(indexes, out)
    documents = sum(part.documents for part in manifest.parts)
    Terminal().line(f"{out}: {len(manifest.parts):,} parts, {documents:,} documents")
