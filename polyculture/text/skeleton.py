"""The template lens: what is left of a text when names, numbers and literals are masked.

Skeleton of the stored text (canonical text has no capitals left), after NFKC, with format characters dropped and runs
of combining marks cut:

- `U`: an address, from `http://`, `https://`, `ftp://` or `www.` to the end of its ASCII characters;
- `Q`: quoted or backticked text, of one line; an apostrophe opens only where no word stands before it;
- `H`: a hexadecimal word, `0x...` or of eight digits and more, some of them letters;
- `C`: a run of capitalised words, white space between them, inner apostrophes and hyphens included;
- `0`: a number, inner points and commas included, also within a word;
- every run of white space is one space; the rest stays, case and all.

Something must be left to compare: in a text of which most letters are capitals a capital tells no name, and `C` is not
masked; in one of which every token would be `C` or `Q`, neither is.

At each place the first that fits counts, in this order. A token is a placeholder or a word of `text.words`; a mark is
none. The opening is the skeleton up to its seventeenth token. A search for the end of a quotation stops at the next
mark of its kind, so the walk is linear in the text, whatever it holds.
"""

import unicodedata
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numba import types
from numpy.typing import NDArray

from polyculture.compute.compiled import bytes_at, compiled, load64, read_only, tuple_of
from polyculture.text.categories import format_characters
from polyculture.text.skeleton_classes import skeleton_classes
from polyculture.text.skeleton_walk import Bytes, Classes, is_settled, write_skeleton
from polyculture.text.stream_safe import stream_safe
from polyculture.text.texts import Pointers, Texts, as_texts

Keys = NDArray[np.uint64]
NO_KEY = 0  # both halves of the key of a text that has none
_POINTERS = tuple_of(read_only(types.uint64), read_only(types.int64), read_only(types.boolean))
_CLASSES = read_only(types.uint16)
_PRIME = np.uint64(0x9E3779B97F4A7C15)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


@dataclass(frozen=True, slots=True)
class TemplateKeys:
    """Keys of n documents; equal skeletons have equal keys, two different ones with a probability of 2**-127.

    A text without a token (empty, or of marks alone) has no template: both its keys are NO_KEY, and it is a species of
    its own, as a text without words has no near-duplicate.

    Attributes:
        whole: (n, 2) key of the whole skeleton.
        opening: (n, 2) key of its opening.
    """

    whole: Keys
    opening: Keys

    def __len__(self) -> int:
        return len(self.whole)


@compiled()
def _finished(value: Any) -> Any:
    value = (value ^ (value >> np.uint64(32))) * _MIX_1
    value = (value ^ (value >> np.uint64(29))) * _MIX_2
    return value ^ (value >> np.uint64(32))


@compiled()
def _write_key(text: Bytes, size: int, out: Keys) -> None:
    """128-bit hash of text[:size]; the seven bytes behind it may be read. Never NO_KEY."""
    left, right = _PRIME, _MIX_2
    for at in range(0, size, 8):
        word = load64(text, at)
        if size - at < 8:
            word &= np.uint64(0xFFFFFFFFFFFFFFFF) >> np.uint64(8 * (8 - (size - at)))
        left = (left ^ word) * _MIX_1
        left ^= left >> np.uint64(32)
        right = (right + word) * _PRIME
        right ^= right >> np.uint64(29)
    out[0] = _finished(left ^ np.uint64(size)) | np.uint64(1)  # so that no key is NO_KEY
    out[1] = _finished(right + np.uint64(size))


@compiled(types.boolean[::1](_POINTERS, _CLASSES))
def _are_settled(texts: Pointers, classes: Classes) -> NDArray[np.bool_]:
    settled = np.empty(len(texts[0]), np.bool_)
    for i in range(len(settled)):
        settled[i] = is_settled(bytes_at(texts[0][i], texts[1][i]), classes)
    return settled


@compiled(types.void(_POINTERS, types.int64[::1], _CLASSES, types.uint8[::1], types.uint64[:, ::1]))
def _write_keys(texts: Pointers, numbers: NDArray[np.int64], classes: Classes, room: Bytes, out: Keys) -> None:
    for number in numbers:
        data = bytes_at(texts[0][number], texts[1][number])
        size, opening, tokens = write_skeleton(data, classes, room)
        if tokens > 0:
            _write_key(room, opening, out[number, 2:])
            _write_key(room, size, out[number, :2])


@compiled(types.int64(_POINTERS, types.int64, _CLASSES, types.uint8[::1]))
def _write_one(texts: Pointers, number: int, classes: Classes, room: Bytes) -> int:
    return write_skeleton(bytes_at(texts[0][number], texts[1][number]), classes, room)[0]


def settled_text(text: str) -> str:
    """NFKC of the stream-safe text without format characters (category Cf): what skeletons are made of. O(length)."""
    text = unicodedata.normalize("NFKC", stream_safe(text))
    if not format_characters().isdisjoint(text):
        for character in format_characters().intersection(text):
            text = text.replace(character, "")
    return text


def template_keys(texts: pa.Array | pa.ChunkedArray | Texts) -> TemplateKeys:
    """Keys of the skeletons of texts, and of their openings.

    Args:
        texts: stored texts, a `string` or `large_string` array without nulls. Canonical texts are taken, but have no
            capitals left, so their names stay.

    Returns:
        The keys. About 10 nanoseconds a byte of English; a text that NFKC or the loss of format characters may change
        (most Chinese) is made ready in Python first, which makes it 65.

    Raises:
        ValueError: the array holds nulls.
    """
    found = texts if isinstance(texts, Texts) else as_texts(texts)
    keys = np.zeros((len(found), 4), np.uint64)
    settled = _are_settled(found.pointers, skeleton_classes())
    _write_keys(found.pointers, np.flatnonzero(settled), skeleton_classes(), _room(found), keys)
    others = np.flatnonzero(~settled)
    if len(others):
        by_hand = _settle(found, others)
        rest = np.zeros((len(others), 4), np.uint64)
        _write_keys(by_hand.pointers, np.arange(len(others)), skeleton_classes(), _room(by_hand), rest)
        keys[others] = rest
    return TemplateKeys(np.ascontiguousarray(keys[:, :2]), np.ascontiguousarray(keys[:, 2:]))


def skeleton(text: str) -> str:
    """The skeleton of one text, to show it. O(length)."""
    found = as_texts(pa.array([settled_text(text)], pa.large_string()))
    room = _room(found)
    return room[: _write_one(found.pointers, 0, skeleton_classes(), room)].tobytes().decode()


def _room(texts: Texts) -> Bytes:
    return np.zeros(texts.longest_bytes + 8, np.uint8)


def _settle(texts: Texts, numbers: NDArray[np.int64]) -> Texts:
    return as_texts(pa.array([settled_text(texts.decode(int(number))) for number in numbers], pa.large_string()))
