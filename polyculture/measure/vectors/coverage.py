"""Coverage of a trusted reference by a corpus, and recall of the reference's rare cells."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyculture.encoders.encoder import from_fixed_point
from polyculture.measure.vectors.cells import cell_of, fit_cells
from polyculture.statistics.intervals import Z95, share_interval
from schemas.profile import Estimate

NEIGHBOURS = 5
DENSITY = 0.25  # of what the reference's other half has in a ball
DOCUMENTS_OF_A_CELL = 20
MOST_CELLS = 256
LEAST_POINTS = 50
ROWS_AT_ONCE = 1_024
_MARGIN = 1e-6  # of a cosine in float32: a point on the rim of a ball is inside


@dataclass(frozen=True, slots=True)
class Points:
    """Some documents.

    Attributes:
        vectors: (documents, dimensions) embeddings in fixed point, none of zeros.
        id_hash: (documents,) hash of the document_id, which names a document, or a seeded hash of that.
    """

    vectors: NDArray[np.int16]
    id_hash: NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Covered:
    """A share of the reference that the corpus covers, beside what the reference covers of itself.

    Attributes:
        share: share of the reference's points, 0..1. Its interval (Wilson) is about other reference points of the
            kind; it conditions on the corpus documents that were drawn, and takes the points as independent.
        ceiling: the same share if the other half of the reference stands in the corpus's place.
        relative: share / ceiling, about corpora and references drawn afresh: delta method on the log scale, with the
            two paired by point, or the draws of both sides by the jackknife, whichever is wider; covers 94-100 %.
    """

    share: Estimate
    ceiling: Estimate
    relative: Estimate


@dataclass(frozen=True, slots=True)
class Coverage:
    """A corpus against a reference.

    Attributes:
        coverage: share of reference points whose k-nearest-neighbour ball holds a document of the corpus.
        rare_cell_recall: the same share of the points in the rarer half of the reference's cells.
        points: reference points, and as many documents of the corpus and of the other half.
        own: documents that were left out of the corpus since they are the reference's.
    """

    coverage: Covered
    rare_cell_recall: Covered
    points: int
    own: int


def reference_coverage(reference: Points, corpus: Points, neighbours: int = NEIGHBOURS) -> Coverage:
    """Coverage of a reference R by a corpus (Naeem et al. 2020, arXiv:2002.09797), and recall of its rare cells.

    R is split in halves A and B by hash. Coverage: share of A's points whose ball, which reaches to their k-th nearest
    neighbour in A, holds a document of the corpus. Cells: k-means on A, about 20 documents each, at most 256; rare are
    those below the median size: tails vanish first in model collapse (Shumailov et al. 2024). n documents of A, of B
    and of the corpus are compared, those with the smallest hashes: both shares grow with n.

    Args:
        reference: documents of R; more than about 4,000 cost time and tell little more.
        corpus: documents of the corpus, any sample of the smallest hashes with at least half as many as R. Documents
            with the id of one of R are left out: each ball would hold its own centre.
        neighbours: k.

    Returns:
        Shares and ceilings. Time O(n**2 * dimensions).

    Raises:
        ValueError: fewer than 50 points on a side.
    """
    return ReferenceSplit(reference, neighbours).coverage(corpus)


class ReferenceSplit:
    """A reference in halves, to compare several corpora with: what does not depend on the corpus is done once.

    Attributes:
        half: documents in each half.
        centres: (cells, dimensions) centres of the cells of A as a whole.
    """

    def __init__(self, reference: Points, neighbours: int = NEIGHBOURS) -> None:
        """Sort the reference by hash; see `reference_coverage`."""
        self._reference, self._neighbours = reference, neighbours
        self._rows = _by_hash(reference, np.ones(len(reference.id_hash), np.bool_))
        self._prepared: dict[int, _Prepared] = {}
        self.half = len(self._rows) // 2

    @property
    def centres(self) -> NDArray[np.float32]:
        """Centres of the cells of all of A."""
        return self._of(self.half).centres

    @property
    def cells(self) -> NDArray[np.int64]:
        """(cells,) documents of A in each."""
        return np.bincount(self._of(self.half).cells, minlength=len(self.centres)).astype(np.int64)

    def coverage(self, corpus: Points) -> Coverage:
        """Compare a corpus with the reference: see `reference_coverage`."""
        foreign = ~np.isin(corpus.id_hash, self._reference.id_hash)
        others = _by_hash(corpus, foreign)
        n = min(self.half, len(others))
        if n < LEAST_POINTS:
            raise ValueError(
                f"coverage needs {2 * LEAST_POINTS} documents of the reference and {LEAST_POINTS} others, got"
                f" {len(self._rows)} and {len(others)}: add documents, or leave the reference out"
            )
        split = self._of(n)
        in_corpus = _inside(split.points, split.radius, from_fixed_point(others[:n]))
        in_other, rare = split.in_other, split.rare
        return Coverage(
            _related(_Met.of(in_corpus), _Met.of(in_other)),
            _related(_Met.of(in_corpus[rare]), _Met.of(in_other[rare])),
            n,
            int((~foreign).sum()),
        )

    def density(self, blocks: Iterable[tuple[NDArray[np.int16], NDArray[np.bool_]]], stages: int) -> list[Covered]:
        """Share of A around which the corpus lies at least a fourth as dense as B does, at each of some stages.

        A point counts where max(1, b / 4) documents or more lie in its ball, b those of B (after the coverage of Naeem
        et al. 2020, section 3): of the whole corpus, not of a sample of the reference's size. Documents that are added
        never lower it, so that a corpus is not the worse for what else it holds; with the size of the corpus it
        saturates.

        Args:
            blocks: (documents, dimensions) embeddings and (documents, stages) whether each is there; without those of
                the reference.
            stages: how many.

        Returns:
            For each stage the share, that of B itself, and their ratio. Time O(documents * reference * dimensions).
        """
        split = self._of(self.half)
        counts = np.zeros((len(split.points), stages))
        for vectors, present in blocks:
            kept = np.flatnonzero((vectors != 0).any(axis=1) & present.any(axis=1))
            for start in range(0, len(kept), ROWS_AT_ONCE):
                rows = kept[start : start + ROWS_AT_ONCE]
                inside = _inside(split.points, split.radius, from_fixed_point(vectors[rows]))
                counts += inside.astype(np.float32) @ present[rows].astype(np.float32)
        of_other = split.in_other.sum(axis=1)
        least = np.maximum(1.0, DENSITY * of_other)
        there = _Met(of_other >= 1, 0.0)
        return [_related(_Met(counts[:, stage] >= least, 0.0), there) for stage in range(stages)]

    def _of(self, n: int) -> "_Prepared":
        if n not in self._prepared:
            a, b = (from_fixed_point(rows) for rows in (self._rows[: 2 * n : 2], self._rows[1 : 2 * n : 2]))
            radius = _ball(a, self._neighbours)
            centres = fit_cells(a, min(MOST_CELLS, max(2, n // DOCUMENTS_OF_A_CELL)))
            cells = cell_of(a, centres)
            self._prepared[n] = _Prepared(a, radius, _inside(a, radius, b), _in_rare_cells(cells), cells, centres)
        return self._prepared[n]


@dataclass(frozen=True, slots=True)
class _Prepared:
    """The first n documents of both halves: A's points, their balls, which of B lie in them, and A's cells."""

    points: NDArray[np.float32]
    radius: NDArray[np.float64]
    in_other: NDArray[np.bool_]
    rare: NDArray[np.bool_]
    cells: NDArray[np.int64]
    centres: NDArray[np.float32]


def _by_hash(points: Points, chosen: NDArray[np.bool_]) -> NDArray[np.int16]:
    """Measured vectors in the order of their hash, each document once."""
    rows = np.flatnonzero(chosen & (points.vectors != 0).any(axis=1))
    _, first = np.unique(points.id_hash[rows], return_index=True)
    return points.vectors[rows[first]]


def _ball(points: NDArray[np.float32], neighbours: int) -> NDArray[np.float64]:
    """(points,) least cosine of each point's ball: that of its k-th nearest other point."""
    least = np.empty(len(points))
    for start in range(0, len(points), ROWS_AT_ONCE):
        cosine = points[start : start + ROWS_AT_ONCE] @ points.T
        cosine[np.arange(len(cosine)), np.arange(start, start + len(cosine))] = -2
        least[start : start + ROWS_AT_ONCE] = np.partition(cosine, -neighbours, axis=1)[:, -neighbours]
    return least - _MARGIN


@dataclass(frozen=True, slots=True)
class _Met:
    """Places (balls) that hold a document, and the variance of their share that the draw of these gave.

    The variance is the jackknife's, over leaving out one document: only places that hold no other one are lost. It is
    too large rather than too small (Efron & Stein 1981).
    """

    holds: NDArray[np.bool_]
    variance: float

    @classmethod
    def of(cls, inside: NDArray[np.bool_]) -> "_Met":
        """Count from (places, documents): True where the document lies in the place."""
        counts, only = inside.sum(axis=1), inside.argmax(axis=1)
        lost = np.bincount(only[counts == 1], minlength=inside.shape[1]) / len(inside)
        return cls(counts > 0, float(((lost - lost.mean()) ** 2).sum()))


def _inside(points: NDArray[np.float32], least: NDArray[np.float64], others: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(points, others) which document lies in which ball: one byte a pair."""
    inside = np.empty((len(points), len(others)), np.bool_)
    for start in range(0, len(points), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        inside[rows] = points[rows] @ others.T >= least[rows, None]
    return inside


def _in_rare_cells(cell: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(points,) whether a point's cell has fewer points than the median cell; all, if the cells are of one size."""
    _, which, size = np.unique(cell, return_inverse=True, return_counts=True)
    rare: NDArray[np.bool_] = (size < np.median(size))[which]
    return rare if rare.any() else ~rare


def _related(corpus: _Met, other: _Met) -> Covered:
    n = len(corpus.holds)
    share, top = (share_interval(int(met.holds.sum()), n, None).estimate() for met in (corpus, other))
    if not other.holds.any():
        return Covered(share, top, Estimate(value=0, low=0, high=1))
    ratio = share.value / top.value
    by_place = float((corpus.holds - ratio * other.holds).var()) / n
    by_draw = corpus.variance + ratio**2 * other.variance
    spread = max(by_place, by_draw) ** 0.5 / top.value  # not their sum: the luck of the draw shows in both
    if corpus.holds.any() and spread > 0:
        factor = float(np.exp(Z95 * spread / ratio))
        return Covered(share, top, Estimate(value=ratio, low=ratio / factor, high=ratio * factor))
    # Nothing varied, or no place was met: what the share's own interval allows.
    return Covered(share, top, Estimate(value=ratio, low=share.low / top.value, high=share.high / top.value))
