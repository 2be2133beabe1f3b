"""Second moments of embeddings: one small integer matrix per source, which adds up over partitions exactly."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyculture.encoders.encoder import ONE

ROWS_AT_ONCE = 4_096
EXACT = 2**53  # integers up to here are exact in float64
_PHASES = 2**16  # steps of a turn in the table of cosines
_FREQUENCY_ONE = 2**20  # fixed point of random frequencies, in turns


@dataclass(frozen=True, slots=True)
class SecondMoment:
    """Sum over documents of x x', in integers.

    Attributes:
        sums: (width, width) sums of products of fixed-point numbers, in units of 32,767**-2; symmetric.
        documents: occurrences that were added; at most 2**33 keep the sums inside int64.
    """

    sums: NDArray[np.int64]
    documents: int

    def __add__(self, other: "SecondMoment") -> "SecondMoment":
        """The moment of both: integer addition, so in any order and grouping the same bytes."""
        return SecondMoment(self.sums + other.sums, self.documents + other.documents)

    def mean(self) -> NDArray[np.float64]:
        """(width, width) mean of x x'; for unit vectors its trace is 1, to 1e-5."""
        return self.sums.astype(np.float64) / (float(ONE) ** 2 * self.documents)

    def density(self) -> NDArray[np.float64]:
        """(width, width) the moment with trace 1: a density matrix, whose eigenvalues are the kernel's, over n.

        Raises:
            ValueError: nothing was added.
        """
        trace = int(np.trace(self.sums))
        if trace <= 0:
            raise ValueError("a second moment of no documents has no spectrum")
        return self.sums.astype(np.float64) / float(trace)


def second_moment(vectors: NDArray[np.int16], copies: NDArray[np.int64] | None = None) -> SecondMoment:
    """The second moment of some documents; rows of zeros are left out.

    Products of 16-bit integers are summed by the matrix product in float64, in blocks so small that every sum is an
    integer below 2**53, and the blocks in int64.

    Args:
        vectors: (documents, width) vectors in fixed point, such as embeddings or `RandomFeatures.of`.
        copies: (documents,) occurrences of each, not negative; one each if left out.

    Returns:
        The moment. Time O(documents * width**2).

    Raises:
        ValueError: copies are negative, or so many that float64 would round.
    """
    width = vectors.shape[1]
    sums = np.zeros((width, width), np.int64)
    weight = np.ones(len(vectors), np.int64) if copies is None else copies
    if len(weight) and (weight.min() < 0 or int(weight.max()) * ROWS_AT_ONCE * ONE**2 >= EXACT):
        raise ValueError(
            f"copies need to be in 0..{EXACT // (ROWS_AT_ONCE * ONE**2)}, got {weight.min()}..{weight.max()}"
        )
    for start in range(0, len(vectors), ROWS_AT_ONCE):
        rows = vectors[start : start + ROWS_AT_ONCE].astype(np.float64)
        sums += (rows.T @ (rows * weight[start : start + ROWS_AT_ONCE, None])).astype(np.int64)
    return SecondMoment(sums, int(weight[(vectors != 0).any(axis=1)].sum()))


def mixture_density(moments: Sequence[SecondMoment], weights: Sequence[float]) -> NDArray[np.float64]:
    """(width, width) density of a mixture: sum of w_i M_i, w_i being the sources' shares of its documents."""
    total = float(sum(weights))
    if total <= 0 or min(weights) < 0:
        raise ValueError(f"a mixture needs weights that are not negative, and one above zero; got {list(weights)}")
    parts = [w / total * moment.density() for w, moment in zip(weights, moments, strict=True) if w > 0]
    return np.sum(parts, axis=0, dtype=np.float64)  # type: ignore[no-any-return]


class RandomFeatures:
    """Random Fourier features of the Gaussian kernel exp(-|x - y|**2 / (2 s**2)), in 16-bit fixed point.

    Rahimi & Recht 2007; their second moment gives the kernel's spectrum (FKEA, Ospanov et al. 2024, arXiv:2407.02961).
    phi(x) = [cos(w'x), sin(w'x)] for r frequencies w ~ N(0, I / s**2); phi(x)'phi(y) / r estimates the kernel, with a
    standard error below 1 / sqrt(2 r), and the second moment has rank 2 r at most.

    Frequencies are kept in turns and in fixed point too, so that a phase is an exact integer: features depend on the
    embedding alone. Phases are rounded to 2**-16 of a turn.
    """

    def __init__(self, dimensions: int, bandwidth: float = 0.5, frequencies: int = 256, seed: int = 0) -> None:
        """Draw frequencies.

        Args:
            dimensions: length of the embeddings.
            bandwidth: s, a distance between unit vectors; documents at cosine c are 2 - 2 c apart, squared.
            frequencies: r.
            seed: seed of the frequencies; only moments of equal seed, bandwidth and r are comparable.
        """
        drawn = np.random.default_rng([seed, 4]).standard_normal((dimensions, frequencies))
        fixed = np.rint(drawn / (2 * np.pi * bandwidth) * _FREQUENCY_ONE)
        if dimensions * ONE * float(np.abs(fixed).max()) >= EXACT:
            raise ValueError(f"bandwidth {bandwidth} is too small for exact phases")
        self._fixed = fixed
        self._cosines = np.rint(ONE * np.cos(2 * np.pi * np.arange(_PHASES) / _PHASES)).astype(np.int16)

    def of(self, vectors: NDArray[np.int16]) -> NDArray[np.int16]:
        """(documents, 2 r) features of embeddings in fixed point, 32,767 for 1; rows of zeros stay so.

        Time O(documents * dimensions * r).
        """
        width = self._fixed.shape[1]
        features = np.zeros((len(vectors), 2 * width), np.int16)
        step = _FREQUENCY_ONE // _PHASES * ONE  # of the product, which is in turns / (2**20 * 32,767)
        for start in range(0, len(vectors), ROWS_AT_ONCE):
            rows = vectors[start : start + ROWS_AT_ONCE]
            turns = (rows.astype(np.float64) @ self._fixed).astype(np.int64)
            phase = ((turns + step // 2) // step) % _PHASES
            measured = (rows != 0).any(axis=1)[:, None]
            part = features[start : start + ROWS_AT_ONCE]
            part[:, :width] = self._cosines[phase] * measured
            part[:, width:] = self._cosines[(phase - _PHASES // 4) % _PHASES] * measured
        return features
