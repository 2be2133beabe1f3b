"""The encoder protocol, and the fixed-point form in which embeddings are kept and compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

ANY_LANGUAGE = "*"
NO_BACKGROUND = ""
ONE = 32_767  # what 1.0 is in 16-bit fixed point: the largest int16


class EncodingStatus(IntEnum):
    """The outcome of encoding a document."""

    MEASURED = 0
    EMPTY = 1  # nothing to encode: no text, no letter, or no direction left after correction
    NOT_COVERED = 2  # the encoder does not know the language, so that its similarities would mean nothing
    UNKNOWN = 3  # nobody knows the language
    DISAGREE = 4  # the script and the language of the text disagree


@dataclass(frozen=True, slots=True)
class Encoded:
    """Embeddings of documents.

    Attributes:
        vectors: (documents, dimensions) rows of length 1; rows of zeros where nothing was measured.
        reading: (documents,) `EncodingStatus` of each.
        read: (documents,) share of each text that the encoder read, 0..1; 0 where nothing was measured.
    """

    vectors: NDArray[np.float32]
    reading: NDArray[np.int8]
    read: NDArray[np.float32]


class Encoder(Protocol):
    """Turns texts into unit vectors whose cosine says how alike they are.

    Numbers made with different encoders, revisions or backgrounds are never compared with each other.

    Attributes:
        name: name of the encoder, for reports.
        revision: digest of its weights, tokenizer and method.
        dimensions: length of its vectors.
        background: digest of what it subtracts by language, or `NO_BACKGROUND`.
        languages: codes that it covers; `ANY_LANGUAGE` among them covers all.
        likeness: by language, how alike unrelated documents are to it, from when its background was made; empty if it
            has none.
    """

    @property
    def name(self) -> str:
        """The encoder's name, as reports give it."""

    @property
    def revision(self) -> str:
        """Digest of its weights, tokenizer and method."""

    @property
    def dimensions(self) -> int:
        """Numbers in a vector."""

    @property
    def background(self) -> str:
        """Digest of what is subtracted by language."""

    @property
    def languages(self) -> frozenset[str]:
        """Codes of the languages that it covers."""

    @property
    def likeness(self) -> Mapping[str, float]:
        """The .999 quantile of the cosines of unrelated documents, by language."""

    def encode(self, texts: Sequence[str], languages: Sequence[str]) -> Encoded:
        """Embed texts; a row depends on its own text and language alone, not on the others.

        Args:
            texts: documents.
            languages: the language code of each.
        """


def to_fixed_point(vectors: NDArray[np.floating]) -> NDArray[np.int16]:
    """Embeddings as they are kept: 16-bit fixed point, 32,767 for 1.

    Integers make what is computed from them independent of the order of the arithmetic. A cosine changes by
    1.2e-5 (standard deviation, whatever the dimensions). 2 bytes a number: 512 bytes a document at 256 dimensions.

    Args:
        vectors: (documents, dimensions), each number in [-1, 1].

    Raises:
        ValueError: a number is not finite, or outside [-1, 1] by more than rounding.
    """
    if not (np.abs(vectors) <= 1.0001).all():  # NaN fails the comparison too
        raise ValueError("embeddings need numbers in [-1, 1]: give rows of length 1")
    fixed: NDArray[np.int16] = np.clip(np.rint(vectors * np.float32(ONE)), -ONE, ONE).astype(np.int16)
    return fixed


def from_fixed_point(vectors: NDArray[np.int16]) -> NDArray[np.float32]:
    """Embeddings in fixed point as rows of length 1 again; rows of zeros stay so."""
    floats = vectors.astype(np.float32)
    return floats * inverse_lengths(vectors)[:, None]


def squared_lengths(vectors: NDArray[np.int16]) -> NDArray[np.int64]:
    """(documents,) exact squared lengths, in units of 32,767**2: at most 2**30 or so."""
    squares: NDArray[np.int64] = np.einsum("ij,ij->i", vectors, vectors, dtype=np.int64, casting="safe")
    return squares


def inverse_lengths(vectors: NDArray[np.int16]) -> NDArray[np.float32]:
    """(documents,) what a row is multiplied by to have length 1; 0 for a row of zeros."""
    lengths = np.sqrt(squared_lengths(vectors).astype(np.float64))
    return np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0).astype(np.float32)
