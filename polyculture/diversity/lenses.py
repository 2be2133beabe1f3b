"""The lenses: for each, how often the species of some probes occur in every source."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyculture.diversity.multiplicity import GroupCounts, NearIndex, exact_multiplicities
from schemas.config import Lens


@dataclass(frozen=True, slots=True)
class Indexes:
    """What the steps before measurement have made of the corpus, for lenses to count in."""

    near: NearIndex


# (groups of equal text of the probes (probes,), what the groups weigh, indexes) -> (probes, sources, stages)
CountSpecies = Callable[[NDArray[np.int64], GroupCounts, Indexes], NDArray[np.int64]]


def exact(groups: NDArray[np.int64], counts: GroupCounts, indexes: Indexes) -> NDArray[np.int64]:
    """One species: equal canonical texts."""
    del indexes  # the groups themselves are the species
    return exact_multiplicities(groups, counts)


def near(groups: NDArray[np.int64], counts: GroupCounts, indexes: Indexes) -> NDArray[np.int64]:
    """One neighbourhood: the probe and every document whose shingles are similar enough."""
    return indexes.near.multiplicities(groups, counts)


LENSES: dict[Lens, CountSpecies] = {
    Lens.EXACT: exact,
    Lens.NEAR: near,
}
