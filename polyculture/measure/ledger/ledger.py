"""Build, write and reload the ledger of a run.

It is read where nothing is counted, as by the gate; what counts (kernels, polars) is then not imported.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from polyculture.measure.lenses.lens import PartitionLens
from polyculture.measure.lenses.lenses import LENSES
from polyculture.measure.probes.crowded_probes import Drawn, crowded_probes
from polyculture.measure.probes.ledger_file import from_file, matrix_of, to_file
from polyculture.measure.probes.probe_matrix import ProbeMatrix, SourceProbes
from polyculture.measure.vectors.vector_ledger import VectorLedger, read_vectors, write_vectors
from polyculture.storage.files import read_parquet, write_parquet, write_text
from schemas.ledger import HEAVY_SCHEMA, LEDGER_FILE_SCHEMA, LedgerHeader, Population, Weighting
from schemas.measures import Lens, Stage

PROBES_FILE, HEAVY_FILE, HEADER_FILE = "probes.parquet", "heavy.parquet", "ledger.json"


@dataclass(frozen=True)
class Ledger:
    """Probe x source multiplicities of every measured stage, lens and weighting.

    Attributes:
        header: seed, sources and populations.
        rows: LEDGER_SCHEMA.
        heavy: HEAVY_SCHEMA.
        vectors: evidence about embeddings; None if there are none.
    """

    header: LedgerHeader
    rows: pa.Table
    heavy: pa.Table
    vectors: VectorLedger | None = None

    def matrix(self, stage: Stage, lens: Lens, weighting: Weighting = Weighting.DOCUMENTS) -> ProbeMatrix | None:
        """The matrix that estimators read, or None if it was not measured."""
        population = self.population(stage, lens)
        if population is None:
            return None
        documents = np.array(population.documents, np.int64)
        weight = documents if weighting is Weighting.DOCUMENTS else np.array(population.tokens, np.int64)
        drawn = self._drawn.get((stage.value, lens.value, weighting.value), self._nothing)
        if population.crowded is not None:
            probes = crowded_probes(drawn, population, population.crowded, weighting)
            return ProbeMatrix(probes, documents, weight, weighting, is_partition=False)
        counts, shares = self._heavy_of(stage, lens, weighting, weight)
        probes = tuple(
            SourceProbes.of_species(
                drawn.multiplicity[drawn.source == number],
                counts[counts[:, number] > 0],
                shares[counts[:, number] > 0, number],
                (int(documents[number] - counts[:, number].sum()), int(counts[:, number].sum())),
                population.heavy_above,
            )
            for number in range(len(documents))
        )
        return ProbeMatrix(probes, documents, weight, weighting, isinstance(LENSES[lens], PartitionLens))

    def population(self, stage: Stage, lens: Lens) -> Population | None:
        """The population that a lens measures at a stage, or None if it was not measured."""
        return next((p for p in self.header.populations if (p.stage, p.lens) == (stage, lens)), None)

    def _heavy_of(
        self, stage: Stage, lens: Lens, weighting: Weighting, weight: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """(species, sources) documents of the heavy species, and their shares of what the sources weigh."""
        is_wanted = (self.heavy["stage"].to_numpy() == stage.value) & (self.heavy["lens"].to_numpy() == lens.value)
        chosen = self.heavy.filter(pa.array(is_wanted))
        documents, tokens = (matrix_of(chosen[name], len(weight)) for name in ("documents", "tokens"))
        part = documents if weighting is Weighting.DOCUMENTS else tokens
        return documents, part / np.maximum(weight, 1)

    @cached_property
    def _nothing(self) -> Drawn:
        none = np.empty(0, np.int64)
        return Drawn(np.empty((0, len(self.header.sources)), np.int64), none, none, none > 0)

    @cached_property
    def _drawn(self) -> dict[tuple[str, str, str], Drawn]:
        """The probes by stage, lens and weighting."""
        every = matrix_of(self.rows["multiplicity"], len(self.header.sources))
        names = [[s.value for s in Stage], [lens.value for lens in Lens], [w.value for w in Weighting]]
        columns = [_numbers(self.rows[name], known) for name, known in zip(_KEYS, names, strict=True)]
        source = _numbers(self.rows["source"], self.header.sources)
        tokens, is_crowded = (self.rows[name].to_numpy() for name in ("tokens", "is_crowded"))
        group = np.ravel_multi_index(columns, [len(known) for known in names]) if len(source) else source
        edges = np.flatnonzero(np.diff(group, prepend=-1, append=-1))
        parts: dict[tuple[str, str, str], list[slice]] = {}
        for start, end in itertools.pairwise(edges):
            key = tuple(known[column[start]] for known, column in zip(names, columns, strict=True))
            parts.setdefault(key, []).append(slice(start, end))
        every_column = (every, source, tokens, is_crowded)
        return {
            key: Drawn(*(np.concatenate([column[part] for part in found]) for column in every_column))
            for key, found in parts.items()
        }


_KEYS = ("stage", "lens", "weighting")


def _numbers(column: pa.ChunkedArray, known: Sequence[str]) -> NDArray[np.int64]:
    """Place of each string among the known ones.

    Raises:
        ValueError: a string is not known.
    """
    found = pc.index_in(column, value_set=pa.array(known, pa.string()))
    if found.null_count:
        raise ValueError(f"the ledger names what it does not know; known: {', '.join(known)}")
    places: NDArray[np.int64] = found.to_numpy().astype(np.int64)
    return places


def write_ledger(ledger: Ledger, folder: Path, prefix: str = "") -> list[Path]:
    """Write the files of a ledger, their names behind a prefix; returns them."""
    probes, heavy, header = (folder / f"{prefix}{name}" for name in (PROBES_FILE, HEAVY_FILE, HEADER_FILE))
    write_parquet(probes, to_file(ledger.rows, len(ledger.header.sources)))
    write_parquet(heavy, ledger.heavy)
    write_text(header, ledger.header.model_dump_json(indent=1) + "\n")
    files = [probes, heavy, header]
    return files if ledger.vectors is None else files + write_vectors(ledger.vectors, folder)


def read_header(folder: Path) -> LedgerHeader:
    """Read the header, which says what the probes stand for.

    Raises:
        OSError: the file is missing.
        ValueError: it does not hold what it should.
    """
    return LedgerHeader.model_validate_json((folder / HEADER_FILE).read_bytes())


def read_ledger(folder: Path, prefix: str = "", model: type[LedgerHeader] = LedgerHeader) -> Ledger:
    """Reload a ledger, from files whose names stand behind a prefix, and whose header says what the model does.

    Raises:
        OSError: a file is missing.
        ValueError: a file does not hold what it should.
    """
    header = model.model_validate_json((folder / f"{prefix}{HEADER_FILE}").read_bytes())
    tables = []
    for name, schema in ((PROBES_FILE, LEDGER_FILE_SCHEMA), (HEAVY_FILE, HEAVY_SCHEMA)):
        table = read_parquet(folder / f"{prefix}{name}")
        if table.schema.names != schema.names:
            raise ValueError(f"{name} has the columns {table.schema.names}, expected {schema.names}")
        tables.append(table.cast(schema))
    return Ledger(header, from_file(tables[0], len(header.sources)), tables[1], read_vectors(folder))
