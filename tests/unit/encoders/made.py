"""Made-up embeddings of known shape."""

import numpy as np
from numpy.typing import NDArray

from polyculture.encoders.encoder import to_fixed_point


def fixed(vectors: NDArray[np.floating]) -> NDArray[np.int16]:
    return to_fixed_point(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def clustered(
    documents: int, dimensions: int, seed: int, exponent: float = 1.5, noise: float = 0.5
) -> NDArray[np.int16]:
    """Documents around centres whose sizes are heavy-tailed; a small exponent makes a few centres hold most."""
    generator = np.random.default_rng(seed)
    centres = generator.normal(size=(2_000, dimensions)) / dimensions**0.5
    share = 1 / np.arange(1, 2_001) ** exponent
    chosen = generator.choice(2_000, size=documents, p=share / share.sum())
    return fixed(centres[chosen] + noise * generator.normal(size=(documents, dimensions)) / dimensions**0.5)


def even(documents: int, dimensions: int, seed: int) -> NDArray[np.int16]:
    return fixed(np.random.default_rng(seed).normal(size=(documents, dimensions)))
