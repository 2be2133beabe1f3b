"""Everything that a reader yields: records, rejections, filtered slots, and one account of the file at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from polyculture.compute.watchdog import UNWATCHED, Watchdog
from polyculture.storage.messages import safe_detail

if TYPE_CHECKING:
    from pathlib import Path

    from polyculture.sources.stream import Stream
    from schemas.accounts import LeftOut
    from schemas.quarantined import QuarantineReason
    from schemas.source_config import CutPages, LimitsConfig

TIME_LIMIT = "limits.max_document_seconds"


@dataclass(frozen=True, slots=True)
class InputFile:
    """A regular file to read.

    Attributes:
        path: its path.
        name: its name in manifest, quarantine and messages: relative to the configuration file, `/` as separator.
        sha256: digest of its bytes, in hexadecimal.
        size_bytes: its size.
    """

    path: Path
    name: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Unkept:
    """A value that is there and has no plain form, such as an interval; it only says its type.

    Attributes:
        kind: the type, as the file's schema names it.
    """

    kind: str

    def __str__(self) -> str:
        return f"a value of type {self.kind}"


@dataclass(frozen=True, slots=True)
class Record:
    """A record slot that was read whole. Its values are not checked yet: they are what the corpus says.

    Attributes:
        values: column or key to value, as decoded (str, bytes, int, float, Decimal, bool, None, list, dict, Unkept).
        byte_offset: start of the record in the decompressed stream; the row number in a columnar file.
        sha256: digest of the record's raw bytes (of its values as JSON in a columnar file).
    """

    values: dict[str, object]
    byte_offset: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Rejection:
    """A record slot that could not be read or accepted.

    `detail` is for people, made safe by `safe_detail`; `is_tail` says that everything from `byte_offset` on is lost, of
    the file or of the member of an archive.
    """

    reason: QuarantineReason
    detail: str
    byte_offset: int
    sha256: str
    is_tail: bool = False


@dataclass(frozen=True, slots=True)
class Filtered:
    """A whole record slot that is no text document by its own declaration: an image, an error page, a redirect."""

    rule: str
    byte_offset: int


@dataclass(slots=True)
class FileNotes:
    """A reader's notes on a file as a whole; filled while its iterator runs.

    Attributes:
        format: name of the format that was recognised, e.g. `jsonl+zstd`.
        skipped: control records that are no record slots, by type (warcinfo, request, ...).
        warnings: things worth a look that cost no record.
        is_tail_lost: the file ends before its container says so, or cannot be read to its end; or a member of it.
        lost_bytes: compressed bytes that were not read because of that.
        loss: why, of the first loss.
        members: members of an archive that gave records, by format.
        left_out: members of an archive that are side files.
    """

    format: str = ""
    skipped: dict[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    is_tail_lost: bool = False
    lost_bytes: int = 0
    loss: str = ""
    members: dict[str, int] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Reading:
    """A reader's task: one open file, what is wanted of it, and where to say how it went.

    Attributes:
        file: the file.
        stream: its decompressed bytes, from the start. Columnar readers leave it alone: their child opens the file.
            Of a file it is a `ByteStream`.
        columns: our field name -> the corpus's column or dotted path, for every field that is wanted.
        limits: bounds.
        notes: filled by the reader.
        cut_pages: what becomes of pages that were cut when they were fetched.
        is_split: text files are split at blank lines.
        is_chat: the text may be a list of messages.
        watchdog: runs what may take long for one document.
    """

    file: InputFile
    stream: Stream
    columns: Mapping[str, str]
    limits: LimitsConfig
    notes: FileNotes
    cut_pages: CutPages = "keep"
    is_split: bool = False
    is_chat: bool = False
    watchdog: Watchdog = UNWATCHED

    def lose_tail(self, reason: QuarantineReason, detail: str, byte_offset: int, lost_bytes: int) -> Rejection:
        """The one rejection for everything from `byte_offset` on, noted for the file as a whole."""
        self.notes.is_tail_lost = True
        self.notes.lost_bytes += lost_bytes
        self.notes.loss = self.notes.loss or safe_detail(detail)
        return Rejection(reason, safe_detail(detail), byte_offset, self.file.sha256, is_tail=True)

    def lost_tail(self, byte_offset: int) -> Rejection | None:
        """`lose_tail` for what the stream could not deliver; None if it was delivered whole."""
        problem = self.stream.problem
        if problem is None:
            return None
        return self.lose_tail(problem.reason, problem.detail, byte_offset, problem.lost_bytes)


def extensions_of(name: str) -> set[str]:
    """The extensions of a file's name, in lower case: `{"csv", "gz"}` for `a.csv.gz`."""
    return {part.lower() for part in name.rpartition("/")[2].split(".")[1:]}


Slot = Record | Rejection | Filtered
Reader = Callable[[Reading], Iterator[Slot]]
