"""Embeddings that somebody else computed: a column of lists of numbers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from polyculture.encoders.encoder import ANY_LANGUAGE, NO_BACKGROUND, Encoded, EncodingStatus
from polyculture.errors import PolycultureError


@dataclass(frozen=True, slots=True)
class ColumnEncoder:
    """The operator's description of embeddings that come with the documents; covers whatever has one.

    Attributes:
        name: model and revision, as configured.
        dimensions: numbers in an embedding.
    """

    name: str
    dimensions: int

    @property
    def revision(self) -> str:
        """A constant: the name holds the revision."""
        return "column"

    @property
    def background(self) -> str:
        """No background: nothing is subtracted."""
        return NO_BACKGROUND

    @property
    def languages(self) -> frozenset[str]:
        """Whatever the model was asked to embed."""
        return frozenset({ANY_LANGUAGE})

    @property
    def likeness(self) -> Mapping[str, float]:
        """Nothing is known of it."""
        return {}

    def encode(self, texts: Sequence[str], languages: Sequence[str]) -> Encoded:
        """Refused: embeddings are read, not made."""
        del texts, languages
        raise PolycultureError(f"{self.name}: embeddings of a column cannot be made of texts; measure with an encoder")


def column_encoder(model: str | None, dimensions: int | None) -> ColumnEncoder:
    """The encoder of a column; the configuration has checked that both are there."""
    if model is None or dimensions is None:
        raise PolycultureError("encoder: column needs `model` and `dimensions`")
    return ColumnEncoder(model, dimensions)


def embeddings_of_column(
    column: pa.Array | pa.ChunkedArray, dimensions: int | None = None, name_of: Callable[[int], str] = "row {}".format
) -> Encoded:
    """Check a column of embeddings and bring them to length 1.

    Args:
        column: fixed-size or variable lists of float16, float32 or float64. A null is a document without embedding.
        dimensions: number of values that each needs; that of the first list if left out. Partitions need it given.
        name_of: gives the name of a row in messages.

    Returns:
        (documents, dimensions) unit rows; nulls are zeros and `EncodingStatus.EMPTY`. What there is speaks for the
        whole text: nobody can see how much of it was read.

    Raises:
        PolycultureError: the column is of another type, or a list has a null, another width, a number that is not
            finite, or length 0. The message names the first such row.
    """
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    kind = array.type
    if not (pa.types.is_fixed_size_list(kind) or pa.types.is_list(kind) or pa.types.is_large_list(kind)):
        raise PolycultureError(f"an embedding column needs lists of floats, got {kind}")
    if not pa.types.is_floating(kind.value_type):
        raise PolycultureError(f"an embedding column needs lists of floats, got lists of {kind.value_type}")
    present = np.asarray(array.is_valid())
    lists = array.filter(pa.array(present))
    flat = lists.flatten()
    numbers = np.flatnonzero(present).tolist()

    def called(at: int) -> str:
        return name_of(numbers[at])

    width = _width(lists, called, dimensions)
    if flat.null_count:
        at = int(np.argmin(np.asarray(flat.is_valid()))) // width
        raise PolycultureError(f"embedding of {called(at)} holds a null; every number is needed")
    vectors = np.zeros((len(array), width), np.float32)
    rows = np.asarray(flat.to_numpy(zero_copy_only=False), np.float64).reshape(-1, width)
    vectors[present] = _unit(rows, called)
    reading = np.where(present, EncodingStatus.MEASURED, EncodingStatus.EMPTY).astype(np.int8)
    return Encoded(vectors, reading, present.astype(np.float32))


def _width(lists: pa.Array, called: Callable[[int], str], dimensions: int | None) -> int:
    lengths = (
        np.full(len(lists), lists.type.list_size)
        if pa.types.is_fixed_size_list(lists.type)
        else np.diff(lists.offsets.to_numpy())
    )
    width = int(lengths[0]) if dimensions is None and len(lengths) else int(dimensions or 0)
    wrong = np.flatnonzero(lengths != width)
    if len(wrong) or (len(lengths) and width < 1):
        row = int(wrong[0]) if len(wrong) else 0
        raise PolycultureError(f"embedding of {called(row)} has {lengths[row]} numbers, {width} are needed")
    return width


def _unit(vectors: NDArray[np.float64], called: Callable[[int], str]) -> NDArray[np.float32]:
    largest = np.abs(vectors).max(axis=1, initial=0.0, keepdims=True)
    wrong = np.flatnonzero(~(np.isfinite(largest) & (largest > 0)))
    if len(wrong):
        raise PolycultureError(
            f"embedding of {called(int(wrong[0]))} is all zeros, or holds a number that is not finite"
        )
    scaled = vectors / largest  # so that no square overflows or vanishes
    unit: NDArray[np.float32] = (scaled / np.linalg.norm(scaled, axis=1, keepdims=True)).astype(np.float32)
    return unit
