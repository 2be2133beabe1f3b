"""The passage lens: who else has each passage of 20 words that a drawn document has, counted in the whole corpus."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from polyculture.compute.executor import Executor, run_worthwhile
from polyculture.corpus.corpus import Corpus
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
from schemas.repetition import PASSAGE_DOCUMENTS, PASSAGE_WORDS, SHARED_BY

GRAMS_FILE = "grams.u64"
MOST_PASSAGES = 100  # that are listed
Numbers = NDArray[np.int64]
SourceCounts = tuple[int, Numbers, Numbers]  # a source, grams that it has, ascending, and documents that have each


@dataclass(frozen=True)
class PassageCounts:
    """Documents of some part of a corpus that have the passages of drawn documents; parts are added.

    Attributes:
        grams: of each source, in the order of the sources: grams of the table that it has, and its documents that have
            each.
        words: (2**22,) different texts that have a word of each slot; see `DocumentCounts`.
    """

    grams: list[SourceCounts]
    words: Numbers

    def totals(self, grams: int) -> Numbers:
        """(grams,) documents of all sources that have each gram of the table."""
        found = np.zeros(grams, np.int64)
        for _, numbers, documents in self.grams:
            found[numbers] += documents
        return found

    def by_source(self, gram: int) -> dict[int, int]:
        """Documents of each source that have a gram."""
        found = {}
        for source, numbers, documents in self.grams:
            at = int(np.searchsorted(numbers, gram))
            if at < len(numbers) and numbers[at] == gram:
                found[source] = int(documents[at])
        return found


def count_files(table: Path, files: Sequence[tuple[FileRows, NDArray[np.bool_]]]) -> PassageCounts:
    """Count the documents of some files: what a worker runs.

    Args:
        table: the grams that were written.
        files: the documents, and whether the words of each count.
    """
    grams = GramTable.map(table)
    counts, found = DocumentCounts(len(grams)), []
    for file, is_new in files:
        for rows, words in file.words():
            counts.add(words, is_new[rows], grams)
        found.append((file.source, *counts.take_grams()))
    return merge_counts([PassageCounts([one], np.zeros(0, np.int64)) for one in found], counts.words)


def merge_counts(parts: Sequence[PassageCounts], words: Numbers | None = None) -> PassageCounts:
    """Add the counts of parts: integers, so that order and grouping of merges do not matter.

    Args:
        parts: of documents that no two share.
        words: the words of all of them, if they are known.
    """
    of_source: dict[int, list[tuple[Numbers, Numbers]]] = {}
    for part in parts:
        for source, numbers, documents in part.grams:
            of_source.setdefault(source, []).append((numbers, documents))
    if words is None:
        words = np.zeros(1 << WORD_BITS, np.int64)
        for part in parts:
            words += part.words
    return PassageCounts([(source, *_added(of_source[source])) for source in sorted(of_source)], words)


def _added(parts: Sequence[tuple[Numbers, Numbers]]) -> tuple[Numbers, Numbers]:
    if len(parts) == 1:
        return parts[0]
    numbers, place = np.unique(np.concatenate([numbers for numbers, _ in parts]), return_inverse=True)
    found = np.zeros(len(numbers), np.int64)
    np.add.at(found, place, np.concatenate([documents for _, documents in parts]))
    return numbers, found


def count_passages(
    corpus: Corpus, present: Numbers, table: GramTable, scratch: Path, executor: Executor
) -> PassageCounts:
    """Count the documents that have each gram of a table, and the different texts that have each word.

    Args:
        corpus: n documents.
        present: numbers of the documents that are counted, ascending.
        table: grams of drawn documents.
        scratch: folder for a file that workers map.
        executor: runs the part of each file, or of several small ones.

    Returns:
        The counts: the same for any partitions and calls. One pass over all texts, about 100 MB/s and core; 8 bytes a
        gram and source that has it, beside 8 bytes a gram in each worker.
    """
    path = scratch / GRAMS_FILE
    table.write(path)
    files, spans = by_file(corpus, present)
    is_new = first_of_text(corpus, present)
    jobs = [(file, is_new[span]) for file, span in zip(files, spans, strict=True)]
    calls = [(path, jobs[group]) for group in in_calls(files)]
    return merge_counts(list(run_worthwhile(executor, count_files, calls, is_small=is_small(files))))


def first_of_text(corpus: Corpus, documents: Numbers) -> NDArray[np.bool_]:
    """(d,) whether each of some documents is the first of them with its text; O(documents of the corpus)."""
    first = np.full(int(corpus.group.max(initial=-1)) + 1, -1)
    first[corpus.group[documents[::-1]]] = documents[::-1]  # the last write wins
    found: NDArray[np.bool_] = first[corpus.group[documents]] == documents
    return found


def gram_table(corpus: Corpus, documents: Numbers) -> GramTable:
    """The grams of some documents, given by ascending numbers."""
    files, _ = by_file(corpus, documents)
    return GramTable.of([different(grams_of(words)) for file in files for _, words in file.words()])


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
        runs: widespread passages, largest first; no two hold the same gram.
    """

    words: Numbers
    shared: NDArray[np.int64]
    shared_before: NDArray[np.int64]
    runs: list[Run]


def share_words(
    corpus: Corpus, documents: Numbers, table: GramTable, given: PassageCounts, preference: Numbers
) -> SharedWords:
    """Find the words of documents that stand in passages which others have.

    Args:
        corpus: n documents.
        documents: numbers of the drawn ones, ascending.
        table: their grams.
        given: documents that have each gram.
        preference: (sources,) place of each source in the survivors' order, the most preferred first.
    """
    totals, so_far = given.totals(len(table)), np.zeros(len(table), np.int64)
    left = sorted(given.grams, key=lambda one: -int(preference[one[0]]))
    words, shared = np.zeros(len(documents), np.int64), np.zeros((len(documents), len(SHARED_BY)), np.int64)
    before = shared.copy()
    longest: dict[int, Run] = {}  # of those with the same most widespread gram
    held = zip(*by_file(corpus, documents), strict=True)
    for file, span in sorted(held, key=lambda pair: int(preference[pair[0].source])):
        while left and preference[left[-1][0]] <= preference[file.source]:
            _, grams, found_in = left.pop()
            so_far[grams] += found_in
        for rows, found in file.words():
            at = np.arange(span.start, span.stop)[rows]
            places, counts = places_of(grams_of(found), table), gram_counts(found)
            words[at], shared[at] = np.diff(found.offsets), shared_words(totals[places], counts, SHARED_BY)
            before[at] = shared_words(so_far[places], counts, SHARED_BY)
            for run in _runs(documents[at], places, counts, totals):
                if run.gram not in longest or run.words > longest[run.gram].words:
                    longest[run.gram] = run
    return SharedWords(words, shared, before, _largest(list(longest.values()), len(table)))


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
