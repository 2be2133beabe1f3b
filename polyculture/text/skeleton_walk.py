"""The walk that masks a text, compiled: from the UTF-8 of a text to the UTF-8 of its skeleton. See `skeleton`."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyculture.compute.compiled import compiled, load64
from polyculture.text.skeleton_classes import ALONE, COMBINING_SHIFT, DIGIT, NEWLINE, SPACE, UNSETTLED, UPPER, WORD
from polyculture.text.stream_safe import FEW_MARKS

OPENING_TOKENS = 16
NAMES, QUOTATIONS = 1, 2  # what a walk masks beside addresses, hexadecimal words and numbers
HEX_DIGITS = 8  # a shorter word of them is read as a word or a number
Bytes = NDArray[np.uint8]
Classes = NDArray[np.uint16]
LONGEST_SCHEME = 5
_HTTP, _HTTPS, _FTP, _WWW = np.uint64(0x68747470), np.uint64(0x6874747073), np.uint64(0x667470), np.uint64(0x777777)
_HIGH = np.uint64(0x8080808080808080)
_U, _Q, _H, _C, _ZERO = 0x55, 0x51, 0x48, 0x43, 0x30
_APOSTROPHE, _LEFT_APOSTROPHE, _RIGHT_APOSTROPHE = 0x27, 0x2018, 0x2019


@compiled()
def _character(data: Bytes, at: int, classes: Classes) -> tuple[Any, Any, Any]:
    """Code point at a position of valid UTF-8, its length in bytes, its flags; beyond the end 0, 1, 0."""
    if at >= len(data):
        return 0, 1, 0
    first = np.int64(data[at])
    if first < 0x80:
        return first, 1, np.int64(classes[first])
    if first < 0xE0:
        point, length = (first & 0x1F) << 6 | np.int64(data[at + 1]) & 0x3F, 2
    elif first < 0xF0:
        point, length = (
            (first & 0x0F) << 12 | (np.int64(data[at + 1]) & 0x3F) << 6 | np.int64(data[at + 2]) & 0x3F,
            3,
        )
    else:
        high = (first & 0x07) << 18 | (np.int64(data[at + 1]) & 0x3F) << 12
        point, length = high | (np.int64(data[at + 2]) & 0x3F) << 6 | np.int64(data[at + 3]) & 0x3F, 4
    return point, length, np.int64(classes[point])


@compiled()
def is_settled(data: Bytes, classes: Classes) -> bool:
    """True if a text is certain to be NFKC, stream-safe and free of format characters; ASCII always is."""
    at, last, row = 0, 0, 0
    while at < len(data):
        if at + 8 <= len(data) and load64(data, at) & _HIGH == 0:
            at += 8
            last = 0
            continue
        _, length, flags = _character(data, at, classes)
        combining = flags >> COMBINING_SHIFT
        if flags & UNSETTLED or (combining != 0 and combining < last):
            return False
        if combining != 0:
            row = row + 1 if last != 0 else 1
            if row > FEW_MARKS:
                return False
        last = combining
        at += length
    return True


@compiled()
def _closer(point: int) -> int:
    """The character that closes the quotation that this one opens; 0 if it opens none."""
    if point in (0x22, 0x60, _APOSTROPHE):
        return point
    if point in (0x201C, 0x2018):  # double and single, as English has them
        return point + 1
    if point == 0x201E:  # low, as German has it
        return 0x201C
    if point == 0xAB:  # guillemets
        return 0xBB
    if point in (0x300C, 0x300E):  # corner brackets
        return point + 1
    return 0


@compiled()
def _quoted_end(data: Bytes, at: int, in_word: bool, classes: Classes) -> int:
    """Behind the quotation that opens here; `at` if none does. It looks no further than the next mark of its kind."""
    opener, length, _ = _character(data, at, classes)
    closer = _closer(opener)
    is_apostrophe = opener in (_APOSTROPHE, _LEFT_APOSTROPHE)
    if closer == 0 or (is_apostrophe and in_word):
        return at
    inside = place = at + length
    while place < len(data):
        point, length, flags = _character(data, place, classes)
        if point == closer:
            behind = place + length
            _, _, next_flags = _character(data, behind, classes)
            is_inner = is_apostrophe and next_flags & WORD and not next_flags & ALONE
            return at if place == inside or is_inner else behind
        if point == opener or flags & NEWLINE:
            return at
        place += length
    return at


@compiled()
def _prefix_end(data: Bytes, at: int) -> int:
    """Behind the beginning of an address that stands here, in either case; `at` if none does."""
    scheme = at
    while scheme < len(data) and scheme - at < LONGEST_SCHEME and 0x61 <= data[scheme] | 0x20 <= 0x7A:
        scheme += 1
    if scheme >= len(data):
        return at
    letters = np.uint64(0)
    for i in range(at, scheme):
        letters = letters << np.uint64(8) | np.uint64(data[i] | 0x20)
    if letters == _WWW and data[scheme] == 0x2E:
        return scheme + 1
    is_scheme = letters in (_HTTP, _HTTPS, _FTP)
    if is_scheme and scheme + 2 < len(data) and data[scheme] == 0x3A and data[scheme + 1] == data[scheme + 2] == 0x2F:
        return scheme + 3
    return at


@compiled()
def _is_address_byte(byte: int) -> bool:
    """Visible ASCII but quotes, backtick and closing or angle brackets."""
    return 0x21 <= byte <= 0x7E and byte not in (0x22, 0x27, 0x60, 0x3C, 0x3E, 0x29, 0x5D, 0x7D)


@compiled()
def _address_end(data: Bytes, at: int) -> int:
    """Behind the address that starts here, without the punctuation that ends it; `at` if none does."""
    if data[at] | 0x20 not in (0x68, 0x66, 0x77):  # h, f, w
        return at
    inside = end = _prefix_end(data, at)
    if inside == at:
        return at
    while end < len(data) and _is_address_byte(data[end]):
        end += 1
    while end > inside and data[end - 1] in (0x2E, 0x2C, 0x3A, 0x3B, 0x21, 0x3F):  # . , : ; ! ?
        end -= 1
    return end if end > inside else at


@compiled()
def _hex_end(data: Bytes, at: int, classes: Classes) -> int:
    """Behind the hexadecimal word that starts here; `at` if none does."""
    end = at
    has_prefix = data[at] == 0x30 and at + 2 < len(data) and data[at + 1] | 0x20 == 0x78
    if has_prefix:
        end += 2
    inside = end
    has_digit, has_letter = False, False
    while end < len(data):
        byte = data[end]
        if 0x30 <= byte <= 0x39:
            has_digit = True
        elif 0x61 <= (byte | 0x20) <= 0x66:
            has_letter = True
        else:
            break
        end += 1
    _, _, flags = _character(data, end, classes)
    if flags & WORD and not flags & ALONE:
        return at
    if has_prefix:
        return end if end > inside else at
    return end if has_digit and has_letter and end - inside >= HEX_DIGITS else at


@compiled()
def _capitals_end(data: Bytes, at: int, classes: Classes) -> int:
    """Behind the run of capitalised words whose first capital stands here."""
    end = at
    while True:
        while True:  # one word
            point, length, flags = _character(data, end, classes)
            if not flags & WORD or flags & ALONE:
                if point not in (_APOSTROPHE, _RIGHT_APOSTROPHE, 0x2D):
                    break
                _, _, flags = _character(data, end + length, classes)
                if not flags & WORD or flags & ALONE:
                    break
            end += length
        place = end
        _, length, flags = _character(data, place, classes)
        while flags & SPACE:
            place += length
            _, length, flags = _character(data, place, classes)
        if place == end or not flags & UPPER:
            return end
        end = place


@compiled()
def _number_end(data: Bytes, at: int, classes: Classes) -> int:
    """Behind the number whose first digit stands here."""
    while True:
        point, length, flags = _character(data, at, classes)
        if not flags & DIGIT:
            if point not in (0x2E, 0x2C):
                return at
            _, _, flags = _character(data, at + 1, classes)
            if not flags & DIGIT:
                return at
        at += length


@compiled()
def _is_in_capitals(data: Bytes, classes: Classes) -> bool:
    """True if most letters are capitals, so that a capital does not tell a name."""
    at, letters, capitals = 0, 0, 0
    while at < len(data):
        _, length, flags = _character(data, at, classes)
        if flags & WORD and not flags & DIGIT:
            letters += 1
            if flags & UPPER:
                capitals += 1
        at += length
    return 2 * capitals > letters


@compiled()
def _masked(data: Bytes, at: int, in_word: bool, classes: Classes, masks: int) -> tuple[Any, Any]:
    """Find the end of the part that is masked from here on (`at` if none is), and its placeholder."""
    _, _, flags = _character(data, at, classes)
    if not flags & WORD:
        return _quoted_end(data, at, in_word, classes) if masks & QUOTATIONS else at, _Q
    if not in_word or flags & ALONE:
        end = _address_end(data, at)
        if end > at:
            return end, _U
        end = _hex_end(data, at, classes)
        if end > at:
            return end, _H
        if flags & UPPER and masks & NAMES:
            return _capitals_end(data, at, classes), _C
    if flags & DIGIT:
        return _number_end(data, at, classes), _ZERO
    return at, 0


@compiled()
def write_skeleton(data: Bytes, classes: Classes, out: Bytes) -> tuple[int, int, int]:
    """Write the skeleton of a settled text to `out`, which is at least as long.

    Returns:
        Bytes of the skeleton, bytes of its opening, tokens.
    """
    masks = QUOTATIONS if _is_in_capitals(data, classes) else NAMES | QUOTATIONS
    size, opening, tokens, hidden = _walk(data, classes, out, masks)
    if hidden == tokens and tokens > 0:  # nothing would be left to compare
        size, opening, tokens, hidden = _walk(data, classes, out, 0)
    return size, opening, tokens


@compiled()
def _walk(data: Bytes, classes: Classes, out: Bytes, masks: int) -> tuple[int, int, int, int]:
    """Write a skeleton; bytes of it, bytes of its opening, tokens, and how many are names or quotations."""
    at, size, tokens, hidden = 0, 0, 0, 0
    opening = -1
    in_word, after_space = False, False
    while at < len(data):
        _, length, flags = _character(data, at, classes)
        if flags & SPACE:
            in_word, after_space = False, size > 0
            at += length
            continue
        is_inner = in_word and flags & (WORD | ALONE | DIGIT) == WORD
        end, placeholder = (at, 0) if is_inner else _masked(data, at, in_word, classes, masks)
        starts_token = (flags & WORD and (not in_word or flags & ALONE)) or (end > at and placeholder == _Q)
        if starts_token:
            if tokens == OPENING_TOKENS:
                opening = size
            tokens += 1
            if end > at and placeholder in (_Q, _C):
                hidden += 1
        if after_space:
            out[size] = 0x20
            size += 1
            after_space = False
        if end > at:
            out[size] = placeholder
            size += 1
            in_word = placeholder == _ZERO
            at = end
        else:
            for i in range(length):
                out[size + i] = data[at + i]
            size += length
            in_word = flags & WORD != 0 and flags & ALONE == 0
            at += length
    return size, size if opening < 0 else opening, tokens, hidden
