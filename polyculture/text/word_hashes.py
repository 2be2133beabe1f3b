"""Hashes of the words of one text, straight from its UTF-8: fold, unmask look-alikes, cut, hash."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyculture.compute.compiled import compiled, load64, trailing_zeros
from polyculture.compute.simd import (
    BANG,
    EQUALS,
    HYPHEN,
    IN_WORD_BYTE,
    LETTER,
    NUMBER,
    SIGN,
    STARTS_WORD,
    folded_product,
    marked64,
)
from polyculture.text.confusables import FIRST, LAST

Bytes = NDArray[np.uint8]
Hashes = NDArray[np.uint64]
LookAlikes = tuple[Bytes, Bytes]
LONGEST_MASKED_BYTES = 128  # a longer word is hashed as it is
SIGN_BIT = np.uint64(1)  # of the hash of a word: whether it is a sign
_ALL_ONES = np.uint64(0xFFFFFFFFFFFFFFFF)
_SECRET_1, _SECRET_2 = np.uint64(0xFF37_79B9_7F4A_7C15), np.uint64(0xBF58_47FF_1CE4_E5B9)
_SECRET_3 = np.uint64(0x94D0_49BB_1331_11EB)
_FOREIGN_LEADS = (0xCD, 0xD6)  # first bytes of the two-byte code points from FIRST to LAST


@compiled()
def _masked(text: Bytes, at: int, size: Any) -> Any:
    """The first `size` bytes, at most eight, of text[at:] as a word; zero where size is not positive."""
    held = min(size, 8)
    return load64(text, at) & (_ALL_ONES >> np.uint64(64 - 8 * held)) if held > 0 else np.uint64(0)


@compiled()
def _hash(text: Bytes, first: int, end: int) -> Any:
    """64-bit hash of text[first:end]; sixteen bytes behind it may be read. Two products for a word of up to 16 bytes.

    The secrets hold the byte FF, which no UTF-8 holds, so that no text makes a factor zero.
    """
    value = np.uint64(end - first)
    while end - first > 16:
        value = folded_product(value ^ load64(text, first) ^ _SECRET_1, load64(text, first + 8) ^ _SECRET_2)
        first += 16
    size = end - first
    value = folded_product(
        value ^ _masked(text, first, size) ^ _SECRET_1, _masked(text, first + 8, size - 8) ^ _SECRET_2
    )
    return folded_product(value ^ _SECRET_3, _SECRET_2)


@compiled()
def _latin(text: Bytes, at: int, letters: Bytes) -> Any:
    """The Latin look-alike of the letter at a position; 0 if it has none, -1 if it is no letter of those scripts."""
    if text[at] < _FOREIGN_LEADS[0] or text[at] > _FOREIGN_LEADS[1]:
        return -1
    if (text[at] & 0xC0) != 0xC0:
        return -1
    code_point = (np.int64(text[at]) & 0x1F) << 6 | np.int64(text[at + 1]) & 0x3F
    if code_point < FIRST or code_point > LAST:
        return -1
    return np.int64(letters[code_point - FIRST])


@compiled()
def _hash_unmasked(text: Bytes, first: int, end: int, look_alikes: LookAlikes, spare: int) -> Any:
    """Hash of a word with its look-alikes folded to Latin; see `confusables.unmasked`. It is built at text[spare]."""
    is_masked = False
    has_latin = False
    for i in range(first, end):
        has_latin |= 0x61 <= text[i] <= 0x7A
    letters = look_alikes[1] if has_latin else look_alikes[0]
    for i in range(first, end):
        latin = _latin(text, i, letters)
        if latin == 0:
            return _hash(text, first, end)
        is_masked |= latin > 0
    if not is_masked or end - first > LONGEST_MASKED_BYTES:
        return _hash(text, first, end)
    at, to = first, spare
    while at < end:
        latin = _latin(text, at, letters)
        text[to] = latin if latin > 0 else text[at]
        at += 2 if latin > 0 else 1
        to += 1
    return _hash(text, spare, to)


@compiled()
def _behind(bits: Any, marks: Bytes, base: int, mask: int) -> Any:
    """Bits of 64 bytes, one place on: of each byte what was marked of the one before it."""
    return bits << np.uint64(1) | np.uint64(base > 0 and marks[base - 1] & np.uint8(mask) != 0)


@compiled()
def _punctuation(marks: Bytes, base: int) -> Any:
    """Bits of 64 bytes: signs that are mere punctuation where they stand; see `words`. The byte behind them is read."""
    hyphens, bangs = marked64(marks, base, np.uint8(HYPHEN)), marked64(marks, base, np.uint8(BANG))
    if hyphens | bangs == 0:
        return np.uint64(0)
    letters = marked64(marks, base, np.uint8(LETTER))
    words = letters | marked64(marks, base, np.uint8(NUMBER))
    equals = marked64(marks, base, np.uint8(EQUALS))
    after = marks[base + 64]
    letter_ahead = letters >> np.uint64(1) | np.uint64(after & np.uint8(LETTER) != 0) << np.uint64(63)
    equals_ahead = equals >> np.uint64(1) | np.uint64(after & np.uint8(EQUALS) != 0) << np.uint64(63)
    hyphens &= _behind(letters, marks, base, LETTER) & letter_ahead
    return hyphens | (bangs & _behind(words, marks, base, LETTER | NUMBER) & ~equals_ahead)


@compiled()
def _word_bits(marks: Bytes, base: int, before: tuple[Any, Any]) -> tuple[Any, Any, tuple[Any, Any]]:
    """Bits of 64 bytes: starts of words, bytes behind a word; whether the last one is part of a word, and a sign."""
    inside, signs = marked64(marks, base, np.uint8(IN_WORD_BYTE)), marked64(marks, base, np.uint8(SIGN))
    if signs != 0:
        is_none = _punctuation(marks, base)
        inside &= ~is_none
        signs &= ~is_none
    follows = inside << np.uint64(1) | before[0]
    after_sign = signs << np.uint64(1) | before[1]
    starts = inside & (~follows | signs | after_sign | marked64(marks, base, np.uint8(STARTS_WORD)))
    return starts, (starts | ~inside) & follows, (inside >> np.uint64(63), signs >> np.uint64(63))


@compiled()
def _tagged(value: Any, mark: Any) -> Any:
    """The hash of a word that begins with a mark: the lowest bit says whether it is a sign."""
    is_sign = mark & np.uint8(LETTER | NUMBER) == 0
    return value & ~SIGN_BIT | np.uint64(is_sign)


@compiled()
def _hash_plain_words(text: Bytes, marks: Bytes, size: int, out: Hashes) -> int:
    """Hashes of words that hold no look-alikes."""
    count = 0
    first = -1  # of the word that is open
    before = (np.uint64(0), np.uint64(0))
    for base in range(0, size, 64):
        starts, ends, before = _word_bits(marks, base, before)
        if first >= 0 and ends != 0:
            out[count] = _tagged(_hash(text, first, base + trailing_zeros(ends)), marks[first])
            count += 1
            first = -1
            ends &= ends - np.uint64(1)
        while ends != 0:
            begin = base + trailing_zeros(starts)
            out[count] = _tagged(_hash(text, begin, base + trailing_zeros(ends)), marks[begin])
            count += 1
            starts &= starts - np.uint64(1)
            ends &= ends - np.uint64(1)
        if starts != 0:
            first = base + trailing_zeros(starts)
    if first >= 0:
        out[count] = _tagged(_hash(text, first, size), marks[first])
        count += 1
    return count


@compiled()
def _hash_foreign_words(text: Bytes, marks: Bytes, size: int, look_alikes: LookAlikes, out: Hashes) -> int:
    """Hashes of words that may hold look-alikes."""
    count = 0
    first = -1
    before = (np.uint64(0), np.uint64(0))
    for base in range(0, size, 64):
        starts, ends, before = _word_bits(marks, base, before)
        borders = starts | ends
        while borders != 0:
            place = trailing_zeros(borders)
            if first >= 0:
                found = _hash_unmasked(text, first, base + place, look_alikes, size + 16)
                out[count] = _tagged(found, marks[first])
                count += 1
            first = base + place if (starts >> np.uint64(place)) & np.uint64(1) != 0 else -1
            borders &= borders - np.uint64(1)
    if first >= 0:
        out[count] = _tagged(_hash_unmasked(text, first, size, look_alikes, size + 16), marks[first])
        count += 1
    return count


@compiled()
def hash_words(folded: tuple[Bytes, Bytes], size: int, has_foreign: bool, look_alikes: LookAlikes, out: Hashes) -> int:
    """Write the hash of every word of a folded text to `out`; returns how many. Those of signs have SIGN_BIT set.

    Args:
        folded: its UTF-8 and the marks of its bytes, with PADDING_BYTES of room behind them, which is overwritten.
        size: bytes.
        has_foreign: whether it holds letters that may look Latin.
        look_alikes: `confusables.look_alikes()`.
        out: buffer, at least `size` long.
    """
    text, marks = folded
    marks[size : size + 64] = 0
    if has_foreign:
        return _hash_foreign_words(text, marks, size, look_alikes, out)
    return _hash_plain_words(text, marks, size, out)
