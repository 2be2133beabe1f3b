"""Heads: the long beginning that many documents share, such as a licence or the frame of a site.

Words are counted at white space here; in scripts written without spaces every character is one. The **head** of a text
is the longest beginning of 50 words or more that 20 different texts share, what follows in them being unlike. Versions
of one document share a long beginning too, and go on alike: they are one text in that count.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numba import types
from numpy.typing import NDArray

from polyculture.compute.compiled import bytes_at, compiled, read_only
from polyculture.text.canonical import canonical_text
from polyculture.text.shingles import POINTERS, intersection_size, shingle_sets
from polyculture.text.texts import Pointers, Texts
from polyculture.text.words import ALONE, character_classes

LEAST_WORDS, LEAST_TEXTS = 50, 20
LONGEST_HEAD_BYTES = 4096  # about 650 words: a longer one is taken to end there
LEAST_REST_WORDS = 20  # so many words have to follow a head that a text is compared without
LOOKED_AT = 40  # texts of a beginning that are compared with each other
MOST_ALIKE = 0.5  # Jaccard similarity of the shingles of what follows, from which on it is no other text
_MOST_SORTED = 2**14  # texts of one beginning that heads are found in; the others are looked up
_PRIME = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Beginning:
    """The words that many texts begin with, all of one first 50 words taken together.

    Attributes:
        words: number of words: those of the head that covers most words of most texts.
        size_bytes: their bytes in canonical text, with the white space behind them.
        text: the words.
        members: texts that begin with them, ascending.
    """

    words: int
    size_bytes: int
    text: str
    members: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Heads:
    """Heads of n texts.

    Attributes:
        size_bytes: (n,) bytes of each text's head, 0 if it has none.
        beginnings: what most of these heads begin with, by falling number of texts, then by the words.
    """

    size_bytes: NDArray[np.int64]
    beginnings: tuple[Beginning, ...] = field(default=())


@compiled()
def _is_alone(data: Any, at: int, classes: NDArray[np.uint8]) -> bool:
    """True if the character that begins at a byte is a word of its own."""
    if data[at] < 0xE0:
        return False
    size = 4 if data[at] >= 0xF0 else 3
    if at + size > len(data):
        return False
    point = np.int64(data[at]) & (0x07 if size == 4 else 0x0F)
    for i in range(1, size):
        point = point << 6 | np.int64(data[at + i]) & 0x3F
    return bool(classes[point] == ALONE)


@compiled(types.void(POINTERS, types.int64, read_only(types.uint8), types.uint64[::1]))
def _openings(texts: Pointers, words: int, classes: NDArray[np.uint8], out: NDArray[np.uint64]) -> None:
    """Hash of the first words of each text, 0 if nothing follows them. A nanosecond a byte of these words."""
    for number in range(len(out)):
        data = bytes_at(texts[0][number], texts[1][number])
        value = np.uint64(1)
        count = at = 0
        while at < len(data) and count < words:
            size = 1 if data[at] < 0xC0 else 2 if data[at] < 0xE0 else 3 if data[at] < 0xF0 else 4
            count += data[at] == 0x20 or _is_alone(data, at, classes)
            for place in range(at, min(at + size, len(data))):
                value = (value ^ np.uint64(data[place])) * _PRIME
                value ^= value >> np.uint64(32)
            at += size
        out[number] = value | np.uint64(1) if count == words and at < len(data) else np.uint64(0)


@compiled(types.void(POINTERS, read_only(types.int64), types.int64, types.int64[::1]))
def _common_bytes(texts: Pointers, order: NDArray[np.int64], most: int, out: NDArray[np.int64]) -> None:
    """Bytes that each text of an order begins with as the one before it does; 0 for the first."""
    for i in range(1, len(order)):
        left = bytes_at(texts[0][order[i - 1]], texts[1][order[i - 1]])
        right = bytes_at(texts[0][order[i]], texts[1][order[i]])
        same = 0
        while same < min(most, len(left), len(right)) and left[same] == right[same]:
            same += 1
        out[i] = same


def find_heads(texts: Texts, drawn: NDArray[np.uint64]) -> Heads:
    """The heads of texts.

    Args:
        texts: n different canonical texts.
        drawn: (n,) a hash of each, by which those that are looked at are chosen.

    Returns:
        The same heads in any order of the texts. About 2 microseconds a text, and 25 for each whose first 50 words are
        those of 19 others.
    """
    openings = np.zeros(len(texts), np.uint64)
    _openings(texts.pointers, LEAST_WORDS, character_classes(), openings)
    size_bytes = np.zeros(len(texts), np.int64)
    beginnings = []
    for crowd in _crowds(openings):
        members = crowd[np.argsort(drawn[crowd], kind="stable")]
        found = _Class(texts, members[:_MOST_SORTED]).heads()
        if found:
            size_bytes[members] = _lengths(texts, members, found)
            beginnings.append(_beginning(texts, members, found))
    beginnings.sort(key=lambda one: (-len(one.members), one.text))
    return Heads(size_bytes, tuple(beginnings))


def _crowds(openings: NDArray[np.uint64]) -> Iterator[NDArray[np.int64]]:
    """The texts of each opening that LEAST_TEXTS have."""
    frame = pl.DataFrame({"opening": openings, "at": np.arange(len(openings))}).filter(pl.col("opening") != 0)
    often = frame.group_by("opening").len().filter(pl.col("len") >= LEAST_TEXTS)
    for _, part in frame.join(often.select("opening"), on="opening").group_by("opening"):
        yield part["at"].sort().to_numpy()


class _Class:
    """Texts that begin with the same words."""

    def __init__(self, texts: Texts, members: NDArray[np.int64]) -> None:
        """Sort the members, which come in the order that they are drawn in."""
        begin = [_start_of(texts, int(number)) for number in members]
        order = np.array(sorted(range(len(members)), key=begin.__getitem__), np.int64)
        self._texts, self._members = texts, members[order]
        self._begin, self._drawn = [begin[i] for i in order], order
        self._common = np.zeros(len(members), np.int64)
        _common_bytes(texts.pointers, self._members, LONGEST_HEAD_BYTES, self._common)

    def heads(self) -> list[bytes]:
        """The heads of the members. Beginnings that go on alike are taken for one text, until none is left."""
        standing = np.arange(len(self._members))  # one for all that are taken for one
        common = self._common.copy()
        heads: set[bytes] = set()
        while len(standing) >= LEAST_TEXTS:
            gone = np.zeros(len(standing), np.bool_)
            for head in self._candidates(standing, common, heads):
                first, end = np.searchsorted(standing, _span(self._begin, head))
                if gone[first:end].any():
                    continue
                if self._goes_on_unlike(standing[first:end], len(head)):
                    heads.add(head)
                else:
                    gone[first:end] = True
                    gone[first + np.argmin(self._drawn[standing[first:end]])] = False
            if not gone.any():
                break
            standing, common = _without(standing, common, gone)
        return sorted(heads, key=lambda head: (-len(head), head))

    def _candidates(self, standing: NDArray[np.int64], common: NDArray[np.int64], known: set[bytes]) -> list[bytes]:
        """Longest beginnings that LEAST_TEXTS of those standing share, longest first, without the known ones."""
        depth = _shared_by_many(common)
        begin = {self._begin[i][:size] for i, size in zip(standing, depth.tolist(), strict=True)}
        found = {_whole_words(text) for text in begin}
        return sorted(found - known - {b""}, key=lambda head: (-len(head), head))

    def _goes_on_unlike(self, rows: NDArray[np.int64], size: int) -> bool:
        """True if LEAST_TEXTS of those drawn first go on in other words than each other."""
        drawn = rows[np.argsort(self._drawn[rows])][:LOOKED_AT]
        rest = shingle_sets(texts_behind(self._texts[self._members[drawn]], np.full(len(drawn), size)))
        unlike: list[NDArray[np.uint64]] = []
        for number in range(len(rest)):
            mine = rest.hashes[rest.offsets[number] : rest.offsets[number + 1]]
            if len(mine) and not any(similarity(mine, other) >= MOST_ALIKE for other in unlike):
                unlike.append(mine)
            if len(unlike) == LEAST_TEXTS:
                return True
        return False


def _span(begin: Sequence[bytes], head: bytes) -> tuple[int, int]:
    """First of the sorted texts that begin with a head, and the one after the last. No UTF-8 ends with the byte FF."""
    return bisect_left(begin, head), bisect_left(begin, head[:-1] + bytes([head[-1] + 1]))


def _without(
    standing: NDArray[np.int64], common: NDArray[np.int64], gone: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows that stand, and what each has in common with the one before it, when those between are gone."""
    kept: list[int] = []
    shared: list[int] = []
    least = LONGEST_HEAD_BYTES
    for row, size, is_gone in zip(standing.tolist(), common.tolist(), gone.tolist(), strict=True):
        least = min(least, size)
        if not is_gone:
            kept.append(row)
            shared.append(least if len(kept) > 1 else 0)
            least = LONGEST_HEAD_BYTES
    return np.array(kept, np.int64), np.array(shared, np.int64)


def _shared_by_many(common: NDArray[np.int64]) -> NDArray[np.int64]:
    """Bytes that each of sorted texts shares with LEAST_TEXTS - 1 others, from what it shares with the one before."""
    if len(common) < LEAST_TEXTS:
        return np.zeros(len(common), np.int64)
    windows = np.lib.stride_tricks.sliding_window_view(common[1:], LEAST_TEXTS - 1).min(axis=1)
    padded = np.pad(windows, LEAST_TEXTS - 1)
    depth: NDArray[np.int64] = np.lib.stride_tricks.sliding_window_view(padded, LEAST_TEXTS).max(axis=1)
    return depth


def _start_of(texts: Texts, number: int) -> bytes:
    return bytes(bytes_at(texts.address[number], min(int(texts.size[number]), LONGEST_HEAD_BYTES)))


def _is_border(text: str, at: int) -> bool:
    """True if a word may begin behind the first `at` characters, whatever follows."""
    return text[at - 1] == " " or bool(character_classes()[ord(text[at - 1])] == ALONE)


def _whole_words(begin: bytes) -> bytes:
    """A beginning without the word that is cut in its end; nothing if that leaves too few words."""
    text = begin.decode(errors="ignore")
    end = next((at for at in range(len(text), 0, -1) if _is_border(text, at)), 0)
    head = text[:end].encode()
    return head if count_words(head) >= LEAST_WORDS else b""


def count_words(head: bytes) -> int:
    """Words of a beginning that ends where a word does. O(length)."""
    if head.isascii():
        return head.count(b" ")
    text = head.decode()
    return sum(_is_border(text, at) for at in range(1, len(text) + 1))


def similarity(left: NDArray[np.uint64], right: NDArray[np.uint64]) -> float:
    """Jaccard similarity of two sets of hashes, each ascending; 0 if both are empty."""
    common = intersection_size(left, right)
    return common / max(1, len(left) + len(right) - common)


def _lengths(texts: Texts, members: NDArray[np.int64], heads: Sequence[bytes]) -> list[int]:
    """Bytes of the longest head that each member begins with, and does not end with."""
    sizes = sorted({len(head) for head in heads}, reverse=True)
    known = set(heads)
    found = []
    for number in members:
        begin, size = _start_of(texts, int(number)), int(texts.size[number])
        found.append(next((at for at in sizes if at < size and begin[:at] in known), 0))
    return found


def _beginning(texts: Texts, members: NDArray[np.int64], heads: Sequence[bytes]) -> Beginning:
    """The head of one opening that covers most words of most texts."""
    begin = [_start_of(texts, int(number)) for number in members]
    order = sorted(range(len(begin)), key=begin.__getitem__)
    begin = [begin[i] for i in order]
    spans = {head: _span(begin, head) for head in heads}
    words = {head: count_words(head) for head in heads}
    head = min(heads, key=lambda one: ((spans[one][0] - spans[one][1]) * words[one], one))
    mine = members[np.array(order)[slice(*spans[head])]]
    return Beginning(words[head], len(head), head.decode().strip(), np.sort(mine))


def texts_behind(texts: Texts, size_bytes: NDArray[np.int64]) -> Texts:
    """Canonical texts without so many of their first bytes, which end where a word does. Nothing is copied."""
    size = size_bytes.astype(np.int64)
    return Texts(texts.address + size.astype(np.uint64), texts.size - size, texts.is_canonical, texts.owner, texts.maps)


def spared(texts: Texts, size_bytes: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n,) bytes of the heads that texts can do without: 0 where LEAST_REST_WORDS or fewer words follow."""
    follows = np.zeros(len(texts), np.uint64)
    _openings(texts_behind(texts, size_bytes).pointers, LEAST_REST_WORDS, character_classes(), follows)
    found: NDArray[np.int64] = np.where(follows != 0, size_bytes, 0)
    return found


def stored_behind(text: str, rest: str) -> str:
    """The end of a stored text, of which `rest` is the canonical text. O(length log length)."""
    places = range(len(text) + 1)
    at = bisect_left(places, True, key=lambda place: len(canonical_text(text[place:])) <= len(rest))
    return text[at:]
