"""Frames: words that stand in the same places in many documents, with other words between them.

Two stretches of 24 words have a frame in common if nine different words stand in the same places of both. Passages of
20 words in a row do not see that, nor do the words of documents as sets: what they have in common are mostly their
commonest words. Signs and addresses are no words here: lists of links are alike in little else.

Stretches are met by seeds: four words of a stretch in four of its places, by one of ten patterns, where it begins
with one half of all words. Each stretch that shares a seed with one of a drawn document is compared with it word by
word, so that nothing is counted on a hash alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numba import types
from numpy.typing import NDArray

from polyculture.compute.compiled import compiled, read_only, tuple_of
from polyculture.measure.repetition.frame_seeds import (
    FACTORS,
    PLACES,
    have_frame,
    let_stand,
    seed_at,
    starts_stretch,
    write_seeds,
)
from polyculture.measure.repetition.grams import LOOK_UP, GramTable, Hashes, LookUp, Numbers, find_gram, take_counts
from polyculture.storage.files import write_bytes
from polyculture.text.word_hashes import SIGN_BIT
from polyculture.text.word_sequences import WordSequences, word_sequences
from schemas.repetition import FRAME_DIFFERENT, FRAME_WORDS, FRAMED_BY

STRETCH_WORDS, MOST_STRETCHES = 100, 10  # of a long document
ADDRESS_WORDS = 10  # behind the first word of an address, that belong to it
MOST_WORDS = 8_000_000  # of all drawn documents together, about
_WORDS_FILE, _KEYS_FILE, _FIRST_FILE, _PLACES_FILE = "frames.u64", "frame_keys.u64", "frame_first.i64", "frames.i64"


@dataclass(frozen=True, slots=True)
class Stretches:
    """Parts of drawn documents: a short one whole, of a long one some that are evenly spread.

    Attributes:
        words: of s stretches.
        document: (s,) which of the drawn documents each is of, ascending.
    """

    words: WordSequences
    document: Numbers


@cache
def _openings() -> Hashes:
    """Hashes of the words that addresses begin with."""
    return word_sequences(pa.array(["http https ftp www"], pa.large_string())).hashes


def framing_words(words: WordSequences) -> WordSequences:
    """The words that frames are made of: without signs, and without addresses, whose first word takes ten along."""
    hashes, sizes = np.empty_like(words.hashes), np.empty(len(words), np.int64)
    filled = _without_addresses(words.hashes, words.offsets, _openings(), (hashes, sizes))
    return WordSequences(hashes[:filled], np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64))


@compiled(
    types.int64(
        read_only(types.uint64), read_only(types.int64), read_only(types.uint64),
        tuple_of(types.uint64[::1], types.int64[::1]),
    )
)  # fmt: skip
def _without_addresses(words: Hashes, offsets: Numbers, openings: Hashes, out: tuple[Hashes, Numbers]) -> int:
    kept, sizes = out
    filled = 0
    for document in range(len(offsets) - 1):
        start, behind = filled, 0
        for at in range(offsets[document], offsets[document + 1]):
            word = words[at]
            is_opening = False
            for opening in openings:
                is_opening |= word == opening
            if is_opening:
                behind = at + ADDRESS_WORDS + 1
            if at >= behind and word & SIGN_BIT == 0:
                kept[filled] = word
                filled += 1
        sizes[document] = filled - start
    return filled


def most_stretches(documents: int) -> int:
    """Stretches of each document: fewer where many documents are drawn."""
    return max(1, min(MOST_STRETCHES, MOST_WORDS // (STRETCH_WORDS * max(1, documents))))


def stretches_of(given: WordSequences, most: int, first_document: int = 0) -> Stretches:
    """Cut documents into the stretches that are looked at.

    Args:
        given: n documents.
        most: stretches of 100 words that are taken of each; one that is not longer is one stretch.
        first_document: number of the first of them.
    """
    words, spans, owner = framing_words(given), [], []
    for number in range(len(words)):
        first, end = int(words.offsets[number]), int(words.offsets[number + 1])
        if end - first <= most * STRETCH_WORDS:
            spans.append((first, end))
            owner.append(number)
            continue
        starts = np.linspace(first, end - STRETCH_WORDS, most).astype(np.int64) if most > 1 else [first]
        spans += [(int(start), int(start) + STRETCH_WORDS) for start in starts]
        owner += [number] * most
    hashes = np.concatenate([np.empty(0, np.uint64), *(words.hashes[first:end] for first, end in spans)])
    sizes = [end - first for first, end in spans]
    return Stretches(
        WordSequences(hashes, np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)),
        np.array(owner, np.int64) + first_document,
    )


def joined(parts: Sequence[Stretches]) -> Stretches:
    """The stretches of some parts, one after another; each part's documents begin where those before it end."""
    hashes = np.concatenate([np.empty(0, np.uint64), *(part.words.hashes for part in parts)])
    sizes = np.concatenate([np.empty(0, np.int64), *(np.diff(part.words.offsets) for part in parts)])
    owners = np.concatenate([np.empty(0, np.int64), *(part.document for part in parts)])
    return Stretches(WordSequences(hashes, np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)), owners)


@dataclass(frozen=True)
class FrameTable:
    """Stretches of 24 words to look for, by their seeds.

    Attributes:
        words: of drawn documents, one after another.
        seeds: (k,) different seeds, ascending.
        first: (k + 1,) stretches of seed i are first[i]:first[i + 1].
        places: (f,) first word of each stretch.
        least: different words of a frame.
    """

    words: Hashes
    seeds: GramTable
    first: Numbers
    places: Numbers
    least: int = FRAME_DIFFERENT

    def __len__(self) -> int:
        return len(self.places)

    def write(self, folder: Path) -> None:
        """Write it, for workers to map."""
        for name, values in self._files().items():
            write_bytes(folder / name, values.tobytes())

    def _files(self) -> dict[str, NDArray[Any]]:
        return {_WORDS_FILE: self.words, _KEYS_FILE: self.seeds.keys, _FIRST_FILE: self.first,
                _PLACES_FILE: self.places}  # fmt: skip

    @classmethod
    def map(cls, folder: Path, least: int = FRAME_DIFFERENT) -> "FrameTable":
        """The table that was written, mapped."""
        words, keys, first, places = (
            _mapped(folder / name, kind)
            for name, kind in (
                (_WORDS_FILE, np.uint64), (_KEYS_FILE, np.uint64), (_FIRST_FILE, np.int64), (_PLACES_FILE, np.int64)
            )
        )  # fmt: skip
        return cls(words, GramTable(keys), first, places, least)


def _mapped(path: Path, kind: type[np.generic]) -> NDArray[Any]:
    return np.asarray(np.memmap(path, kind, "c")) if path.stat().st_size else np.empty(0, kind)


@dataclass(frozen=True)
class DrawnFrames:
    """Seeds of drawn documents, and the stretches that are looked for in their place.

    Attributes:
        table: what is looked for.
        stretches: of the drawn documents.
        starts: (n,) first word of the stretch of each seed, ascending.
        standing: (n,) number in the table of the stretch that stands for it, or `NOT_THERE`.
    """

    table: FrameTable
    stretches: Stretches
    starts: Numbers
    standing: Numbers

    @classmethod
    def of(cls, stretches: Stretches, order: Hashes, least: int = FRAME_DIFFERENT) -> "DrawnFrames":
        """O(words), some 40 bytes a word.

        Args:
            stretches: of d drawn documents.
            order: (d,) hashes that do not depend on how documents are numbered: the lowest stand for others.
            least: different words of a frame.
        """
        words, offsets = stretches.words.hashes, stretches.words.offsets
        nothing = np.empty(0, np.uint64), np.empty(0, np.int64)
        count = write_seeds(words, offsets, *nothing)
        seeds, starts = np.empty(count, np.uint64), np.empty(count, np.int64)
        write_seeds(words, offsets, seeds, starts)
        owner = stretches.document[np.searchsorted(offsets, starts, "right") - 1]
        by_seed = np.lexsort((starts, order[owner], seeds))
        standing, places = np.empty(count, np.int64), np.empty(count, np.int64)
        found = let_stand((seeds[by_seed], starts[by_seed]), words, least, standing, places)
        own = np.empty(count, np.int64)
        own[by_seed] = standing
        is_first = np.ones(found, np.bool_)
        stood = standing >= 0
        ordered, which = seeds[by_seed][stood], standing[stood]
        of_place = np.empty(found, np.uint64)
        of_place[which] = ordered
        is_first[1:] = of_place[1:] != of_place[:-1]
        first = np.append(np.flatnonzero(is_first), found).astype(np.int64)
        return cls(
            FrameTable(words, GramTable(of_place[is_first]), first, places[:found], least), stretches, starts, own
        )

    def framed(self, have: Numbers, rows: slice) -> NDArray[np.int64]:
        """(r, len(FRAMED_BY)) words of some drawn documents in stretches whose frame so many documents have.

        Args:
            have: (f,) documents that have the frame of each stretch of the table.
            rows: which of the drawn documents.
        """
        mine = slice(*np.searchsorted(self.stretches.document, (rows.start, rows.stop)))
        offsets = self.stretches.words.offsets[mine.start : mine.stop + 1]
        seeds = slice(*np.searchsorted(self.starts, (offsets[0], offsets[-1])))
        least = np.array(FRAMED_BY, np.int64)
        by_stretch = _framed(offsets, (self.starts[seeds], self.standing[seeds]), have, least)
        found = np.zeros((rows.stop - rows.start, len(least)), np.int64)
        np.add.at(found, self.stretches.document[mine] - rows.start, by_stretch)
        return found

    def looked_at(self, documents: int) -> Numbers:
        """(d,) words of each drawn document that are looked at."""
        sizes = np.diff(self.stretches.words.offsets)
        return np.bincount(self.stretches.document, sizes, documents).astype(np.int64)


@compiled(
    types.int64[:, ::1](
        read_only(types.int64),
        tuple_of(read_only(types.int64), read_only(types.int64)),
        read_only(types.int64),
        read_only(types.int64),
    )
)
def _framed(offsets: Numbers, seeds: tuple[Numbers, Numbers], have: Numbers, least: Numbers) -> NDArray[np.int64]:
    starts, standing = seeds
    found = np.zeros((len(offsets) - 1, len(least)), np.int64)
    covered = np.zeros(len(least), np.int64)  # words in front of this one are counted
    stretch = 0
    for number in range(len(starts)):
        while starts[number] >= offsets[stretch + 1]:
            stretch += 1
        if standing[number] < 0:
            continue
        end = starts[number] + FRAME_WORDS
        for level in range(len(least)):
            if have[standing[number]] < least[level]:
                break
            found[stretch, level] += end - max(covered[level], starts[number])
            covered[level] = end
    return found


_PAIRS = types.uint32[:, ::1]
_TABLE = tuple_of(read_only(types.uint64), read_only(types.int64), read_only(types.int64))


class FrameCounts:
    """The number of documents that have each frame of a table, of the documents that were added; each counts once."""

    def __init__(self, frames: int) -> None:
        """Count from 0; 12 bytes a frame."""
        self._counts, self._met = np.zeros((frames, 2), np.uint32), np.empty(frames, np.uint32)
        self._filled = self._documents = 0

    def add(self, words: WordSequences, table: FrameTable) -> None:
        """Add documents; some 50 ns a word."""
        if not len(table):
            return
        held = table.words, table.first, table.places
        at = self._documents, self._filled, table.least
        own = framing_words(words)
        self._filled = _count((own.hashes, own.offsets), at, (table.seeds.look_up, held), (self._counts, self._met))
        self._documents += len(words)

    def take(self) -> tuple[Numbers, Numbers]:
        """Numbers of frames that some document has, ascending, and documents that have each; counts from 0 again."""
        taken = take_counts(self._counts, self._met[: self._filled])
        self._filled = 0
        return taken


@compiled(
    types.int64(
        tuple_of(read_only(types.uint64), read_only(types.int64)),
        tuple_of(types.int64, types.int64, types.int64),
        tuple_of(LOOK_UP, _TABLE),
        tuple_of(_PAIRS, types.uint32[::1]),
    )
)
def _count(
    documents: tuple[Hashes, Numbers],
    at: tuple[int, int, int],
    table: tuple[LookUp, tuple[Hashes, Numbers, Numbers]],
    out: tuple[NDArray[np.uint32], NDArray[np.uint32]],
) -> int:
    """Count documents; returns how many frames were met.

    Args:
        documents: their words, and where those of each lie.
        at: documents that were counted before, frames that were met, different words of a frame.
        table: seeds, and words, first stretches and places of the table.
        out: count of each frame, and beside it the document that was counted last, from 1; frames that were met.
    """
    look_up, (drawn, first, places) = table
    words, offsets = documents
    before, filled, least = at
    counts, met = out
    for document in range(len(offsets) - 1):
        stamp = np.uint32(before + document + 1)
        for place in range(offsets[document], offsets[document + 1] - FRAME_WORDS + 1):
            if not starts_stretch(words[place]):
                continue
            for pattern in range(len(PLACES)):
                number = find_gram(seed_at(words, place, pattern, PLACES, FACTORS), look_up)
                if number < 0:
                    continue
                for frame in range(first[number], first[number + 1]):
                    is_counted = counts[frame, 1] == stamp
                    if not is_counted and have_frame(drawn, places[frame], words, place, least):
                        if counts[frame, 0] == 0:
                            met[filled] = frame
                            filled += 1
                        counts[frame, 1] = stamp
                        counts[frame, 0] += np.uint32(1)
    return filled
