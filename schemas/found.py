"""The answer of `polyculture find`: what became of one document."""

from typing import Literal

from schemas.strict import Strict

Place = Literal["written", "held_out", "removed", "filtered", "quarantined", "unselected"]


class FoundPlace(Strict):
    """One place of a run that names a document.

    Attributes:
        place: what became of it there.
        file: the file of the run, as the manifest lists it.
        rows: rows of that file that name it, counted from 0; at most the first 20.
        copies: number of such rows.
        reason: the lens of a removal, the filter, the reason of the quarantine, or why the mixture left it out.
        detail: the entry, licence or problem, in words.
        kept_id: the twin that stayed in its place, of a removed document.
        similarity: similarity to that twin, 0..1.
        input_file, byte_offset: where a quarantined record slot stands in the input.
    """

    place: Place
    file: str
    rows: tuple[int, ...]
    copies: int
    reason: str | None = None
    detail: str | None = None
    kept_id: str | None = None
    similarity: float | None = None
    input_file: str | None = None
    byte_offset: int | None = None


class FoundDocument(Strict):
    """Everything that a run says of one document.

    Attributes:
        document_id: the id that was asked for.
        source: the source that the id names; None if the run has no such source.
        places: places that name it, in the order of the run's files; none if the run knows no such document.
        stands_for: number of removed documents whose kept twin it is.
        twin: what became of the twin that it was removed for.
        unlisted: documents of the source that the run counts and lists nowhere: all that an audit measured, and what
            the mixture left out of a run of before `unselected/`. One that is not found may be among them.
    """

    run: str
    document_id: str
    source: str | None
    places: tuple[FoundPlace, ...]
    stands_for: int
    twin: tuple[FoundPlace, ...] = ()
    unlisted: int = 0
