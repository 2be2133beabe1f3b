"""The lenses, by name, and what they count in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from polyculture.measure.lenses import exact, near, seed, semantic, template
from polyculture.measure.lenses.lens import (
    EmbeddingLens,
    Material,
    NeighbourIndex,
    NeighbourLens,
    PartitionLens,
    SpeciesIndex,
)
from schemas.measures import Lens

LENSES: dict[Lens, PartitionLens | NeighbourLens | EmbeddingLens] = {
    Lens.EXACT: exact.LENS,
    Lens.NEAR: near.LENS,
    Lens.TEMPLATE: template.WHOLE,
    Lens.OPENING: template.OPENING,
    Lens.SEED: seed.LENS,
    Lens.SEMANTIC_80: semantic.AT_80,
    Lens.SEMANTIC_90: semantic.AT_90,
    Lens.SEMANTIC_95: semantic.AT_95,
}


# What has to be known of documents before any index is built.
LENS_SIGNALS = tuple(
    sorted({signal for lens in LENSES.values() if not isinstance(lens, EmbeddingLens) for signal in lens.signals})
)


@dataclass(frozen=True, slots=True)
class Indexes:
    """Indexes of all lenses, over n documents.

    Attributes:
        groups: (n,) groups of equal canonical text, dense from 0.
        built: by lens; embedding lenses have none.
    """

    groups: NDArray[np.int64]
    built: Mapping[Lens, SpeciesIndex | NeighbourIndex]

    def species(self, lens: Lens) -> SpeciesIndex:
        """Index of a partition lens."""
        return cast("SpeciesIndex", self.built[lens])

    def neighbours(self, lens: Lens) -> NeighbourIndex:
        """Index of a neighbour lens."""
        return cast("NeighbourIndex", self.built[lens])


def build_indexes(material: Material, after: Callable[[str], object] = str) -> Indexes:
    """Build what every lens counts in.

    Args:
        material: n documents.
        after: called with the name of each lens that is ready.
    """
    built: dict[Lens, SpeciesIndex | NeighbourIndex] = {}
    for lens, definition in LENSES.items():
        if isinstance(definition, EmbeddingLens):
            continue
        built[lens] = definition.build(material)
        after(f"index of {lens.value}")
    return Indexes(material.groups, built)
