"""Documents at a cosine of tau or more to each probe: counted by source, and a seeded sample of them by name."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import types
from numpy.typing import NDArray

from polyculture.compute.compiled import compiled, read_only, tuple_of
from polyculture.measure.vectors.neighbours import CORPUS_ROWS, PROBE_ROWS, SIDE, Side, SideArrays, exact_cosine

NOBODY = -1
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_tally = tuple_of(types.int64[:, ::1], types.uint64[:, ::1], types.int64[:, ::1], types.int64[::1])
_Tally = tuple[NDArray[np.int64], NDArray[np.uint64], NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True, slots=True)
class Named:
    """Documents on one side of the comparison.

    Attributes:
        vectors: (n, dimensions) embeddings in fixed point; a row of zeros is like nobody.
        number: (n,) number that tells a document from all others.
        source: (n,) source number.
        hashes: (n,) seeded hash of each, which decides whom a probe names.
    """

    vectors: NDArray[np.int16]
    number: NDArray[np.int64]
    source: NDArray[np.int64]
    hashes: NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Alike:
    """The documents that are like the probes.

    Attributes:
        documents: (probes, sources) documents at a cosine of tau or more, the probe itself left out.
        named: (probes, most) numbers of some of them, `NOBODY` behind the last: all, or those whose hash with the
            probe's is smallest, by that hash.
    """

    documents: NDArray[np.int64]
    named: NDArray[np.int64]


def find_alike(probes: Named, corpus: Iterable[Named], tau: float, sources: int, most: int) -> Alike:
    """Find the documents that are like each probe, by brute force.

    Cosines are decided as `polyculture.measure.vectors.neighbours.count_neighbours` decides them, and who is named by a
    hash of both documents: so the result does not depend on blocks, partitions, order or machine.

    Args:
        probes: whose like.
        corpus: blocks of documents in any order and of any size, each document once.
        tau: cosine from which on two documents are alike.
        sources: number of sources.
        most: documents that a probe names.

    Returns:
        Counts and names. Time O(probes * documents * dimensions), about 35 GFLOP a second and core.
    """
    count = len(probes.vectors)
    documents = np.zeros((count, sources), np.int64)
    held = np.full((count, most), np.iinfo(np.uint64).max)
    named, filled = np.full((count, most), NOBODY), np.zeros(count, np.int64)
    starts = range(0, count, PROBE_ROWS)
    own = [Side.of(probes.vectors[i : i + PROBE_ROWS], probes.number[i : i + PROBE_ROWS]) for i in starts]
    for block in corpus:
        for start in range(0, len(block.vectors), CORPUS_ROWS):
            rows = slice(start, start + CORPUS_ROWS)
            side = Side.of(block.vectors[rows], block.number[rows])
            theirs = np.ascontiguousarray(block.hashes[rows]), np.ascontiguousarray(block.source[rows])
            for first, probe in zip(starts, own, strict=True):
                at = slice(first, first + len(probe.unit))
                tally = (documents[at], held[at], named[at], filled[at])
                hashes = np.ascontiguousarray(probes.hashes[at]), *theirs
                _collect(probe.unit @ side.unit.T, (probe.arrays, side.arrays), hashes, tau, tally)
    order = np.lexsort((named, held))
    return Alike(documents, np.take_along_axis(named, order, axis=1))


@compiled()
def _hash_of_pair(left: Any, right: Any) -> Any:
    """Hash of a probe and a document: not that of the document and the probe."""
    value = (left ^ (left >> np.uint64(30))) * _MIX_1 + right
    value = (value ^ (value >> np.uint64(27))) * _MIX_2
    value = (value ^ (value >> np.uint64(31))) * _MIX_1
    return value ^ (value >> np.uint64(30))


@compiled()
def _name(row: int, number: int, value: Any, tally: _Tally) -> None:
    """Keep a document among the named ones of a row, if there is room or its hash is smaller than the largest."""
    _, held, named, filled = tally
    if filled[row] < named.shape[1]:
        held[row, filled[row]], named[row, filled[row]] = value, number
        filled[row] += 1
        return
    last = 0
    for place in range(1, named.shape[1]):
        if (held[row, place], named[row, place]) > (held[row, last], named[row, last]):
            last = place
    is_smaller = (value, number) < (held[row, last], named[row, last])
    if is_smaller:
        held[row, last], named[row, last] = value, number


@compiled(
    types.void(
        types.float32[:, ::1],
        tuple_of(SIDE, SIDE),
        tuple_of(read_only(types.uint64), read_only(types.uint64), read_only(types.int64)),
        types.float64,
        _tally,
    )
)
def _collect(
    similar: NDArray[np.float32],
    sides: tuple[SideArrays, SideArrays],
    hashes: tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.int64]],
    tau: float,
    tally: _Tally,
) -> None:
    """Add a block of (probes, documents) cosines to a tally.

    Args:
        similar: the cosines, about.
        sides: vectors of both sides.
        hashes: of the probes and of the documents, and the documents' sources.
        tau: the cosine from which on two are alike.
        tally: documents by source, and the named ones: hash, number, and how many there are.
    """
    probe, document = sides
    of_probe, of_document, source = hashes
    margin = (probe[0].shape[1] + 16) * 2.0**-24
    floor = np.float32(tau - margin)
    for x in range(similar.shape[0]):
        if probe[1][x] == 0:
            continue
        for y in range(similar.shape[1]):
            if similar[x, y] < floor or document[1][y] == 0 or document[2][y] == probe[2][x]:
                continue
            cosine = float(similar[x, y])
            if abs(tau - cosine) <= margin:
                cosine = exact_cosine(probe, document, x, y)
            if cosine >= tau:
                tally[0][x, source[y]] += 1
                _name(x, document[2][y], _hash_of_pair(of_probe[x], of_document[y]), tally)
