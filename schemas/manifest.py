"""The manifest: what a finished run consists of, where it came from, and that nothing was lost."""

from typing import Literal

from pydantic import Field

from schemas.config import CurationConfig
from schemas.documents import Kind
from schemas.ledger import EncoderUsed
from schemas.plan import MixturePlan
from schemas.removals import RemovalSummary
from schemas.strict import Strict
from schemas.top_up import ParentRun


class FileDigest(Strict):
    """A file, named relative to the run directory, and what identifies its bytes."""

    path: str = Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    bytes: int = Field(ge=0)
    rows: int | None = Field(None, ge=0)


class FileAccount(Strict):
    """The account of every record slot of one input file: slots = documents + quarantined + filtered.

    Attributes:
        name: relative to the configuration file.
        filtered: documents that filters took out, by filter, and slots that the reader passed over as no documents
            (images, redirects), by its rule.
        filtered_tokens: tokens of the documents that filters took out; names no rule of a reader.
        skipped: control records that are no record slots, by type.
        is_tail_lost: the file ends before its container says so, or cannot be read to its end.
        is_changed: the file changed while it was read.
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

    def imbalance(self) -> int:
        """Slots and documents unaccounted for, in absolute number; 0 if nothing was lost."""
        left = sum(self.quarantined.values()) + sum(self.filtered.values()) + sum(self.removed.values())
        return (
            abs(self.read - left - self.unselected - self.kept)
            + abs(self.written - self.kept - self.repeated)
            + abs(self.read_tokens - self.removed_tokens - self.unselected_tokens - self.kept_tokens)
        )


class TakedownList(Strict):
    """A takedown list, by its name in the configuration."""

    name: str
    sha256: str
    bytes: int


class ExclusionAccount(Strict):
    """Documents that filters took out of the input, which `filtered` counts by source.

    Attributes:
        lists: lists of what was to be taken out.
        entries: different entries of all lists.
        unmatched: entries that named no document of the input.
        examples: the first of those, sorted.
        documents: taken out, by filter: exclude, license.
    """

    lists: list[TakedownList]
    entries: int
    unmatched: int
    examples: list[str]
    documents: dict[str, int]


class HeldOutSource(Strict):
    """One source's part of the validation split; in the conservation table these documents are unselected.

    Attributes:
        documents, tokens: held out.
        twins, twin_tokens: left out of training because a document that is held out is their exact or near twin.
    """

    name: str
    documents: int = Field(ge=0)
    tokens: int = Field(ge=0)
    twins: int = Field(ge=0)
    twin_tokens: int = Field(ge=0)


class ValidationAccount(Strict):
    """The validation split.

    Attributes:
        budget_tokens: asked for.
        threshold: Jaccard similarity from which on two documents are near twins.
    """

    budget_tokens: int
    threshold: float
    sources: list[HeldOutSource]

    @property
    def tokens(self) -> int:
        """Held out, of all sources."""
        return sum(source.tokens for source in self.sources)

    @property
    def documents(self) -> int:
        """Held out, of all sources."""
        return sum(source.documents for source in self.sources)

    @property
    def twins(self) -> int:
        """Left out of training for their sake."""
        return sum(source.twins for source in self.sources)


class TakedownAccount(Strict):
    """The account of what was taken out of a finished run; this one is that run without it.

    Attributes:
        parent_sha256: digest of the manifest of the run before.
        lists, entries, unmatched, examples: the same as in an ExclusionAccount.
        documents: taken out, held-out ones too.
        rows: rows of the shards that are gone, repeats included.
        trained_rows: those that training would have read, by source, with those of takedowns before this one: all that
            was measured and is gone.
        trained_tokens: their tokens.
        rewritten: shards that were written again; all others are the same files.
    """

    parent_sha256: str
    lists: list[TakedownList]
    entries: int
    unmatched: int
    examples: list[str]
    documents: int
    rows: int
    trained_rows: dict[str, int]
    trained_tokens: int
    rewritten: list[str]


class Manifest(Strict):
    """Everything that a finished run consists of. No time and no output path, so equal runs have equal manifests."""

    format: Literal["polyculture-run-1"] = "polyculture-run-1"
    command: Literal["run", "audit", "top_up"]
    name: str
    identity_sha256: str  # of config, inputs, code and models: the same identity gives the same bytes
    config: CurationConfig
    config_sha256: str
    code_sha256: str
    version: str
    python_unicode: str
    libraries: dict[str, str]
    tokenizer_sha256: str
    language_model_sha256: str
    encoder: EncoderUsed | None = None  # None without embeddings
    plan: MixturePlan | None  # None for an audit, and for a top-up, which chooses document by document
    removals: RemovalSummary | None  # None for an audit
    exclusions: ExclusionAccount | None = None  # None if nothing is to be kept out
    parent: ParentRun | None = None  # what a top-up continues
    validation: ValidationAccount | None = None  # None if nothing is held out
    takedown: TakedownAccount | None = None  # None if nothing was taken out afterwards
    conservation: list[SourceAccount]
    files: list[FileDigest]

    @property
    def holds_mixture(self) -> bool:
        """True if the run removed duplicates and wrote shards, as an audit does not."""
        return self.command != "audit"
