"""Probe matrices of small populations that are known whole."""

import numpy as np
from numpy.typing import NDArray

from polyculture.measure.probes.probe_matrix import ProbeMatrix, SourceProbes, Weighting


def matrix_of(
    rows: list[list[list[int]]], documents: list[int] | None = None, *, is_partition: bool = True
) -> ProbeMatrix:
    """A matrix whose light probes have these rows; they are all documents, unless there are more."""
    sources = len(rows)
    light = [np.array(own, np.int64).reshape(-1, sources) for own in rows]
    sizes = np.array([len(own) for own in light] if documents is None else documents)
    none = np.empty((0, sources), np.int64)
    probes = tuple(
        SourceProbes.of_species(o, none, np.empty(0), (int(n), 0)) for o, n in zip(light, sizes, strict=True)
    )
    return ProbeMatrix(probes, sizes, sizes, Weighting.DOCUMENTS, is_partition)


def species_matrix(table: NDArray[np.int64], drawn: int | None = None, seed: int = 0, heavy: int = 0) -> ProbeMatrix:
    """The matrix of a population given by (species, sources) counts; heavy ones have more than `heavy` documents."""
    generator = np.random.default_rng(seed)
    sizes = table.sum(axis=0)
    is_heavy = (table.sum(axis=1) > heavy) if heavy else np.zeros(len(table), bool)
    probes = []
    for source in range(table.shape[1]):
        population = np.repeat(np.flatnonzero(~is_heavy), table[~is_heavy, source])
        chosen = population if drawn is None else generator.choice(population, min(drawn, len(population)), False)
        mine = table[is_heavy & (table[:, source] > 0)]
        share = mine[:, source] / sizes[source]
        parts = (len(population), int(sizes[source]) - len(population))
        most = float(heavy) if heavy else None
        probes.append(SourceProbes.of_species(table[chosen], mine, share, parts, most))
    return ProbeMatrix(tuple(probes), sizes, sizes, Weighting.DOCUMENTS, True)


# A graph that is no partition (0-1, 1-2, 2-3, 1-4) over documents of three sources.
SOURCE = np.array([0, 0, 1, 1, 2, 2])
NEIGHBOURS = np.eye(6)
for left, right in ((0, 1), (1, 2), (2, 3), (1, 4)):
    NEIGHBOURS[left, right] = NEIGHBOURS[right, left] = 1
GRAPH = matrix_of(
    [
        [[int((NEIGHBOURS[x] * (j == SOURCE)).sum()) for j in range(3)] for x in range(6) if SOURCE[x] == i]
        for i in range(3)
    ],
    is_partition=False,
)
