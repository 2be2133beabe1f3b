"""Vendi scores and von Neumann entropy: effective numbers from the spectrum of similarities."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from polyculture.encoders.encoder import from_fixed_point
from polyculture.measure.vectors.moments import SecondMoment, mixture_density

NO_SHARE = 1e-12  # eigenvalues below are rounding
ABSENT = 1e-6  # what a direction weighs, at least, in the novelty of a document


def kernel_spectrum(kernel: NDArray[np.floating]) -> NDArray[np.float64]:
    """(n,) eigenvalues of K / n of an (n, n) similarity matrix with ones on its diagonal. O(n**3).

    Raises:
        ValueError: the matrix is not square, not finite, or has another diagonal.
    """
    if kernel.ndim != 2 or kernel.shape[0] != kernel.shape[1] or not np.isfinite(kernel).all():
        raise ValueError(f"a kernel needs to be square and finite, got shape {kernel.shape}")
    if not np.allclose(np.diagonal(kernel), 1):
        raise ValueError("a kernel needs similarity 1 of every document with itself")
    return spectrum(kernel.astype(np.float64) / len(kernel))


def spectrum(density: NDArray[np.float64]) -> NDArray[np.float64]:
    """(width,) eigenvalues of a density matrix, ascending, none below zero: shares that sum to 1. O(width**3)."""
    shares: NDArray[np.float64] = np.maximum(np.linalg.eigvalsh(density), 0.0)
    return shares


def vendi_score(shares: NDArray[np.float64], order: float = 1) -> float:
    """Effective number of documents: the Hill number of the spectrum.

    Friedman & Dieng 2023, arXiv:2210.02410; orders: Pasarkar & Dieng 2024, arXiv:2310.12952. With the cosine kernel it
    is at most the dimensions and nearly blind to redundancy: never gate on it alone.

    Args:
        shares: eigenvalues (`spectrum`, `kernel_spectrum`).
        order: q, at least 0; 1 is exp of the entropy, 2 the RKE score, infinity 1 / the largest share.

    Returns:
        Documents, in [1, number of shares].

    Raises:
        ValueError: order is negative or no number, or the shares do not sum to 1.
    """
    if not order >= 0 or abs(float(shares.sum()) - 1) > 1e-6:
        raise ValueError(f"vendi_score needs order >= 0 and shares that sum to 1, got {order}, {shares.sum()}")
    present = shares[shares > NO_SHARE]
    if order == 1:
        return float(np.exp(-(present * np.log(present)).sum()))
    if np.isinf(order):
        return float(1 / present.max())
    return float((present**order).sum() ** (1 / (1 - order)))


def von_neumann_entropy(moments: Sequence[SecondMoment], weights: Sequence[float]) -> float:
    """Entropy of a mixture's second moment, in nats, 0..log(width): log of its Vendi score of order 1.

    Concave in the weights, so it can be maximised over mixtures (STATISTICS, section 3).

    Args:
        moments: moments of the sources.
        weights: documents of each source in the mixture, or shares.
    """
    return float(np.log(vendi_score(spectrum(mixture_density(moments, weights)))))


def entropy_gradient(moments: Sequence[SecondMoment], weights: Sequence[float]) -> NDArray[np.float64]:
    """(sources,) mean novelty of each source's documents against the mixture, -tr(M_i log M), in nats.

    A little more of source i changes the entropy by this less the entropy itself. Directions that the mixture lacks
    count as `ABSENT`.
    """
    log_mixture = _log_density(mixture_density(moments, weights))
    return np.array([-float((moment.density() * log_mixture).sum()) for moment in moments])


def novelty(vectors: NDArray[np.int16], density: NDArray[np.float64]) -> NDArray[np.float64]:
    """-x' log(M) x of documents against a mixture, in nats: high where the mixture is thin.

    Args:
        vectors: (documents, width) vectors in fixed point.
        density: (width, width) density of the mixture; eigenvalues below 1e-6 count as that, so that a direction that
            the mixture lacks is worth 13.8 nats.

    Returns:
        (documents,) numbers in [0, 13.8]; 0 for rows of zeros. Time O(width**3 + documents * width**2).
    """
    x = from_fixed_point(vectors).astype(np.float64)
    nats: NDArray[np.float64] = -np.einsum("ij,ij->i", x @ _log_density(density), x)
    return nats


def _log_density(density: NDArray[np.float64]) -> NDArray[np.float64]:
    values, directions = np.linalg.eigh(density)
    logs: NDArray[np.float64] = (directions * np.log(np.maximum(values, ABSENT))) @ directions.T
    return logs
