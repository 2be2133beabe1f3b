"""Lexical variety of one source, at a fixed size: every measure here falls with the size of the text.

So each source is measured in a block of fixed size, which its documents of smallest seeded hash fill; it does not
depend on their order. A document gives at most a hundredth of a block. A source that does not fill one is unmeasured.
Words are those of canonical text, and n-grams do not cross documents.

What merges: blocks by union (the block of the union is the block of the blocks' documents, see `block_rows`);
counts of whole blocks by addition of integers, for a mean over blocks of the same size. Distinct counts of the parts
of one block do not add up, and are never added.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields

import numpy as np
import polars as pl
import pyarrow as pa
import zstandard
from numpy.typing import NDArray

from polyculture.diversity.species import species_numbers
from polyculture.diversity.word_sequences import WordSequences, word_sequences
from polyculture.text.skeleton import template_keys

LEAST_RATIO, MOST_RATIO = 0.8, 1.25  # of synthetic to human text; outside it is worth a look
_DOCUMENTS_AT_LEAST = 100  # in a block
_CHUNK = 512  # documents whose words are hashed at a time
_LEVEL, _WINDOW_LOG = 9, 27  # of zstd: a window of 128 MiB, where gzip sees 32 KB
_PRIME = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class BlockSize:
    """How much of a source is measured.

    Attributes:
        words: for n-grams and Heaps' law.
        text_bytes: of stored UTF-8, for compression.
        documents: for the share of templates.
    """

    words: int = 100_000
    text_bytes: int = 500_000
    documents: int = 500


@dataclass(frozen=True, slots=True)
class LexicalCounts:
    """Counts of whole blocks; adding two of the same `BlockSize` adds every integer. What was too small is all 0.

    Attributes:
        words: words in blocks.
        words_distinct: different ones; of the first tenth of each block `tenth_distinct`.
        pairs, triples, quadruples: n-grams of 2, 3 and 4 words.
        pairs_distinct, triples_distinct: different ones, within a block.
        quadruples_repeated: 4-grams that occur in another document of their block too.
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
    quadruples_repeated: int = 0
    text_bytes: int = 0
    compressed_bytes: int = 0
    documents: int = 0
    documents_templated: int = 0

    def __add__(self, other: "LexicalCounts") -> "LexicalCounts":
        return LexicalCounts(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _heaps(counts: LexicalCounts) -> float | None:
    return float(np.log10(counts.words_distinct / counts.tenth_distinct)) if counts.tenth_distinct else None


# name -> counts -> value, None if the source is too small
LEXICAL_MEASURES: dict[str, Callable[[LexicalCounts], float | None]] = {
    # different n-grams per n-gram, in (0, 1]; Li et al., NAACL 2016
    "distinct_1": lambda c: _share(c.words_distinct, c.words),
    "distinct_2": lambda c: _share(c.pairs_distinct, c.pairs),
    "distinct_3": lambda c: _share(c.triples_distinct, c.triples),
    # share of 4-grams that another document has, in [0, 1]; after Salkar et al., AACL 2022
    "self_repetition": lambda c: _share(c.quadruples_repeated, c.quadruples),
    # exponent of V(n) = K n**beta from a tenth of the block to all of it, in [0, 1]
    "heaps_beta": _heaps,
    # bytes per compressed byte, at least about 1; Shaib et al. 2024, arXiv:2403.00553
    "compression_ratio": lambda c: _share(c.text_bytes, c.compressed_bytes),
    # share of documents that open as another one does, in [0, 1]
    "template_share": lambda c: _share(c.documents_templated, c.documents),
}


def measures(counts: LexicalCounts) -> dict[str, float | None]:
    """Every lexical measure by name; None where the source is too small to be measured."""
    return {name: measure(counts) for name, measure in LEXICAL_MEASURES.items()}


def ratios(synthetic: LexicalCounts, human: LexicalCounts) -> dict[str, float | None]:
    """Synthetic over human, by measure; None where one is unmeasured, or the human value is 0.

    Outside [LEAST_RATIO, MOST_RATIO] it is worth a look. Both sides should be of one language: words differ in length.
    """
    ours, theirs = measures(synthetic), measures(human)
    result: dict[str, float | None] = {}
    for name in LEXICAL_MEASURES:
        mine, reference = ours[name], theirs[name]
        result[name] = None if mine is None or not reference else mine / reference
    return result


def lexical_counts(texts: pa.Array, order: NDArray[np.uint64], size: BlockSize | None = None) -> LexicalCounts:
    """Count one block of a source.

    Args:
        texts: (n,) stored texts, a `large_string` array without nulls.
        order: (n,) a seeded hash of each document; the smallest are in the block.
        size: of the block.

    Returns:
        The counts. What the source is too small for stays 0. About .1 seconds for the default block.
    """
    size = size or BlockSize()
    chosen = texts.take(pa.array(block_rows(texts, order, size)))
    words = word_sequences(chosen, size.words // _DOCUMENTS_AT_LEAST)
    return _word_counts(words, size.words) + _byte_counts(chosen, size.text_bytes) + _templates(chosen, size.documents)


def block_rows(texts: pa.Array, order: NDArray[np.uint64], size: BlockSize) -> NDArray[np.int64]:
    """Rows of the documents that fill a block, by ascending hash; all rows if they do not.

    The block of several partitions is the block of the documents that these rows of each hold.
    """
    rows = np.argsort(order, kind="stable")
    words = text_bytes = documents = 0
    for first in range(0, len(rows), _CHUNK):
        chunk = texts.take(pa.array(rows[first : first + _CHUNK]))
        word_ends = words + np.cumsum(np.diff(word_sequences(chunk, size.words // _DOCUMENTS_AT_LEAST).offsets))
        byte_ends = text_bytes + np.cumsum([len(piece) for piece in _beginnings(chunk, size.text_bytes)])
        places = documents + np.arange(1, len(chunk) + 1)
        is_full = (word_ends >= size.words) & (byte_ends >= size.text_bytes) & (places >= size.documents)
        if is_full.any():
            return rows[: first + int(np.argmax(is_full)) + 1]
        words, text_bytes, documents = int(word_ends[-1]), int(byte_ends[-1]), int(places[-1])
    return rows


def _beginnings(texts: pa.Array, block_bytes: int) -> Iterator[bytes]:
    """What each text gives to the text block."""
    for text in texts.cast(pa.large_binary()):
        yield text.as_py()[: block_bytes // _DOCUMENTS_AT_LEAST]


def _word_counts(words: WordSequences, block_words: int) -> LexicalCounts:
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


def _byte_counts(texts: pa.Array, block_bytes: int) -> LexicalCounts:
    block = b"".join(_beginnings(texts, block_bytes))[:block_bytes]
    if len(block) < block_bytes:
        return LexicalCounts()
    parameters = zstandard.ZstdCompressionParameters.from_level(_LEVEL, window_log=_WINDOW_LOG, enable_ldm=True)
    compressed = zstandard.ZstdCompressor(compression_params=parameters).compress(block)
    return LexicalCounts(text_bytes=len(block), compressed_bytes=len(compressed))


def _templates(texts: pa.Array, documents: int) -> LexicalCounts:
    if len(texts) < documents:
        return LexicalCounts()
    sizes = np.bincount(species_numbers(template_keys(texts[:documents]).opening))
    return LexicalCounts(documents=documents, documents_templated=int(sizes[sizes > 1].sum()))
