"""Blocks of fixed size of a source: which documents fill them, and what they hold.

The documents of smallest seeded hash fill the first block, the next ones the second, up to `most` blocks; the order in
which documents are read does not matter. So the blocks are a random sample of what a block of the source can be, and
their spread says how well it is known. Words, bytes and documents fill blocks of their own.

Blocks merge: those of a union are the blocks of the documents that the parts' blocks were made of (`documents`).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from polyculture.measure.lexical.block_counts import (
    DOCUMENTS_AT_LEAST,
    byte_counts,
    template_counts,
    word_counts,
)
from polyculture.measure.lexical.measures import MOST_BLOCKS, BlockSize, LexicalCounts
from polyculture.text.word_sequences import WordSequences, word_sequences

# Index rows -> their stored texts, a `large_string` array without nulls.
Take = Callable[[NDArray[np.int64]], pa.Array]


@dataclass(frozen=True, slots=True)
class LexicalSample:
    """Blocks of a source.

    Attributes:
        blocks: counts of each; what is lacking for the words, bytes or documents of a block is 0 there.
        documents: number of documents, by ascending hash, that they were made of: all, if fewer than `most` were
            filled.
    """

    blocks: list[LexicalCounts]
    documents: int


@dataclass(frozen=True, slots=True)
class DocumentSizes:
    """Sizes of documents, as they are known without reading them.

    Attributes:
        words: (n,) words of each canonical text: the signal `lexical`.
        text_bytes: (n,) UTF-8 bytes of each stored text.
    """

    words: NDArray[np.int64]
    text_bytes: NDArray[np.int64]


def lexical_sample(
    rows: NDArray[np.int64], take: Take, sizes: DocumentSizes, size: BlockSize | None = None, most: int = MOST_BLOCKS
) -> LexicalSample:
    """Count the blocks of a source.

    Args:
        rows: (n,) documents by ascending seeded hash.
        take: reads their texts.
        sizes: of the same documents, in that order.
        size: of a block.
        most: blocks.

    Returns:
        The blocks, none if the source is too small for one. Reads the documents that fill them and no others; about 40
        ms a block of the default size.

    Raises:
        ValueError: a text does not hold the words that it should.
    """
    size = size or BlockSize()
    word_sizes = np.minimum(sizes.words, size.words // DOCUMENTS_AT_LEAST)
    byte_sizes = np.minimum(sizes.text_bytes, size.text_bytes // DOCUMENTS_AT_LEAST)
    spans = [
        _spans(word_sizes, size.words, most),
        _spans(byte_sizes, size.text_bytes, most),
        _spans(np.ones(len(rows), np.int64), size.documents, most),
    ]
    last = max((span[-1][1] for span in spans if span), default=0)
    texts = take(rows[:last])
    words = word_sequences(texts, size.words // DOCUMENTS_AT_LEAST)
    if not np.array_equal(np.diff(words.offsets), word_sizes[:last]):
        raise ValueError(
            "the texts have other words than the signal `lexical` counted: "
            "the attributes of this run are damaged; delete its run directory, and run again"
        )
    blocks = [LexicalCounts()] * max(map(len, spans))
    for number, (first, end) in enumerate(spans[0]):
        blocks[number] += word_counts(_between(words, first, end), size.words)
    for number, (first, end) in enumerate(spans[1]):
        blocks[number] += byte_counts(texts.slice(first, end - first), size.text_bytes)
    for number, (first, end) in enumerate(spans[2]):
        blocks[number] += template_counts(texts.slice(first, end - first), size.documents)
    is_full = all(len(span) == most for span in spans)
    return LexicalSample(blocks, last if is_full else len(rows))


def _spans(sizes: NDArray[np.int64], block: int, most: int) -> list[tuple[int, int]]:
    """First document and end of each block: of the fewest next documents that fill it."""
    return list(_filled(np.cumsum(sizes), block, most))


def _filled(ends: NDArray[np.int64], block: int, most: int) -> Iterator[tuple[int, int]]:
    first, before = 0, 0
    for _ in range(most):
        last = int(np.searchsorted(ends, before + block))
        if last == len(ends):
            return
        yield first, last + 1
        first, before = last + 1, int(ends[last])


def _between(words: WordSequences, first: int, end: int) -> WordSequences:
    start, stop = words.offsets[first], words.offsets[end]
    return WordSequences(words.hashes[start:stop], words.offsets[first : end + 1] - start)
