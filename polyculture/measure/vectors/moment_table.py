"""Second moments of all sources at all stages, as one table of integers that is mapped and merges by addition."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from polyculture.encoders.encoder import squared_lengths
from polyculture.measure.vectors.moments import RandomFeatures, SecondMoment, second_moment
from polyculture.measure.vectors.vendi import spectrum
from polyculture.storage.files import map_arrow_file

COSINE, FEATURES = "cosine", "features"
BANDWIDTH, FREQUENCIES, FEATURES_SEED = 0.7, 128, 0
ROWS_AT_ONCE = 16_384
Key = tuple[str, tuple[int, ...]]  # a source, and occurrences at each stage


@dataclass(frozen=True)
class MomentTable:
    """One row for each source and class: documents that occur equally often at every stage.

    The moment of a stage is the sum of its classes', each as often as it occurs. So no document is multiplied twice,
    and a source of which nothing was removed or repeated takes one row for all stages.

    Attributes:
        table: `source`, `copies` (one for each stage), `documents`, and the upper triangles, row by row, of the sums
            of products of embeddings (`cosine`) and of random features (`features`).
    """

    table: pa.Table

    @cached_property
    def keys(self) -> list[Key]:
        """Source and copies of each row."""
        columns = (self.table[name].to_pylist() for name in ("source", "copies"))
        return [(source, tuple(copies)) for source, copies in zip(*columns, strict=True)]

    def triangle(self, row: int, column: str) -> NDArray[np.int64]:
        """The upper triangle of one row; only its pages are read."""
        values: NDArray[np.int64] = self.table[column].slice(row, 1).combine_chunks().flatten().to_numpy()
        return values

    def moment(self, stage: int, sources: Sequence[str], column: str = COSINE) -> SecondMoment | None:
        """The moment of the occurrences of some sources at a stage; None if there are none."""
        total, documents = None, 0
        for row, (source, copies) in enumerate(self.keys):
            if source in sources and copies[stage]:
                part = self.triangle(row, column) * copies[stage]
                total = part if total is None else total + part
                documents += copies[stage] * self.table["documents"][row].as_py()
        return None if total is None else SecondMoment(full_matrix(total), documents)

    def spectrum(self, stage: int, sources: Sequence[str], column: str = COSINE) -> NDArray[np.float64]:
        """Eigenvalues of the density of some sources at a stage; worked out once for the same documents.

        Raises:
            ValueError: there are no documents.
        """
        classes = [(row, copies[stage]) for row, (source, copies) in enumerate(self.keys) if source in sources]
        key = (column, tuple((row, copies) for row, copies in classes if copies))
        if key not in self._spectra:
            moment = self.moment(stage, sources, column)
            if moment is None:
                raise ValueError("the ledger has no moments of documents that it counts")
            self._spectra[key] = spectrum(moment.density())
        return self._spectra[key]

    @cached_property
    def _spectra(self) -> dict[tuple[str, tuple[tuple[int, int], ...]], NDArray[np.float64]]:
        return {}


def full_matrix(triangle: NDArray[np.int64]) -> NDArray[np.int64]:
    """The symmetric matrix of an upper triangle."""
    width = int((np.sqrt(8 * len(triangle) + 1) - 1) / 2)
    matrix = np.zeros((width, width), np.int64)
    above = np.triu_indices(width)
    matrix[above] = triangle
    matrix.T[above] = triangle
    return matrix


@dataclass(frozen=True, slots=True)
class PartRows:
    """Documents of one file of embeddings.

    Attributes:
        path: attributes of the signal `embedding`.
        row: (n,) place of each in the file.
        source: (n,) source number of each.
        copies: (n, stages) occurrences of each.
    """

    path: Path
    row: NDArray[np.int64]
    source: NDArray[np.int64]
    copies: NDArray[np.int64]

    def blocks(self) -> Iterator[tuple[NDArray[np.int16], NDArray[np.int64], NDArray[np.int64]]]:
        """Vectors, source numbers and copies, block by block."""
        table = map_arrow_file(self.path)["vector"]
        for start in range(0, len(self.row), ROWS_AT_ONCE):
            span = slice(start, start + ROWS_AT_ONCE)
            found = table.take(pa.array(self.row[span])).combine_chunks()
            yield found.flatten().to_numpy().reshape(len(found), -1), self.source[span], self.copies[span]


def measure_moments(
    blocks: Iterable[tuple[NDArray[np.int16], NDArray[np.int64], NDArray[np.int64]]], sources: Sequence[str]
) -> MomentTable:
    """Second moments of a corpus.

    Args:
        blocks: vectors in fixed point, source numbers and (documents, stages) copies; rows of zeros are left out.
        sources: names.

    Returns:
        The table; the same for any blocks and order. Time O(documents * width**2), widths 256 and 256 by default.
    """
    sums: dict[Key, Sums] = {}
    features: RandomFeatures | None = None
    for vectors, source, copies in blocks:
        features = features or RandomFeatures(vectors.shape[1], BANDWIDTH, FREQUENCIES, FEATURES_SEED)
        present = np.flatnonzero((squared_lengths(vectors) > 0) & copies.any(axis=1))
        keys, which = np.unique(np.column_stack([source, copies])[present], axis=0, return_inverse=True)
        for number, key in enumerate(keys.tolist()):
            rows = vectors[present[which.ravel() == number]]
            cosine, gaussian = second_moment(rows), second_moment(features.of(rows))
            name = (sources[key[0]], tuple(key[1:]))
            sums[name] = _added(sums.get(name), Sums(len(rows), _upper(cosine), _upper(gaussian)))
    return _table(sums)


def measure_files(parts: Sequence[PartRows], sources: Sequence[str]) -> MomentTable:
    """Second moments of some documents of some files of embeddings: what a worker runs.

    Args:
        parts: the documents, and what they weigh.
        sources: names.
    """
    blocks = (block for part in parts for block in part.blocks())
    return measure_moments(blocks, sources)


def merge_moments(parts: Sequence[MomentTable]) -> MomentTable:
    """The table of a corpus from those of its parts: integer addition, so in any order and grouping the same bytes."""
    sums: dict[Key, Sums] = {}
    for part in parts:
        for row, key in enumerate(part.keys):
            documents = int(part.table["documents"][row].as_py())
            more = Sums(documents, part.triangle(row, COSINE), part.triangle(row, FEATURES))
            sums[key] = _added(sums.get(key), more)
    return _table(sums)


@dataclass(frozen=True, slots=True)
class Sums:
    """One row: documents, and the two upper triangles."""

    documents: int
    cosine: NDArray[np.int64]
    features: NDArray[np.int64]


def _added(one: Sums | None, other: Sums) -> Sums:
    if one is None:
        return other
    return Sums(one.documents + other.documents, one.cosine + other.cosine, one.features + other.features)


def _upper(moment: SecondMoment) -> NDArray[np.int64]:
    triangle: NDArray[np.int64] = moment.sums[np.triu_indices(len(moment.sums))]
    return triangle


def _table(sums: dict[Key, Sums]) -> MomentTable:
    rows = [sums[key] for key in sorted(sums)]
    columns: dict[str, pa.Array] = {
        "source": pa.array([source for source, _ in sorted(sums)], pa.string()),
        "copies": pa.array([list(copies) for _, copies in sorted(sums)], pa.list_(pa.int64())),
        "documents": pa.array([row.documents for row in rows], pa.int64()),
        COSINE: _fixed_lists([row.cosine for row in rows]),
        FEATURES: _fixed_lists([row.features for row in rows]),
    }
    return MomentTable(pa.table(columns))


def _fixed_lists(rows: Sequence[NDArray[np.int64]]) -> pa.FixedSizeListArray:
    flat = np.concatenate([np.empty(0, np.int64), *rows])
    return pa.FixedSizeListArray.from_arrays(pa.array(flat), len(rows[0]) if rows else 1)
