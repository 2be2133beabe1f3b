"""Attributes of a corpus: what signals say of its documents, gathered from beside the partitions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyculture.corpus.corpus import Corpus, take_rows
from polyculture.signals.attributes import numbers_of
from polyculture.storage.files import map_arrow_file


@dataclass(frozen=True)
class Attributes:
    """Attributes of n documents, where they lie.

    Attributes:
        paths: files of each signal, in the order of the partitions.
        partition, row: (n,) where each document lies.
    """

    paths: Mapping[str, Sequence[Path]]
    partition: NDArray[np.int64]
    row: NDArray[np.int64]

    @classmethod
    def of(cls, corpus: Corpus, paths: Mapping[str, Sequence[Path]]) -> "Attributes":
        """Attributes of the documents of a corpus, from files in the order of its partitions."""
        return cls(paths, *(corpus.column(name).astype(np.int64) for name in ("partition", "row")))

    def values(self, signal: str, column: str) -> NDArray[Any]:
        """Values that a signal has for every document.

        Returns:
            (n,), or (n, width) of a column of lists of one length.

        Raises:
            LookupError: there are no attributes of that signal.
        """
        if signal not in self.paths:
            raise LookupError(f"no attributes of the signal {signal!r}; there are: {', '.join(sorted(self.paths))}")
        tables = [map_arrow_file(path) for path in self.paths[signal]]
        return numbers_of(take_rows(tables, self.partition, self.row, [column])[column].combine_chunks())
