"""Sources against each other: directional containment, and the collision matrix that 1/H2 is a quadratic form of."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyculture.measure.probes.metrics import containments
from polyculture.measure.probes.probe_matrix import ProbeMatrix, Weighting
from schemas.profile import Estimate

Floats = NDArray[np.float64]


def containment_matrix(matrix: ProbeMatrix) -> list[list[Estimate | None]]:
    """Share of source i (row) that has a twin in source j (column), with its interval; not symmetric.

    Returns:
        One row per source; None where either source has no documents, and a source in itself is 1.
    """
    there = [number for number, documents in enumerate(matrix.documents) if documents]
    table: list[list[Estimate | None]] = [[None] * len(matrix.probes) for _ in matrix.probes]
    for of in there:
        for within, found in zip(there, containments(matrix, of, there), strict=True):
            table[of][within] = found
    return table


@dataclass(frozen=True, slots=True)
class SpeciesSample:
    """Species of a partition, each with the weight that makes a sum over them estimate that over all species.

    Attributes:
        fraction: (n, sources) fraction of each source's documents that are in the species.
        weight: (n,) Horvitz-Thompson weights; sum_n weight h(fraction) is unbiased for the sum of h over all species.
    """

    fraction: Floats
    weight: Floats


def species_sample(matrix: ProbeMatrix) -> SpeciesSample:
    """The species that the probes of all sources have found, by any of them, and the heavy ones.

    A light species is found by rho = sum_k P_k m_k / N_k probes in expectation, P_k probes of the N_k light documents
    of source k, so that each find counts 1 / rho. A heavy species is listed by every source k that has some of it, and
    is counted in that list by its part m_k / m.

    Returns:
        Equal rows collapsed.

    Raises:
        ValueError: the lens has no species, the probes were drawn by tokens, or light documents are without probes.
    """
    if not matrix.is_partition or matrix.weighting is not Weighting.DOCUMENTS:
        raise ValueError("only a partition lens, probed by documents, has species that can be summed over")
    sampled = [part for probes in matrix.probes for part in probes.sampled]
    if any(len(part.rows) == 0 and part.population > 0 for part in sampled):
        raise ValueError("a source has light documents and no probe among them")
    rates = np.zeros(len(matrix.probes))
    for source, probes in enumerate(matrix.probes):
        rates[source] = sum(len(part.rows) / max(1, part.population) for part in probes.sampled)
    rows = [part.rows for part in sampled]
    weights = [1.0 / (part.rows @ rates) for part in sampled]
    for source, probes in enumerate(matrix.probes):
        rows += [part.rows for part in probes.counted]
        weights += [part.rows[:, source] / part.rows.sum(axis=1) for part in probes.counted]
    found, inverse = np.unique(np.concatenate(rows), axis=0, return_inverse=True)
    weight = np.bincount(inverse.ravel(), np.concatenate(weights), len(found)).astype(np.float64)
    return SpeciesSample(found / np.maximum(matrix.documents, 1), weight)


def collision_matrix(matrix: ProbeMatrix) -> Floats:
    """Probability that a document of source i and one of source j, drawn with replacement, are of one species.

    C_ij = sum over species of (m_i / N_i)(m_j / N_j), estimated over the probes of all sources: unbiased, symmetric and
    positive semidefinite, so that 1 / H2 = w' C w is convex in the document shares w. That is the lambda form, of
    expected copies; a mixture's exact 1 / H2 has sum_i w_i q_i (1 - q_i) / r_i / N_mix more (`mixture_values`).

    Args:
        matrix: matrix of a partition lens, probed by documents.

    Returns:
        (sources, sources), each in [0, 1].

    Raises:
        ValueError: see `species_sample`.
    """
    sample = species_sample(matrix)
    result: Floats = (sample.fraction * sample.weight[:, None]).T @ sample.fraction
    return (result + result.T) / 2.0
