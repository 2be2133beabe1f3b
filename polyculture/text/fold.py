"""Canonical text, compiled: from the UTF-8 of a text to the UTF-8 of its canonical text, and where its words are."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyculture.compute.compiled import compiled, load64, store64, trailing_zeros
from polyculture.compute.simd import LANES, STARTS_WORD, fold_ascii
from polyculture.text.code_points import (
    DROP,
    HARD,
    IS_ALONE,
    IS_BASE,
    IS_FOREIGN,
    IS_MARK,
    JOIN,
    MARK_SHIFT,
    OFFSET_SHIFT,
    REPLACE,
    SPACE,
)
from polyculture.text.stream_safe import FEW_MARKS

Bytes = NDArray[np.uint8]
NOT_FOLDED = -1  # the text needs `canonical_text`, or more room
PADDING_BYTES = 256  # of room that a folded text must leave at the end of the output

_ONES, _HIGH = np.uint64(0x0101010101010101), np.uint64(0x8080808080808080)
_LOW_HALF = np.uint64(0xFFFFFFFF)
_SPACES, _ALL_SPACE = np.uint64(0x2020202020202020), np.uint64(0xFF)


@compiled()
def _between(chunk: Any, first: int, last: int) -> Any:
    """High bit of each of eight ASCII bytes that lies in first..last."""
    above = chunk + _ONES * np.uint64(0x80 - first)
    beyond = chunk + _ONES * np.uint64(0x7F - last)
    return above & ~beyond & _HIGH


@compiled()
def _fold_ascii(chunk: Any) -> tuple[Any, Any]:
    """Eight ASCII bytes in lower case with spaces for white space; high bits of the white space."""
    upper = _between(chunk, 0x41, 0x5A)
    lower = chunk + (upper >> np.uint64(2))
    blank = _between(chunk, 0x09, 0x0D) | _between(chunk, 0x1C, 0x20)
    fill = (blank >> np.uint64(7)) * _ALL_SPACE
    return (lower & ~fill) | (_SPACES & fill), blank


@compiled()
def _fold_run(
    data: Bytes, span: tuple[int, int], room: tuple[Bytes, Bytes], size: int, after_space: bool
) -> tuple[int, bool]:
    """Fold ASCII from data[span[0]] to room[..][size], up to white space that follows white space.

    Returns:
        Bytes folded; fewer than the span by what does not fill a vector. Whether the last one is white space.
    """
    first, end = span
    at = first
    to = size
    while at + LANES <= end:
        found = fold_ascii(data, at, room, to)
        blank = found & _LOW_HALF
        doubled = blank & (blank << np.uint64(1) | (np.uint64(1) if after_space else np.uint64(0)))
        stops = found >> np.uint64(32) | doubled
        if stops != 0:  # what was written from there on is overwritten
            taken = trailing_zeros(stops)
            if taken > 0:
                after_space = (blank >> np.uint64(taken - 1)) & np.uint64(1) != 0
            return at + taken - first, after_space
        after_space = (blank >> np.uint64(LANES - 1)) != 0
        at += LANES
        to += LANES
    return at - first, after_space


@compiled()
def _code_point(data: Bytes, at: int) -> tuple[Any, Any]:
    """The code point beyond ASCII at a position of valid UTF-8, and its length in bytes."""
    first = np.int64(data[at])
    if first < 0xE0:
        return (first & 0x1F) << 6 | np.int64(data[at + 1]) & 0x3F, 2
    if first < 0xF0:
        return (first & 0x0F) << 12 | (np.int64(data[at + 1]) & 0x3F) << 6 | np.int64(data[at + 2]) & 0x3F, 3
    high = (first & 0x07) << 18 | (np.int64(data[at + 1]) & 0x3F) << 12
    return high | (np.int64(data[at + 2]) & 0x3F) << 6 | np.int64(data[at + 3]) & 0x3F, 4


@compiled()
def fold(  # noqa: C901, PLR0912, PLR0915 - one walk: a call and its returned state per character cost a third
    data: Bytes,
    span: tuple[int, int],
    table: tuple[NDArray[np.uint32], Bytes, Bytes],
    is_canonical: bool,
    room: tuple[Bytes, Bytes],
) -> tuple[int, int, bool]:
    """Write the canonical text of data[span] and the marks of its bytes to `room`; see `canonical_text`.

    Args:
        data: valid UTF-8.
        span: first byte, and the one after the last.
        table: `code_points()`: entries, combining classes, pool.
        is_canonical: the text is canonical already, so nothing in it is hard.
        room: buffers for the canonical UTF-8 and the marks; both of one length.

    Returns:
        Length in bytes, or NOT_FOLDED; length in characters; whether it holds letters that may look Latin. About 0.4
        nanoseconds a byte of English.
    """
    entries, combining, pool = table
    out, marks = room
    limit = len(out) - PADDING_BYTES
    at, end = span
    size: Any = 0
    characters: Any = 0
    after_space, after_alone, has_foreign = True, False, False
    last_class: Any = 0  # combining class of the character before
    marks_in_a_row: Any = 0
    after_base = False  # whether a character can join the one before
    while at < end:
        if size > limit:
            return NOT_FOLDED, 0, False
        if at + LANES <= end:
            taken, ends_in_space = _fold_run(data, (at, min(end, at + limit - size)), room, size, after_space)
            if taken > 0:
                if after_alone:
                    marks[size] |= STARTS_WORD
                size += taken
                characters += taken
                at += taken
                after_space, after_alone = ends_in_space, False
                last_class = 0
                after_base = True
                continue
        elif at + 8 <= end:
            chunk = load64(data, at)
            if chunk & _HIGH == 0:
                lower, blank = _fold_ascii(chunk)
                if blank & (blank << np.uint64(8) | (np.uint64(0x80) if after_space else np.uint64(0))) == 0:
                    store64(out, size, lower)
                    for i in range(size, size + 8):
                        marks[i] = entries[out[i]] >> MARK_SHIFT if out[i] != 0x20 else 0
                    if after_alone:
                        marks[size] |= STARTS_WORD
                    size += 8
                    characters += 8
                    at += 8
                    after_space = (blank >> np.uint64(63)) != 0
                    after_alone = False
                    last_class = 0
                    after_base = True
                    continue
        first = data[at]
        if first < 0x80:
            at += 1
            if first == 0x20 or 0x09 <= first <= 0x0D or 0x1C <= first <= 0x1F:
                if not after_space:
                    out[size] = 0x20
                    marks[size] = 0
                    size += 1
                    characters += 1
                after_space, after_alone = True, False
            else:
                out[size] = first + 0x20 if 0x41 <= first <= 0x5A else first
                marks[size] = entries[out[size]] >> MARK_SHIFT | (STARTS_WORD if after_alone else 0)
                size += 1
                characters += 1
                after_space, after_alone = False, False
            last_class = 0
            after_base = True
            continue
        code_point, length = _code_point(data, at)
        entry = entries[code_point]
        action = entry & 7
        is_alone = entry & IS_ALONE != 0
        if action == HARD and not is_canonical:
            return NOT_FOLDED, 0, False
        if action == DROP:
            at += length
            continue
        if action == SPACE:
            at += length
            if not after_space:
                out[size] = 0x20
                marks[size] = 0
                size += 1
                characters += 1
            after_space, after_alone, last_class, after_base = True, False, 0, False
            continue
        if action == JOIN and (after_base or last_class != 0) and not is_canonical:
            return NOT_FOLDED, 0, False
        if entry & IS_FOREIGN:
            has_foreign = True
        if action == REPLACE:
            at += length
            place = np.int64(entry >> OFFSET_SHIFT)
            length = np.int64(pool[place])
            characters += np.int64(pool[place + 1])
            for i in range(length):
                out[size + i] = pool[place + 3 + i]
                marks[size + i] = pool[place + 3 + length + i]
            if after_alone and marks[size] != 0:
                marks[size] |= STARTS_WORD
            size += length
            after_space, after_alone, last_class, after_base = False, is_alone, np.int64(pool[place + 2]), True
            continue
        if entry & IS_MARK:
            if last_class > combining[code_point] and not is_canonical:
                return NOT_FOLDED, 0, False
            marks_in_a_row = marks_in_a_row + 1 if last_class != 0 else 1
            if marks_in_a_row > FEW_MARKS and not is_canonical:
                return NOT_FOLDED, 0, False
            last_class = combining[code_point]
        else:
            last_class = 0
        mark = entry >> MARK_SHIFT
        for i in range(length):
            out[size + i] = data[at + i]
            marks[size + i] = mark
        if is_alone or (after_alone and mark != 0):
            marks[size] |= STARTS_WORD
        at += length
        size += length
        characters += 1
        after_space, after_alone = False, is_alone
        after_base = entry & IS_BASE != 0
    if size > 0 and after_space:
        size -= 1
        characters -= 1
    return size, characters, has_foreign
