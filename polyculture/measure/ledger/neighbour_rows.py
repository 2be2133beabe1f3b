"""The near lens's part of the ledger: two strata, each with its own probes, counted in one join."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from polyculture.corpus.corpus import Corpus
from polyculture.measure.lenses.crowding import Crowding
from polyculture.measure.lenses.lenses import Indexes
from polyculture.measure.lenses.near_join import MOST_CANDIDATES
from polyculture.measure.probes.ledger_rows import choose, documents_of, heavy_above, ledger_rows, population_of
from polyculture.measure.probes.multiplicity import GroupCounts, different_groups
from polyculture.measure.probes.probes import StageCopies, choose_probes
from schemas.ledger import Crowded, Population, Weighting
from schemas.measures import Lens

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Split:
    """A stage, cut in two.

    Attributes:
        stage: all of it.
        is_crowded: (documents,) whether each may have many neighbours.
        crowded: content of the stratum of these.
    """

    stage: StageCopies
    is_crowded: NDArray[np.bool_]
    crowded: Crowded

    def part(self, is_crowded: bool) -> StageCopies:
        """One stratum."""
        return replace(self.stage, copies=np.where(self.is_crowded == is_crowded, self.stage.copies, 0))


def measure_neighbours(
    corpus: Corpus,
    what: tuple[Lens, Indexes],
    stages: Sequence[StageCopies],
    counts: GroupCounts,
    settings: tuple[int, int, Sequence[NDArray[np.bool_] | None]],
) -> tuple[list[pa.Table], list[Population]]:
    """Probe a neighbourhood lens at several stages, by documents and by tokens.

    Few documents with very many neighbours carry pairs and order 2, and a uniform sample seldom meets them (one
    cluster of 500 in a million: the interval of H2 covers 64 %). So each source is cut in two (Neyman 1934): documents
    whose band keys are crowded, which may have many neighbours, and the others. Each stratum has its own probes, and a
    stratum that is no larger than that is counted whole. What a stratum holds is counted, so any cut is right.

    Args:
        corpus: n documents.
        what: the lens, and what it counts in.
        stages: occurrences of each document at each stage.
        counts: weights of the groups of equal texts at each stage.
        settings: probes per source, stage, weighting and stratum; seed of their choice; and the parts of the groups
            that are counted one by one, [None] for all at once.

    Returns:
        LEDGER rows, and the population of each stage. All probes are joined in one pass.
    """
    lens, indexes = what
    probes, seed, parts = settings
    index = indexes.neighbours(lens)
    bounds = index.crowding(counts, parts)
    splits = [_split(corpus, stage, indexes.groups, (bounds, number), probes) for number, stage in enumerate(stages)]
    chosen = [
        (number, weighting, is_crowded, rows)
        for number, split in enumerate(splits)
        for is_crowded in (False, True)
        for weighting, rows in _choose(corpus, split, is_crowded, probes, seed).items()
    ]
    # a group is a probe of many stages and weightings
    probed = indexes.groups[np.concatenate([rows for *_, rows in chosen])]
    unique, row_of = different_groups(probed, len(counts.offsets) - 1)
    found = index.join(unique, counts, parts)
    scaled = np.zeros((len(stages), len(corpus.sources)), np.int64)
    tables = []
    for number, weighting, is_crowded, rows in chosen:
        here = row_of[indexes.groups[rows]]
        block = found.multiplicity[here, :, number]
        scaled[number] += np.bincount(corpus.source[rows], found.is_scaled[here], len(corpus.sources)).astype(np.int64)
        tables.append(ledger_rows(corpus, (stages[number].name, lens, weighting), rows, block, is_crowded))
    populations = [
        population_of(corpus, lens, split.stage, has_species=False).model_copy(
            update={"crowded": split.crowded.model_copy(update={"scaled": mine.tolist()})}
        )
        for split, mine in zip(splits, scaled, strict=True)
    ]
    return tables, populations


def _split(corpus: Corpus, stage: StageCopies, groups: Numbers, at: tuple[Crowding, int], probes: int) -> Split:
    bounds, number = at
    above = heavy_above(stage)
    probes = probes if stage.probes is None else stage.probes
    is_crowded = bounds.largest[groups, number] > above
    held = documents_of(corpus, StageCopies(stage.name, np.where(is_crowded, stage.copies, 0)))
    documents = held.totals(Weighting.DOCUMENTS)
    many = np.zeros(len(documents), np.int64)
    np.maximum.at(many, corpus.source[is_crowded], bounds.most[groups[is_crowded]].max(axis=1, initial=0))
    light = bounds.most[groups[~is_crowded & (stage.copies > 0)], number]
    crowded = Crowded(
        above=above,
        documents=documents.tolist(),
        tokens=held.totals(Weighting.TOKENS).tolist(),
        is_whole=((documents <= probes) & (many <= MOST_CANDIDATES)).tolist(),
        light_most=int(min(light.max(initial=1), stage.copies.sum())),
        scaled=[0] * len(documents),
    )
    return Split(stage, is_crowded, crowded)


def _choose(corpus: Corpus, split: Split, is_crowded: bool, probes: int, seed: int) -> dict[Weighting, Numbers]:
    """The probes of one stratum: all its occurrences, in either weighting, in the sources where it is counted whole."""
    stage = split.part(is_crowded)
    probes = probes if stage.probes is None else stage.probes
    drawn = choose(corpus, stage, probes, seed)
    if is_crowded:
        is_whole = np.array(split.crowded.is_whole)[corpus.source]
        everything = choose_probes(
            StageCopies(stage.name, np.where(is_whole, stage.copies, 0)), corpus.source, corpus.id_hash, probes, seed
        )
        drawn = {by: np.concatenate([rows[~is_whole[rows]], everything]) for by, rows in drawn.items()}
    return drawn
