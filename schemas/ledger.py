"""The ledger: probe x source multiplicities, and the species that are too large to be sampled; small and reloadable."""

from enum import StrEnum

import pyarrow as pa
from pydantic import Field

from schemas.documents import Kind
from schemas.measures import Lens, Stage, Weighting
from schemas.strict import Strict

__all__ = [
    "EXAMPLES_SCHEMA",
    "HEAVY_SCHEMA",
    "LEDGER_FILE_SCHEMA",
    "LEDGER_SCHEMA",
    "Crowded",
    "LedgerHeader",
    "Population",
    "Unread",
    "Weighting",
]

_PER_SOURCE = pa.list_(pa.field("element", pa.int64(), nullable=False))

# One row per light probe, stage, lens and weighting; in the near lens also per probe among the crowded documents.
# `multiplicity` has one entry per source, in the order of `LedgerHeader.sources`.
LEDGER_SCHEMA = pa.schema(
    [
        pa.field("stage", pa.string(), nullable=False),
        pa.field("lens", pa.string(), nullable=False),
        pa.field("weighting", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("document_id", pa.string(), nullable=False),
        pa.field("tokens", pa.int64(), nullable=False),
        pa.field("is_crowded", pa.bool_(), nullable=False),
        pa.field("multiplicity", _PER_SOURCE, nullable=False),
    ]
)

# The same in `ledger/probes.parquet`, where most multiplicities are 0: the numbers of the sources that have some, and
# how many each has. It is read ten times as fast.
LEDGER_FILE_SCHEMA = pa.schema(
    [
        *(LEDGER_SCHEMA.field(name) for name in LEDGER_SCHEMA.names if name != "multiplicity"),
        pa.field("within", pa.list_(pa.field("element", pa.int32(), nullable=False)), nullable=False),
        pa.field("documents", _PER_SOURCE, nullable=False),
    ]
)

# One row per heavy species of a partition lens: counted whole, documents and tokens in every source.
HEAVY_SCHEMA = pa.schema(
    [
        pa.field("stage", pa.string(), nullable=False),
        pa.field("lens", pa.string(), nullable=False),
        pa.field("example", pa.string(), nullable=False),  # document_id of the member with the smallest id hash
        pa.field("documents", _PER_SOURCE, nullable=False),
        pa.field("tokens", _PER_SOURCE, nullable=False),
    ]
)

# How the text of each species' example that reports show begins.
EXAMPLES_SCHEMA = pa.schema(
    [
        pa.field("document_id", pa.string(), nullable=False),
        pa.field("snippet", pa.string(), nullable=False),
    ]
)


class Crowded(Strict):
    """The documents of a neighbourhood lens that may have many neighbours: a stratum with probes of its own.

    Attributes:
        above: a document is crowded if more documents than this share one of its band keys, or may share it.
        documents, tokens: counts of each source in the stratum.
        is_whole: for each source, whether every document of the stratum was counted: there is one row for each.
        light_most: the most neighbours that any other document can have, itself included.
        scaled: for each source, probes that have more candidates than are verified: a seeded part of them was, and the
            counts are scaled up.
    """

    above: float
    documents: list[int]
    tokens: list[int]
    is_whole: list[bool]
    light_most: int
    scaled: list[int]


class Population(Strict):
    """The documents of each source that a lens measures at a stage, in the order of the sources.

    Attributes:
        documents, tokens: counts of each source; less than the source holds where the lens does not apply to all of it,
            such as the seed lens to documents that name no seed.
        heavy_above: species of more documents than this are counted whole; None if the lens has no species.
        crowded: the near lens's documents that may have many neighbours; None in other lenses.
    """

    stage: Stage
    lens: Lens
    documents: list[int]
    tokens: list[int]
    heavy_above: float | None
    crowded: Crowded | None = None


class Unread(StrEnum):
    """Why text was not read by meaning."""

    NO_LETTERS = "no letters"
    UNKNOWN_LANGUAGE = "unknown language"
    DISAGREE = "script and language disagree"
    NOT_COVERED = "language not covered"
    UNFIT = "unfit language"
    TOO_LONG = "too long to be read whole"


class EncoderUsed(Strict):
    """The encoder that made the embeddings; numbers of different encoders are never compared.

    Attributes:
        revision: digest of its weights, tokenizer and method.
        background: digest of what it subtracts by language; empty if nothing.
        taus: cosines from which on two documents are neighbours, ascending.
        probes_per_source: probes of each source for the semantic lens.
        unmeasured: documents of each source that have no embedding that says anything.
        unfit_languages: codes of which nothing shows that unrelated documents look unlike, so that they are not
            measured.
        reasons: by reason, those documents of each source. Each document counts once, at whichever stage.
        unread_tokens: tokens of each source that were not read: of such documents, and of parts of long ones.
        unread_reasons: by reason, those tokens of each source.
        read_share: share of each source's tokens that were read, 0..1.
        languages_disagree: documents of each source whose record names another language than the text is in; they are
            measured by what the text says.
    """

    name: str
    revision: str
    background: str
    dimensions: int
    taus: list[float] = Field(default_factory=list)
    probes_per_source: int
    unmeasured: list[int]
    unfit_languages: list[str]
    reasons: dict[Unread, list[int]] = Field(default_factory=dict)
    unread_tokens: list[int] = Field(default_factory=list)
    unread_reasons: dict[Unread, list[int]] = Field(default_factory=dict)
    read_share: list[float] = Field(default_factory=list)
    languages_disagree: list[int] = Field(default_factory=list)

    def is_comparable(self, other: "EncoderUsed | None") -> bool:
        """True if numbers made with both may be compared."""
        if other is None:
            return False
        return (self.name, self.revision, self.background) == (other.name, other.revision, other.background)


class LedgerHeader(Strict):
    """The header of a ledger, which says what its probes stand for."""

    seed: int
    threshold: float
    probes_per_source: int
    sources: list[str]
    kinds: list[Kind]
    populations: list[Population]
    encoder: EncoderUsed | None = None
