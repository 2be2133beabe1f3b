"""Verified semantic twins: documents that are alike by meaning, and have enough words in common."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numba import types
from numpy.typing import NDArray

from polyculture.compute.compiled import compiled, read_only, tuple_of
from polyculture.compute.executor import Executor, run_worthwhile
from polyculture.corpus.corpus import Corpus
from polyculture.measure.repetition.grams import WORD_BITS
from polyculture.measure.repetition.texts import FileRows, by_file, in_calls, is_small
from polyculture.storage.files import write_bytes
from polyculture.text.word_sequences import WordSequences

LEAST_SHARED = 3, 10  # of the weight of the words of two twins: .3
WEIGHT_ONE = 2**16  # weights are integers, so that sums do not depend on their order
SMALL_WEIGHT = 0.01  # of a word that every document has
_WORDS_FILE, _OFFSETS_FILE, _WEIGHTS_FILE = "twin_words.u64", "twin_offsets.i64", "twin_weights.i64"

Hashes = NDArray[np.uint64]
Numbers = NDArray[np.int64]


def word_weights(texts_with: Numbers, texts: int) -> Numbers:
    """Weights of the slots of words: ln((texts + 1) / (texts that have one + 1)) + .01, in units of 2**-16.

    Different texts are counted and not documents, so that copies of a text change no weight.

    Args:
        texts_with: (2**22,) different texts that have a word of each slot.
        texts: all of them.
    """
    found = np.log((texts + 1) / (texts_with + 1)) + SMALL_WEIGHT
    return np.rint(found * WEIGHT_ONE).astype(np.int64)


def word_sets(words: WordSequences) -> WordSequences:
    """The different words of each document, ascending by hash."""
    hashes, sizes = words.hashes.copy(), np.zeros(len(words), np.int64)
    filled = _distinct(hashes, words.offsets, sizes)
    return WordSequences(hashes[:filled], np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64))


@compiled(types.int64(types.uint64[::1], read_only(types.int64), types.int64[::1]))
def _distinct(hashes: Hashes, offsets: Numbers, sizes: Numbers) -> int:
    filled = 0
    for document in range(len(sizes)):
        mine = hashes[offsets[document] : offsets[document + 1]]
        mine.sort()
        start = filled
        for at in range(len(mine)):
            value = mine[at]
            if filled == start or value != hashes[filled - 1]:
                hashes[filled] = value
                filled += 1
        sizes[document] = filled - start
    return filled


@dataclass(frozen=True)
class WeighedWords:
    """The words of probes, and what words weigh.

    Attributes:
        sets: different words of each probe, ascending by hash.
        weights: (2**22,) weight of the words of each slot.
    """

    sets: WordSequences
    weights: Numbers

    def write(self, folder: Path) -> None:
        """Write them, for workers to map."""
        write_bytes(folder / _WORDS_FILE, self.sets.hashes.tobytes())
        write_bytes(folder / _OFFSETS_FILE, self.sets.offsets.tobytes())
        write_bytes(folder / _WEIGHTS_FILE, self.weights.tobytes())

    @classmethod
    def map(cls, folder: Path) -> "WeighedWords":
        """Those that were written, mapped."""
        words = folder / _WORDS_FILE
        hashes = np.asarray(np.memmap(words, np.uint64, "c")) if words.stat().st_size else np.empty(0, np.uint64)
        offsets, weights = (
            np.asarray(np.memmap(folder / name, np.int64, "c")) for name in (_OFFSETS_FILE, _WEIGHTS_FILE)
        )
        return cls(WordSequences(hashes, offsets), weights)


@compiled(
    types.boolean[::1](
        types.int64[:, ::1],
        tuple_of(read_only(types.uint64), read_only(types.int64)),
        tuple_of(read_only(types.uint64), read_only(types.int64)),
        read_only(types.int64),
    )
)
def _have_in_common(
    pairs: NDArray[np.int64], left: tuple[Hashes, Numbers], right: tuple[Hashes, Numbers], weights: Numbers
) -> NDArray[np.bool_]:
    """True if the words of each pair weigh enough in common."""
    found = np.zeros(len(pairs), np.bool_)
    for number in range(len(pairs)):
        i, end = left[1][pairs[number, 0]], left[1][pairs[number, 0] + 1]
        j, last = right[1][pairs[number, 1]], right[1][pairs[number, 1] + 1]
        common = union = 0
        while i < end or j < last:
            is_left = j == last or (i < end and left[0][i] <= right[0][j])
            is_right = i == end or (j < last and right[0][j] <= left[0][i])
            value = left[0][i] if is_left else right[0][j]
            weight = weights[np.int64(value >> np.uint64(64 - WORD_BITS))]
            union += weight
            common += weight if is_left and is_right else 0
            i += is_left
            j += is_right
        found[number] = union > 0 and LEAST_SHARED[1] * common >= LEAST_SHARED[0] * union
    return found


def verify_files(folder: Path, files: Sequence[tuple[FileRows, NDArray[np.int64]]]) -> list[NDArray[np.bool_]]:
    """Verify the candidates of some files: what a worker runs.

    Args:
        folder: holds the words of the probes, and what they weigh.
        files: candidates, and (pairs, 2) numbers of the probe and of the candidate among the file's, ascending by the
            candidate.

    Returns:
        (pairs,) of each file, whether the two are twins.
    """
    probes, found = WeighedWords.map(folder), []
    left = probes.sets.hashes, probes.sets.offsets
    for file, pairs in files:
        verified = [np.empty(0, np.bool_)]
        for rows, words in file.words():
            sets = word_sets(words)
            mine = pairs[slice(*np.searchsorted(pairs[:, 1], (rows.start, rows.stop)))] - np.array([0, rows.start])
            verified.append(
                _have_in_common(np.ascontiguousarray(mine), left, (sets.hashes, sets.offsets), probes.weights)
            )
        found.append(np.concatenate(verified))
    return found


def verify_twins(
    corpus: Corpus, probes: Numbers, named: NDArray[np.int64], weights: Numbers, place: tuple[Path, Executor]
) -> NDArray[np.bool_]:
    """Verify which documents that are like a probe by meaning share its words too.

    Two documents are twins if the words that both have weigh .3 or more of the words that either has (the weighted
    Jaccard similarity of their sets of words); of documents without words none is another's twin.

    Args:
        corpus: n documents.
        probes: (p,) document numbers, ascending.
        named: (p, most) numbers of documents that are like each; negative for none.
        weights: of words, from `word_weights`.
        place: folder for files that workers map, and what runs the part of each file of documents.

    Returns:
        (p, most) whether each is a twin; the same for any calls. Every candidate is read once, whoever named it; a
        microsecond a pair and some 500 words.
    """
    scratch, executor = place
    at, column = np.nonzero(named >= 0)
    candidates, number = np.unique(named[at, column], return_inverse=True)
    order = np.lexsort((column, at, number))
    files, spans = by_file(corpus, candidates)
    WeighedWords(_sets_of(corpus, probes), weights).write(scratch)
    edges = np.searchsorted(number[order], [span.start for span in spans] + [len(candidates)])
    jobs = []
    for file, span, first, end in zip(files, spans, edges[:-1], edges[1:], strict=True):
        mine = order[first:end]
        jobs.append((file, np.column_stack([at[mine], number[mine] - span.start]).astype(np.int64)))
    calls = [(scratch, jobs[group]) for group in in_calls(files)]
    parts = run_worthwhile(executor, verify_files, calls, is_small=is_small(files))
    verified = np.concatenate([np.empty(0, np.bool_), *(found for part in parts for found in part)])
    result = np.zeros(named.shape, np.bool_)
    result[at[order], column[order]] = verified
    return result


def _sets_of(corpus: Corpus, documents: Numbers) -> WordSequences:
    """Word sets of documents, given by ascending numbers; 8 bytes a word."""
    files, _ = by_file(corpus, documents)
    parts = [word_sets(words) for file in files for _, words in file.words()]
    hashes = np.concatenate([np.empty(0, np.uint64), *(part.hashes for part in parts)])
    sizes = np.concatenate([np.empty(0, np.int64), *(np.diff(part.offsets) for part in parts)])
    return WordSequences(hashes, np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64))
