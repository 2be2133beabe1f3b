"""One lens and scope of a pilot."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyculture.pilot.classical import sample_size
from schemas.measures import Lens


@dataclass(frozen=True, slots=True)
class PilotSample:
    """The sample that a forecast is made from.

    Attributes:
        lens, scope: lens and scope of the sample.
        data: frequency counts of a partition lens, f[j] species seen j times; else (documents,) neighbours of each.
        is_partition: whether the lens is a partition; else it has neighbourhoods.
        counted_documents: number of the documents that were counted.
        target_documents: N of this scope.
        largest_species: documents that no species of the corpus exceeds, if known.
    """

    lens: Lens
    scope: str
    data: NDArray[np.int64]
    is_partition: bool
    counted_documents: int
    target_documents: int
    largest_species: int | None

    @property
    def documents(self) -> int:
        """Number of documents in the pilot."""
        return sample_size(self.data) if self.is_partition else len(self.data)
