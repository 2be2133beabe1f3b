"""Probes against the whole corpus by brute force: neighbours by cosine, counted exactly."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numba import types
from numpy.typing import NDArray

from polyculture.compiled import compiled, read_only, tuple_of
from polyculture.semantic.encoder import inverse_lengths, squared_lengths

PROBE_ROWS, CORPUS_ROWS = 512, 4_096  # of a block of similarities: 8 MB, which stays in the cache
OUTSIDE = 2**62  # rank of a probe that is not in the corpus
NOT_RANKED = -1  # rank of a document that is counted, but is in no sample of the curve
ALONE = -2.0  # nearest cosine where there is no other document
_SideArrays = tuple[NDArray[np.int16], NDArray[np.int64], NDArray[np.int64]]  # vectors, squared lengths, ranks
_side = tuple_of(types.Array(types.int16, 2, "C", readonly=True), read_only(types.int64), read_only(types.int64))
_weight = tuple_of(read_only(types.int64), types.Array(types.int64, 2, "C", readonly=True))
_tally = tuple_of(
    read_only(types.float64),
    read_only(types.int64),
    types.int64[:, :, :, ::1],
    types.int64[:, :, ::1],
    types.float64[:, ::1],
)
_Tally = tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Block:
    """Documents, as they are read.

    Attributes:
        vectors: (documents, dimensions) embeddings in fixed point; a row of zeros is nobody's neighbour.
        source: (documents,) source number.
        copies: (documents, stages) occurrences of each document at each stage.
        rank: (documents,) the document's place when all are sorted by hash, from 0, each once; `NOT_RANKED` leaves it
            out of `pairs` and `nearest`.
    """

    vectors: NDArray[np.int16]
    source: NDArray[np.int64]
    copies: NDArray[np.int64]
    rank: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Question:
    """What is counted.

    Attributes:
        taus: cosines from which on two documents are neighbours, ascending, in [.05, 1].
        sources: number of sources.
        sizes: sample sizes of the curve, ascending: the first n documents by rank; at least one.
    """

    taus: Sequence[float]
    sources: int
    sizes: Sequence[int]


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What the probes met.

    Attributes:
        multiplicity: (probes, sources, taus, stages) occurrences in the closed neighbourhood of each probe: itself,
            if it is in the corpus, and every document at least as similar as tau.
        pairs: (probes, sizes, taus) neighbours of the probe among n - 1 other documents, the first by rank.
        nearest: (probes, sizes) largest cosine to one of these, or `ALONE`.
    """

    multiplicity: NDArray[np.int64]
    pairs: NDArray[np.int64]
    nearest: NDArray[np.float64]


def count_neighbours(
    probes: NDArray[np.int16], probe_rank: NDArray[np.int64], corpus: Iterable[Block], question: Question
) -> Neighbours:
    """Count the neighbours of every probe in the corpus, at several tau, stages and sample sizes in one pass.

    A cosine is dot / sqrt(|x|**2 |y|**2) of the fixed-point vectors, whose integers are exact. The matrix product in
    float32 only decides where it is further from tau than its error can be ((dimensions + 16) 2**-24, Higham 2002,
    section 3.1, for any order of summation); nearer pairs are computed again in integers. So the result does not
    depend on blocks, partitions, order or machine, and equal vectors are always neighbours.

    Args:
        probes: (probes, dimensions) embeddings in fixed point.
        probe_rank: (probes,) rank of each probe in the corpus, or `OUTSIDE`.
        corpus: blocks of documents in any order and of any size, each document once.
        question: what is counted.

    Returns:
        Counts; those of different parts of a corpus merge by `merge`. Time O(probes * documents * dimensions), about
        35 GFLOP a second and core; memory of one block beside the result.

    Raises:
        ValueError: taus or sizes are not ascending or out of range, or an array has another shape than is said.
    """
    _check(question)
    taus = np.array(question.taus, np.float64)
    others = np.array(question.sizes, np.int64) - 1
    found: Neighbours | None = None
    own = [_Side.of(probes[rows], probe_rank[rows]) for rows in _slices(len(probes), PROBE_ROWS)]
    for block in corpus:
        _check_block(block, probes.shape[1], question.sources)
        found = found or _nothing(len(probes), question, block.copies.shape[1])
        for rows in _slices(len(block.vectors), CORPUS_ROWS):
            side = _Side.of(block.vectors[rows], block.rank[rows])
            weight = (np.ascontiguousarray(block.source[rows]), np.ascontiguousarray(block.copies[rows]))
            for number, probe in enumerate(own):
                at = slice(number * PROBE_ROWS, number * PROBE_ROWS + len(probe.unit))
                _count(
                    probe.unit @ side.unit.T,
                    probe.arrays,
                    side.arrays,
                    weight,
                    (taus, others, found.multiplicity[at], found.pairs[at], found.nearest[at]),
                )
    return found or _nothing(len(probes), question, 0)


def merge(parts: Sequence[Neighbours]) -> Neighbours:
    """The counts of a corpus from those of its parts, for the same probes and question."""
    multiplicity, pairs, nearest = parts[0].multiplicity.copy(), parts[0].pairs.copy(), parts[0].nearest.copy()
    for part in parts[1:]:
        multiplicity += part.multiplicity
        pairs += part.pairs
        np.maximum(nearest, part.nearest, out=nearest)
    return Neighbours(multiplicity, pairs, nearest)


@dataclass(frozen=True, slots=True)
class _Side:
    """Some rows of one side of the comparison, ready for the matrix product and for the exact one."""

    unit: NDArray[np.float32]
    arrays: _SideArrays

    @classmethod
    def of(cls, vectors: NDArray[np.int16], rank: NDArray[np.int64]) -> "_Side":
        fixed = np.ascontiguousarray(vectors)
        unit = fixed.astype(np.float32) * inverse_lengths(fixed)[:, None]
        return cls(unit, (fixed, squared_lengths(fixed), np.ascontiguousarray(rank)))


def _slices(rows: int, size: int) -> Iterator[slice]:
    return (slice(start, start + size) for start in range(0, rows, size))


def _nothing(probes: int, question: Question, stages: int) -> Neighbours:
    taus, sizes = len(question.taus), len(question.sizes)
    return Neighbours(
        np.zeros((probes, question.sources, taus, stages), np.int64),
        np.zeros((probes, sizes, taus), np.int64),
        np.full((probes, sizes), ALONE),
    )


def _check(question: Question) -> None:
    taus, sizes = list(question.taus), list(question.sizes)
    if not taus or taus != sorted(set(taus)) or not (taus[0] >= 0.05 and taus[-1] <= 1):
        raise ValueError(f"taus need to be different, ascending and in [.05, 1], got {taus}")
    if not sizes or sizes != sorted(set(sizes)) or sizes[0] < 2:
        raise ValueError(f"sizes need to be different, ascending and at least 2, got {sizes}")


def _check_block(block: Block, dimensions: int, sources: int) -> None:
    rows = len(block.vectors)
    if block.vectors.shape[1] != dimensions or not rows == len(block.source) == len(block.copies) == len(block.rank):
        raise ValueError(f"a block of {block.vectors.shape} does not fit probes of {dimensions} dimensions, or itself")
    if rows and not (block.source.min() >= 0 and block.source.max() < sources):
        raise ValueError(f"source numbers need to be in 0..{sources - 1}")


@compiled(types.float64(_side, _side, types.int64, types.int64))
def _exact_cosine(probe: _SideArrays, document: _SideArrays, row: int, column: int) -> float:
    """The cosine of two rows, neither of zeros, rounded once for each operation after exact sums."""
    left, right = probe[0][row], document[0][column]
    dot = np.int64(0)
    for place in range(len(left)):
        dot += np.int32(left[place]) * np.int32(right[place])
    scale = np.sqrt(np.float64(probe[1][row]) * np.float64(document[1][column]))  # exactly dot for equal vectors
    return np.float64(dot) / scale  # type: ignore[no-any-return]


@compiled(types.int64(types.int64, types.int64, read_only(types.int64)))
def _first_sample(rank: int, probe_rank: int, others: NDArray[np.int64]) -> int:
    """The smallest sample whose other documents, seen from the probe, hold the document; len(others) if none does."""
    if rank < 0 or rank == probe_rank:
        return len(others)
    return int(np.searchsorted(others, rank - (1 if probe_rank < rank else 0), side="right"))


@compiled(types.void(types.float32[:, ::1], _side, _side, _weight, _tally))
def _count(
    similar: NDArray[np.float32],
    probe: _SideArrays,
    document: _SideArrays,
    weight: tuple[NDArray[np.int64], NDArray[np.int64]],
    tally: _Tally,
) -> None:
    """Add a block of (probes, documents) cosines to a tally: taus, other documents of each sample, three counts."""
    source, copies = weight
    taus, others, multiplicity, pairs, nearest = tally
    margin = (probe[0].shape[1] + 16) * 2.0**-24
    for x in range(similar.shape[0]):
        if probe[1][x] == 0:
            continue
        floor = np.float32(min(taus[0], nearest[x, 0]) - margin)
        for y in range(similar.shape[1]):
            if similar[x, y] < floor or document[1][y] == 0:
                continue
            cosine = float(similar[x, y])
            first = _first_sample(document[2][y], probe[2][x], others)
            is_near = first < len(others) and cosine >= nearest[x, first] - margin
            if is_near or np.abs(taus - cosine).min() <= margin:
                cosine = _exact_cosine(probe, document, x, y)
            for level in range(len(taus)):
                if cosine >= taus[level]:
                    for stage in range(copies.shape[1]):
                        multiplicity[x, source[y], level, stage] += copies[y, stage]
                    for sample in range(first, len(others)):
                        pairs[x, sample, level] += 1
            if is_near:
                for sample in range(first, len(others)):
                    nearest[x, sample] = max(nearest[x, sample], cosine)
                floor = np.float32(min(taus[0], nearest[x, 0]) - margin)
