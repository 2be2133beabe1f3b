"""A whole corpus, as lenses look at it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from polyculture.corpus.attributes import Attributes
from polyculture.corpus.corpus import Corpus
from polyculture.measure.lenses.lens import LensSettings
from polyculture.text.shingles import ShingleSets
from schemas.documents import Kind


@dataclass(frozen=True)
class CorpusMaterial:
    """The documents of a corpus, as lenses look at them.

    Attributes:
        corpus: n documents.
        attributes: of them.
        shingles: of their groups of equal text.
        settings: what does not come from the documents.
    """

    corpus: Corpus
    attributes: Attributes
    shingles: ShingleSets
    settings: LensSettings

    @property
    def groups(self) -> NDArray[np.int64]:
        """(n,) groups of equal canonical text, dense from 0."""
        return self.corpus.group

    @property
    def is_synthetic(self) -> NDArray[np.bool_]:
        """(n,) whether each is of a synthetic source."""
        synthetic: NDArray[np.bool_] = np.array([kind is Kind.SYNTHETIC for kind in self.corpus.kinds], np.bool_)
        return synthetic[self.corpus.source]

    def column(self, name: str) -> pa.ChunkedArray:
        """A column of the documents themselves."""
        return self.corpus.take(np.arange(len(self.corpus)), [name])[name]

    def attribute(self, signal: str, column: str) -> NDArray[Any]:
        """Values that a signal has for every document."""
        return self.attributes.values(signal, column)
