"""Properties of code points for the skeleton walk: one table of flags."""

import sys
import unicodedata
from functools import cache

import numpy as np
from numpy.typing import NDArray

from polyculture.text.composition import joining, spans_to_look_at
from polyculture.text.words import ALONE as STANDS_ALONE
from polyculture.text.words import SEPARATOR, character_classes

# Flags in the low byte; the canonical combining class is the high one.
SPACE, NEWLINE, WORD, ALONE, DIGIT, UPPER, UNSETTLED = 1, 2, 4, 8, 16, 32, 64
COMBINING_SHIFT = 8
_NEWLINES = "\n\v\f\r\x1c\x1d\x1e\x85\u2028\u2029"  # as `str.splitlines` has them


def _flags(character: str) -> int:
    """Flags of one character, but for those that `character_classes` has."""
    category = unicodedata.category(character)
    flags = unicodedata.combining(character) << COMBINING_SHIFT
    if character.isspace():
        flags |= SPACE | (NEWLINE if character in _NEWLINES else 0)
    if category == "Nd":
        flags |= DIGIT
    if category in ("Lu", "Lt"):
        flags |= UPPER
    if category == "Cf" or character in joining() or not unicodedata.is_normalized("NFKC", character):
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
    for first, end in spans_to_look_at():
        table[first:end] |= np.fromiter((_flags(chr(c)) for c in range(first, end)), np.uint16, end - first)
    return table
