"""Documents and tokens of every species in every source: what partitions of a corpus add up to."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from polyculture.measure.probes.heavy import Documents, HeavyCounts
from polyculture.measure.probes.multiplicity import GroupCounts

Numbers = NDArray[np.int64]
_KEY = ["species", "source"]


@dataclass(frozen=True)
class SpeciesCounts:
    """Counts of one lens at several stages.

    Attributes:
        frame: a row for each species and source that occur, in their order: `copies_i` documents at stage i,
            `tokens_i` their tokens, and `first_i` the smallest id hash among them, null where there are none.
        stages, sources: number of stages and of sources.
    """

    frame: pl.DataFrame
    stages: int
    sources: int

    def totals(self, stage: int) -> tuple[Numbers, Numbers]:
        """(sources,) documents, and tokens."""
        source = self.frame["source"].to_numpy()
        found = []
        for name in ("copies", "tokens"):
            sums = np.zeros(self.sources, np.int64)
            np.add.at(sums, source, self.frame[f"{name}_{stage}"].to_numpy())
            found.append(sums)
        return found[0], found[1]

    def groups(self, size: int) -> GroupCounts:
        """Convert to entries by species.

        Args:
            size: number of species of all partitions.
        """
        species = self.frame["species"].to_numpy()
        copies = self.frame.select([f"copies_{stage}" for stage in range(self.stages)]).to_numpy()
        return GroupCounts(
            np.searchsorted(species, np.arange(size + 1)).astype(np.int64),
            self.frame["source"].to_numpy().astype(np.int64),
            np.ascontiguousarray(copies, np.int64),
            self.sources,
        )


def count_species(species: Numbers, stages: Sequence[Documents]) -> SpeciesCounts:
    """Count the species of some documents: of a corpus, or a part of one.

    Args:
        species: (documents,) species number of each document.
        stages: the same documents at each stage.

    Returns:
        The counts; O(documents). Those of parts are merged by `merge_species`.
    """
    columns = {"species": species, "source": stages[0].source, "id_hash": stages[0].id_hash, "tokens": stages[0].tokens}
    copies = {f"copies_{i}": documents.copies for i, documents in enumerate(stages)}
    frame = pl.DataFrame(columns | copies)
    sums = []
    for number in range(len(stages)):
        occurs = pl.col(f"copies_{number}")
        sums += [
            occurs.sum(),
            (occurs * pl.col("tokens")).sum().alias(f"tokens_{number}"),
            pl.when(occurs > 0).then(pl.col("id_hash")).min().alias(f"first_{number}"),
        ]
    counted = frame.group_by(_KEY).agg(sums).sort(_KEY)
    return SpeciesCounts(counted, len(stages), stages[0].sources)


def merge_species(parts: Sequence[SpeciesCounts]) -> SpeciesCounts:
    """Add the counts of parts, one at least: integers, so that order and grouping of merges do not matter."""
    first = parts[0]
    names = [name for name in first.frame.columns if name not in _KEY]
    sums = [pl.col(name).min() if name.startswith("first") else pl.col(name).sum() for name in names]
    together = pl.concat([part.frame for part in parts]).group_by(_KEY).agg(sums).sort(_KEY)
    return SpeciesCounts(together, first.stages, first.sources)


def heavy_of(counts: SpeciesCounts, stage: int, species: Numbers, documents: Documents, above: float) -> HeavyCounts:
    """The species of more documents than `above` at a stage, as `heavy_species` finds them.

    Args:
        counts: counts of the whole corpus.
        stage: number of the stage.
        species: (documents,) species numbers, as they were counted.
        documents: documents of the stage, in which the example's hash is looked up.
        above: documents.
    """
    copies, tokens, first = (pl.col(f"{name}_{stage}") for name in ("copies", "tokens", "first"))
    totals = counts.totals(stage)
    sizes = counts.frame.group_by("species").agg(copies.sum().alias("size"), first.min().alias("id_hash"))
    sizes = sizes.filter(pl.col("size") > above)
    present = documents.copies > 0
    members = pl.DataFrame(
        {"species": species[present], "id_hash": documents.id_hash[present], "document": np.flatnonzero(present)}
    )
    found = members.join(sizes, on=["species", "id_hash"])
    ranked = found.group_by("species", "size", "id_hash").agg(pl.col("document").min())
    ranked = ranked.sort(["size", "id_hash", "document"], descending=[True, False, False])
    row = pl.DataFrame({"species": ranked["species"], "row": np.arange(len(ranked))})
    entries = counts.frame.select("species", "source", copies, tokens).join(row, on="species")
    at = (entries["row"].to_numpy(), entries["source"].to_numpy())
    tables = [np.zeros((len(ranked), counts.sources), np.int64) for _ in range(2)]
    for table, name in zip(tables, ("copies", "tokens"), strict=True):
        table[at] = entries[f"{name}_{stage}"].to_numpy()
    return HeavyCounts(
        species=ranked["species"].to_numpy().astype(np.int64),
        documents=tables[0],
        tokens=tables[1],
        example=ranked["document"].to_numpy().astype(np.int64),
        above=above,
        totals=totals,
    )
