"""Count the ledger: what each partition of a corpus adds, how parts merge, and the rows that come of their sum."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from polyculture.compute.executor import Executor, in_groups, run_worthwhile
from polyculture.corpus.corpus import Corpus
from polyculture.measure.ledger.neighbour_rows import measure_neighbours
from polyculture.measure.ledger.sheet import Sheet, SheetTerms, open_sheet
from polyculture.measure.lenses.lens import NeighbourLens, PartitionLens
from polyculture.measure.lenses.lenses import LENSES, Indexes
from polyculture.measure.probes.ledger_rows import (
    Chosen,
    choose,
    documents_of,
    heavy_above,
    heavy_rows,
    ledger_rows,
    population_of,
    where,
)
from polyculture.measure.probes.multiplicity import exact_multiplicities
from polyculture.measure.probes.probes import StageCopies, split_probes
from polyculture.measure.probes.species_counts import SpeciesCounts, count_species, heavy_of, merge_species
from schemas.ledger import HEAVY_SCHEMA, LEDGER_SCHEMA, Population
from schemas.measures import Lens

LEAST_DOCUMENTS = 50_000  # of a call
Mask = NDArray[np.bool_]
PARTITION_LENSES = tuple(lens for lens, definition in LENSES.items() if isinstance(definition, PartitionLens))


@dataclass(frozen=True)
class Survey:
    """The subject of a measurement: a corpus, indexes of its lenses, the stages, and the choice of probes.

    Attributes:
        corpus: n documents.
        indexes: of them.
        stages: how often each document occurs at each stage.
        probes: per source, stage, weighting and stratum.
        seed: of the choice of probes.
    """

    corpus: Corpus
    indexes: Indexes
    stages: Sequence[StageCopies]
    probes: int
    seed: int

    @cached_property
    def sheet(self) -> Sheet:
        """The columns that partition lenses are counted from."""
        corpus = self.corpus
        stages = tuple((stage.name, stage.probes, stage.heavy_above) for stage in self.stages)
        return Sheet(
            SheetTerms(len(corpus.sources), self.probes, self.seed, stages, PARTITION_LENSES),
            np.arange(len(corpus)),
            corpus.source,
            corpus.tokens,
            corpus.id_hash,
            self.stages,
            {lens: self.indexes.species(lens) for lens in PARTITION_LENSES},
        )


@dataclass(frozen=True)
class Part:
    """The counts that a part of the documents adds.

    Attributes:
        counts: of each partition lens, documents and tokens of every species in every source.
        chosen: by lens and stage, the documents that would be probes if there were no others: those of the whole
            are among those of its parts.
    """

    counts: dict[Lens, SpeciesCounts]
    chosen: dict[tuple[Lens, int], Chosen]


def count_part(sheet: Sheet) -> Part:
    """Count a part of the documents, or all of them. O(documents)."""
    counts: dict[Lens, SpeciesCounts] = {}
    chosen: dict[tuple[Lens, int], Chosen] = {}
    for lens, index in sheet.indexes.items():
        weighed = sheet.weighed(lens)
        counts[lens] = count_species(index.species, [sheet.documents_at(stage) for stage in weighed])
        twin = next((other for other in counts if np.array_equal(sheet.indexes[other].applies, index.applies)), lens)
        for number, stage in enumerate(weighed):
            chosen[lens, number] = chosen.get((twin, number)) or _choose(sheet, stage)
    return Part(counts, chosen)


def count_rows(path: Path, terms: SheetTerms, first: int, end: int) -> Part:
    """Count some rows of a sheet that was written: what a worker runs."""
    return count_part(open_sheet(path, terms, first, end))


def merge_parts(sheet: Sheet, parts: Sequence[Part]) -> Part:
    """Add parts: the same in any order, and in any tree.

    Args:
        sheet: of all documents.
        parts: of some that no two share, one at least.
    """
    counts = {lens: merge_species([part.counts[lens] for part in parts]) for lens in sheet.indexes}
    chosen: dict[tuple[Lens, int], Chosen] = {}
    for lens, index in sheet.indexes.items():
        for number, stage in enumerate(sheet.stages):
            chosen[lens, number] = {}
            for weighting in parts[0].chosen[lens, number]:
                rows = np.unique(np.concatenate([part.chosen[lens, number][weighting] for part in parts]))
                among = sheet.take(rows)
                copies = where(StageCopies(stage.name, stage.copies[rows], stage.probes), index.applies[rows])
                chosen[lens, number][weighting] = _choose(among, copies)[weighting]
    return Part(counts, chosen)


def _choose(sheet: Sheet, stage: StageCopies) -> Chosen:
    """The probes of each weighting, as document numbers in the corpus."""
    drawn = choose(sheet, stage, sheet.terms.probes, sheet.terms.seed)
    return {weighting: sheet.numbers[rows] for weighting, rows in drawn.items()}


def count_partitions(survey: Survey, path: Path, executor: Executor) -> Part:
    """Count every partition of a corpus in a worker, and add them up.

    Args:
        survey: what is measured.
        path: where the survey's sheet may be written, for workers to map.
        executor: runs one call per partition, or for several small ones.

    Returns:
        The counts of all documents: the same for any partitions, one among them.
    """
    sheet = survey.sheet
    sheet.write(path)
    spans = survey.corpus.spans
    groups = in_groups([end - first for first, end in spans], LEAST_DOCUMENTS)
    calls = [(path, sheet.terms, spans[first][0], spans[end - 1][1]) for first, end in groups]
    return merge_parts(sheet, list(run_worthwhile(executor, count_rows, calls, is_small=len(sheet) < LEAST_DOCUMENTS)))


def measure_stages(
    survey: Survey,
    part: Part,
    group_parts: Sequence[Mask | None] = (None,),
    after: Callable[[str], object] = str,
) -> tuple[pa.Table, pa.Table, list[Population]]:
    """Probe the full corpus at several stages, through every lens, by documents and by tokens.

    Args:
        survey: what is measured.
        part: counts of all documents, merged.
        group_parts: (groups,) masks of parts of the groups of equal texts, which neighbour lenses count one by one.
        after: called with the name of each lens when it is done.

    Returns:
        LEDGER rows, HEAVY rows, and the population of each stage and lens; the same however the corpus is cut.
    """
    rows, heavy = [LEDGER_SCHEMA.empty_table()], [HEAVY_SCHEMA.empty_table()]
    populations: list[Population] = []
    for lens, definition in LENSES.items():
        if isinstance(definition, PartitionLens):
            for table, is_heavy in _partition_rows(survey, lens, part):
                (heavy if is_heavy else rows).append(table)
            for stage in survey.sheet.weighed(lens):
                populations.append(population_of(survey.corpus, lens, stage, has_species=True))
        elif isinstance(definition, NeighbourLens):
            counts = part.counts[Lens.EXACT].groups(int(survey.indexes.groups.max(initial=-1)) + 1)
            settings = (survey.probes, survey.seed, group_parts)
            tables, found = measure_neighbours(survey.corpus, (lens, survey.indexes), survey.stages, counts, settings)
            rows, populations = rows + tables, populations + found
        after(lens.value)
    return pa.concat_tables(rows), pa.concat_tables(heavy), populations


def _partition_rows(survey: Survey, lens: Lens, whole: Part) -> Iterator[tuple[pa.Table, bool]]:
    """Rows of a partition lens; True with a table of heavy species."""
    corpus, species = survey.corpus, survey.indexes.species(lens).species
    counts = whole.counts[lens].groups(int(species.max(initial=-1)) + 1)
    for number, stage in enumerate(survey.sheet.weighed(lens)):
        found = heavy_of(whole.counts[lens], number, species, documents_of(corpus, stage), heavy_above(stage))
        yield heavy_rows(corpus, stage.name, lens, found), True
        is_heavy = found.has(species)
        for weighting, chosen in whole.chosen[lens, number].items():
            light, _ = split_probes(chosen, is_heavy)
            multiplicity = exact_multiplicities(species[light], counts)[:, :, number]
            yield ledger_rows(corpus, (stage.name, lens, weighting), light, multiplicity), False
