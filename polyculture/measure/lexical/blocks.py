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
    beginnings,
    byte_counts,
    template_counts,
    word_counts,
)
from polyculture.measure.lexical.measures import MOST_BLOCKS, BlockSize, LexicalCounts
from polyculture.measure.lexical.word_sequences import WordSequences, word_sequences

_CHUNK = 512  # documents read at a time

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
class _Read:
    """Documents by ascending hash: their texts, first words, and the bytes that each gives to a block."""

    texts: pa.Array
    words: WordSequences
    byte_sizes: NDArray[np.int64]

    @property
    def word_sizes(self) -> NDArray[np.int64]:
        return np.diff(self.words.offsets)


def lexical_sample(
    rows: NDArray[np.int64], take: Take, size: BlockSize | None = None, most: int = MOST_BLOCKS
) -> LexicalSample:
    """Count the blocks of a source.

    Args:
        rows: (n,) documents by ascending seeded hash.
        take: reads their texts.
        size: size of a block.
        most: blocks.

    Returns:
        The blocks, none if the source is too small for one. Reads no more documents than about that many blocks need;
        about 40 ms a block of the default size.
    """
    size = size or BlockSize()
    read = _read(rows, take, size, most)
    spans = [
        _spans(read.word_sizes, size.words, most),
        _spans(read.byte_sizes, size.text_bytes, most),
        _spans(np.ones(len(read.texts), np.int64), size.documents, most),
    ]
    blocks = [LexicalCounts()] * max(map(len, spans))
    for number, (first, end) in enumerate(spans[0]):
        blocks[number] += word_counts(_between(read.words, first, end), size.words)
    for number, (first, end) in enumerate(spans[1]):
        blocks[number] += byte_counts(read.texts.slice(first, end - first), size.text_bytes)
    for number, (first, end) in enumerate(spans[2]):
        blocks[number] += template_counts(read.texts.slice(first, end - first), size.documents)
    is_full = all(len(span) == most for span in spans)
    return LexicalSample(blocks, max(span[-1][1] for span in spans) if is_full else len(rows))


def _read(rows: NDArray[np.int64], take: Take, size: BlockSize, most: int) -> _Read:
    """Documents until they surely fill `most` blocks, or there are no more."""
    most_words, most_bytes = size.words // DOCUMENTS_AT_LEAST, size.text_bytes // DOCUMENTS_AT_LEAST
    enough = (most * (size.words + most_words), most * (size.text_bytes + most_bytes), most * size.documents)
    texts: list[pa.Array] = [pa.array([], pa.large_string())]
    words, sizes = [word_sequences(texts[0])], [np.empty(0, np.int64)]
    have = np.zeros(3, np.int64)
    for first in range(0, len(rows), _CHUNK):
        texts.append(take(rows[first : first + _CHUNK]))
        words.append(word_sequences(texts[-1], most_words))
        sizes.append(np.array([len(part) for part in beginnings(texts[-1], size.text_bytes)], np.int64))
        have += [len(words[-1].hashes), sizes[-1].sum(), len(texts[-1])]
        if (have >= enough).all():
            break
    lengths = np.concatenate([np.diff(part.offsets) for part in words])
    joined = WordSequences(np.concatenate([part.hashes for part in words]), np.concatenate([[0], np.cumsum(lengths)]))
    return _Read(pa.concat_arrays(texts), joined, np.concatenate(sizes))


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
