"""Passages of 20 consecutive words, as hashes: those of drawn documents in a table, and who else has them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numba import types
from numpy.typing import NDArray

from polyculture.compute.compiled import compiled, read_only, tuple_of
from polyculture.storage.files import write_bytes
from polyculture.text.word_sequences import WordSequences
from schemas.repetition import PASSAGE_WORDS

FILTER_BITS = 16  # per gram of the table: one in sixteen other grams is looked for in vain
WORD_BITS = 22  # of a word's hash: words are counted in so many slots
NOT_THERE = -1
_PRIME = np.uint64(0x9E3779B97F4A7C15)
_ONE_BIT = np.uint64(1)

Hashes = NDArray[np.uint64]
Numbers = NDArray[np.int64]
LookUp = tuple[Hashes, NDArray[np.int64], Hashes, tuple[np.uint64, np.uint64]]
LOOK_UP = tuple_of(
    read_only(types.uint64), read_only(types.int64), read_only(types.uint64), tuple_of(types.uint64, types.uint64)
)


def _power(exponent: int) -> np.uint64:
    return np.uint64(pow(int(_PRIME), exponent, 2**64))


_LEAVING = _power(PASSAGE_WORDS - 1)  # what the first word of a gram is multiplied with


@dataclass(frozen=True)
class GramTable:
    """Different grams, ready to be looked up.

    Attributes:
        keys: (grams,) their hashes, ascending.
    """

    keys: Hashes

    def __len__(self) -> int:
        return len(self.keys)

    @classmethod
    def of(cls, parts: Sequence[Hashes]) -> "GramTable":
        """The table of grams with repeats. O(grams log grams)."""
        return cls(different(np.concatenate([np.empty(0, np.uint64), *parts])))

    @cached_property
    def look_up(self) -> LookUp:
        """The keys; the first of each value of their top bits; a filter of the bits that some key has; both shifts.

        Some 12 bytes a gram beside the keys.
        """
        bits = max(1, math.ceil(math.log2(max(2, len(self.keys)))))
        fine = max(6, bits + FILTER_BITS.bit_length() - 1)
        shifts = np.uint64(64 - bits), np.uint64(64 - fine)
        return self.keys, _directory(self.keys, shifts[0], 1 << bits), _filter(self.keys, shifts[1], 1 << fine), shifts

    def write(self, path: Path) -> None:
        """Write the keys, for workers to map."""
        write_bytes(path, self.keys.tobytes())

    @classmethod
    def map(cls, path: Path) -> "GramTable":
        """The table that was written, mapped."""
        return cls(np.asarray(np.memmap(path, np.uint64, "c")) if path.stat().st_size else np.empty(0, np.uint64))


def different(values: Hashes) -> Hashes:
    """The different values, ascending. `numpy.unique` hashes them, which takes a hundred times as long."""
    ordered = np.sort(values)
    found: Hashes = ordered[np.diff(ordered, prepend=~ordered[:1]) != 0]
    return found


@compiled(types.int64[::1](read_only(types.uint64), types.uint64, types.int64))
def _directory(keys: Hashes, shift: np.uint64, size: int) -> Numbers:
    """(size + 1,) first key of each value of the upper bits."""
    first = np.zeros(size + 1, np.int64)
    for key in keys:
        first[np.int64(key >> shift) + 1] += 1
    for value in range(size):
        first[value + 1] += first[value]
    return first


@compiled(types.uint64[::1](read_only(types.uint64), types.uint64, types.int64))
def _filter(keys: Hashes, shift: np.uint64, size: int) -> Hashes:
    """One bit for each value of the upper bits, set where some key has it."""
    bits = np.zeros(size // 64, np.uint64)
    for key in keys:
        place = key >> shift
        bits[np.int64(place >> np.uint64(6))] |= _ONE_BIT << (place & np.uint64(63))
    return bits


@compiled()
def find_gram(gram: Any, look_up: LookUp) -> int:
    """Number of a gram in the table, or `NOT_THERE`."""
    keys, directory, present, shifts = look_up
    place = gram >> shifts[1]
    if (present[np.int64(place >> np.uint64(6))] >> (place & np.uint64(63))) & _ONE_BIT == 0:
        return NOT_THERE
    top = np.int64(gram >> shifts[0])
    for number in range(directory[top], directory[top + 1]):
        if keys[number] == gram:
            return number
    return NOT_THERE


@compiled()
def _next_gram(words: Hashes, last: int, before: Any) -> Any:
    """Hash of the gram whose last word is number `last`, from that of the gram before it: a polynomial mod 2**64."""
    return (before - words[last - PASSAGE_WORDS] * _LEAVING) * _PRIME + words[last]


@compiled()
def _first_gram(words: Hashes, first: int) -> Any:
    value = np.uint64(0)
    for place in range(first, first + PASSAGE_WORDS):
        value = value * _PRIME + words[place]
    return value


@compiled(types.uint64[::1](read_only(types.uint64), read_only(types.int64), types.int64))
def _grams(words: Hashes, offsets: Numbers, count: int) -> Hashes:
    found = np.empty(count, np.uint64)
    filled = 0
    for document in range(len(offsets) - 1):
        first, end = offsets[document], offsets[document + 1]
        if end - first < PASSAGE_WORDS:
            continue
        value = _first_gram(words, first)
        found[filled] = value
        filled += 1
        for last in range(first + PASSAGE_WORDS, end):
            value = _next_gram(words, last, value)
            found[filled] = value
            filled += 1
    return found


def gram_counts(words: WordSequences) -> Numbers:
    """(n,) grams of each document: it has none if it has fewer than 20 words."""
    found: Numbers = np.maximum(np.diff(words.offsets) - (PASSAGE_WORDS - 1), 0)
    return found


def grams_of(words: WordSequences) -> Hashes:
    """The grams of documents, one after another, in their order and with repeats."""
    found: Hashes = _grams(words.hashes, words.offsets, int(gram_counts(words).sum()))
    return found


@compiled(types.int64[::1](read_only(types.uint64), LOOK_UP))
def _places(grams: Hashes, look_up: LookUp) -> Numbers:
    found = np.empty(len(grams), np.int64)
    for at in range(len(grams)):
        found[at] = find_gram(grams[at], look_up)
    return found


def places_of(grams: Hashes, table: GramTable) -> Numbers:
    """Number of each gram in the table, or `NOT_THERE`."""
    found: Numbers = _places(grams, table.look_up)
    return found


def take_counts(counts: NDArray[np.uint32], met: NDArray[np.uint32]) -> tuple[Numbers, Numbers]:
    """Take what was counted of some numbers, which stand at 0 again.

    Args:
        counts: (numbers, 2) documents that have each number, and the last one.
        met: numbers that some document has, each once.

    Returns:
        The numbers, ascending, and the documents that have each.
    """
    numbers = np.sort(met).astype(np.int64)
    found: Numbers = counts[numbers, 0].astype(np.int64)
    counts[numbers, 0] = 0
    return numbers, found


class DocumentCounts:
    """The number of documents that have each gram of a table, and each word, of the documents that were added.

    A document counts once for a gram or a word, however often it has it. Words whose hashes begin alike are counted
    together, in 2**22 slots.
    """

    def __init__(self, grams: int) -> None:
        """Count from 0; 12 bytes a gram."""
        self._grams, self._words = np.zeros((grams, 2), np.uint32), np.zeros((1 << WORD_BITS, 2), np.uint32)
        self._met, self._grams_met, self._documents = np.empty(grams, np.uint32), 0, 0

    def add(self, words: WordSequences, is_new: NDArray[np.bool_], table: GramTable) -> None:
        """Add documents; some 50 ns a word.

        Args:
            words: n documents.
            is_new: (n,) whether the words of each count: a text that others say too counts once.
            table: the grams.
        """
        counts = self._grams, self._words, self._met
        at = self._documents, self._grams_met
        self._grams_met = _count((words.hashes, words.offsets, is_new), at, table.look_up, counts)
        self._documents += len(words)

    def take_grams(self) -> tuple[Numbers, Numbers]:
        """Numbers of the grams that some document has, ascending, and documents that have each; counts from 0 again."""
        taken = take_counts(self._grams, self._met[: self._grams_met])
        self._grams_met = 0
        return taken

    @property
    def words(self) -> Numbers:
        """(2**22,) documents that have a word of each slot."""
        found: Numbers = self._words[:, 0].astype(np.int64)
        return found


_PAIRS = types.uint32[:, ::1]


@compiled(
    types.int64(
        tuple_of(read_only(types.uint64), read_only(types.int64), read_only(types.boolean)),
        tuple_of(types.int64, types.int64),
        LOOK_UP,
        tuple_of(_PAIRS, _PAIRS, types.uint32[::1]),
    )
)
def _count(
    documents: tuple[Hashes, Numbers, NDArray[np.bool_]],
    at: tuple[int, int],
    look_up: LookUp,
    counts: tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint32]],
) -> int:
    """Count documents; returns how many grams were met.

    Args:
        documents: words, where those of each document lie, and whether they count.
        at: documents that were counted before, and grams that were met.
        look_up: the table.
        counts: of grams and of words, and beside each the document that was counted last, from 1; grams that were met.
    """
    (words, offsets, is_new), (of_grams, of_words, met) = documents, counts
    before, filled = at
    for document in range(len(offsets) - 1):
        stamp = np.uint32(before + document + 1)
        first, end = offsets[document], offsets[document + 1]
        full = first + PASSAGE_WORDS - 1
        value = np.uint64(0)
        for place in range(first, end):
            slot = np.int64(words[place] >> np.uint64(64 - WORD_BITS))
            if is_new[document] and of_words[slot, 1] != stamp:
                of_words[slot, 1] = stamp
                of_words[slot, 0] += np.uint32(1)
            if place < full:
                continue
            value = _first_gram(words, first) if place == full else _next_gram(words, place, value)
            gram = find_gram(value, look_up)
            if gram >= 0 and of_grams[gram, 1] != stamp:
                if of_grams[gram, 0] == 0:
                    met[filled] = gram
                    filled += 1
                of_grams[gram, 1] = stamp
                of_grams[gram, 0] += np.uint32(1)
    return filled


@compiled(types.int64[:, ::1](read_only(types.int64), read_only(types.int64), read_only(types.int64)))
def _shared(documents: Numbers, counts: Numbers, least: Numbers) -> NDArray[np.int64]:
    found = np.zeros((len(counts), len(least)), np.int64)
    first = 0
    for number in range(len(counts)):
        for level in range(len(least)):
            covered = 0  # words in front of this one are counted
            for place in range(counts[number]):
                if documents[first + place] >= least[level]:
                    end = place + PASSAGE_WORDS
                    found[number, level] += end - max(covered, place)
                    covered = end
        first += counts[number]
    return found


def shared_words(documents: Numbers, counts: Numbers, least: Sequence[int]) -> NDArray[np.int64]:
    """Words of each document that stand in a gram which many documents have.

    Args:
        documents: (total,) documents that have each gram, one gram after another.
        counts: (n,) grams of each document.
        least: ascending numbers of documents.

    Returns:
        (n, len(least)) words.
    """
    found: NDArray[np.int64] = _shared(documents, counts, np.array(least, np.int64))
    return found
