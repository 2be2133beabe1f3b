"""State of a mixture and of a reference that choosing needs: second moment, cells, points by text."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from polyculture.corpus.corpus import Corpus
from polyculture.encoders.embeddings import BLOCK, Embeddings
from polyculture.encoders.encoder import from_fixed_point
from polyculture.measure.vectors.cells import cell_of, fit_cells
from polyculture.measure.vectors.coverage import DOCUMENTS_OF_A_CELL, LEAST_POINTS, MOST_CELLS, Points
from polyculture.measure.vectors.moments import SecondMoment, second_moment
from polyculture.top_up.choose import ReferenceCells

MOST_POINTS = 4_000  # of a reference: more cost time and tell little more


def moment_of(embeddings: Embeddings, copies: NDArray[np.int64]) -> SecondMoment:
    """Second moment of the documents that occur, block by block.

    Args:
        embeddings: embeddings of n documents.
        copies: (n,) occurrences of each.
    """
    width = embeddings.encoder.dimensions
    total = SecondMoment(np.zeros((width, width), np.int64), 0)
    for rows in _blocks(np.flatnonzero(copies)):
        total = total + second_moment(embeddings.take(rows), copies[rows])
    return total


def text_hashes(corpus: Corpus, rows: NDArray[np.int64]) -> NDArray[np.uint64]:
    """(rows,) 64 bits of the key of each canonical text, so that equal texts under different ids are one point."""
    keys = corpus.take(rows, ["key"])["key"].combine_chunks().cast(pa.binary())
    return np.array([int.from_bytes(key[:8], "little") for key in keys.to_pylist()], np.uint64)


def points_of(corpus: Corpus, embeddings: Embeddings, rows: NDArray[np.int64]) -> Points:
    """Different measured texts among some documents, in the order of their hash."""
    hashes = text_hashes(corpus, rows)
    hashes, first = np.unique(hashes, return_index=True)
    vectors = embeddings.take(rows[first])
    is_measured = (vectors != 0).any(axis=1)
    return Points(vectors[is_measured], hashes[is_measured])


def first_points(points: Points, most: int) -> Points:
    """Keep the points of the smallest hashes: a uniform sample."""
    order = np.argsort(points.id_hash, kind="stable")[:most]
    return Points(points.vectors[order], points.id_hash[order])


def reference_cells(reference: Points, embeddings: Embeddings, copies: NDArray[np.int64]) -> ReferenceCells | None:
    """Cells of a reference, and what a mixture holds of each; None if the reference is too small to have any.

    Args:
        reference: its points.
        embeddings: embeddings of n documents of the mixture.
        copies: (n,) occurrences of each.
    """
    sample = from_fixed_point(first_points(reference, MOST_POINTS).vectors)
    if len(sample) < LEAST_POINTS:
        return None
    centres = fit_cells(sample, min(MOST_CELLS, max(2, len(sample) // DOCUMENTS_OF_A_CELL)))
    held = np.zeros(len(centres), np.int64)
    for rows in _blocks(np.flatnonzero(copies)):
        vectors = embeddings.take(rows)
        is_measured = (vectors != 0).any(axis=1)
        cells = cell_of(from_fixed_point(vectors[is_measured]), centres)
        held += np.bincount(cells, copies[rows][is_measured], len(centres)).astype(np.int64)
    return ReferenceCells(centres, np.bincount(cell_of(sample, centres), minlength=len(centres)), held)


def _blocks(rows: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    for start in range(0, len(rows), BLOCK):
        yield rows[start : start + BLOCK]
