"""Heavy species: the few that are so large that sampling them is noisy, counted whole instead."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyculture.measure.probes.probe_matrix import SourceProbes, Weighting

HEAVY_FRACTION = 1e-4  # of all documents: at most 10,000 species are heavier


@dataclass(frozen=True, slots=True)
class Documents:
    """The documents of a corpus at a stage.

    Attributes:
        source: (documents,) source number.
        copies: (documents,) occurrences of each, 0 if it is not there.
        tokens: (documents,) tokens of one occurrence.
        id_hash: (documents,) hash of the document_id.
        sources: number of sources.
    """

    source: NDArray[np.int64]
    copies: NDArray[np.int64]
    tokens: NDArray[np.int64]
    id_hash: NDArray[np.uint64]
    sources: int

    def totals(self, weighting: Weighting) -> NDArray[np.int64]:
        """(sources,) occurrences, or their tokens, of each source; exact integers below 2**53."""
        weight = self.copies if weighting is Weighting.DOCUMENTS else self.copies * self.tokens
        return np.bincount(self.source, weight, self.sources).astype(np.int64)


@dataclass(frozen=True, slots=True)
class HeavyCounts:
    """Every species with more than `above` documents, largest first.

    Attributes:
        species: (h,) species numbers.
        documents: (h, sources) occurrences in each source.
        tokens: (h, sources) their tokens.
        example: (h,) number of the document of each with the smallest id hash.
        above: number of documents above which a species is heavy.
        totals: (sources,) occurrences, and tokens, of each source, heavy or not.
    """

    species: NDArray[np.int64]
    documents: NDArray[np.int64]
    tokens: NDArray[np.int64]
    example: NDArray[np.int64]
    above: float
    totals: tuple[NDArray[np.int64], NDArray[np.int64]]

    def shares(self, weighting: Weighting) -> NDArray[np.float64]:
        """(h, sources) share of each source's documents, or tokens, that lies in each heavy species."""
        part, whole = (
            (self.documents, self.totals[0]) if weighting is Weighting.DOCUMENTS else (self.tokens, self.totals[1])
        )
        return part / np.maximum(whole, 1)

    def source_probes(self, source: int, light: NDArray[np.int64], weighting: Weighting) -> SourceProbes:
        """One source of a probe matrix, from the (probes, sources) multiplicities of its light probes."""
        has_some = self.documents[:, source] > 0
        heavy = int(self.documents[:, source].sum())
        return SourceProbes.of_species(
            light,
            self.documents[has_some],
            self.shares(weighting)[has_some, source],
            (int(self.totals[0][source]) - heavy, heavy),
            self.above,
        )

    def has(self, species: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Mark the heavy ones of these species numbers."""
        return np.isin(species, self.species)


def heavy_species(species: NDArray[np.int64], documents: Documents, heavy_above: float | None = None) -> HeavyCounts:
    """Count every species that holds more than 1e-4 of all documents. None is left out, however many.

    Without it one species of 1,000 in 100,000 documents leaves the interval of H2 covering 83 %. Grouping is exact and
    takes sums of integers, so that neither order nor partitioning of the documents changes the result.

    Args:
        species: (documents,) species number, of a lens whose species are a partition.
        documents: the documents.
        heavy_above: number of documents above which a species is heavy, if not 1e-4 of all documents.

    Returns:
        The heavy species, by falling size, then by the example's id hash. O(documents).
    """
    import polars as pl  # noqa: PLC0415 -- readers of a ledger need the figures here, not the counting

    frame = pl.DataFrame(
        {
            "species": species,
            "source": documents.source,
            "copies": documents.copies,
            "tokens": documents.tokens * documents.copies,
            "id_hash": documents.id_hash,
            "document": np.arange(len(species)),
        }
    ).filter(pl.col("copies") > 0)
    above = HEAVY_FRACTION * int(documents.copies.sum()) if heavy_above is None else heavy_above
    sizes = frame.group_by("species").agg(pl.col("copies").sum().alias("size")).filter(pl.col("size") > above)
    members = frame.join(sizes, on="species")
    ranked = (
        members.group_by("species", "size")
        .agg(pl.all().sort_by("id_hash", "document").first())
        .sort(["size", "id_hash", "document"], descending=[True, False, False])
    )
    row = pl.DataFrame({"species": ranked["species"], "row": np.arange(len(ranked))})
    counted = members.group_by("species", "source").agg(pl.col("copies", "tokens").sum()).join(row, on="species")
    at = (counted["row"].to_numpy(), counted["source"].to_numpy())
    tables = [np.zeros((len(ranked), documents.sources), np.int64) for _ in range(2)]
    for table, column in zip(tables, ("copies", "tokens"), strict=True):
        table[at] = counted[column].to_numpy()
    return HeavyCounts(
        species=ranked["species"].to_numpy().astype(np.int64),
        documents=tables[0],
        tokens=tables[1],
        example=ranked["document"].to_numpy().astype(np.int64),
        above=above,
        totals=(documents.totals(Weighting.DOCUMENTS), documents.totals(Weighting.TOKENS)),
    )
