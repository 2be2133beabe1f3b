"""The canonical form of each code point: the table that the compiled fold walks with.

Canonical text is defined by `canonical_text`. For almost every code point its result does not depend on the
neighbours, and the table holds it; the few that compose with or are reordered around their neighbours are JOIN or
HARD, and a text that holds one in such a position goes through `canonical_text` itself.
"""

import sys
import unicodedata
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from polyculture.text.canonical import canonical_text
from polyculture.text.categories import format_characters
from polyculture.text.confusables import FOREIGN_SCRIPTS
from polyculture.text.words import ALONE, SEPARATOR, character_classes

# An entry: action in bits 0-2, class of the code point in bits 3-4, three flags, offset into the pool from bit 8.
HARD, KEEP, REPLACE, DROP, SPACE, JOIN = 0, 1, 2, 3, 4, 5
CLASS_SHIFT, CLASS_MASK = 3, 3
IS_MARK, IS_FOREIGN, IS_BASE = 1 << 5, 1 << 6, 1 << 7
OFFSET_SHIFT = 8
# Marks of bytes: part of a word, and first of a word even if the byte before belongs to one.
IN_WORD_BYTE, STARTS_WORD = 1, 2
# Ranges whose code points all stay as they are; they are most of Unicode.
_UNCHANGED = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0xE000, 0xF8FF), (0x20000, 0x2F7FF))
_UNASSIGNED = 0x30000  # from here to the tags of plane 14 a little Han and nothing else
_JAMO = (*range(0x1161, 0x1176), *range(0x11A8, 0x11C3))  # vowels and finals of Hangul join what stands before them


@dataclass(frozen=True, slots=True)
class CodePoints:
    """The table.

    Attributes:
        entries: (0x110000,) entry for each code point.
        combining: (0x110000,) canonical combining class.
        pool: replacements, each as its length in bytes, in characters, the combining class of its last
            character, its UTF-8, and a mark for each byte.
    """

    entries: NDArray[np.uint32]
    combining: NDArray[np.uint8]
    pool: NDArray[np.uint8]


@cache
def _pairs() -> tuple[frozenset[str], frozenset[str]]:
    """Characters that another can join to (bases), and those that can join the one before them, under NFC."""
    bases = {chr(c) for c in range(0x1100, 0x1113)} | {chr(c) for c in range(0xAC00, 0xD7A4, 28)}
    joining = set(map(chr, _JAMO))
    for code_point in range(0xA0, 0x30000):
        parts = unicodedata.decomposition(chr(code_point)).split()
        if len(parts) == 2 and not parts[0].startswith("<"):
            joining.add(chr(int(parts[1], 16)))
            if unicodedata.is_normalized("NFC", chr(code_point)):
                bases.add(chr(int(parts[0], 16)))
    return frozenset(bases), frozenset(joining)


def _joining() -> frozenset[str]:
    return _pairs()[1]


def _is_inert(text: str) -> bool:
    """True if no character of `text` can join or change places with the one before it under normalisation."""
    return not any(character in _joining() or unicodedata.combining(character) for character in text)


def _is_plain(character: str) -> bool:
    """True if folding clearly leaves a character as it is, whatever stands beside it: so with most."""
    return (
        unicodedata.is_normalized("NFKD", character)
        and character.casefold() == character
        and character not in format_characters()
        and character not in _joining()
    )


def _entry(  # noqa: PLR0911 - a decision list
    character: str, classes: NDArray[np.uint8], pool: bytearray
) -> tuple[int, int]:
    """The entry of one character, and its combining class."""
    combining = unicodedata.combining(character)
    if character.isspace():
        return SPACE, combining
    if not combining and _is_plain(character):
        flags = (IS_FOREIGN if _is_foreign(character) else 0) | (IS_BASE if character in _pairs()[0] else 0)
        return KEEP | int(classes[ord(character)]) << CLASS_SHIFT | flags, combining
    decomposed = unicodedata.normalize("NFKD", character)
    folded = canonical_text(f"x{character}x")[1:-1]  # between letters, so that a space is kept
    kind = int(classes[ord(character)])
    flags = IS_FOREIGN if any(map(_is_foreign, folded)) else 0
    is_composed = unicodedata.normalize("NFD", character) != character  # its base may be joined around its mark
    flags |= IS_BASE if is_composed or character in _pairs()[0] else 0
    as_it_is = kind << CLASS_SHIFT | (IS_MARK if combining else 0) | flags  # what it is in a text that is canonical
    if folded == character:
        return (JOIN if character in _joining() else KEEP) | as_it_is, combining
    heads = decomposed[:1] + folded[:1]
    is_cased = folded != unicodedata.normalize("NFKC", character)
    if not _is_inert(heads) or combining or (is_cased and not _is_inert(folded)):
        return (DROP if folded == "" and not combining else HARD | as_it_is), combining
    if folded == "":
        return DROP, combining
    if folded == " ":
        return SPACE, combining
    if " " in folded:
        return HARD | as_it_is, combining
    offset = len(pool)
    marks, ends_alone = _marks(folded, classes)
    pool += bytes([len(marks), len(folded), unicodedata.combining(folded[-1])]) + folded.encode() + marks
    last = ALONE if ends_alone else SEPARATOR
    return REPLACE | last << CLASS_SHIFT | flags | offset << OFFSET_SHIFT, combining


def _marks(text: str, classes: NDArray[np.uint8]) -> tuple[bytes, bool]:
    """A mark for each byte of the UTF-8, and whether the last character is a word of its own."""
    marks = bytearray()
    after_alone = False
    for character in text:
        kind = classes[ord(character)]
        starts = after_alone or kind == ALONE
        size = len(character.encode())
        if kind == SEPARATOR:
            marks += bytes(size)
        else:
            marks += bytes([IN_WORD_BYTE | STARTS_WORD * starts] + [IN_WORD_BYTE] * (size - 1))
        after_alone = kind == ALONE
    return bytes(marks), after_alone


def _is_foreign(character: str) -> bool:
    return any(first <= ord(character) <= last for first, last in FOREIGN_SCRIPTS)


@cache
def code_points() -> CodePoints:
    """The table, built once in a process from this Python's Unicode data. About 0.2 seconds and 6 MB."""
    classes = character_classes()
    entries = np.where(classes == SEPARATOR, KEEP, KEEP | classes.astype(np.uint32) << CLASS_SHIFT).astype(np.uint32)
    combining = np.zeros(len(entries), np.uint8)
    pool = bytearray()
    looked_at = [*range(_UNASSIGNED), *range(0xE0000, 0xE1000)]
    skipped = np.zeros(sys.maxunicode + 1, np.bool_)
    for first, last in _UNCHANGED:
        skipped[first : last + 1] = True
    skipped[0xD800:0xE000] = True
    entries[0xAC00:0xD7A4:28] |= IS_BASE
    for code_point in looked_at:
        if not skipped[code_point]:
            entries[code_point], combining[code_point] = _entry(chr(code_point), classes, pool)
    pool += bytes(16)  # so that eight bytes can be loaded at its end
    return CodePoints(entries, combining, np.frombuffer(bytes(pool), np.uint8).copy())
