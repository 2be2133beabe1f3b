"""Lexical variety of a block of text. Every measure here falls with the size of the text, so all blocks are of one.

A document gives at most a hundredth of a block. Words are those of canonical text, and n-grams do not cross documents.
Which documents fill the blocks of a source: `lexical_blocks.py`.
"""

from collections.abc import Iterator

import numpy as np
import polars as pl
import pyarrow as pa
import zstandard
from numpy.typing import NDArray

from polyculture.measure.lexical.measures import LexicalCounts
from polyculture.measure.probes.species import species_numbers
from polyculture.text.skeleton import template_keys
from polyculture.text.word_sequences import WordSequences

DOCUMENTS_AT_LEAST = 100  # in a block
_LEVEL, _WINDOW_LOG = 9, 27  # of zstd: a window of 128 MiB, where gzip sees 32 KB
_PRIME = np.uint64(0x9E3779B97F4A7C15)


def beginnings(texts: pa.Array, block_bytes: int) -> Iterator[bytes]:
    """The contribution of each text to a text block."""
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
