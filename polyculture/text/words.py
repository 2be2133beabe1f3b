"""Words of canonical text, by script: the unit that shingles are made of.

A word is a maximal run of letters, marks, numbers and `_`. In scripts written without spaces (Han, kana, Thai, Lao,
Khmer, Myanmar, Tibetan) every character is a word of its own, because white space says nothing there.

A **sign** is a word of its own too: a character of the categories Sm, Sc, Sk and So, or one of ``SIGNS``. Texts that
differ in an operator or a bracket differ in a word. Three signs are mere punctuation, and no words, in places where
prose has them: `-` and `/` between two letters, and `!` behind a letter or number unless `=` follows.

A **shingle** is five consecutive words. A text is **notation** (code, formulas, tables) if it has at least one sign to
every three other words; all its words make shingles. Prose is marked up in many ways, so its shingles are made of the
words that are no signs, and its signs together, in order, are one shingle more.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from polyculture.text.categories import categories

SHINGLE_WORDS, NOTATION_WORDS = 5, 3
OPERATORS_ALIKE = 50  # one in so many signs may differ between notation that is taken for the same
SEPARATOR, IN_WORD, ALONE = 0, 1, 2
SIGNS = "+-*/\\%^=<>!&|~#$@()[]{}`"  # of ASCII: all but full stop, comma, colon, semicolon, question mark and quotes

# Code points of the scripts written without spaces, first and last (Unicode blocks; unassigned points never occur).
_ALONE_RANGES = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x0F00, 0x109F),  # Tibetan, Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x2E80, 0x2FDF),  # CJK and Kangxi radicals
    (0x3005, 0x3007),  # ideographic iteration mark, closing mark, zero
    (0x3021, 0x3029),  # Hangzhou numerals
    (0x3031, 0x303C),  # kana repeat marks, Hangzhou tens, masu mark
    (0x3040, 0x30FF),  # Hiragana, Katakana
    (0x31F0, 0x31FF),  # Katakana phonetic extensions
    (0x3400, 0x4DBF),  # Han extension A
    (0x4E00, 0x9FFF),  # Han
    (0xA9E0, 0xA9FF),  # Myanmar extended B
    (0xAA60, 0xAA7F),  # Myanmar extended A
    (0xF900, 0xFAFF),  # Han compatibility
    (0xFF66, 0xFF9F),  # half-width Katakana (folded away by NFKC, kept for safety)
    (0x1AFF0, 0x1B16F),  # kana supplements
    (0x20000, 0x3FFFF),  # Han extensions B and later
)


@cache
def character_classes() -> NDArray[np.uint8]:
    """Class of every code point: SEPARATOR, IN_WORD or ALONE; shape (0x110000,). Built once, 0.1 seconds."""
    classes = np.isin(categories()[:, 0], np.frombuffer(b"LMN", np.uint8)).astype(np.uint8)
    classes[ord("_")] = IN_WORD
    for first, last in _ALONE_RANGES:
        classes[first : last + 1] *= ALONE
    return classes


@cache
def signs() -> NDArray[np.bool_]:
    """True if a code point is a sign, wherever it stands; shape (0x110000,). Built once."""
    found: NDArray[np.bool_] = np.isin(categories().view("S2")[:, 0], [b"Sm", b"Sc", b"Sk", b"So"])
    found[[ord(sign) for sign in SIGNS]] = True
    found &= character_classes() == SEPARATOR
    return found


@cache
def letters() -> NDArray[np.bool_]:
    """True if a code point belongs to words and is no number, shape (0x110000,): letters, marks and `_`. Built once."""
    found: NDArray[np.bool_] = (character_classes() != SEPARATOR) & (categories()[:, 0] != ord("N"))
    return found


def _is_punctuation(before: str, sign: str, after: str) -> bool:
    """True if a sign is none between these two characters, either of which may be empty."""
    if sign in "-/":
        return before != "" != after and bool(letters()[ord(before)] and letters()[ord(after)])
    return sign == "!" and before != "" and after != "=" and bool(character_classes()[ord(before)] != SEPARATOR)


def words(canonical: str) -> list[str]:
    """The words of canonical text, in order: the reference that the compiled kernel is tested against. O(length)."""
    classes = character_classes()
    found: list[str] = []
    start = -1
    for position, character in enumerate(canonical):
        kind = classes[ord(character)]
        if signs()[ord(character)]:
            around = canonical[position - 1 : position] if position else "", canonical[position + 1 : position + 2]
            kind = SEPARATOR if _is_punctuation(around[0], character, around[1]) else ALONE
        if kind == IN_WORD and start < 0:
            start = position
        elif kind != IN_WORD and start >= 0:
            found.append(canonical[start:position])
            start = -1
        if kind == ALONE:
            found.append(character)
    if start >= 0:
        found.append(canonical[start:])
    return found


def is_sign(word: str) -> bool:
    """True if a word is a sign."""
    return bool(signs()[ord(word[0])])


def shingles(found: Sequence[str]) -> frozenset[tuple[str, ...]]:
    """The shingle set of words: the definition, and the reference for `text.shingles`. O(words)."""
    marks = [word for word in found if is_sign(word)]
    plain = [word for word in found if not is_sign(word)]
    if not marks or NOTATION_WORDS * len(marks) >= len(plain):
        return _runs(found)
    return _runs(plain) | {("signs", *marks)}


def _runs(found: Sequence[str]) -> frozenset[tuple[str, ...]]:
    count = max(1, len(found) - SHINGLE_WORDS + 1) if found else 0
    return frozenset(tuple(found[i : i + SHINGLE_WORDS]) for i in range(count))
