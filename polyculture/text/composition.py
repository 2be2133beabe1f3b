"""Characters that compose with others, from this Python's Unicode data, and the code points that are worth a look."""

import unicodedata
from collections.abc import Iterator
from functools import cache

# Ranges whose code points have no property but that they are letters, or for private use; they are most of Unicode.
UNCHANGED = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0xE000, 0xF8FF), (0x20000, 0x2F7FF))
_SURROGATES = (0xD800, 0xDFFF)
_UNASSIGNED = 0x30000  # from here to the tags of plane 14 a little Han and nothing else
_TAGS = (0xE0000, 0xE1000)
_JAMO = (*range(0x1161, 0x1176), *range(0x11A8, 0x11C3))  # vowels and finals of Hangul join what stands before them


def spans_to_look_at() -> Iterator[tuple[int, int]]:
    """First code point and the one after the last of each span outside UNCHANGED, but for surrogates; ascending."""
    first = 0
    for start, last in sorted((*UNCHANGED, _SURROGATES)):
        yield first, start
        first = last + 1
    yield first, _UNASSIGNED
    yield _TAGS


@cache
def composing() -> tuple[frozenset[str], frozenset[str]]:
    """Characters that another can join to (bases), and those that can join the one before them, under NFC."""
    bases = {chr(c) for c in range(0x1100, 0x1113)} | {chr(c) for c in range(0xAC00, 0xD7A4, 28)}
    joining = set(map(chr, _JAMO))
    for first, end in spans_to_look_at():
        for code_point in range(first, end):
            parts = unicodedata.decomposition(chr(code_point)).split()
            if len(parts) == 2 and not parts[0].startswith("<"):
                joining.add(chr(int(parts[1], 16)))
                if unicodedata.is_normalized("NFC", chr(code_point)):
                    bases.add(chr(int(parts[0], 16)))
    return frozenset(bases), frozenset(joining)


def joining() -> frozenset[str]:
    """Characters that can join the one before them under NFC."""
    return composing()[1]
