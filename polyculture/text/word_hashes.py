"""Hashes of the words of one text, straight from its UTF-8: fold, unmask look-alikes, cut, hash."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyculture.compiled import compiled, load64, trailing_zeros
from polyculture.text.confusables import FIRST, LAST

Bytes = NDArray[np.uint8]
Hashes = NDArray[np.uint64]
LookAlikes = tuple[Bytes, Bytes]
LONGEST_MASKED_BYTES = 128  # a longer word is hashed as it is
_ONES, _GATHER = np.uint64(0x0101010101010101), np.uint64(0x0102040810204080)
_SEED, _MIX_1, _MIX_2 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_FOREIGN_LEADS = (0xCD, 0xD6)  # first bytes of the two-byte code points from FIRST to LAST


@compiled()
def _bits(marks: Bytes, at: int, shift: Any) -> Any:
    """One bit of each of 64 marks, the first one lowest."""
    result = np.uint64(0)
    for i in range(8):
        eight = (load64(marks, at + 8 * i) >> shift) & _ONES
        result |= ((eight * _GATHER) >> np.uint64(56)) << np.uint64(8 * i)
    return result


@compiled()
def _hash(text: Bytes, first: int, end: int) -> Any:
    """64-bit hash of text[first:end]; eight bytes behind it may be read."""
    value = _SEED
    while end - first > 8:
        value = (value ^ load64(text, first)) * _MIX_1
        value ^= value >> np.uint64(32)
        first += 8
    rest = load64(text, first) & (np.uint64(0xFFFFFFFFFFFFFFFF) >> np.uint64(8 * (8 - (end - first))))
    value = (value ^ rest) * _MIX_1
    value = (value ^ (value >> np.uint64(29))) * _MIX_2
    return value ^ (value >> np.uint64(32))


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
def hash_words(folded: tuple[Bytes, Bytes], size: int, has_foreign: bool, look_alikes: LookAlikes, out: Hashes) -> int:
    """Write the hash of every word of a folded text to `out`; returns how many.

    Args:
        folded: its UTF-8 and the marks of its bytes, with PADDING_BYTES of room behind them, which is overwritten.
        size: bytes.
        has_foreign: whether it holds letters that may look Latin.
        look_alikes: `confusables.look_alikes()`.
        out: at least `size` long.
    """
    text, marks = folded
    marks[size : size + 64] = 0
    count = 0
    first = -1  # of the word that is open
    before = np.uint64(0)  # whether the byte before is part of a word
    for base in range(0, size, 64):
        inside = _bits(marks, base, np.uint64(0))
        follows = inside << np.uint64(1) | before
        starts = inside & (~follows | _bits(marks, base, np.uint64(1)))
        borders = starts | (~inside & follows)
        before = inside >> np.uint64(63)
        while borders != 0:
            place = trailing_zeros(borders)
            if first >= 0:
                if has_foreign:
                    out[count] = _hash_unmasked(text, first, base + place, look_alikes, size + 16)
                else:
                    out[count] = _hash(text, first, base + place)
                count += 1
            first = base + place if (starts >> np.uint64(place)) & np.uint64(1) != 0 else -1
            borders &= borders - np.uint64(1)
    if first >= 0:
        out[count] = _hash_unmasked(text, first, size, look_alikes, size + 16)
        count += 1
    return count
