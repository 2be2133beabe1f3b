"""Lexical measures: the counts of blocks of fixed size in the ledger, and the numbers that follow from them."""

import pyarrow as pa
from pydantic import Field

from schemas.documents import Kind
from schemas.measures import Stage
from schemas.strict import Strict

LEXICAL_COUNTS = (
    "words", "words_distinct", "tenth_distinct", "pairs", "pairs_distinct", "triples", "triples_distinct",
    "quadruples", "quadruples_distinct", "quadruples_repeated", "text_bytes", "compressed_bytes",
    "documents", "documents_templated",
)  # fmt: skip

# One row per stage, scope and block; a scope that is too small for a block has one row of zeros.
LEXICAL_SCHEMA = pa.schema(
    [
        pa.field("stage", pa.string(), nullable=False),
        pa.field("scope", pa.string(), nullable=False),  # a source, a kind, `all`, or `human` where `is_pool`
        pa.field("kind", pa.string()),
        pa.field("language", pa.string()),  # of most of its documents; null if none is
        pa.field("is_pool", pa.bool_(), nullable=False),  # web and expert sources that are mainly in `language`
        pa.field("block", pa.int64(), nullable=False),
        pa.field("block_words", pa.int64(), nullable=False),
        pa.field("block_bytes", pa.int64(), nullable=False),
        pa.field("block_documents", pa.int64(), nullable=False),
        *(pa.field(name, pa.int64(), nullable=False) for name in LEXICAL_COUNTS),
    ]
)


class LexicalValue(Strict):
    """The mean over blocks of one size, and its 95 % interval.

    Attributes:
        low, high: None where there was only one block, so that nothing is known of the spread.
        blocks: number of blocks; of a ratio, the smaller of the two.
    """

    value: float
    low: float | None
    high: float | None
    blocks: int


class LexicalScope(Strict):
    """Lexical measures of one scope at one stage.

    Attributes:
        scope: a source, a kind or `all`.
        language: language of most of its documents, None if there is none.
        block_words, block_bytes, block_documents: size of every block of every scope: of words for `distinct_n`,
            `self_repetition` and `heaps_beta`, of bytes for `compression_ratio`, of documents for `template_share`.
        measures: measures by name; None where the scope is too small for one block.
        human: measures of the web and expert sources mainly in the language of this one, if it is synthetic.
        ratios: ratios of a synthetic source to `human`; None where a side is unmeasured, or the human value is 0.
        uncompared: reason why a synthetic source has no ratios; None if it has.
    """

    stage: Stage
    scope: str
    kind: Kind | None
    language: str | None
    block_words: int
    block_bytes: int
    block_documents: int
    measures: dict[str, LexicalValue | None]
    human: dict[str, LexicalValue | None] = Field(default_factory=dict)
    ratios: dict[str, LexicalValue | None] = Field(default_factory=dict)
    uncompared: str | None = None
