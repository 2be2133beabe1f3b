"""Repetition: how often what each drawn document says stands elsewhere in the whole corpus, and widespread passages.

Two files of the ledger. The verdict is decided on them document by document: rows are drawn with probability in
proportion to tokens, so that plain means over a source's rows are means over its tokens.
"""

import pyarrow as pa

__all__ = [
    "COUNTED_LENSES", "FRAMED_BY", "FRAME_DIFFERENT", "FRAME_WORDS", "LEAST_TOKENS", "PASSAGES_SCHEMA",
    "PASSAGE_DOCUMENTS", "PASSAGE_WORDS", "REPETITION_SCHEMA", "SHARED_BY",
]  # fmt: skip

# Lenses whose counts stand in three columns each: of all sources, of the document's own, and (`_before`) of those that
# the survivors' order prefers to its own. `alike` and `twins` are null where a document's embedding is not measured.
COUNTED_LENSES = ("exact", "near", "template", "opening", "seed", "alike", "twins")
_OF_EMBEDDINGS = frozenset({"alike", "twins"})

PASSAGE_WORDS = 20
SHARED_BY = (2, *(8 << doubled for doubled in range(11)))  # documents, the drawn one itself included: to 8,192
PASSAGE_DOCUMENTS = 50  # from which on a passage is listed
# Words of a stretch, and how many different ones stand in the same places of two that have a frame in common.
FRAME_WORDS, FRAME_DIFFERENT = 24, 9
FRAMED_BY = SHARED_BY[1:]
LEAST_TOKENS = 50  # of a document that makes a corpus larger


def _count(name: str, *, is_nullable: bool = False) -> pa.Field:
    return pa.field(name, pa.int64(), nullable=is_nullable)


# One row per draw of a document, by source and then in the order of the draws; one drawn twice has two equal rows.
# `words` are those that shingles are made of. `twin_candidates`: other documents at a cosine of .90 or more, of which
# `twin_verified_of` were looked at. `shared_N`: words inside passages of 20 words that occur in N documents or more;
# `_before`: in N documents of its own source and of those before it in the survivors' order. `framed_N`: words of the
# `frame_words` that are looked at, in stretches of 24 words whose frame N documents or more have. `source_documents`:
# those of its source that are counted and hold 50 tokens or more.
REPETITION_SCHEMA = pa.schema(
    [
        pa.field("stage", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("document_id", pa.string(), nullable=False),
        _count("tokens"),
        _count("source_documents"),
        _count("words"),
        *(
            _count(f"{lens}{of}", is_nullable=lens in _OF_EMBEDDINGS)
            for lens in COUNTED_LENSES
            for of in ("", "_own", "_before")
        ),
        _count("twin_candidates", is_nullable=True),
        _count("twin_verified_of", is_nullable=True),
        *(_count(f"shared_{documents}{of}") for documents in SHARED_BY for of in ("", "_before")),
        _count("frame_words"),
        *(_count(f"framed_{documents}{of}") for documents in FRAMED_BY for of in ("", "_before")),
    ]
)

# Passages of drawn documents that occur in 50 documents or more, largest first: `documents` that hold the most
# widespread 20 words of it, in all and by source (largest first); `text` is cut at 300 characters.
PASSAGES_SCHEMA = pa.schema(
    [
        pa.field("stage", pa.string(), nullable=False),
        _count("documents"),
        pa.field("sources", pa.list_(pa.field("element", pa.string(), nullable=False)), nullable=False),
        pa.field("source_documents", pa.list_(pa.field("element", pa.int64(), nullable=False)), nullable=False),
        pa.field("example", pa.string(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
    ]
)
