"""Cells of the embedding space: spherical k-means that always gives the same cells."""

import numpy as np
from numpy.typing import NDArray

ROUNDS = 25
SEED = 20_261_122


def fit_cells(points: NDArray[np.float32], cells: int) -> NDArray[np.float32]:
    """Centres of a spherical k-means (Dhillon & Modha 2001), begun by k-means++ (Arthur & Vassilvitskii 2007).

    The same points in the same order give the same centres: sort them first (by hash).

    Args:
        points: (points, dimensions) vectors of length 1.
        cells: number of cells; fewer come back if there are fewer different points.

    Returns:
        (cells, dimensions) vectors of length 1. Time O(rounds * points * cells * dimensions).
    """
    centres = _spread(points, cells)
    cell = cell_of(points, centres)
    for _ in range(ROUNDS):
        total = np.zeros(centres.shape)
        np.add.at(total, cell, points.astype(np.float64))
        length = np.linalg.norm(total, axis=1, keepdims=True)
        centres = np.where(length > 0, total / np.maximum(length, 1e-300), centres).astype(np.float32)
        moved = cell_of(points, centres)
        if (moved == cell).all():
            break
        cell = moved
    return centres


def cell_of(points: NDArray[np.float32], centres: NDArray[np.float32]) -> NDArray[np.int64]:
    """(points,) number of the centre with the largest cosine; the first of equals."""
    nearest: NDArray[np.int64] = np.argmax(points @ centres.T, axis=1)
    return nearest


def _spread(points: NDArray[np.float32], cells: int) -> NDArray[np.float32]:
    """Points far from each other: each drawn with a probability that grows with its distance from those before."""
    generator = np.random.default_rng(SEED)
    chosen = [int(generator.integers(len(points)))]
    distance = 1 - (points @ points[chosen[0]]).astype(np.float64)
    while len(chosen) < cells:
        weight = np.cumsum(np.where(distance > 1e-6, distance, 0.0))
        if weight[-1] <= 0:
            break
        chosen.append(int(np.searchsorted(weight, generator.random() * weight[-1], side="right")))
        distance = np.minimum(distance, 1 - (points @ points[chosen[-1]]).astype(np.float64))
    return points[chosen]
