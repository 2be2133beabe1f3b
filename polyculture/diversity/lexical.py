"""Lexical variety of a block of text. Every measure here falls with the size of the text, so all blocks are of one.

A document gives at most a hundredth of a block. Words are those of canonical text, and n-grams do not cross documents.
Which documents fill the blocks of a source: `lexical_blocks.py`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields

import numpy as np
import polars as pl
import pyarrow as pa
import zstandard
from numpy.typing import NDArray

from polyculture.diversity.species import species_numbers
from polyculture.diversity.word_sequences import WordSequences
from polyculture.text.skeleton import template_keys

LEAST_RATIO, MOST_RATIO = 0.8, 1.25  # of synthetic to human text; outside it is worth a look
DOCUMENTS_AT_LEAST = 100  # in a block
_LEVEL, _WINDOW_LOG = 9, 27  # of zstd: a window of 128 MiB, where gzip sees 32 KB
_PRIME = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class BlockSize:
    """How much text is a block.

    Attributes:
        words: for n-grams and Heaps' law.
        text_bytes: of stored UTF-8, for compression.
        documents: for the share of templates.
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
        text_bytes, compressed_bytes: of the text block.
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


def beginnings(texts: pa.Array, block_bytes: int) -> Iterator[bytes]:
    """What each text gives to a text block."""
    for text in texts.cast(pa.large_binary()):
        yield text.as_py()[: block_bytes // DOCUMENTS_AT_LEAST]


def word_counts(words: WordSequences, block_words: int) -> LexicalCounts:
    """Counts of the words of a block, from sequences that fill it. About 15 ms for 50,000."""
    if len(words.hashes) < block_words:
        return LexicalCounts()
    hashes = words.hashes[:block_words]
    document = np.repeat(np.arange(len(words)), np.diff(words.offsets))[:block_words]
    grams, of = {}, {}
    for n in (2, 3, 4):
        grams[n], of[n] = _ngrams(hashes, document, n)
    return LexicalCounts(
        words=block_words,
        words_distinct=_distinct(hashes),
        tenth_distinct=_distinct(hashes[: block_words // 10]),
        pairs=len(grams[2]),
        pairs_distinct=_distinct(grams[2]),
        triples=len(grams[3]),
        triples_distinct=_distinct(grams[3]),
        quadruples=len(grams[4]),
        quadruples_distinct=_distinct(grams[4]),
        quadruples_repeated=_repeated(grams[4], of[4]),
    )


def _ngrams(
    hashes: NDArray[np.uint64], document: NDArray[np.int64], n: int
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Hashes of the n-grams within documents, and the document of each."""
    count = max(0, len(hashes) - n + 1)
    value = np.zeros(count, np.uint64)
    for place in range(n):  # a polynomial modulo 2**64
        value = value * _PRIME + hashes[place : place + count]
    inside = document[:count] == document[n - 1 : n - 1 + count]
    return value[inside], document[:count][inside]


def _distinct(values: NDArray[np.uint64]) -> int:
    return pl.Series(values).n_unique()


def _repeated(grams: NDArray[np.uint64], document: NDArray[np.int64]) -> int:
    """Occurrences of n-grams that two documents or more have."""
    frame = pl.DataFrame({"gram": grams, "document": document})
    counted = frame.group_by("gram").agg(pl.len().alias("all"), pl.col("document").n_unique().alias("documents"))
    return int(counted.filter(pl.col("documents") > 1)["all"].sum())


def byte_counts(texts: pa.Array, block_bytes: int) -> LexicalCounts:
    """Counts of the bytes of a block, from texts whose beginnings fill it. About 10 ms for 250,000."""
    block = b"".join(beginnings(texts, block_bytes))[:block_bytes]
    if len(block) < block_bytes:
        return LexicalCounts()
    parameters = zstandard.ZstdCompressionParameters.from_level(_LEVEL, window_log=_WINDOW_LOG, enable_ldm=True)
    compressed = zstandard.ZstdCompressor(compression_params=parameters).compress(block)
    return LexicalCounts(text_bytes=len(block), compressed_bytes=len(compressed))


def template_counts(texts: pa.Array, documents: int) -> LexicalCounts:
    """Counts of the first `documents` of the texts."""
    if len(texts) < documents:
        return LexicalCounts()
    sizes = np.bincount(species_numbers(template_keys(texts[:documents]).opening))
    return LexicalCounts(documents=documents, documents_templated=int(sizes[sizes > 1].sum()))
