"""Probes against the whole corpus by brute force: neighbours by cosine, counted exactly."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numba import types
from numpy.typing import NDArray

from polyculture.compute.compiled import compiled, read_only, tuple_of
from polyculture.encoders.encoder import inverse_lengths, squared_lengths
from schemas.vectors import RINGS

PROBE_ROWS, CORPUS_ROWS = 512, 4_096  # of a block of similarities: 8 MB, which stays in the cache
OUTSIDE = -1  # number of a probe that is not in the corpus
ALONE = -2.0  # nearest cosine where there is no other document
SideArrays = tuple[NDArray[np.int16], NDArray[np.int64], NDArray[np.int64]]  # vectors, squared lengths, numbers
SIDE = tuple_of(types.Array(types.int16, 2, "C", readonly=True), read_only(types.int64), read_only(types.int64))
_run = tuple_of(*[types.int64] * 4)  # first and last column, source, sample
_tally = tuple_of(
    read_only(types.float64),
    types.int64[:, :, :, ::1],
    types.int32[:, :, :, :, ::1],
    types.float64[:, :, :, ::1],
)
_Tally = tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Probes:
    """Documents whose neighbours are counted.

    Attributes:
        vectors: (probes, dimensions) embeddings in fixed point; a row of zeros has no neighbour.
        number: (probes,) the document's number in the corpus, so that it is not its own neighbour, or `OUTSIDE`.
        source: (probes,) source number.
    """

    vectors: NDArray[np.int16]
    number: NDArray[np.int64]
    source: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Block:
    """Documents, as they are read.

    Attributes:
        vectors: (documents, dimensions) embeddings in fixed point; a row of zeros is nobody's neighbour.
        source: (documents,) source number.
        copies: (documents, stages) occurrences of each document at each stage.
        number: (documents,) number that tells a document from all others.
        sample: (documents,) the smallest of the nested samples of the curve that holds it; `Question.samples` if none.
    """

    vectors: NDArray[np.int16]
    source: NDArray[np.int64]
    copies: NDArray[np.int64]
    number: NDArray[np.int64]
    sample: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Question:
    """A question: what is to be counted.

    Attributes:
        taus: cosines from which on two documents are neighbours, ascending, in [.05, 1].
        kinds: kind number of each source.
        samples: number of nested samples of the curve.
    """

    taus: Sequence[float]
    kinds: Sequence[int]
    samples: int


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The neighbours that the probes met.

    Attributes:
        multiplicity: (probes, sources, taus, stages) occurrences in the closed neighbourhood of each probe: itself,
            if it is in the corpus, and every document at least as similar as tau.
        pairs: (probes, rings, samples, taus, stages) neighbours of the probe among the other documents of its source,
            its kind or everything that are in a sample and at a stage; each document once.
        nearest: (probes, rings, samples, stages) largest cosine to one of these, or `ALONE`.
    """

    multiplicity: NDArray[np.int64]
    pairs: NDArray[np.int32]
    nearest: NDArray[np.float64]


def count_neighbours(probes: Probes, corpus: Iterable[Block], question: Question) -> Neighbours:
    """Count the neighbours of every probe in the corpus, at several tau, stages and samples in one pass.

    A cosine is dot / sqrt(|x|**2 |y|**2) of the fixed-point vectors, whose integers are exact. The matrix product in
    float32 only decides where it is further from tau than its error can be ((dimensions + 16) 2**-24, Higham 2002,
    section 3.1, for any order of summation); nearer pairs are computed again in integers. So the result does not
    depend on blocks, partitions, order or machine, and equal vectors are always neighbours.

    Args:
        probes: whose neighbours.
        corpus: blocks of documents in any order and of any size, each document once.
        question: the question that is counted.

    Returns:
        Counts; those of different parts of a corpus merge by `merge`. Time O(probes * documents * dimensions), about
        35 GFLOP a second and core; memory of one block beside the result.

    Raises:
        ValueError: taus are not ascending or out of range, or an array has another shape than is said.
    """
    _check(question)
    taus, kinds = np.array(question.taus, np.float64), np.array(question.kinds, np.int64)
    found: Neighbours | None = None
    starts = range(0, len(probes.vectors), PROBE_ROWS)
    own = [Side.of(probes.vectors[i : i + PROBE_ROWS], probes.number[i : i + PROBE_ROWS]) for i in starts]
    for block in corpus:
        _check_block(block, probes.vectors.shape[1], question)
        found = found or _nothing(len(probes.vectors), question, block.copies.shape[1])
        order = np.lexsort((block.number, block.sample, block.source))
        for start in range(0, len(order), CORPUS_ROWS):
            rows = order[start : start + CORPUS_ROWS]
            side, copies = Side.of(block.vectors[rows], block.number[rows]), np.ascontiguousarray(block.copies[rows])
            runs = _runs(block.source[rows], block.sample[rows])
            for first, probe in zip(starts, own, strict=True):
                at = slice(first, first + len(probe.unit))
                similar = probe.unit @ side.unit.T
                tally = (taus, found.multiplicity[at], found.pairs[at], found.nearest[at])
                for run in runs:
                    present: NDArray[np.bool_] = np.any(copies[run[0] : run[1]] > 0, axis=0)
                    if present.any():
                        weight = _rings(probes.source[at], run[2], kinds), copies, present
                        _count(similar, (probe.arrays, side.arrays), weight, run, tally)
    return found or _nothing(len(probes.vectors), question, 0)


def merge(parts: Sequence[Neighbours]) -> Neighbours:
    """The counts of a corpus from those of its parts, for the same probes and question."""
    multiplicity, pairs, nearest = parts[0].multiplicity.copy(), parts[0].pairs.copy(), parts[0].nearest.copy()
    for part in parts[1:]:
        multiplicity += part.multiplicity
        pairs += part.pairs
        np.maximum(nearest, part.nearest, out=nearest)
    return Neighbours(multiplicity, pairs, nearest)


@dataclass(frozen=True, slots=True)
class Side:
    """Some rows of one side of the comparison, ready for the matrix product and for the exact one."""

    unit: NDArray[np.float32]
    arrays: SideArrays

    @classmethod
    def of(cls, vectors: NDArray[np.int16], number: NDArray[np.int64]) -> "Side":
        """Get rows of embeddings in fixed point ready."""
        fixed = np.ascontiguousarray(vectors)
        unit = fixed.astype(np.float32) * inverse_lengths(fixed)[:, None]
        return cls(unit, (fixed, squared_lengths(fixed), np.ascontiguousarray(number)))


def _runs(source: NDArray[np.int64], sample: NDArray[np.int64]) -> list[tuple[int, int, int, int]]:
    """Columns first to last, source and sample, where both stay the same."""
    changes = np.flatnonzero((np.diff(source) != 0) | (np.diff(sample) != 0)) + 1
    edges = [0, *changes.tolist(), len(source)]
    return [(a, b, int(source[a]), int(sample[a])) for a, b in itertools.pairwise(edges)]


def _rings(source: NDArray[np.int64], of: int, kinds: NDArray[np.int64]) -> NDArray[np.int64]:
    """(probes,) the innermost ring of each probe that documents of a source lie in."""
    return np.where(source == of, 0, np.where(kinds[source] == kinds[of], 1, 2)).astype(np.int64)


def _nothing(probes: int, question: Question, stages: int) -> Neighbours:
    taus, samples = len(question.taus), question.samples
    return Neighbours(
        np.zeros((probes, len(question.kinds), taus, stages), np.int64),
        np.zeros((probes, RINGS, samples, taus, stages), np.int32),
        np.full((probes, RINGS, samples, stages), ALONE),
    )


def _check(question: Question) -> None:
    taus = list(question.taus)
    if not taus or taus != sorted(set(taus)) or not (taus[0] >= 0.05 and taus[-1] <= 1):
        raise ValueError(f"taus need to be different, ascending and in [.05, 1], got {taus}")


def _check_block(block: Block, dimensions: int, question: Question) -> None:
    rows, sources = len(block.vectors), len(question.kinds)
    if block.vectors.shape[1] != dimensions or not (
        rows == len(block.source) == len(block.copies) == len(block.number) == len(block.sample)
    ):
        raise ValueError(f"a block of {block.vectors.shape} does not fit probes of {dimensions} dimensions, or itself")
    if rows and not (block.source.min() >= 0 and block.source.max() < sources):
        raise ValueError(f"source numbers need to be in 0..{sources - 1}")
    if rows and block.sample.min() < 0:
        raise ValueError(f"samples are numbered from 0 to {question.samples}")


@compiled(types.float64(SIDE, SIDE, types.int64, types.int64))
def exact_cosine(probe: SideArrays, document: SideArrays, row: int, column: int) -> float:
    """The cosine of two rows, neither of zeros, rounded once for each operation after exact sums."""
    left, right = probe[0][row], document[0][column]
    dot = np.int64(0)
    for place in range(len(left)):
        dot += np.int32(left[place]) * np.int32(right[place])
    scale = np.sqrt(np.float64(probe[1][row]) * np.float64(document[1][column]))  # exactly dot for equal vectors
    return np.float64(dot) / scale  # type: ignore[no-any-return]


@compiled()
def _floor(nearest: NDArray[np.float64], present: NDArray[np.bool_], tau: float, margin: float) -> float:
    """Below this cosine a document of a run changes nothing; `nearest` is (stages,), of its ring and sample."""
    least = tau
    for stage in range(len(present)):
        if present[stage]:
            least = min(least, nearest[stage])
    return least - margin


@compiled()
def _is_nearer(nearest: NDArray[np.float64], copies: NDArray[np.int64], least: float) -> bool:
    """True if a cosine above `least` may be the nearest at a stage where the document is."""
    for stage in range(len(copies)):  # noqa: SIM110 -- as above
        if copies[stage] > 0 and nearest[stage] <= least:
            return True
    return False


@compiled()
def _is_at_tau(taus: NDArray[np.float64], cosine: float, margin: float) -> bool:
    """True if the matrix product leaves open on which side of a tau a pair is."""
    for tau in taus:  # noqa: SIM110 -- any() of a generator does not compile
        if abs(tau - cosine) <= margin:
            return True
    return False


@compiled()
def _add_hit(
    multiplicity: NDArray[np.int64], pairs: NDArray[np.int32], copies: NDArray[np.int64], first: tuple[int, int]
) -> None:
    """A neighbour: (stages,) multiplicity, and (rings, samples, stages) pairs from the first ring and sample on."""
    for stage in range(len(copies)):
        multiplicity[stage] += copies[stage]
        if copies[stage] > 0:
            for ring in range(first[0], pairs.shape[0]):
                for sample in range(first[1], pairs.shape[1]):
                    pairs[ring, sample, stage] += 1


@compiled()
def _improve(nearest: NDArray[np.float64], copies: NDArray[np.int64], first: tuple[int, int], cosine: float) -> None:
    """The nearest, (rings, samples, stages), from the first ring and sample on."""
    for stage in range(len(copies)):
        if copies[stage] > 0:
            for ring in range(first[0], nearest.shape[0]):
                for sample in range(first[1], nearest.shape[1]):
                    nearest[ring, sample, stage] = max(nearest[ring, sample, stage], cosine)


@compiled(
    types.void(
        types.float32[:, ::1],
        tuple_of(SIDE, SIDE),
        tuple_of(read_only(types.int64), types.Array(types.int64, 2, "C", readonly=True), read_only(types.boolean)),
        _run,
        _tally,
    )
)
def _count(
    similar: NDArray[np.float32],
    sides: tuple[SideArrays, SideArrays],
    weight: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]],
    run: tuple[int, int, int, int],
    tally: _Tally,
) -> None:
    """Add a run of columns of (probes, documents) cosines, all of one source and sample, to a tally."""
    probe, document = sides
    rings, copies, present = weight
    first, last, source, sample = run
    taus, multiplicity, pairs, nearest = tally
    margin = (probe[0].shape[1] + 16) * 2.0**-24
    for x in range(similar.shape[0]):
        if probe[1][x] == 0:
            continue
        start = (rings[x], sample)  # rings and samples from here on hold the run
        best = nearest[x, rings[x], min(sample, nearest.shape[2] - 1)]
        floor = np.float32(_floor(best, present, taus[0], margin))
        for y in range(first, last):
            if similar[x, y] < floor or document[1][y] == 0:
                continue
            cosine = float(similar[x, y])
            is_other = document[2][y] != probe[2][x] and sample < nearest.shape[2]
            is_near = is_other and _is_nearer(best, copies[y], cosine + margin)
            if is_near or _is_at_tau(taus, cosine, margin):
                cosine = exact_cosine(probe, document, x, y)
            for level in range(len(taus)):
                if cosine >= taus[level]:
                    from_sample = start if is_other else (nearest.shape[1], 0)
                    _add_hit(multiplicity[x, source, level], pairs[x, :, :, level], copies[y], from_sample)
            if is_near:
                _improve(nearest[x], copies[y], start, cosine)
                floor = np.float32(_floor(best, present, taus[0], margin))
