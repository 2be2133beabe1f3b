"""The manifest: what a finished run consists of, where it came from, and that nothing was lost."""

from typing import Literal

from pydantic import Field

from schemas.accounts import FileDigest, SourceAccount
from schemas.config import CurationConfig
from schemas.ledger import EncoderUsed
from schemas.measures import Stage
from schemas.plan import MixturePlan
from schemas.removals import RemovalSummary
from schemas.strict import Strict
from schemas.top_up import ParentRun


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

    @property
    def held_stage(self) -> Stage:
        """The stage of what is held in the end: the mixture that a run wrote, what an audit read."""
        return Stage.MIXTURE if self.holds_mixture else Stage.INPUT

    @property
    def judged_stage(self) -> Stage:
        """The stage whose multiplicities the gate judges: what is distinct in a run, what was read in an audit."""
        return Stage.DISTINCT if self.holds_mixture else Stage.INPUT

    def tokens_held(self) -> dict[str, int]:
        """Tokens of each source in what is judged: the shards of a run, what an audit read."""
        return {a.name: a.written_tokens if self.holds_mixture else a.read_tokens for a in self.conservation}

    def documents_held(self) -> dict[str, int]:
        """Documents of each source in what is judged."""
        return {
            a.name: a.written if self.holds_mixture else sum(file.documents for file in a.files)
            for a in self.conservation
        }
