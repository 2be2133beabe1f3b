"""Count the ledger: what each partition of a corpus adds, how parts merge, and the rows that come of their sum."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from polyculture.corpus.corpus import Corpus
from polyculture.measure.ledger.neighbour_rows import measure_neighbours
from polyculture.measure.lenses.lenses import LENSES, Indexes, NeighbourLens, PartitionLens
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

Mask = NDArray[np.bool_]
PARTITIONS: dict[Lens, PartitionLens] = {
    lens: definition for lens, definition in LENSES.items() if isinstance(definition, PartitionLens)
}


@dataclass(frozen=True)
class Survey:
    """What is measured: a corpus, what lenses count in, the stages, and how probes are chosen.

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

    def weighed(self, lens: Lens) -> list[StageCopies]:
        """The stages, of the documents that a partition lens says something about."""
        return [where(stage, PARTITIONS[lens].applies(self.indexes)) for stage in self.stages]


@dataclass(frozen=True)
class Part:
    """What a partition of the documents adds.

    Attributes:
        counts: of each partition lens, documents and tokens of every species in every source.
        chosen: by lens and stage, the documents that would be probes if there were no others: those of the whole
            are among those of its parts.
    """

    counts: dict[Lens, SpeciesCounts]
    chosen: dict[tuple[Lens, int], Chosen]


def count_part(survey: Survey, mine: Mask | None = None, after: Callable[[str], object] = str) -> Part:
    """Count a partition of the documents.

    Args:
        survey: what is measured.
        mine: (documents,) which are of the partition; None: all.
        after: called when a lens is counted, with `counts of` and its name.
    """
    counts: dict[Lens, SpeciesCounts] = {}
    chosen: dict[tuple[Lens, int], Chosen] = {}
    applies: dict[Lens, Mask] = {}
    for lens, definition in PARTITIONS.items():
        weighed = survey.weighed(lens)
        applies[lens] = definition.applies(survey.indexes)
        documents = [documents_of(survey.corpus, stage) for stage in weighed]
        counts[lens] = count_species(definition.species(survey.indexes), documents, mine)
        for number, stage in enumerate(weighed):
            same = [(other, number) for other in counts if np.array_equal(applies[other], applies[lens])]
            chosen[lens, number] = chosen.get(same[0]) or choose(
                survey.corpus, where(stage, mine), survey.probes, survey.seed
            )
        after(f"counts of {lens.value}")
    return Part(counts, chosen)


def merge_parts(survey: Survey, left: Part, right: Part) -> Part:
    """Add two parts: the same, in any order and any tree."""
    counts = {lens: merge_species(left.counts[lens], right.counts[lens]) for lens in PARTITIONS}
    chosen = {}
    for lens in PARTITIONS:
        for number, stage in enumerate(survey.weighed(lens)):
            pair = left.chosen[lens, number], right.chosen[lens, number]
            chosen[lens, number] = _merged(survey, stage, pair)
    return Part(counts, chosen)


def _merged(survey: Survey, stage: StageCopies, pair: tuple[Chosen, Chosen]) -> Chosen:
    """The probes among those of two parts."""
    found = {}
    for by in pair[0]:
        candidates = np.zeros(len(stage.copies), np.bool_)
        candidates[np.concatenate([part[by] for part in pair])] = True
        found[by] = choose(survey.corpus, where(stage, candidates), survey.probes, survey.seed)[by]
    return found


def measure_stages(
    survey: Survey,
    part: Part | None = None,
    group_parts: Sequence[Mask | None] = (None,),
    after: Callable[[str], object] = str,
) -> tuple[pa.Table, pa.Table, list[Population]]:
    """Probe the full corpus at several stages, through every lens, by documents and by tokens.

    Args:
        survey: what is measured.
        part: counts of all documents, merged; None: they are counted here, as one part.
        group_parts: (groups,) masks of parts of the groups of equal texts, which the near lens counts one by one.
        after: called when something is done, with its name: `counts of` a lens, or the lens.

    Returns:
        LEDGER rows, HEAVY rows, and the population of each stage and lens; the same however the corpus is cut.
    """
    whole = count_part(survey, after=after) if part is None else part
    rows, heavy = [LEDGER_SCHEMA.empty_table()], [HEAVY_SCHEMA.empty_table()]
    populations: list[Population] = []
    for lens, definition in LENSES.items():
        if isinstance(definition, PartitionLens):
            for table, is_heavy in _partition_rows(survey, lens, whole):
                (heavy if is_heavy else rows).append(table)
            for stage in survey.weighed(lens):
                populations.append(population_of(survey.corpus, lens, stage, has_species=True))
        elif isinstance(definition, NeighbourLens):
            counts = whole.counts[Lens.EXACT].groups(len(np.unique(survey.indexes.groups)))
            settings = (survey.probes, survey.seed, group_parts)
            tables, found = measure_neighbours(
                survey.corpus, (lens, definition, survey.indexes), survey.stages, counts, settings
            )
            rows, populations = rows + tables, populations + found
        after(lens.value)
    return pa.concat_tables(rows), pa.concat_tables(heavy), populations


def _partition_rows(survey: Survey, lens: Lens, whole: Part) -> Iterator[tuple[pa.Table, bool]]:
    """Rows of a partition lens; True with a table of heavy species."""
    corpus, species = survey.corpus, PARTITIONS[lens].species(survey.indexes)
    counts = whole.counts[lens].groups(int(species.max(initial=-1)) + 1)
    for number, stage in enumerate(survey.weighed(lens)):
        found = heavy_of(whole.counts[lens], number, species, documents_of(corpus, stage), heavy_above(stage))
        yield heavy_rows(corpus, stage.name, lens, found), True
        is_heavy = found.has(species)
        for weighting, chosen in whole.chosen[lens, number].items():
            light, _ = split_probes(chosen, is_heavy)
            multiplicity = exact_multiplicities(species[light], counts)[:, :, number]
            yield ledger_rows(corpus, (stage.name, lens, weighting), light, multiplicity), False
