"""`polyculture find`: where a document went."""

from typing import TYPE_CHECKING, Annotated

import typer

from cli.inspect_commands import Json, Run, require_run
from cli.terminal import Terminal
from polyculture.errors import ConfigError

if TYPE_CHECKING:
    from schemas.found import FoundDocument, FoundPlace

Identity = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="SOURCE:ID, as shards and lists hold it; for a quarantined record FILE:BYTE_OFFSET or its SHA-256.",
        show_default=False,
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("find")(find)


def find(run: Run, document_id: Identity, as_json: Json = False) -> None:
    """Say where a document went: which shards hold it, or for what it left. Exit code 1 if the run does not name it."""
    require_run(run)
    from cli.display import print_result
    from polyculture.inspect.find import find_document

    try:
        found = find_document(run, document_id)
    except ValueError as error:
        problem = str(error).splitlines()[0]
        raise ConfigError(f"{run}: damaged: {problem}; `polyculture verify {run}` says more") from error
    print_result(found, as_json, lambda: _show(found))
    raise typer.Exit(0 if found.places else 1)


def _show(found: "FoundDocument") -> None:
    terminal = Terminal()
    for place in found.places:
        terminal.line(f"{found.document_id} {_words(place)}")
    if found.stands_for:
        terminal.line(f"  Removed documents that name it as the twin that stayed: {found.stands_for:,}.")
    for place in found.twin:
        terminal.line(f"  The twin {_words(place)}")
    if not found.places:
        terminal.line(f"{found.document_id} {_absence(found)}.", style="yellow")


def _absence(found: "FoundDocument") -> str:
    if found.source is None:
        return "is not in this run; the part before the first colon is no source of it"
    if found.unlisted:
        return (
            f"is in no file of this run; {found.unlisted:,} documents of {found.source} were measured and are listed "
            "nowhere, so it may be one of them"
        )
    return "is not in this run"


def _words(place: "FoundPlace") -> str:  # noqa: PLR0911 -- one return a place
    detail = f": {place.detail}" if place.detail else ""
    match place.place:
        case "removed":
            alike = f", similarity {place.similarity:.4g}" if place.similarity is not None else ""
            return f"was removed as {place.reason} duplicate of {place.kept_id}{alike} ({_at(place)})."
        case "filtered":
            return f"was filtered by {place.reason}{detail} ({_at(place)})."
        case "quarantined":
            where = f"{place.input_file}, byte {place.byte_offset:,}"
            return f"was quarantined, {place.reason}{detail}; {where} ({_at(place)})."
        case "unselected" if place.reason == "validation_twin":
            return f"is distinct, and left out of training as the twin of a held-out document ({_at(place)})."
        case "unselected":
            return f"is distinct, and not selected by the mixture ({_at(place)})."
        case "held_out":
            return f"is held out for validation: {_at(place)}."
        case "written":
            copies = "1 copy" if place.copies == 1 else f"{place.copies:,} copies"
            return f"is in the mixture, {copies}: {_at(place)}."


def _at(place: "FoundPlace") -> str:
    rows = ", ".join(map(str, place.rows))
    more = f" and {place.copies - len(place.rows):,} more" if place.copies > len(place.rows) else ""
    return f"{place.file}, {'row' if place.copies == 1 else 'rows'} {rows}{more}"
