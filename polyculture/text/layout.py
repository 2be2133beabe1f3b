"""Layout: case and line-leading white space, which count where lines are indented or fenced, as in programs.

A text is **sensitive** if a line begins with a tab or two spaces and something visible behind them, or with a fence:
three backticks or tildes behind at most three spaces. Its layout is the leading white space of each line that is not
blank, and the case of that line's letters of ASCII. White space at the end of lines, blank lines and the kind of line
ending are no layout. Two sensitive texts, or a sensitive one and another, are equal only if their layouts are too.
"""

import re
from typing import Any

import numpy as np
from numba import types
from numpy.typing import NDArray

from polyculture.compute.compiled import bytes_at, compiled, trailing_zeros
from polyculture.compute.simd import equal64
from polyculture.text.shingles import POINTERS
from polyculture.text.texts import Pointers, Texts

Bytes = NDArray[np.uint8]
_PRIME = np.uint64(0x9E3779B97F4A7C15)
_SENSITIVE = re.compile(r"(?:^|[\n\r])(?:[ \t]*(?:\t|  )[ \t]*[^\s]| {0,3}(?:```|~~~))", re.ASCII)
_LINE = re.compile(r"[\n\r]+")


def layout(text: str) -> list[tuple[str, str]] | None:
    """The layout of a text, None if it is not sensitive: the reference that the compiled kernel is tested against.

    Returns:
        For each line that is not blank its leading spaces and tabs, and an `u` or `l` for each letter of ASCII in it.
    """
    if not _SENSITIVE.search(text):
        return None
    lines = [line for line in _LINE.split(text) if re.search(r"\S", line, re.ASCII)]
    return [
        (
            line[: len(line) - len(line.lstrip(" \t"))],
            "".join("ul"[c.islower()] for c in line if c.isascii() and c.isalpha()),
        )
        for line in lines
    ]


@compiled()
def _is_blank(byte: Any) -> bool:
    return bool(byte == 0x20 or 0x09 <= byte <= 0x0D)


@compiled()
def _begins_layout(data: Bytes, at: int, size: int) -> bool:
    """True if the line that begins at a place is indented or fenced."""
    first = at
    is_indented = False
    while at < size and (data[at] == 0x20 or data[at] == 0x09):
        is_indented |= data[at] == 0x09 or at == first + 1 or (at > first and data[at - 1] == 0x20)
        at += 1
    if at >= size or _is_blank(data[at]):
        return False
    if is_indented:
        return True
    is_fence = at + 3 <= size and (data[at] == 0x60 or data[at] == 0x7E)
    return is_fence and data[at + 1] == data[at] and data[at + 2] == data[at]


@compiled()
def _is_sensitive(data: Bytes, size: int) -> bool:
    if _begins_layout(data, 0, size):
        return True
    at = 0
    while at + 64 <= size:
        ends = equal64(data, at, np.uint8(0x0A)) | equal64(data, at, np.uint8(0x0D))
        while ends != 0:
            if _begins_layout(data, at + trailing_zeros(ends) + 1, size):
                return True
            ends &= ends - np.uint64(1)
        at += 64
    for place in range(at, size):
        if (data[place] == 0x0A or data[place] == 0x0D) and _begins_layout(data, place + 1, size):
            return True
    return False


@compiled()
def text_layout(data: Bytes, size: int) -> Any:
    """64-bit hash of the layout of a text, 0 if it is not sensitive. Four nanoseconds a byte of those that are."""
    if not _is_sensitive(data, size):
        return np.uint64(0)
    value = np.uint64(1)
    at = 0
    while at < size:
        first = at
        while at < size and (data[at] == 0x20 or data[at] == 0x09):
            at += 1
        behind = at
        line = np.uint64(2)
        is_visible = False
        while at < size and data[at] != 0x0A and data[at] != 0x0D:
            byte = data[at]
            is_visible |= not _is_blank(byte)
            if 0x61 <= (byte | 0x20) <= 0x7A:
                line = (line ^ np.uint64((byte >> 5) & 1)) * _PRIME
                line ^= line >> np.uint64(29)
            at += 1
        at += 1
        if is_visible:
            for place in range(first, behind):
                line = (line ^ np.uint64(data[place])) * _PRIME
                line ^= line >> np.uint64(32)
            value = (value ^ line) * _PRIME
            value ^= value >> np.uint64(31)
    return value | np.uint64(1)


@compiled(types.void(POINTERS, types.uint64[::1]))
def _layouts(texts: Pointers, out: NDArray[np.uint64]) -> None:
    for number in range(len(out)):
        out[number] = text_layout(bytes_at(texts[0][number], texts[1][number]), texts[1][number])


def layouts(texts: Texts) -> NDArray[np.uint64]:
    """(n,) 64-bit hash of the layout of each stored text, 0 if not sensitive; of these, 5 GB a second."""
    found = np.zeros(len(texts), np.uint64)
    _layouts(texts.pointers, found)
    return found
