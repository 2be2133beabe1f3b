"""Lexical measures of one block, from its counts. Nothing here reads text, so that the gate needs no kernels."""

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np

LEAST_RATIO, MOST_RATIO = 0.8, 1.25  # of synthetic to human text; outside it is worth a look
MOST_BLOCKS = 8  # of a scope


@dataclass(frozen=True, slots=True)
class BlockSize:
    """The size of a block of text.

    Attributes:
        words: number of words, for n-grams and Heaps' law.
        text_bytes: bytes of stored UTF-8, for compression.
        documents: number of documents, for the share of templates.
    """

    words: int = 50_000
    text_bytes: int = 250_000
    documents: int = 250


@dataclass(frozen=True, slots=True)
class LexicalCounts:
    """Integer counts of one block. What the text was too small for is all 0.

    Attributes:
        words: words in the block.
        words_distinct: different ones; of the first tenth of the block `tenth_distinct`.
        pairs, triples, quadruples: n-grams of 2, 3 and 4 words.
        pairs_distinct, triples_distinct, quadruples_distinct: different ones.
        quadruples_repeated: 4-grams that occur in another document of the block too.
        text_bytes, compressed_bytes: sizes of the text block.
        documents, documents_templated: documents looked at, and those that share their opening with another one.
    """

    words: int = 0
    words_distinct: int = 0
    tenth_distinct: int = 0
    pairs: int = 0
    pairs_distinct: int = 0
    triples: int = 0
    triples_distinct: int = 0
    quadruples: int = 0
    quadruples_distinct: int = 0
    quadruples_repeated: int = 0
    text_bytes: int = 0
    compressed_bytes: int = 0
    documents: int = 0
    documents_templated: int = 0

    def __add__(self, other: "LexicalCounts") -> "LexicalCounts":
        """The words, the bytes and the documents of one block, counted apart, as one."""
        return LexicalCounts(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _heaps(counts: LexicalCounts) -> float | None:
    return float(np.log10(counts.words_distinct / counts.tenth_distinct)) if counts.tenth_distinct else None


# name -> counts of a block -> value, None if the block is not there
LEXICAL_MEASURES: dict[str, Callable[[LexicalCounts], float | None]] = {
    # different n-grams per n-gram, in (0, 1]; Li et al., NAACL 2016
    "distinct_1": lambda c: _share(c.words_distinct, c.words),
    "distinct_2": lambda c: _share(c.pairs_distinct, c.pairs),
    "distinct_3": lambda c: _share(c.triples_distinct, c.triples),
    "distinct_4": lambda c: _share(c.quadruples_distinct, c.quadruples),
    # share of 4-grams that another document has, in [0, 1]; after Salkar et al., AACL 2022
    "self_repetition": lambda c: _share(c.quadruples_repeated, c.quadruples),
    # exponent of V(n) = K n**beta from a tenth of the block to all of it, in [0, 1]
    "heaps_beta": _heaps,
    # bytes per compressed byte, at least about 1; Shaib et al. 2024, arXiv:2403.00553
    "compression_ratio": lambda c: _share(c.text_bytes, c.compressed_bytes),
    # share of documents that open as another one does, in [0, 1]
    "template_share": lambda c: _share(c.documents_templated, c.documents),
}
