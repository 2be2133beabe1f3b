"""Documents of the whole corpus that are of a drawn document's species: in all, in its source, and before it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyculture.measure.lenses.lens import NeighbourIndex, SpeciesIndex
from polyculture.measure.lenses.lenses import LENSES, Indexes
from polyculture.measure.probes.multiplicity import count_groups, exact_multiplicities
from schemas.measures import Lens

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Looked:
    """A corpus as lenses see it, perhaps among other documents that are not counted.

    Attributes:
        indexes: of m documents.
        among: (n,) which of them are the corpus's documents, in its order.
    """

    indexes: Indexes
    among: Numbers


def count_species_of(
    looked: Looked, lens: Lens, documents: Numbers, sourced: tuple[NDArray[np.bool_], Numbers, int]
) -> NDArray[np.int64]:
    """Documents of each source in the species, or the closed neighbourhood, of some documents.

    Args:
        looked: n documents through the lenses; this one needs no embeddings.
        lens: which.
        documents: (p,) document numbers.
        sourced: (n,) which documents are counted, (n,) source number of each, and number of sources.

    Returns:
        (p, sources) documents, the document itself among them; zeros where the lens says nothing about it.
    """
    index, (present, source, sources) = looked.indexes.built[lens], sourced
    if isinstance(index, SpeciesIndex):
        species, applies = index.species[looked.among], index.applies[looked.among]
        counts = count_groups(species, source, (present & applies).astype(np.int64)[:, None], sources)
        return exact_multiplicities(species[documents], counts)[:, :, 0] * applies[documents, None]
    return _neighbours(looked, index, documents, sourced)


def _neighbours(
    looked: Looked, index: NeighbourIndex, documents: Numbers, sourced: tuple[NDArray[np.bool_], Numbers, int]
) -> NDArray[np.int64]:
    groups, (present, source, sources) = looked.indexes.groups, sourced
    every_source, copies = np.zeros(len(groups), np.int64), np.zeros((len(groups), 1), np.int64)
    every_source[looked.among], copies[looked.among, 0] = source, present
    counts = count_groups(groups, every_source, copies, sources)
    return index.join(groups[looked.among][documents], counts).multiplicity[:, :, 0]


def counted_lenses() -> list[Lens]:
    """The lenses that need no embeddings."""
    return [lens for lens in LENSES if not lens.value.startswith("semantic")]


def triple(by_source: NDArray[np.int64], own: Numbers, preference: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Documents of all sources, of the document's own, and of those that are preferred to its own.

    Args:
        by_source: (p, sources) documents.
        own: (p,) source number of each document.
        preference: (sources,) place of each source in the survivors' order, the most preferred first.
    """
    is_before = preference < preference[own][:, None]
    mine: Numbers = np.take_along_axis(by_source, own[:, None], axis=1)[:, 0]
    return by_source.sum(axis=1), mine, np.where(is_before, by_source, 0).sum(axis=1)
