"""Probes: the few thousand documents of each source whose copies are counted in the whole corpus."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyculture.hashing import PROBE_STREAM, seeded_hash


@dataclass(frozen=True, slots=True)
class Stage:
    """A weighting of the corpus: how often each document occurs at a stage.

    Attributes:
        name: input, distinct or mixture.
        copies: (documents,) occurrences of each document, 0 if it is not there.
    """

    name: str
    copies: NDArray[np.int64]


def choose_probes(
    stage: Stage, source: NDArray[np.int64], id_hash: NDArray[np.uint64], probes: int, seed: int
) -> NDArray[np.int64]:
    """Choose a uniform sample of the occurrences of each source: those with the smallest seeded hash.

    The sample does not depend on the order of the corpus, merges over partitions, and a larger one contains it.

    Args:
        stage: what occurs how often.
        source: (documents,) source number.
        id_hash: (documents,) hash of the document_id.
        probes: how many per source; all occurrences if there are fewer.
        seed: the run's seed.

    Returns:
        Document numbers, by source and then by hash; a document that occurs often may be there more than once.
    """
    present = np.flatnonzero(stage.copies > 0)
    occurrences = np.repeat(present, stage.copies[present])
    first = np.cumsum(stage.copies[present]) - stage.copies[present]
    copy = np.arange(len(occurrences)) - np.repeat(first, stage.copies[present])
    hashes = seeded_hash(id_hash[occurrences], seed, PROBE_STREAM, copy.astype(np.uint64))
    order = np.lexsort((occurrences, hashes, source[occurrences]))
    ranked = occurrences[order]
    ranked_source = source[ranked]
    starts = np.searchsorted(ranked_source, np.arange(ranked_source.max() + 1 if len(ranked) else 0))
    position = np.arange(len(ranked)) - starts[ranked_source] if len(ranked) else np.empty(0, np.int64)
    chosen: NDArray[np.int64] = ranked[position < probes]
    return chosen
