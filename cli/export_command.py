"""`polyculture export`: the shards of a run in the format of another trainer."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from cli.terminal import Terminal, print_json
from polyculture.errors import ConfigError

Run = Annotated[Path, typer.Argument(help="Run directory.", show_default=False)]
Format = Annotated[
    Literal["megatron"],
    typer.Option("--format", help="megatron: tokenised `.bin` and `.idx`, one pair a group of shards."),
]
Out = Annotated[Path, typer.Option("--out", help="Folder to write, new or empty.", show_default=False)]
TokenizerFile = Annotated[
    Path | None,
    typer.Option("--tokenizer", help="The run's tokenizer.json, if it is not the embedded one.", show_default=False),
]
End = Annotated[str, typer.Option("--end-token", help="Token that ends every document.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("export")(export)


def export(  # noqa: PLR0913, PLR0917 -- the options of the command
    run: Run,
    out: Out,
    form: Format = "megatron",
    tokenizer: TokenizerFile = None,
    end_token: End = "</s>",  # noqa: S107 -- not a password
    as_json: Json = False,
) -> None:
    """Write the shards of a finished run in the format of another trainer, in the same order."""
    from cli.inspect_commands import require_run

    require_run(run)
    from cli.progress import ProgressDisplay
    from polyculture.export.megatron import export_megatron
    from polyculture.storage.run_directory import RunDirectory, read_manifest
    from polyculture.text.tokenizer import TokenCounter

    del form  # there is one so far
    counter = TokenCounter(tokenizer)
    wanted = read_manifest(RunDirectory(run)).tokenizer_sha256
    if counter.sha256 != wanted:
        raise ConfigError(f"--tokenizer: the run's has the SHA-256 {wanted}, this one {counter.sha256}; give the run's")
    with ProgressDisplay(enabled=not as_json) as display:
        done = export_megatron(
            run, out, counter, end_token, lambda rows, total: display.update("exported", rows, total)
        )
    if as_json:
        print_json(done)
        return
    for group in done.groups:
        Terminal().line(
            f"{out / group.name}.bin, .idx: {group.documents:,} documents, {group.tokens:,} tokens as {done.dtype}"
        )
