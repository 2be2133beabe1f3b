"""The part of a ledger that is about embeddings: moments, probes and the reference's split; read lazily."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet
from numpy.typing import NDArray

from polyculture.measure.vectors.moment_table import MomentTable
from polyculture.storage.files import map_arrow_file, write_arrow_file, write_parquet, write_text
from schemas.measures import Stage
from schemas.vectors import RINGS, SourceVectors, VectorsHeader

VECTORS_FILE, MOMENTS_FILE, VECTOR_PROBES_FILE = "vectors.json", "moments.arrow", "vector_probes.parquet"
VECTOR_FILES = (VECTORS_FILE, MOMENTS_FILE, VECTOR_PROBES_FILE)

# One row for each document probe and stage. `kernel_means`: mean of k**2 with the other occurrences of each source.
# `pairs`: neighbours, by ring, nested sample and tau; `nearest`: largest cosine, by ring and sample.
VECTOR_PROBES_SCHEMA = pa.schema(
    [
        pa.field("stage", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("document_id", pa.string(), nullable=False),
        pa.field("kernel_means", pa.list_(pa.field("element", pa.float32(), nullable=False)), nullable=False),
        pa.field("pairs", pa.list_(pa.field("element", pa.int32(), nullable=False)), nullable=False),
        pa.field("nearest", pa.list_(pa.field("element", pa.float32(), nullable=False)), nullable=False),
    ]
)


@dataclass(frozen=True, slots=True)
class VectorProbes:
    """Probes of one source at a stage.

    Attributes:
        kernel_means: (probes, sources) mean of k**2 with the other occurrences of each source; 0 where it has none.
        pairs: (probes, rings, samples, taus) neighbours.
        nearest: (probes, rings, samples) largest cosine.
    """

    kernel_means: NDArray[np.float64]
    pairs: NDArray[np.int64]
    nearest: NDArray[np.float64]


@dataclass(frozen=True)
class VectorLedger:
    """Evidence about embeddings.

    Attributes:
        header: the header, which says what it stands for.
        moments: moments of every source and stage.
        folder: folder from which the probes are read when they are asked for, or None if `made` holds them.
        made: VECTOR_PROBES_SCHEMA.
    """

    header: VectorsHeader
    moments: MomentTable
    folder: Path | None = None
    made: pa.Table | None = None

    @cached_property
    def rows(self) -> pa.Table:
        """VECTOR_PROBES_SCHEMA.

        Raises:
            ValueError: the file does not hold what it should.
        """
        if self.made is not None:
            return self.made
        if self.folder is None:
            return VECTOR_PROBES_SCHEMA.empty_table()
        table = pa.parquet.read_table(self.folder / VECTOR_PROBES_FILE)
        if table.schema.names != VECTOR_PROBES_SCHEMA.names:
            raise ValueError(f"{VECTOR_PROBES_FILE} has the columns {table.schema.names}: it is of another version")
        return table.cast(VECTOR_PROBES_SCHEMA)

    def source(self, stage: Stage, source: str) -> SourceVectors | None:
        """The measurements of a source at a stage; None if nothing of it is there."""
        return next((s for s in self.header.sources if (s.stage, s.source) == (stage, source)), None)

    def probes(self, stage: Stage, source: str) -> VectorProbes:
        """The probes of a source at a stage."""
        chosen = self._by_key.get((stage.value, source))
        rows = self.rows.slice(0, 0) if chosen is None else self.rows.slice(*chosen)
        samples, taus = len(self.header.fractions), len(self.header.taus)
        flat = [rows[name].combine_chunks().flatten().to_numpy() for name in ("kernel_means", "pairs", "nearest")]
        return VectorProbes(
            flat[0].astype(np.float64).reshape(len(rows), -1 if len(rows) else 0),
            flat[1].astype(np.int64).reshape(len(rows), RINGS, samples, taus),
            flat[2].astype(np.float64).reshape(len(rows), RINGS, samples),
        )

    @cached_property
    def _by_key(self) -> dict[tuple[str, str], tuple[int, int]]:
        """First row and number of rows of each stage and source, which stand together."""
        keys = list(zip(self.rows["stage"].to_pylist(), self.rows["source"].to_pylist(), strict=True))
        found: dict[tuple[str, str], tuple[int, int]] = {}
        for number, key in enumerate(keys):
            found[key] = (found[key][0], found[key][1] + 1) if key in found else (number, 1)
        return found

    def at_stage(self, stage: Stage) -> "VectorLedger":
        """The part about one stage; moments stay as they are."""
        rows = self.rows.filter(pc.field("stage") == stage.value)
        return VectorLedger(self.header, self.moments, None, rows)


def write_vectors(vectors: VectorLedger, folder: Path) -> list[Path]:
    """Write the files; returns them."""
    write_text(folder / VECTORS_FILE, vectors.header.model_dump_json(indent=1) + "\n")
    write_arrow_file(folder / MOMENTS_FILE, vectors.moments.table)
    write_parquet(folder / VECTOR_PROBES_FILE, vectors.rows)
    return [folder / name for name in VECTOR_FILES]


def read_vectors(folder: Path) -> VectorLedger | None:
    """Reload; None if embeddings were not measured. Moments are mapped, probes read when they are asked for.

    Raises:
        OSError: some of the files are missing.
        ValueError: a file does not hold what it should.
    """
    if not (folder / VECTORS_FILE).is_file():
        return None
    header = VectorsHeader.model_validate_json((folder / VECTORS_FILE).read_bytes())
    table = map_arrow_file(folder / MOMENTS_FILE)
    if table.schema.names != ["source", "copies", "documents", "cosine", "features"]:
        raise ValueError(f"{MOMENTS_FILE} has the columns {table.schema.names}: it is of another version")
    return VectorLedger(header, MomentTable(table), folder)


def vector_rows(stage: str, sources: Sequence[str], ids: Sequence[str], probes: VectorProbes) -> pa.Table:
    """VECTOR_PROBES rows of a stage, given the source and document_id of each probe."""
    lists = [
        _lists(part.reshape(len(ids), math.prod(part.shape[1:])))
        for part in (probes.kernel_means, probes.pairs, probes.nearest)
    ]
    columns = [pa.array([stage] * len(ids), pa.string()), pa.array(sources, pa.string()), pa.array(ids, pa.string())]
    typed = [found.cast(VECTOR_PROBES_SCHEMA.field(3 + n).type) for n, found in enumerate(lists)]
    return pa.Table.from_arrays([*columns, *typed], schema=VECTOR_PROBES_SCHEMA)


def _lists(matrix: NDArray[np.floating] | NDArray[np.integer]) -> pa.ListArray:
    kind = pa.float32() if matrix.dtype.kind == "f" else pa.int32()
    offsets = pa.array(np.arange(len(matrix) + 1) * matrix.shape[1], pa.int32())
    values = matrix.ravel().astype(np.float32 if matrix.dtype.kind == "f" else np.int32)
    return pa.ListArray.from_arrays(offsets, pa.array(values, kind))
