"""`polyculture publish`: copy a finished run to a folder or to object storage."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from cli.inspect_commands import require_run
from cli.terminal import Terminal, print_json
from polyculture.errors import ConfigError, GateClosedError
from polyculture.publish.destination import parse_destination

Run = Annotated[Path, typer.Argument(help="Run directory.", show_default=False)]
Url = Annotated[
    str, typer.Argument(help="A folder, or s3://, gs://, az:// with bucket and folder.", show_default=False)
]
By = Annotated[
    str | None,
    typer.Option("--approved-by", help="Person who answers for publishing a run that is not GO.", metavar="NAME"),
]
Reason = Annotated[str | None, typer.Option("--reason", help="Reason for the approval; with --approved-by.")]
Block = Annotated[
    str | None,
    typer.Option(
        "--credentials-block",
        help="Prefect Secret block with a JSON object of credentials.",
        show_default="the environment's",
        metavar="NAME",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("publish")(publish)


def publish(  # noqa: PLR0913, PLR0917 -- the options of the command
    run: Run,
    url: Url,
    approved_by: By = None,
    reason: Reason = None,
    credentials_block: Block = None,
    as_json: Json = False,
) -> None:
    """Copy a finished run to a folder or object storage, if it is GO or somebody answers for it.

    The verdict is checked again, every file by its digest before and after, and the manifest goes last. The same
    command resumes.
    """
    destination = parse_destination(url)  # before anything starts, and before the URL is written anywhere
    if (approved_by is None) != (reason is None) or not (approved_by or "x").strip() or not (reason or "x").strip():
        raise ConfigError("--approved-by, --reason: an approval has a name and a reason; give both, or neither")
    require_run(run)
    from polyculture.publish.stores import require_library

    require_library(destination)
    from cli.display import EXIT_CODES
    from polyculture.publish.permission import check_permission
    from polyculture.storage.run_directory import RunDirectory
    from schemas.verdict import VerdictValue

    try:
        check_permission(RunDirectory(run), datetime.now(UTC).date(), is_approved=approved_by is not None)
    except GateClosedError as error:
        Terminal(is_error=True).line(f"error: {error}", style="red")
        raise typer.Exit(EXIT_CODES[VerdictValue(error.verdict)]) from None
    from cli.progress import ProgressDisplay
    from cli.starters import make_starter

    answers = (approved_by, reason) if approved_by is not None and reason is not None else None
    starter = make_starter()
    with ProgressDisplay(enabled=not as_json) as display:
        done = starter.publish(run, str(destination.url), answers, credentials_block, display.update)
    if as_json:
        print_json(done)
    else:
        already = f", {done.files - done.copied} were there" if done.copied < done.files else ""
        Terminal().line(f"Published {done.files} files, {done.bytes:,} bytes{already}: {done.url}")
        Terminal().line(
            f"manifest.json has the SHA-256 {done.manifest_sha256}; keep it elsewhere, and later: "
            f"polyculture verify RUN --manifest-sha256 {done.manifest_sha256}"
        )
