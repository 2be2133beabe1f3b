"""The canonical form of each code point: the table that the compiled fold walks with.

Canonical text is defined by `canonical_text`. For almost every code point its result does not depend on the
neighbours, and the table holds it; the few that compose with or are reordered around their neighbours are JOIN or
HARD, and a text that holds one in such a position goes through `canonical_text` itself.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from polyculture.compute.simd import (
    BANG,
    EQUALS,
    HYPHEN,
    IN_WORD_BYTE,
    LETTER,
    NUMBER,
    SIGN,
    STARTS_WORD,
)
from polyculture.text.canonical import TYPOGRAPHY, canonical_text
from polyculture.text.categories import format_characters
from polyculture.text.composition import composing, joining, spans_to_look_at
from polyculture.text.confusables import FOREIGN_SCRIPTS
from polyculture.text.words import ALONE, SEPARATOR, SIGNS, character_classes, letters, signs

# An entry: action in bits 0-2, four flags, and from bit 8 the offset into the pool of a REPLACE, for others the mark of
# each of its bytes.
HARD, KEEP, REPLACE, DROP, SPACE, JOIN = 0, 1, 2, 3, 4, 5
_BLOCK = 64  # code points that are looked at together
IS_ALONE, IS_MARK, IS_FOREIGN, IS_BASE = 1 << 3, 1 << 5, 1 << 6, 1 << 7
OFFSET_SHIFT = MARK_SHIFT = 8


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


def _is_inert(text: str) -> bool:
    """True if no character of `text` can join or change places with the one before it under normalisation."""
    return not any(character in joining() or unicodedata.combining(character) for character in text)


def _is_plain(character: str) -> bool:
    """True if folding clearly leaves a character as it is, whatever stands beside it: so with most."""
    return (
        unicodedata.is_normalized("NFKD", character)
        and character.casefold() == character
        and character not in format_characters()
        and character not in joining()
        and ord(character) not in TYPOGRAPHY
    )


def _are_plain(characters: Sequence[str]) -> bool:
    """True if nothing is to be said of any character of a block, but for its mark: so with most blocks."""
    text, first, last = "".join(characters), ord(characters[0]), ord(characters[-1])
    return (
        unicodedata.is_normalized("NFKD", text)
        and text.casefold() == text
        and _remarkable().isdisjoint(characters)
        and not any(map(unicodedata.combining, characters))
        and not any(map(str.isspace, characters))
        and not any(start <= last and first <= end for start, end in FOREIGN_SCRIPTS)
    )


@cache
def _remarkable() -> frozenset[str]:
    return frozenset().union(*composing(), format_characters(), map(chr, TYPOGRAPHY))


@cache
def byte_marks() -> NDArray[np.uint8]:
    """Mark of every byte of each code point, but for STARTS_WORD; shape (0x110000,). Built once."""
    is_word = character_classes() != SEPARATOR
    marks = np.where(is_word, np.where(letters(), IN_WORD_BYTE | LETTER, IN_WORD_BYTE | NUMBER), 0).astype(np.uint8)
    marks[signs()] = IN_WORD_BYTE
    for sign in SIGNS:
        marks[ord(sign)] |= SIGN | HYPHEN * (sign in "-/") | BANG * (sign == "!") | EQUALS * (sign == "=")
    return marks


@cache
def _is_alone() -> NDArray[np.bool_]:
    """True if a character is a word of its own wherever it stands; signs of ASCII have a mark instead."""
    is_alone: NDArray[np.bool_] = (character_classes() == ALONE) | signs()
    is_alone[:0x80] = False
    return is_alone


def _entry(  # noqa: PLR0911 - a decision list
    character: str, pool: bytearray
) -> tuple[int, int]:
    """The entry of one character, and its combining class."""
    combining = unicodedata.combining(character)
    if character.isspace():
        return SPACE, combining
    if not combining and _is_plain(character):
        flags = (IS_FOREIGN if _is_foreign(character) else 0) | (IS_BASE if character in composing()[0] else 0)
        return KEEP | _as_it_is(character) | flags, combining
    decomposed = unicodedata.normalize("NFKD", character)
    folded = canonical_text(f"x{character}x")[1:-1]  # between letters, so that a space is kept
    flags = IS_FOREIGN if any(map(_is_foreign, folded)) else 0
    is_composed = unicodedata.normalize("NFD", character) != character  # its base may be joined around its mark
    flags |= IS_BASE if is_composed or character in composing()[0] else 0
    as_it_is = _as_it_is(character) | (IS_MARK if combining else 0) | flags  # what it is in a text that is canonical
    if folded == character:
        return (JOIN if character in joining() else KEEP) | as_it_is, combining
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
    marks, ends_alone = _marks(folded)
    pool += bytes([len(marks), len(folded), unicodedata.combining(folded[-1])]) + folded.encode() + marks
    return REPLACE | IS_ALONE * ends_alone | flags | offset << OFFSET_SHIFT, combining


def _as_it_is(character: str) -> int:
    """The part of an entry that says what a character is where it stays."""
    return int(byte_marks()[ord(character)]) << MARK_SHIFT | IS_ALONE * bool(_is_alone()[ord(character)])


def _marks(text: str) -> tuple[bytes, bool]:
    """A mark for each byte of the UTF-8, and whether the last character is a word of its own."""
    marks = bytearray()
    after_alone = False
    for character in text:
        mark, is_alone = int(byte_marks()[ord(character)]), bool(_is_alone()[ord(character)])
        own = [mark] * len(character.encode())
        if mark and (is_alone or after_alone):
            own[0] |= STARTS_WORD
        marks += bytes(own)
        after_alone = is_alone
    return bytes(marks), after_alone


def _is_foreign(character: str) -> bool:
    return any(first <= ord(character) <= last for first, last in FOREIGN_SCRIPTS)


@cache
def code_points() -> CodePoints:
    """The table, built once in a process from this Python's Unicode data. About 0.2 seconds and 6 MB."""
    entries = byte_marks().astype(np.uint32) << np.uint32(MARK_SHIFT)
    entries |= np.where(_is_alone(), KEEP | IS_ALONE, KEEP).astype(np.uint32)
    combining = np.zeros(len(entries), np.uint8)
    pool = bytearray()
    entries[0xAC00:0xD7A4:28] |= IS_BASE
    for first, end in spans_to_look_at():
        for start in range(first, end, _BLOCK):
            characters = list(map(chr, range(start, min(start + _BLOCK, end))))
            if not _are_plain(characters):
                for code_point, character in enumerate(characters, start):
                    entries[code_point], combining[code_point] = _entry(character, pool)
    pool += bytes(16)  # so that eight bytes can be loaded at its end
    return CodePoints(entries, combining, np.frombuffer(bytes(pool), np.uint8).copy())
