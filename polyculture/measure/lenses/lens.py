"""The shape of a lens: it makes species of documents, and counts in an index that it builds.

Nothing here, nor in a lens's own file outside its `build`, loads a kernel: the gate reads ledgers without any.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa

    from polyculture.measure.lenses.crowding import Crowding
    from polyculture.measure.lenses.near_index import Joined
    from polyculture.measure.probes.multiplicity import GroupCounts
    from polyculture.text.shingles import ShingleSets

Parts = Sequence[NDArray[np.bool_] | None]


class Material(Protocol):
    """Everything that lenses may look at of n documents: a whole corpus, or documents that were chosen."""

    @property
    def groups(self) -> NDArray[np.int64]:
        """(n,) groups of equal canonical text, dense from 0."""
        ...

    @property
    def is_synthetic(self) -> NDArray[np.bool_]:
        """(n,) whether each is of a synthetic source."""
        ...

    def column(self, name: str) -> pa.ChunkedArray:
        """A column of the documents themselves, such as `seed`."""
        ...

    def attribute(self, signal: str, column: str) -> NDArray[Any]:
        """Values that a signal has for every document."""
        ...

    @property
    def shingles(self) -> ShingleSets:
        """Shingle sets of the groups."""
        ...

    @property
    def settings(self) -> LensSettings:
        """Settings that do not come from the documents."""
        ...


@dataclass(frozen=True, slots=True)
class LensSettings:
    """Settings of lenses beside the documents.

    Attributes:
        threshold: least Jaccard similarity of near neighbours.
        signature_seed: seed of the signatures.
        threads: how many share an array; they do not change the result.
    """

    threshold: float
    signature_seed: int
    threads: int = 1


@dataclass(frozen=True, slots=True)
class SpeciesIndex:
    """Index of a partition lens.

    Attributes:
        species: (n,) species of each document, dense from 0.
        applies: (n,) which documents the lens says something about; the others are not measured.
    """

    species: NDArray[np.int64]
    applies: NDArray[np.bool_]

    @classmethod
    def everywhere(cls, species: NDArray[np.int64]) -> SpeciesIndex:
        """Of a lens that says something about every document."""
        return cls(species, np.ones(len(species), np.bool_))


class NeighbourIndex(Protocol):
    """Index of a neighbour lens."""

    def join(self, probe_groups: NDArray[np.int64], counts: GroupCounts, parts: Parts = (None,)) -> Joined:
        """Documents in each probe's closed neighbourhood, from what the groups weigh."""
        ...

    def crowding(self, counts: GroupCounts, parts: Parts = (None,)) -> Crowding:
        """Upper bounds on the neighbours of each group, from what the groups weigh."""
        ...


# Lists of lenses that stand elsewhere; a lens that is in none of them says why.
List = Literal["truth of the canary", "largest species", "comparison of top-ups"]


@dataclass(frozen=True, slots=True)
class PartitionLens:
    """A lens whose species are a partition of the documents.

    Attributes:
        build: makes what it counts in.
        signals: names of the signals that `build` looks at.
        left_out: lists of lenses that it is not in, and why.
    """

    build: Callable[[Material], SpeciesIndex]
    signals: tuple[str, ...] = ()
    left_out: Mapping[List, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NeighbourLens:
    """A lens whose species are neighbourhoods, one around each document.

    Attributes:
        build: makes what it counts in.
        signals: names of the signals that `build` looks at.
        left_out: lists of lenses that it is not in, and why.
    """

    build: Callable[[Material], NeighbourIndex]
    signals: tuple[str, ...] = ()
    left_out: Mapping[List, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EmbeddingLens:
    """A lens whose species are neighbourhoods among embeddings, counted by brute force from the signal `embedding`.

    Attributes:
        tau: the cosine from which on two documents are neighbours.
        left_out: lists of lenses that it is not in, and why.
    """

    tau: float
    left_out: Mapping[List, str] = field(default_factory=dict)
