"""Build, write and reload the ledger of a run.

It is read where nothing is counted, as by the gate; what counts (kernels, polars) is then not imported.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from polyculture.diversity.heavy import HEAVY_FRACTION, Documents, HeavySpecies, heavy_species
from polyculture.diversity.lenses import LENSES, EmbeddingLens, Indexes, NeighbourLens, PartitionLens
from polyculture.diversity.probe_matrix import ProbeMatrix, SourceProbes
from polyculture.diversity.probes import Stage, choose_probes, choose_weighted_probes, split_probes
from polyculture.files import read_parquet, write_parquet, write_text
from schemas.ledger import HEAVY_SCHEMA, LEDGER_SCHEMA, LedgerHeader, Population, Weighting
from schemas.measures import Lens
from schemas.measures import Stage as StageName

if TYPE_CHECKING:
    from polyculture.corpus import Corpus

PROBES_FILE, HEAVY_FILE, HEADER_FILE = "probes.parquet", "heavy.parquet", "ledger.json"


@dataclass(frozen=True)
class Ledger:
    """Probe x source multiplicities of every measured stage, lens and weighting.

    Attributes:
        header: seed, sources and populations.
        rows: LEDGER_SCHEMA.
        heavy: HEAVY_SCHEMA.
    """

    header: LedgerHeader
    rows: pa.Table
    heavy: pa.Table

    def matrix(self, stage: StageName, lens: Lens, weighting: Weighting = Weighting.DOCUMENTS) -> ProbeMatrix | None:
        """What estimators read, or None if it was not measured."""
        population = self.population(stage, lens)
        if population is None:
            return None
        documents = np.array(population.documents, np.int64)
        weight = documents if weighting is Weighting.DOCUMENTS else np.array(population.tokens, np.int64)
        light, source = self._light.get((stage.value, lens.value, weighting.value), self._nothing)
        counts, shares = self._heavy_of(stage, lens, weighting, weight)
        is_partition = isinstance(LENSES[lens], PartitionLens)
        probes = tuple(
            SourceProbes(
                light=light[source == number],
                heavy=counts[counts[:, number] > 0],
                heavy_share=shares[counts[:, number] > 0, number],
                population=int(documents[number]),
                light_population=int(documents[number] - counts[:, number].sum()),
            )
            for number in range(len(documents))
        )
        return ProbeMatrix(probes, documents, weight, weighting, is_partition, population.heavy_above)

    def population(self, stage: StageName, lens: Lens) -> Population | None:
        """What a lens measures at a stage, or None if it was not measured."""
        return next((p for p in self.header.populations if (p.stage, p.lens) == (stage, lens)), None)

    def _heavy_of(
        self, stage: StageName, lens: Lens, weighting: Weighting, weight: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """(species, sources) documents of the heavy species, and their shares of what the sources weigh."""
        is_wanted = (self.heavy["stage"].to_numpy() == stage.value) & (self.heavy["lens"].to_numpy() == lens.value)
        chosen = self.heavy.filter(pa.array(is_wanted))
        documents, tokens = (_matrix_of(chosen[name], len(weight)) for name in ("documents", "tokens"))
        part = documents if weighting is Weighting.DOCUMENTS else tokens
        return documents, part / np.maximum(weight, 1)

    @cached_property
    def _nothing(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        return np.empty((0, len(self.header.sources)), np.int64), np.empty(0, np.int64)

    @cached_property
    def _light(self) -> dict[tuple[str, str, str], tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Multiplicities and source numbers of the light probes, by stage, lens and weighting."""
        every = _matrix_of(self.rows["multiplicity"], len(self.header.sources))
        names = [[s.value for s in StageName], [lens.value for lens in Lens], [w.value for w in Weighting]]
        columns = [_numbers(self.rows[name], known) for name, known in zip(_KEYS, names, strict=True)]
        source = _numbers(self.rows["source"], self.header.sources)
        group = np.ravel_multi_index(columns, [len(known) for known in names]) if len(source) else source
        edges = np.flatnonzero(np.diff(group, prepend=-1, append=-1))  # rows of a group stand together
        found = {}
        for start, end in itertools.pairwise(edges):
            key = tuple(known[column[start]] for known, column in zip(names, columns, strict=True))
            found[key] = (every[start:end], source[start:end])
        return found


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


def _matrix_of(lists: pa.ChunkedArray, width: int) -> NDArray[np.int64]:
    """Lists of one length as the rows of a matrix."""
    rows: NDArray[np.int64] = lists.combine_chunks().flatten().to_numpy().reshape(len(lists), width)
    return rows


def measure_stages(
    corpus: Corpus, indexes: Indexes, stages: Sequence[Stage], probes: int, seed: int
) -> tuple[pa.Table, pa.Table, list[Population]]:
    """Probe the full corpus at several stages, through every lens, by documents and by tokens.

    Args:
        corpus: n documents.
        indexes: what lenses count in.
        stages: how often each document occurs at each stage.
        probes: per source, stage and weighting.
        seed: of the choice of probes.

    Returns:
        LEDGER rows, HEAVY rows, and the population of each stage and lens.
    """
    rows, heavy, populations = [LEDGER_SCHEMA.empty_table()], [HEAVY_SCHEMA.empty_table()], []
    for lens, definition in LENSES.items():
        if isinstance(definition, EmbeddingLens):
            continue  # all of them in one pass: `measure_embeddings`
        if isinstance(definition, PartitionLens):
            measured = _measure_partition(corpus, (lens, definition, indexes), stages, probes, seed)
        else:
            measured = _measure_neighbours(corpus, (lens, definition, indexes), stages, probes, seed)
        for table, is_heavy in measured:
            (heavy if is_heavy else rows).append(table)
        applies = definition.applies(indexes) if isinstance(definition, PartitionLens) else None
        for stage in stages:
            populations.append(population_of(corpus, lens, _where(stage, applies), applies is not None))
    return pa.concat_tables(rows), pa.concat_tables(heavy), populations


def _where(stage: Stage, applies: NDArray[np.bool_] | None) -> Stage:
    """The stage, of the documents that a lens says something about."""
    return stage if applies is None else replace(stage, copies=np.where(applies, stage.copies, 0))


def _documents(corpus: Corpus, stage: Stage) -> Documents:
    return Documents(corpus.source, stage.copies, corpus.tokens, corpus.id_hash, len(corpus.sources))


def population_of(corpus: Corpus, lens: Lens, stage: Stage, has_species: bool) -> Population:
    """What a lens measures of a stage."""
    documents = _documents(corpus, stage)
    counts = documents.totals(Weighting.DOCUMENTS)
    above = HEAVY_FRACTION * int(counts.sum()) if stage.heavy_above is None else stage.heavy_above
    return Population(
        stage=StageName(stage.name),
        lens=lens,
        documents=counts.tolist(),
        tokens=documents.totals(Weighting.TOKENS).tolist(),
        heavy_above=above if has_species else None,
    )


def choose(corpus: Corpus, stage: Stage, probes: int, seed: int) -> dict[Weighting, NDArray[np.int64]]:
    """The probes of each weighting."""
    probes = probes if stage.probes is None else stage.probes
    by_tokens = choose_weighted_probes(stage.copies * corpus.tokens, corpus.source, corpus.id_hash, probes, seed)
    return {
        Weighting.DOCUMENTS: choose_probes(stage, corpus.source, corpus.id_hash, probes, seed),
        Weighting.TOKENS: by_tokens,
    }


def _measure_partition(
    corpus: Corpus, what: tuple[Lens, PartitionLens, Indexes], stages: Sequence[Stage], probes: int, seed: int
) -> Iterator[tuple[pa.Table, bool]]:
    """Rows of a partition lens; True with a table of heavy species."""
    from polyculture.diversity.multiplicity import count_groups, exact_multiplicities  # noqa: PLC0415

    lens, definition, indexes = what
    species, applies = definition.species(indexes), definition.applies(indexes)
    for stage in stages:
        weighed = _where(stage, applies)
        found = heavy_species(species, _documents(corpus, weighed), weighed.heavy_above)
        yield _heavy_rows(corpus, stage.name, lens, found), True
        counts = count_groups(species, corpus.source, weighed.copies[:, None], len(corpus.sources))
        is_heavy = np.isin(species, found.species)
        for weighting, chosen in choose(corpus, weighed, probes, seed).items():
            light, _ = split_probes(chosen, is_heavy)
            multiplicity = exact_multiplicities(species[light], counts)[:, :, 0]
            yield ledger_rows(corpus, (stage.name, lens, weighting), light, multiplicity), False


def _measure_neighbours(
    corpus: Corpus, what: tuple[Lens, NeighbourLens, Indexes], stages: Sequence[Stage], probes: int, seed: int
) -> Iterator[tuple[pa.Table, bool]]:
    """Rows of a neighbourhood lens: all probes are joined in one pass."""
    from polyculture.diversity.multiplicity import count_groups  # noqa: PLC0415

    lens, definition, indexes = what
    chosen = [(i, w, rows) for i, stage in enumerate(stages) for w, rows in choose(corpus, stage, probes, seed).items()]
    copies = np.stack([stage.copies for stage in stages], axis=1)
    counts = count_groups(indexes.groups, corpus.source, copies, len(corpus.sources))
    groups = indexes.groups[np.concatenate([rows for _, _, rows in chosen])]
    multiplicity = definition.count(groups, counts, indexes)
    start = 0
    for number, weighting, rows in chosen:
        block = multiplicity[start : start + len(rows), :, number]
        yield ledger_rows(corpus, (stages[number].name, lens, weighting), rows, block), False
        start += len(rows)


def _lists(matrix: NDArray[np.int64]) -> pa.ListArray:
    """The rows of a matrix as lists."""
    offsets = pa.array(np.arange(len(matrix) + 1) * matrix.shape[1], pa.int32())
    lists = pa.ListArray.from_arrays(offsets, pa.array(np.ascontiguousarray(matrix).ravel(), pa.int64()))
    return lists.cast(LEDGER_SCHEMA.field("multiplicity").type)


def ledger_rows(
    corpus: Corpus, what: tuple[str, Lens, Weighting], rows: NDArray[np.int64], multiplicity: NDArray[np.int64]
) -> pa.Table:
    """LEDGER rows of the probes of one stage, lens and weighting."""
    columns = [pa.array([str(value)] * len(rows), pa.string()) for value in what]
    columns += [
        pa.array([corpus.sources[number] for number in corpus.source[rows]], pa.string()),
        pa.array(corpus.document_ids(rows), pa.string()),
        pa.array(corpus.tokens[rows], pa.int64()),
        _lists(multiplicity),
    ]
    return pa.Table.from_arrays(columns, schema=LEDGER_SCHEMA)


def _heavy_rows(corpus: Corpus, stage: str, lens: Lens, found: HeavySpecies) -> pa.Table:
    columns = [pa.array([value] * len(found.species), pa.string()) for value in (stage, lens.value)]
    columns += [
        pa.array(corpus.document_ids(found.example), pa.string()),
        _lists(found.documents),
        _lists(found.tokens),
    ]
    return pa.Table.from_arrays(columns, schema=HEAVY_SCHEMA)


def write_ledger(ledger: Ledger, folder: Path, prefix: str = "") -> list[Path]:
    """Write the files of a ledger, their names behind a prefix; returns them."""
    probes, heavy, header = (folder / f"{prefix}{name}" for name in (PROBES_FILE, HEAVY_FILE, HEADER_FILE))
    write_parquet(probes, ledger.rows)
    write_parquet(heavy, ledger.heavy)
    write_text(header, ledger.header.model_dump_json(indent=1) + "\n")
    return [probes, heavy, header]


def read_ledger(folder: Path, prefix: str = "", model: type[LedgerHeader] = LedgerHeader) -> Ledger:
    """Reload a ledger, from files whose names stand behind a prefix, and whose header says what the model does.

    Raises:
        OSError: a file is missing.
        ValueError: a file does not hold what it should.
    """
    header = model.model_validate_json((folder / f"{prefix}{HEADER_FILE}").read_bytes())
    tables = []
    for name, schema in ((PROBES_FILE, LEDGER_SCHEMA), (HEAVY_FILE, HEAVY_SCHEMA)):
        table = read_parquet(folder / f"{prefix}{name}")
        if table.schema.names != schema.names:
            raise ValueError(f"{name} has the columns {table.schema.names}, expected {schema.names}")
        tables.append(table.cast(schema))
    return Ledger(header, *tables)
