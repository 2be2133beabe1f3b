"""Shingle sets of documents, hashed straight from Arrow buffers: no Python string is made.

A word is hashed as canonical text has it, with letters that only look Latin folded to Latin; see `text.confusables`.

What a shingle is, `text.words` says.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numba import types
from numpy.typing import NDArray

from polyculture.compute.compiled import bytes_at, compiled, load64, read_only, tuple_of
from polyculture.text.code_points import code_points
from polyculture.text.confusables import look_alikes
from polyculture.text.fold import NOT_FOLDED, PADDING_BYTES, fold
from polyculture.text.texts import Pointers, Texts, as_texts, fold_by_hand
from polyculture.text.word_hashes import SIGN_BIT, hash_words
from polyculture.text.words import NOTATION_WORDS, SHINGLE_WORDS

Bytes = NDArray[np.uint8]
Hashes = NDArray[np.uint64]
Offsets = NDArray[np.int64]
Tables = tuple[NDArray[np.uint32], Bytes, Bytes, Bytes, Bytes]
Scratch = tuple[Bytes, Bytes, Hashes, Hashes]
Bench = tuple[Tables, Scratch]  # what a kernel works with
# The same, as numba names them.
POINTERS = tuple_of(read_only(types.uint64), read_only(types.int64), read_only(types.boolean))
TABLES = tuple_of(read_only(types.uint32), *[read_only(types.uint8)] * 4)
SCRATCH = tuple_of(types.uint8[::1], types.uint8[::1], types.uint64[::1], types.uint64[::1])
BENCH = tuple_of(TABLES, SCRATCH)
_PRIME = np.uint64(0x9E3779B97F4A7C15)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


@dataclass(frozen=True, slots=True)
class ShingleSets:
    """Shingle sets of n documents in one array.

    Attributes:
        hashes: (total,) 64-bit shingle hashes, ascending and unique within a document.
        offsets: (n + 1,) document i holds hashes[offsets[i]:offsets[i + 1]].
    """

    hashes: Hashes
    offsets: Offsets

    def __len__(self) -> int:
        return len(self.offsets) - 1


@compiled()
def count_signs(words: Hashes, count: int) -> int:
    """Signs among words[:count]."""
    signs = 0
    for i in range(count):
        signs += words[i] & SIGN_BIT != 0
    return signs


@compiled()
def shingle_words(words: Hashes, count: int, out: Hashes) -> int:
    """Write the hashes of the shingles of words[:count] to `out`, repeats included; returns how many.

    Two different shingles share a hash with probability 2**-63. Prose loses its signs in `words`.
    """
    signs = count_signs(words, count)
    if signs == 0 or NOTATION_WORDS * signs >= count - signs:
        return _runs(words, count, out)
    plain = 0
    seal = np.uint64(signs)
    for i in range(count):
        if words[i] & SIGN_BIT != 0:
            seal = (_turn(seal, 29) ^ words[i]) * _PRIME
        else:
            words[plain] = words[i]
            plain += 1
    found = _runs(words, plain, out)
    out[found] = _mix(seal)
    return found + 1


@compiled()
def _runs(words: Hashes, count: int, out: Hashes) -> int:
    """Write the hashes of all runs of five words to `out`; returns how many. A text of fewer words is one run."""
    if count == 0:
        return 0
    if count < SHINGLE_WORDS:
        value = np.uint64(count)
        for i in range(count):
            value = value * _PRIME + words[i]
        out[0] = _mix(value)
        return 1
    for i in range(count - SHINGLE_WORDS + 1):
        early = words[i] ^ _turn(words[i + 1], 13) ^ _turn(words[i + 2], 26)
        out[i] = early ^ _turn(words[i + 3], 39) ^ _turn(words[i + 4], 52)
    return count - SHINGLE_WORDS + 1


@compiled()
def _turn(value: Any, bits: int) -> Any:
    """Rotated to the left: word hashes are uniform, so turned by place and added without carry they make a hash."""
    return value << np.uint64(bits) | value >> np.uint64(64 - bits)


@compiled()
def _mix(value: Any) -> Any:
    value = (value ^ (value >> np.uint64(32))) * _MIX_1
    value = (value ^ (value >> np.uint64(29))) * _MIX_2
    return value ^ (value >> np.uint64(32))


@compiled()
def text_key(text: Bytes, size: int) -> tuple[Any, Any]:
    """128-bit hash of text[:size], to group equal texts by; equality is decided on the texts."""
    text[size : size + 16] = 0
    left, right = _PRIME, np.uint64(size)
    for at in range(0, size, 16):
        left = (left ^ load64(text, at)) * _MIX_1
        left ^= left >> np.uint64(32)
        right = (right ^ load64(text, at + 8)) * _MIX_2
        right ^= right >> np.uint64(31)
    return _mix(left + np.uint64(size)), _mix(right ^ (left * _PRIME))


@compiled()
def fold_document(texts: Pointers, number: Any, bench: Bench) -> tuple[int, int, bool]:
    """Fold one text into the scratch; see `fold`."""
    address, size, is_canonical = texts
    tables, scratch = bench
    data = bytes_at(address[number], size[number])
    table, room = (tables[0], tables[1], tables[2]), (scratch[0], scratch[1])
    return fold(data, (0, size[number]), table, is_canonical[number], room)


@compiled()
def word_prints(words: Hashes, count: int) -> tuple[Any, Any]:
    """64-bit hashes of the words that are no signs, in order, and of all words."""
    plain = every = np.uint64(0)
    for i in range(count):
        every = (_turn(every, 29) ^ words[i]) * _PRIME
        if words[i] & SIGN_BIT == 0:
            plain = (_turn(plain, 29) ^ words[i]) * _PRIME
    return _mix(plain), _mix(every)


@compiled()
def hash_shingles(size: int, has_foreign: bool, bench: Bench) -> int:
    """Hash the shingles, repeats included, of the text folded into the scratch, to scratch[3]; returns how many."""
    tables, (folded, marks, words, shingles) = bench
    count = hash_words((folded, marks), size, has_foreign, (tables[3], tables[4]), words)
    return shingle_words(words, count, shingles)


def kernel_tables() -> Tables:
    """The tables that the kernels walk with."""
    table = code_points()
    return (table.entries, table.combining, table.pool, *look_alikes())


def make_bench(longest_bytes: int) -> Bench:
    """The tables, and room for a text of so many bytes; one that grows past twice that is folded elsewhere."""
    room = 2 * longest_bytes + 2 * PADDING_BYTES
    scratch = (np.empty(room, np.uint8), np.empty(room, np.uint8), np.empty(room, np.uint64), np.empty(room, np.uint64))
    return kernel_tables(), scratch


@compiled(tuple_of(types.int64[::1], types.int64)(POINTERS, types.int64, BENCH, types.uint64[::1]))
def _sets(texts: Pointers, first: int, bench: Bench, out: Hashes) -> tuple[Offsets, int]:
    """Sets of the texts from `first` on, until one cannot be folded here or `out` is full; their ends in `out`."""
    ends = np.empty(len(texts[0]) - first, np.int64)
    filled = 0
    for number in range(first, len(texts[0])):
        size, _, has_foreign = fold_document(texts, number, bench)
        if size == NOT_FOLDED:
            return ends[: number - first], NOT_FOLDED
        count = hash_shingles(size, has_foreign, bench)
        if filled + count > len(out):
            return ends[: number - first], count
        found = bench[1][3][:count]
        found.sort()
        for i in range(count):
            if i == 0 or found[i] != found[i - 1]:
                out[filled] = found[i]
                filled += 1
        ends[number - first] = filled
    return ends, 0


def _pieces(texts: Texts) -> Iterator[tuple[Hashes, Offsets]]:
    bench = make_bench(texts.longest_bytes)
    room = np.empty(2**16, np.uint64)
    first = 0
    while first < len(texts):
        ends, problem = _sets(texts.pointers, first, bench, room)
        if len(ends):
            yield room[: ends[-1]].copy(), np.diff(ends, prepend=0)
            first += len(ends)
        elif problem == NOT_FOLDED:
            yield from _pieces(fold_by_hand(texts, np.array([first])))
            first += 1
        else:
            room = np.empty(2 * problem, np.uint64)


def shingle_sets(texts: pa.Array | Texts) -> ShingleSets:
    """Sets of 64-bit hashes of the 5-word shingles of texts.

    A text shorter than five words is one shingle; a text without any word has none, and so no near-duplicate. Two
    different shingles share a hash with probability 2**-63.

    Args:
        texts: a `string` or `large_string` array without nulls, canonical or not.

    Returns:
        One set per text. About 6 microseconds per 1.5 KB, most of it to sort; 8 bytes of memory a shingle.
    """
    pieces = list(_pieces(texts if isinstance(texts, Texts) else as_texts(texts)))
    hashes = np.concatenate([piece[0] for piece in pieces]) if pieces else np.empty(0, np.uint64)
    sizes = np.concatenate([piece[1] for piece in pieces]) if pieces else np.empty(0, np.int64)
    return ShingleSets(hashes, np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64))


@compiled()
def intersection_size(left: Hashes, right: Hashes) -> int:
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
