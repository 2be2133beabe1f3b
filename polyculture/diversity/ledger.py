"""Build, write and reload the ledger of a run."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
from numpy.typing import NDArray

from polyculture.corpus import Corpus
from polyculture.diversity.lenses import LENSES, Indexes
from polyculture.diversity.multiplicity import count_groups
from polyculture.diversity.probes import Stage, choose_probes
from polyculture.files import write_parquet, write_text
from schemas.config import Lens
from schemas.config import Stage as StageName
from schemas.ledger import LEDGER_SCHEMA, LedgerHeader, StagePopulation


@dataclass(frozen=True)
class Ledger:
    """Probe x source multiplicities of every measured stage and lens.

    Attributes:
        header: seed, sources and populations.
        rows: LEDGER_SCHEMA.
    """

    header: LedgerHeader
    rows: pa.Table

    def multiplicities(self, stage: StageName, lens: Lens) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Source number of each probe, (probes,), and its multiplicities, (probes, sources)."""
        stages, lenses = self.rows["stage"].to_numpy(), self.rows["lens"].to_numpy()
        chosen = self.rows.filter(pa.array((stages == stage.value) & (lenses == lens.value)))
        number = {name: i for i, name in enumerate(self.header.sources)}
        sources = np.array([number[name] for name in chosen["source"].to_pylist()], np.int64)
        flat = chosen["multiplicity"].combine_chunks().flatten().to_numpy()
        return sources, flat.reshape(len(sources), len(self.header.sources)).astype(np.int64)

    def population(self, stage: StageName) -> StagePopulation | None:
        """Occurrences and tokens of each source at a stage, or None if it was not measured."""
        return next((p for p in self.header.populations if p.stage is stage), None)


def measure_stages(
    corpus: Corpus, indexes: Indexes, stages: Sequence[Stage], probes: int, seed: int
) -> tuple[pa.Table, list[StagePopulation]]:
    """Probe the full corpus at several stages, through every lens, all stages in one pass.

    Args:
        corpus: n documents.
        indexes: what lenses count in.
        stages: how often each document occurs at each stage.
        probes: per source and stage.
        seed: of the choice of probes.

    Returns:
        LEDGER rows, and the population of each stage.
    """
    sources = len(corpus.sources)
    chosen = [choose_probes(stage, corpus.source, corpus.id_hash, probes, seed) for stage in stages]
    counts = count_groups(corpus.group, corpus.source, np.stack([stage.copies for stage in stages], axis=1), sources)
    groups = corpus.group[np.concatenate(chosen)]
    tables = []
    for lens, count_species in LENSES.items():
        multiplicity = count_species(groups, counts, indexes)
        start = 0
        for number, (stage, rows) in enumerate(zip(stages, chosen, strict=True)):
            block = multiplicity[start : start + len(rows), :, number]
            tables.append(_rows(corpus, stage.name, lens, rows, block))
            start += len(rows)
    populations = [
        StagePopulation(
            stage=StageName(stage.name),
            documents=np.bincount(corpus.source, stage.copies, sources).astype(np.int64).tolist(),
            tokens=np.bincount(corpus.source, stage.copies * corpus.tokens, sources).astype(np.int64).tolist(),
        )
        for stage in stages
    ]
    return pa.concat_tables(tables), populations


def _rows(corpus: Corpus, stage: str, lens: Lens, rows: NDArray[np.int64], multiplicity: NDArray[np.int64]) -> pa.Table:
    sources = multiplicity.shape[1]
    offsets = pa.array(np.arange(len(rows) + 1) * sources, pa.int32())
    lists = pa.ListArray.from_arrays(offsets, pa.array(multiplicity.ravel(), pa.int64()))
    columns = [
        pa.array([stage] * len(rows), pa.string()),
        pa.array([lens.value] * len(rows), pa.string()),
        pa.array([corpus.sources[number] for number in corpus.source[rows]], pa.string()),
        pa.array(corpus.document_ids(rows), pa.string()),
        pa.array(corpus.tokens[rows], pa.int64()),
        lists.cast(LEDGER_SCHEMA.field("multiplicity").type),
    ]
    return pa.Table.from_arrays(columns, schema=LEDGER_SCHEMA)


def write_ledger(ledger: Ledger, folder: Path) -> list[Path]:
    """Write `probes.parquet` and `ledger.json`; returns the files."""
    write_parquet(folder / "probes.parquet", ledger.rows)
    write_text(folder / "ledger.json", ledger.header.model_dump_json(indent=1) + "\n")
    return [folder / "probes.parquet", folder / "ledger.json"]


def read_ledger(folder: Path) -> Ledger:
    """Reload a ledger.

    Raises:
        OSError: a file is missing.
        ValueError: a file does not hold what it should.
    """
    header = LedgerHeader.model_validate_json((folder / "ledger.json").read_bytes())
    rows = pa.parquet.read_table(folder / "probes.parquet")
    if rows.schema.names != LEDGER_SCHEMA.names:
        raise ValueError(f"probes.parquet has the columns {rows.schema.names}, expected {LEDGER_SCHEMA.names}")
    return Ledger(header, rows.cast(LEDGER_SCHEMA))
