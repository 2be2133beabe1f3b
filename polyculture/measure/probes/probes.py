"""Probes: the few thousand documents of each source whose copies are counted in the whole corpus."""

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyculture.measure.probes.probe_draws import early_arrivals, smallest_hashes
from polyculture.storage.hashing import Stream


@dataclass(frozen=True, slots=True)
class StageCopies:
    """A weighting of the corpus: how often each document occurs at a stage.

    Attributes:
        name: input, distinct or mixture.
        copies: (documents,) occurrences of each document, 0 if it is not there.
        probes: number of probes of each source; as many as everywhere if None.
        heavy_above: species of more documents are heavy; 1e-4 of all documents if None.
    """

    name: str
    copies: NDArray[np.int64]
    probes: int | None = None
    heavy_above: float | None = None


def choose_probes(
    stage: StageCopies, source: NDArray[np.int64], id_hash: NDArray[np.uint64], probes: int, seed: int
) -> NDArray[np.int64]:
    """Choose a uniform sample of the occurrences of each source: those with the smallest seeded hash.

    The sample does not depend on the order of the corpus, merges over partitions, and a larger one contains it.

    Args:
        stage: occurrences of each document.
        source: (documents,) source number.
        id_hash: (documents,) hash of the document_id.
        probes: number of probes per source; all occurrences if there are fewer.
        seed: the run's seed.

    Returns:
        Document numbers, by source and then by hash; a document that occurs often may be there more than once.
    """
    totals = np.bincount(source, stage.copies).astype(np.int64)
    share = np.minimum(1.0, _enough(probes) / np.maximum(totals, 1))
    everything = np.uint64(np.iinfo(np.uint64).max)
    limit = np.full(len(totals), everything)
    limit[share < 1] = (share[share < 1] * 2.0**64).astype(np.uint64)
    while True:
        document, hashes = smallest_hashes((stage.copies, source, id_hash), seed, Stream.PROBE, limit)
        is_short = np.bincount(source[document], minlength=len(totals)) < np.minimum(totals, probes)
        if not is_short.any():
            return _first(document, source[document], (document, hashes), probes)
        limit[is_short] = everything


def choose_weighted_probes(
    weight: NDArray[np.int64], source: NDArray[np.int64], id_hash: NDArray[np.uint64], probes: int, seed: int
) -> NDArray[np.int64]:
    """Choose a sample of each source with probability in proportion to weight: to tokens.

    Each document has arrivals, a seeded Poisson process of rate `weight`: the first at -ln(u) / weight. The earliest
    arrivals of a source are taken. They are a sample with replacement, each document with probability weight / sum of
    weights whatever was drawn before, so that plain means estimate weighted means and sd / sqrt(probes) is their
    standard error, however large a part of the source is drawn. (Taking each document at most once, as Efraimidis &
    Spirakis 2006, is biased against heavy documents when much of a source is drawn.) Independent of `choose_probes`.
    The sample does not depend on the order of the corpus, merges over partitions (the sample of a union is the sample
    of the partitions' samples), and a larger one contains it.

    Args:
        weight: (documents,) tokens times occurrences; a document of weight 0 is never chosen.
        source: (documents,) source number.
        id_hash: (documents,) hash of the document_id.
        probes: number of probes per source, also of a source of fewer documents.
        seed: the run's seed.

    Returns:
        Document numbers, by source and then by arrival; a document may be there more than once.
    """
    rate = np.bincount(source, weight)
    limit = _enough(probes) / np.maximum(rate, 1.0)
    while True:
        document, time = early_arrivals((weight, source, id_hash), seed, Stream.TOKEN_PROBE, limit)
        is_short = (np.bincount(source[document], minlength=len(rate)) < probes) & (rate > 0)
        if not is_short.any():
            return _first(document, source[document], (id_hash[document], time), probes)
        limit[is_short] *= 2


def _enough(probes: int) -> float:
    """Expected number that is hardly ever met by fewer than `probes`: eight standard deviations above."""
    return float(probes + 8 * np.sqrt(probes + 8))


def _first(
    document: NDArray[np.int64], source: NDArray[np.int64], keys: tuple[NDArray[Any], NDArray[Any]], probes: int
) -> NDArray[np.int64]:
    """The first `probes` of each source, by the last of the keys and then the other; by source and in that order."""
    by_source = np.argsort(source, kind="stable")
    edges = np.concatenate([[0], np.cumsum(np.bincount(source))])
    chosen = [np.empty(0, np.int64)]
    for start, end in itertools.pairwise(edges.tolist()):
        mine = by_source[start:end]
        chosen.append(document[mine[np.lexsort([key[mine] for key in keys])[:probes]]])
    return np.concatenate(chosen)


def split_probes(probes: NDArray[np.int64], is_heavy: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The probes of no heavy species, which stand for the light documents, and the others, which are counted anyway.

    The light ones are a sample of the light documents, of random size: in the order that they were chosen in.

    Args:
        probes: document numbers.
        is_heavy: (documents,) whether each document belongs to a heavy species.
    """
    of_heavy = is_heavy[probes]
    return probes[~of_heavy], probes[of_heavy]
