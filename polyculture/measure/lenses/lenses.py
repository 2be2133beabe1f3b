"""The lenses: for each, what makes documents one species, and how often the species of some probes occur."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from schemas.measures import Lens

if TYPE_CHECKING:
    from polyculture.encoders.embeddings import Embeddings
    from polyculture.measure.lenses.crowding import Crowding
    from polyculture.measure.lenses.near_index import Joined, NearIndex, Parts
    from polyculture.measure.probes.multiplicity import GroupCounts
    from polyculture.measure.probes.species import SeedSpecies


@dataclass(frozen=True, slots=True)
class Indexes:
    """What the steps before measurement have made of n documents, for lenses to count in.

    Attributes:
        groups: (n,) groups of equal canonical text, dense from 0.
        near: signatures of the groups.
        template, opening: (n,) species of equal skeletons, and of skeletons that begin alike, dense from 0.
        seed: species of synthetic documents by what they were made from.
        embeddings: of the documents, or None: then the semantic lenses measure nothing.
    """

    groups: NDArray[np.int64]
    near: NearIndex
    template: NDArray[np.int64]
    opening: NDArray[np.int64]
    seed: SeedSpecies
    embeddings: Embeddings | None = None


@dataclass(frozen=True, slots=True)
class PartitionLens:
    """A lens whose species are a partition of the documents.

    Attributes:
        species: of an index, (n,) species of each document, dense from 0.
        applies: of an index, (n,) which documents it says something about; the others are not measured.
    """

    species: Callable[[Indexes], NDArray[np.int64]]
    applies: Callable[[Indexes], NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class NeighbourLens:
    """A lens whose species are neighbourhoods, one around each document.

    Attributes:
        count: (groups of the probes (p,), what the groups weigh, indexes, parts of the groups) -> documents in each
            probe's closed neighbourhood.
        crowding: (what the groups weigh, indexes, parts of the groups) -> how many neighbours each group may have.
    """

    count: Callable[[NDArray[np.int64], GroupCounts, Indexes, Parts], Joined]
    crowding: Callable[[GroupCounts, Indexes, Parts], Crowding]


@dataclass(frozen=True, slots=True)
class EmbeddingLens:
    """A lens whose species are neighbourhoods among embeddings.

    Attributes:
        tau: the cosine from which on two documents are neighbours.
    """

    tau: float


def everywhere(indexes: Indexes) -> NDArray[np.bool_]:
    """Every document."""
    return np.ones(len(indexes.groups), np.bool_)


def near(groups: NDArray[np.int64], counts: GroupCounts, indexes: Indexes, parts: Parts = (None,)) -> Joined:
    """One neighbourhood: the probe and every document whose shingles are similar enough."""
    return indexes.near.join(groups, counts, parts)


def near_crowding(counts: GroupCounts, indexes: Indexes, parts: Parts = (None,)) -> Crowding:
    """From the band keys that the near lens's join proposes neighbours by."""
    return indexes.near.crowding(counts, parts)


LENSES: dict[Lens, PartitionLens | NeighbourLens | EmbeddingLens] = {
    Lens.EXACT: PartitionLens(lambda indexes: indexes.groups, everywhere),
    Lens.NEAR: NeighbourLens(near, near_crowding),
    Lens.TEMPLATE: PartitionLens(lambda indexes: indexes.template, everywhere),
    Lens.OPENING: PartitionLens(lambda indexes: indexes.opening, everywhere),
    Lens.SEED: PartitionLens(lambda indexes: indexes.seed.species, lambda indexes: indexes.seed.is_measured),
    Lens.SEMANTIC_80: EmbeddingLens(0.80),
    Lens.SEMANTIC_90: EmbeddingLens(0.90),
    Lens.SEMANTIC_95: EmbeddingLens(0.95),
}
