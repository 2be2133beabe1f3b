"""The sheet of a survey: the columns that partition lenses are counted from, written where workers map them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from polyculture.measure.lenses.lens import SpeciesIndex
from polyculture.measure.probes.heavy import Documents
from polyculture.measure.probes.ledger_rows import where
from polyculture.measure.probes.probes import StageCopies
from polyculture.storage.files import map_arrow_file, write_arrow_file
from schemas.measures import Lens


@dataclass(frozen=True, slots=True)
class SheetTerms:
    """Questions to a sheet, as plain data that crosses processes.

    Attributes:
        sources: how many there are.
        probes: per source, stage and weighting.
        seed: of the choice of probes.
        stages: of each, its name, and probes and heaviness where it has its own.
        lenses: the partition lenses.
    """

    sources: int
    probes: int
    seed: int
    stages: tuple[tuple[str, int | None, float | None], ...]
    lenses: tuple[Lens, ...]


@dataclass(frozen=True)
class Sheet:
    """Documents as partition lenses count them: a whole corpus, or a part of it.

    Attributes:
        terms: what is asked.
        numbers: (n,) document numbers in the corpus, ascending.
        source, tokens, id_hash: (n,) of each document.
        stages: (n,) copies of each at each stage.
        indexes: (n,) species of each through each lens, and whether the lens says anything about it.
    """

    terms: SheetTerms
    numbers: NDArray[np.int64]
    source: NDArray[np.int64]
    tokens: NDArray[np.int64]
    id_hash: NDArray[np.uint64]
    stages: Sequence[StageCopies]
    indexes: Mapping[Lens, SpeciesIndex]

    def __len__(self) -> int:
        return len(self.numbers)

    def weighed(self, lens: Lens) -> list[StageCopies]:
        """The stages, of the documents that a lens says something about."""
        return [where(stage, self.indexes[lens].applies) for stage in self.stages]

    def documents_at(self, stage: StageCopies) -> Documents:
        """The documents that are counted at a stage."""
        return Documents(self.source, stage.copies, self.tokens, self.id_hash, self.terms.sources)

    def take(self, rows: NDArray[np.int64] | slice) -> "Sheet":
        """A part of the sheet."""
        return Sheet(
            self.terms,
            self.numbers[rows],
            self.source[rows],
            self.tokens[rows],
            self.id_hash[rows],
            [replace(stage, copies=stage.copies[rows]) for stage in self.stages],
            {lens: SpeciesIndex(index.species[rows], index.applies[rows]) for lens, index in self.indexes.items()},
        )

    def write(self, path: Path) -> None:
        """Write the columns, in one piece: at most 8 bytes a document and column."""
        columns: dict[str, NDArray[np.generic]] = {
            "number": self.numbers,
            "source": self.source,
            "tokens": self.tokens,
            "id_hash": self.id_hash,
        }
        columns |= {f"copies_{i}": stage.copies for i, stage in enumerate(self.stages)}
        for lens, index in self.indexes.items():
            columns |= {f"species_{lens.value}": index.species, f"applies_{lens.value}": index.applies.astype(np.uint8)}
        write_arrow_file(path, pa.table(columns))


def open_sheet(path: Path, terms: SheetTerms, first: int, end: int) -> Sheet:
    """The rows from `first` to before `end` of a sheet that was written: only their pages are read."""
    table = map_arrow_file(path).slice(first, end - first).combine_chunks()

    def column(name: str) -> NDArray[np.int64]:
        values: NDArray[np.int64] = table[name].to_numpy()
        return values

    return Sheet(
        terms,
        column("number"),
        column("source"),
        column("tokens"),
        table["id_hash"].to_numpy(),
        [StageCopies(stage[0], column(f"copies_{i}"), *stage[1:]) for i, stage in enumerate(terms.stages)],
        {
            lens: SpeciesIndex(column(f"species_{lens.value}"), column(f"applies_{lens.value}").astype(np.bool_))
            for lens in terms.lenses
        },
    )
