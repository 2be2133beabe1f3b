"""Properties of code points for the skeleton walk: one table of flags."""

import sys
import unicodedata
from functools import cache

import numpy as np
from numpy.typing import NDArray

from polyculture.text.words import ALONE as STANDS_ALONE
from polyculture.text.words import SEPARATOR, character_classes

# Flags in the low byte; the canonical combining class is the high one.
SPACE, NEWLINE, WORD, ALONE, DIGIT, UPPER, UNSETTLED = 1, 2, 4, 8, 16, 32, 64
COMBINING_SHIFT = 8
_NEWLINES = "\n\v\f\r\x1c\x1d\x1e\x85\u2028\u2029"  # as `str.splitlines` has them
# Every other code point is unassigned, for private use, or Han that nothing joins.
_LOOKED_AT = ((0, 0xD800), (0xE000, 0x30000), (0xE0000, 0xE1000))
_JAMO = (*range(0x1161, 0x1176), *range(0x11A8, 0x11C3))  # vowels and finals of Hangul join what stands before them


def _joining() -> frozenset[str]:
    """Characters that can join the one before them under NFC."""
    found = set(map(chr, _JAMO))
    for code_point in range(0xA0, 0x30000):
        parts = unicodedata.decomposition(chr(code_point)).split()
        if len(parts) == 2 and not parts[0].startswith("<"):
            found.add(chr(int(parts[1], 16)))
    return frozenset(found)


def _flags(character: str, joining: frozenset[str]) -> int:
    """Flags of one character, but for those that `character_classes` has."""
    category = unicodedata.category(character)
    flags = unicodedata.combining(character) << COMBINING_SHIFT
    if character.isspace():
        flags |= SPACE | (NEWLINE if character in _NEWLINES else 0)
    if category == "Nd":
        flags |= DIGIT
    if category in ("Lu", "Lt"):
        flags |= UPPER
    if category == "Cf" or character in joining or not unicodedata.is_normalized("NFKC", character):
        flags |= UNSETTLED
    return flags


@cache
def skeleton_classes() -> NDArray[np.uint16]:
    """Flags of every code point, shape (0x110000,); from this Python's Unicode data.

    A text without UNSETTLED characters, with its combining marks in ascending order, is NFKC and free of category Cf;
    with at most FEW_MARKS of them in a row it is stream-safe too.
    Built once in a process, 0.2 seconds.
    """
    kinds = character_classes()
    table = np.zeros(sys.maxunicode + 1, np.uint16)
    table[kinds != SEPARATOR] = WORD
    table[kinds == STANDS_ALONE] |= ALONE
    joining = _joining()
    for first, end in _LOOKED_AT:
        table[first:end] |= np.fromiter((_flags(chr(c), joining) for c in range(first, end)), np.uint16, end - first)
    return table
