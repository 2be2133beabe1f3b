"""The DOCUMENT schema: what every reader yields and every shard holds.

One row is one document. A field that does not apply to the document's kind, or that the corpus does not carry, is
null. Variable-width columns are `string` and `large_string`, never view types: a view column rewrites whole buffers on
a slice.
"""

from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa


class Kind(StrEnum):
    """The author of a source, by the operator's word alone: a record cannot choose its kind."""

    WEB = "web"
    EXPERT = "expert"
    SYNTHETIC = "synthetic"


@dataclass(frozen=True, slots=True)
class Field:
    """One column of the DOCUMENT schema.

    Attributes:
        name: the column's name, also the key under `fields:` in a source's configuration where `is_mappable`.
        type: its Arrow type.
        kinds: the kinds of source that it says something about.
        description: its content, with the unit.
        is_mappable: a record may supply it; the others come from the configuration or are computed.
        is_required: never null.
    """

    name: str
    type: pa.DataType
    kinds: frozenset[Kind]
    description: str
    is_mappable: bool = True
    is_required: bool = False


ANY = frozenset(Kind)
WEB = frozenset({Kind.WEB})
EXPERT = frozenset({Kind.EXPERT})
SYNTHETIC = frozenset({Kind.SYNTHETIC})

DOCUMENT_FIELDS: tuple[Field, ...] = (
    Field(
        "document_id",
        pa.string(),
        ANY,
        "Unique in the run: `source:own id`, else `source@file digest:record position`; a repeat gets `#2`.",
        is_mappable=False,
        is_required=True,
    ),
    Field("text", pa.large_string(), ANY, "The text as read; never changed.", is_required=True),
    Field("source", pa.string(), ANY, "The source's configured name.", is_mappable=False, is_required=True),
    Field("kind", pa.string(), ANY, "web, expert or synthetic, as configured.", is_mappable=False, is_required=True),
    Field(
        "language",
        pa.string(),
        ANY,
        "Language code: the record's, else the source's, else identified; `und` if unknown. Measures go by the text.",
    ),
    Field("license", pa.string(), ANY, "The record's licence, else the source's."),
    Field("tokens", pa.int64(), ANY, "Tokens of `text`, without special tokens.", is_mappable=False, is_required=True),
    Field("url", pa.string(), WEB, "Address that the page was fetched from; never fetched again."),
    Field("crawl_date", pa.string(), WEB, "When the page was fetched, as the capture states it (ISO 8601)."),
    Field("warc_record_id", pa.string(), WEB, "WARC-Record-ID of the capture."),
    Field("author", pa.string(), EXPERT, "Pseudonym of the person who wrote it."),
    Field("explanation", pa.large_string(), EXPERT, "The reasoning, where the corpus keeps it apart from the text."),
    Field("hours", pa.float64(), EXPERT, "Hours that writing it took."),
    Field("cost", pa.float64(), EXPERT, "What it cost, in the currency of the programme that bought it."),
    Field("teacher", pa.string(), SYNTHETIC, "The model or program that wrote it."),
    Field("seed", pa.string(), SYNTHETIC, "Id of the prompt or seed document that it was made from."),
    Field("sample_index", pa.int64(), SYNTHETIC, "Which of several answers to the same prompt, from 0."),
    Field(
        "generation_depth",
        pa.int64(),
        SYNTHETIC,
        "Synthetic generations between it and human text; 1 if made from human text.",
    ),
    Field("sampling_parameters", pa.string(), SYNTHETIC, "Sampling parameters as JSON (temperature, top_p, ...)."),
)

DOCUMENT_SCHEMA = pa.schema([pa.field(f.name, f.type, nullable=not f.is_required) for f in DOCUMENT_FIELDS])

# An embedding that somebody else computed: compared, and not written to the shards. Read only where it is mapped.
EMBEDDING = "embedding"

# What a record may supply. `id` is the record's own id; document_id is made from it.
MAPPABLE_FIELDS: tuple[str, ...] = ("id", *(f.name for f in DOCUMENT_FIELDS if f.is_mappable), EMBEDDING)
