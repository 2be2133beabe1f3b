"""Accounts of files and sources: what their bytes are, and what became of every record slot."""

from pydantic import Field

from schemas.documents import Kind
from schemas.strict import Strict


class FileDigest(Strict):
    """A file, named relative to the run directory, and what identifies its bytes."""

    path: str = Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    bytes: int = Field(ge=0)
    rows: int | None = Field(None, ge=0)


class LeftOut(Strict):
    """Side files of a source that were found and not read.

    Attributes:
        why: what they are.
        files: number of them.
        names: names of the first ten, relative to the configuration file; `ARCHIVE!MEMBER` in an archive.
    """

    why: str
    files: int
    names: list[str]

    @property
    def line(self) -> str:
        """The number of files, the reason and the names, for people."""
        more = ", ..." if self.files > len(self.names) else ""
        noun = "side file" if self.files == 1 else "side files"
        return f"{self.files:,} {noun} left out, {self.why}: {', '.join(self.names)}{more}"


class FileAccount(Strict):
    """The account of every record slot of one input file: slots = documents + quarantined + filtered.

    Attributes:
        name: relative to the configuration file.
        filtered: documents that filters took out, by filter, and slots that the reader passed over as no documents
            (images, redirects), by its rule.
        filtered_tokens: tokens of the documents that filters took out; names no rule of a reader.
        skipped: control records that are no record slots, by type.
        is_tail_lost: the file ends before its container says so, or cannot be read to its end; or a member of it.
        loss: why, of the first loss.
        is_changed: the file changed while it was read.
        members: members of an archive that gave documents, by format.
        left_out: side files in an archive.
    """

    name: str
    sha256: str
    bytes: int
    format: str
    slots: int
    documents: int
    quarantined: dict[str, int]
    filtered: dict[str, int]
    filtered_tokens: dict[str, int] = Field(default_factory=dict)
    skipped: dict[str, int]
    warnings: list[str]
    is_tail_lost: bool
    lost_bytes: int
    is_changed: bool = False
    loss: str = ""
    members: dict[str, int] = Field(default_factory=dict)
    left_out: list[LeftOut] = Field(default_factory=list)


class SourceAccount(Strict):
    """The account of one source.

    Conservation: read = kept + removed + filtered + unselected + quarantined, and written = kept + repeated. An audit
    selects nothing: every document that it reads is unselected.

    Attributes:
        read: record slots.
        quarantined, filtered, removed: counts by reason, rule and lens.
        filtered_tokens: tokens of the documents that filters took out, by filter: each has a row in `filtered/`. What
            `filtered` counts beside them was passed over by a reader, and has neither tokens nor rows.
        unselected: distinct documents that the mixture leaves out.
        kept: documents that the shards hold at least once.
        repeated: further copies of kept documents.
        written: rows of the shards.
        *_tokens: tokens of those documents; read_tokens are of those that no filter took out.
        largest_tokens: tokens of its largest document.
        left_out: side files, which no count holds.
    """

    name: str
    kind: Kind
    read: int
    quarantined: dict[str, int]
    filtered: dict[str, int]
    filtered_tokens: dict[str, int] = Field(default_factory=dict)
    removed: dict[str, int]
    unselected: int
    kept: int
    repeated: int
    written: int
    read_tokens: int
    removed_tokens: int
    unselected_tokens: int
    kept_tokens: int
    written_tokens: int
    quarantine_limit: float
    files: list[FileAccount]
    largest_tokens: int = 0
    left_out: list[LeftOut] = Field(default_factory=list)

    @property
    def documents(self) -> int:
        """Documents that were read and that no filter took out: what the measures of the input are about."""
        return self.read - sum(self.quarantined.values()) - sum(self.filtered.values())

    def imbalance(self) -> int:
        """Slots and documents unaccounted for, in absolute number; 0 if nothing was lost."""
        left = sum(self.quarantined.values()) + sum(self.filtered.values()) + sum(self.removed.values())
        return (
            abs(self.read - left - self.unselected - self.kept)
            + abs(self.written - self.kept - self.repeated)
            + abs(self.read_tokens - self.removed_tokens - self.unselected_tokens - self.kept_tokens)
        )
