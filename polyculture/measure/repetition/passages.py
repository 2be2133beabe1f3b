"""Passages and frames of drawn documents: who else has each, in the whole corpus."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from polyculture.compute.executor import Executor, run_worthwhile
from polyculture.corpus.corpus import Corpus
from polyculture.measure.repetition.frames import (
    DrawnFrames,
    FrameCounts,
    FrameTable,
    joined,
    most_stretches,
    stretches_of,
)
from polyculture.measure.repetition.grams import (
    WORD_BITS,
    DocumentCounts,
    GramTable,
    different,
    gram_counts,
    grams_of,
    places_of,
    shared_words,
)
from polyculture.measure.repetition.texts import FileRows, by_file, in_calls, is_small
from schemas.repetition import FRAMED_BY, PASSAGE_DOCUMENTS, PASSAGE_WORDS, SHARED_BY

GRAMS_FILE = "grams.u64"
MOST_PASSAGES = 100  # that are listed
Numbers = NDArray[np.int64]
# A source, grams or frames that it has, ascending, and documents that have each.
SourceCounts = tuple[int, Numbers, Numbers]


@dataclass(frozen=True)
class PassageCounts:
    """Documents of some part of a corpus that have the passages and frames of drawn documents; parts are added.

    Attributes:
        grams: of each source, in the order of the sources: grams of the table that it has, and its documents that have
            each.
        frames: the same of frames.
        words: (2**22,) different texts that have a word of each slot; see `DocumentCounts`.
    """

    grams: list[SourceCounts]
    frames: list[SourceCounts]
    words: Numbers

    def totals(self, grams: int) -> Numbers:
        """(grams,) documents of all sources that have each gram of the table."""
        return _totals(self.grams, grams)

    def by_source(self, gram: int) -> dict[int, int]:
        """Documents of each source that have a gram."""
        found = {}
        for source, numbers, documents in self.grams:
            at = int(np.searchsorted(numbers, gram))
            if at < len(numbers) and numbers[at] == gram:
                found[source] = int(documents[at])
        return found


def _totals(counts: Sequence[SourceCounts], things: int) -> Numbers:
    found = np.zeros(things, np.int64)
    for _, numbers, documents in counts:
        found[numbers] += documents
    return found


@dataclass(frozen=True, slots=True)
class Sought:
    """Passages and words of drawn documents, looked for in all others.

    Attributes:
        documents: numbers of the drawn ones, ascending.
        grams: their grams.
        frames: their frames.
    """

    documents: Numbers
    grams: GramTable
    frames: DrawnFrames

    @classmethod
    def of(cls, corpus: Corpus, documents: Numbers, hashes: NDArray[np.uint64]) -> "Sought":
        """Read the drawn documents.

        Args:
            corpus: n documents.
            documents: numbers of the drawn ones, ascending.
            hashes: (n,) hashes that they were drawn by.
        """
        grams, stretches, most = [], [], most_stretches(len(documents))
        for file, span in zip(*by_file(corpus, documents), strict=True):
            for rows, words in file.words():
                grams.append(different(grams_of(words)))
                stretches.append(stretches_of(words, most, span.start + rows.start))
        return cls(documents, GramTable.of(grams), DrawnFrames.of(joined(stretches), hashes[documents]))


def count_files(folder: Path, files: Sequence[tuple[FileRows, NDArray[np.bool_]]]) -> PassageCounts:
    """Count the documents of some files: what a worker runs.

    Args:
        folder: the grams and frames that were written.
        files: the documents, and whether the words of each count.
    """
    grams, frames = GramTable.map(folder / GRAMS_FILE), FrameTable.map(folder)
    counts, of_frames, found = DocumentCounts(len(grams)), FrameCounts(len(frames)), []
    for file, is_new in files:
        for rows, words in file.words():
            counts.add(words, is_new[rows], grams)
            of_frames.add(words, frames)
        of_file = [(file.source, *counts.take_grams())], [(file.source, *of_frames.take())]
        found.append(PassageCounts(*of_file, np.zeros(0, np.int64)))
    return merge_counts(found, counts.words)


def merge_counts(parts: Sequence[PassageCounts], words: Numbers | None = None) -> PassageCounts:
    """Add the counts of parts: integers, so that order and grouping of merges do not matter.

    Args:
        parts: of documents that no two share.
        words: the words of all of them, if they are known.
    """
    if words is None:
        words = np.zeros(1 << WORD_BITS, np.int64)
        for part in parts:
            words += part.words
    return PassageCounts(_merged([part.grams for part in parts]), _merged([part.frames for part in parts]), words)


def _merged(parts: Sequence[Sequence[SourceCounts]]) -> list[SourceCounts]:
    of_source: dict[int, list[tuple[Numbers, Numbers]]] = {}
    for source, numbers, documents in itertools.chain.from_iterable(parts):
        of_source.setdefault(source, []).append((numbers, documents))
    return [(source, *_added(of_source[source])) for source in sorted(of_source)]


def _added(parts: Sequence[tuple[Numbers, Numbers]]) -> tuple[Numbers, Numbers]:
    if len(parts) == 1:
        return parts[0]
    numbers, place = np.unique(np.concatenate([numbers for numbers, _ in parts]), return_inverse=True)
    found = np.zeros(len(numbers), np.int64)
    np.add.at(found, place, np.concatenate([documents for _, documents in parts]))
    return numbers, found


def count_passages(corpus: Corpus, present: Numbers, sought: Sought, workshop: tuple[Path, Executor]) -> PassageCounts:
    """Count the documents that have each gram and each frame, and the different texts that have each word.

    Args:
        corpus: n documents.
        present: numbers of the documents that are counted, ascending.
        sought: grams and frames of drawn documents.
        workshop: folder for files that workers map, and what runs the part of each file, or of several small ones.

    Returns:
        The counts: the same for any partitions and calls. One pass over all texts, about 50 MB/s and core; 8 bytes a
        gram or frame and source that has it, beside 8 bytes of each in every worker.
    """
    scratch, executor = workshop
    sought.grams.write(scratch / GRAMS_FILE)
    sought.frames.table.write(scratch)
    files, spans = by_file(corpus, present)
    is_new = first_of_text(corpus, present)
    jobs = [(file, is_new[span]) for file, span in zip(files, spans, strict=True)]
    calls = [(scratch, jobs[group]) for group in in_calls(files)]
    return merge_counts(list(run_worthwhile(executor, count_files, calls, is_small=is_small(files))))


def first_of_text(corpus: Corpus, documents: Numbers) -> NDArray[np.bool_]:
    """(d,) whether each of some documents is the first of them with its text; O(documents of the corpus)."""
    first = np.full(int(corpus.group.max(initial=-1)) + 1, -1)
    first[corpus.group[documents[::-1]]] = documents[::-1]  # the last write wins
    found: NDArray[np.bool_] = first[corpus.group[documents]] == documents
    return found


@dataclass(frozen=True, slots=True)
class Run:
    """Words of a document, one after another, in passages that are widespread.

    Attributes:
        document: document number.
        first, words: first word, and how many.
        documents: documents that have the gram of the run which most have.
        gram: number of that gram.
        grams: numbers of all grams of the run.
    """

    document: int
    first: int
    words: int
    documents: int
    gram: int
    grams: Numbers


@dataclass(frozen=True, slots=True)
class SharedWords:
    """Words of drawn documents.

    Attributes:
        words: (n,) words of each.
        shared: (n, len(SHARED_BY)) those that stand in a passage which so many documents have.
        shared_before: the same where only documents of its own source are counted, and of those before it in the
            survivors' order.
        looked_at: (n,) those that are looked at for frames.
        framed, framed_before: (n, len(FRAMED_BY)) those in stretches whose frame so many documents have; of which
            before, as above.
        runs: widespread passages, largest first; no two hold the same gram.
    """

    words: Numbers
    shared: NDArray[np.int64]
    shared_before: NDArray[np.int64]
    looked_at: Numbers
    framed: NDArray[np.int64]
    framed_before: NDArray[np.int64]
    runs: list[Run]


@dataclass
class _Levels:
    """Documents that have each of some things: of all sources, and of the sources that were passed.

    Attributes:
        totals: of all sources.
        so_far: of those that were passed.
        left: counts of the others, the next one last.
    """

    totals: Numbers
    so_far: Numbers
    left: list[SourceCounts]

    @classmethod
    def of(cls, counts: Sequence[SourceCounts], things: int, preference: Numbers) -> "_Levels":
        totals = _totals(counts, things)
        return cls(totals, np.zeros_like(totals), sorted(counts, key=lambda one: -int(preference[one[0]])))

    def pass_to(self, source: int, preference: Numbers) -> None:
        """Count all sources up to one, in the survivors' order."""
        while self.left and preference[self.left[-1][0]] <= preference[source]:
            _, things, documents = self.left.pop()
            self.so_far[things] += documents


def share_words(corpus: Corpus, sought: Sought, given: PassageCounts, preference: Numbers) -> SharedWords:
    """Find the words of documents that stand in passages and frames which others have.

    Args:
        corpus: n documents.
        sought: grams and frames of the drawn ones.
        given: documents that have each.
        preference: (sources,) place of each source in the survivors' order, the most preferred first.
    """
    documents, table = sought.documents, sought.grams
    grams = _Levels.of(given.grams, len(table), preference)
    frames = _Levels.of(given.frames, len(sought.frames.table), preference)
    words, shared = np.zeros(len(documents), np.int64), np.zeros((len(documents), len(SHARED_BY)), np.int64)
    before, framed = shared.copy(), np.zeros((len(documents), len(FRAMED_BY)), np.int64)
    framed_before = framed.copy()
    longest: dict[int, Run] = {}  # of those with the same most widespread gram
    held = zip(*by_file(corpus, documents), strict=True)
    for file, span in sorted(held, key=lambda pair: int(preference[pair[0].source])):
        grams.pass_to(file.source, preference)
        frames.pass_to(file.source, preference)
        framed[span] = sought.frames.framed(frames.totals, span)
        framed_before[span] = sought.frames.framed(frames.so_far, span)
        for rows, found in file.words():
            at = np.arange(span.start, span.stop)[rows]
            places, counts = places_of(grams_of(found), table), gram_counts(found)
            words[at], shared[at] = np.diff(found.offsets), shared_words(grams.totals[places], counts, SHARED_BY)
            before[at] = shared_words(grams.so_far[places], counts, SHARED_BY)
            for run in _runs(documents[at], places, counts, grams.totals):
                if run.gram not in longest or run.words > longest[run.gram].words:
                    longest[run.gram] = run
    looked_at = sought.frames.looked_at(len(documents))
    runs = _largest(list(longest.values()), len(table))
    return SharedWords(words, shared, before, looked_at, framed, framed_before, runs)


def _runs(documents: Numbers, places: Numbers, counts: Numbers, totals: Numbers) -> Iterator[Run]:
    """Runs of neighbouring grams that are about equally widespread: of two neighbours none twice as much as the other.

    Args:
        documents: (n,) document numbers.
        places: grams of the documents, one after another.
        counts: (n,) grams of each document.
        totals: documents that have each gram of the table.
    """
    have = totals[places]
    at = np.flatnonzero(have >= PASSAGE_DOCUMENTS)
    if not len(at):
        return
    owner, starts, many = np.repeat(np.arange(len(counts)), counts)[at], np.cumsum(counts) - counts, have[at]
    is_start = (np.diff(at, prepend=-2) != 1) | (np.diff(owner, prepend=-1) != 0)
    is_start[1:] |= (many[1:] > 2 * many[:-1]) | (many[:-1] > 2 * many[1:])
    for first, end in itertools.pairwise([*np.flatnonzero(is_start).tolist(), len(at)]):
        peak, document = first + int(np.argmax(many[first:end])), int(owner[first])
        yield Run(
            document=int(documents[document]),
            first=int(at[first] - starts[document]),
            words=end - first + PASSAGE_WORDS - 1,
            documents=int(many[peak]),
            gram=int(places[at[peak]]),
            grams=places[at[first:end]].copy(),
        )


def _largest(runs: list[Run], grams: int) -> list[Run]:
    """The most widespread runs, each of which shares no gram with a larger one."""
    is_taken = np.zeros(grams, np.bool_)
    found: list[Run] = []
    for run in sorted(runs, key=lambda run: (-run.documents, -run.words, run.document, run.first)):
        if len(found) < MOST_PASSAGES and not is_taken[run.grams].any():
            is_taken[run.grams] = True
            found.append(run)
    return found
