"""Shingle sets of documents, hashed straight from Arrow buffers."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from polyculture.compiled import compiled
from polyculture.text.words import ALONE, IN_WORD, character_classes

SHINGLE_WORDS = 5
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_WORD_PRIME, _SHINGLE_PRIME = np.uint64(0x100000001B3), np.uint64(0x9E3779B97F4A7C15)
_WORD_BASIS = np.uint64(0xCBF29CE484222325)


@dataclass(frozen=True, slots=True)
class ShingleSets:
    """Shingle sets of n documents in one array.

    Attributes:
        hashes: (total,) 64-bit shingle hashes, ascending and unique within a document.
        offsets: (n + 1,) document i holds hashes[offsets[i]:offsets[i + 1]].
    """

    hashes: NDArray[np.uint64]
    offsets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets) - 1


@compiled
def _mix(value: np.uint64) -> np.uint64:
    """The finaliser of SplitMix64: every bit of the input reaches every bit of the output."""
    value = (value ^ (value >> np.uint64(30))) * _MIX_1
    value = (value ^ (value >> np.uint64(27))) * _MIX_2
    return value ^ (value >> np.uint64(31))


@compiled
def _code_point(data: NDArray[np.uint8], at: int) -> tuple[np.int64, int]:
    """The code point at a byte position of valid UTF-8, and its length in bytes."""
    first = np.int64(data[at])
    if first < 0x80:
        return first, 1
    if first < 0xE0:
        return (first & 0x1F) << 6 | np.int64(data[at + 1]) & 0x3F, 2
    if first < 0xF0:
        return (first & 0x0F) << 12 | (np.int64(data[at + 1]) & 0x3F) << 6 | np.int64(data[at + 2]) & 0x3F, 3
    high = (first & 0x07) << 18 | (np.int64(data[at + 1]) & 0x3F) << 12
    return high | (np.int64(data[at + 2]) & 0x3F) << 6 | np.int64(data[at + 3]) & 0x3F, 4


@compiled
def _word_hashes(
    data: NDArray[np.uint8], begin: int, end: int, classes: NDArray[np.uint8], out: NDArray[np.uint64]
) -> int:
    """Write the hash of every word of one document to `out`; returns how many."""
    count = 0
    open_word = False
    value = _WORD_BASIS
    at = begin
    while at < end:
        code_point, length = _code_point(data, at)
        kind = classes[code_point]
        if open_word and kind != IN_WORD:
            out[count] = _mix(value)
            count += 1
            open_word = False
        if kind != 0:
            if not open_word:
                value = _WORD_BASIS
            for i in range(at, at + length):
                value = (value ^ np.uint64(data[i])) * _WORD_PRIME
            open_word = kind == IN_WORD
            if kind == ALONE:
                out[count] = _mix(value)
                count += 1
        at += length
    if open_word:
        out[count] = _mix(value)
        count += 1
    return count


@compiled
def _document_shingles(word_hashes: NDArray[np.uint64], count: int, out: NDArray[np.uint64]) -> int:
    """Write the sorted, unique shingle hashes of a document of `count` words to `out`; returns how many."""
    if count == 0:
        return 0
    width = min(count, SHINGLE_WORDS)
    shingles = count - width + 1
    for first in range(shingles):
        value = np.uint64(width)
        for i in range(first, first + width):
            value = _mix(value * _SHINGLE_PRIME + word_hashes[i])
        out[first] = value
    out[:shingles].sort()
    unique = 1
    for i in range(1, shingles):
        if out[i] != out[unique - 1]:
            out[unique] = out[i]
            unique += 1
    return unique


@compiled
def _shingle_sets(
    data: NDArray[np.uint8], offsets: NDArray[np.int64], classes: NDArray[np.uint8]
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    documents = len(offsets) - 1
    longest = np.int64(0)
    for i in range(documents):
        longest = max(longest, offsets[i + 1] - offsets[i])
    word_hashes = np.empty(longest + 1, np.uint64)
    scratch = np.empty(longest + 1, np.uint64)
    capacity = max((offsets[documents] - offsets[0]) // 4, 1024)
    hashes = np.empty(capacity, np.uint64)
    set_offsets = np.zeros(documents + 1, np.int64)
    filled = np.int64(0)
    for i in range(documents):
        words = _word_hashes(data, offsets[i], offsets[i + 1], classes, word_hashes)
        count = _document_shingles(word_hashes, words, scratch)
        if filled + count > len(hashes):
            larger = np.empty(2 * len(hashes) + count, np.uint64)
            larger[:filled] = hashes[:filled]
            hashes = larger
        hashes[filled : filled + count] = scratch[:count]
        filled += count
        set_offsets[i + 1] = filled
    return hashes[:filled].copy(), set_offsets


def shingle_sets(texts: pa.LargeStringArray) -> ShingleSets:
    """Sets of 64-bit hashes of the 5-word shingles of canonical texts.

    A text shorter than five words is one shingle; a text without any word has none, and so no near-duplicate. Two
    different shingles share a hash with probability 2**-64.

    Args:
        texts: canonical texts, without nulls.

    Returns:
        One set per text. About 6 microseconds per 1.5 KB; 8 bytes of memory a shingle.
    """
    if texts.null_count:
        raise ValueError("texts must not hold nulls")
    _, offset_buffer, data_buffer = texts.buffers()
    every = np.frombuffer(offset_buffer, np.int64)
    offsets = every[texts.offset : texts.offset + len(texts) + 1]
    data = (
        np.frombuffer(data_buffer, np.uint8) if data_buffer is not None and data_buffer.size else np.zeros(1, np.uint8)
    )
    return ShingleSets(*_shingle_sets(data, offsets, character_classes()))


@compiled
def intersection_size(left: NDArray[np.uint64], right: NDArray[np.uint64]) -> int:
    """Size of the intersection of two ascending arrays of unique values. O(len(left) + len(right))."""
    i, j, common = 0, 0, 0
    while i < len(left) and j < len(right):
        if left[i] == right[j]:
            common += 1
            i += 1
            j += 1
        elif left[i] < right[j]:
            i += 1
        else:
            j += 1
    return common
