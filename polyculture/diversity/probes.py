"""Probes: the few thousand documents of each source whose copies are counted in the whole corpus."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyculture.hashing import PROBE_STREAM, TOKEN_PROBE_STREAM, seeded_hash, unit_interval


@dataclass(frozen=True, slots=True)
class Stage:
    """A weighting of the corpus: how often each document occurs at a stage.

    Attributes:
        name: input, distinct or mixture.
        copies: (documents,) occurrences of each document, 0 if it is not there.
        probes: of each source; as many as everywhere if None.
        heavy_above: species of more documents are heavy; 1e-4 of all documents if None.
    """

    name: str
    copies: NDArray[np.int64]
    probes: int | None = None
    heavy_above: float | None = None


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
        probes: how many per source, also of a source of fewer documents.
        seed: the run's seed.

    Returns:
        Document numbers, by source and then by arrival; a document may be there more than once.
    """
    present = np.flatnonzero(weight > 0)
    chosen = [np.empty(0, np.int64)]
    for number in np.unique(source[present]):
        mine = present[source[present] == number]
        chosen.append(mine[_earliest(id_hash[mine], weight[mine].astype(np.float64), probes, seed)])
    return np.concatenate(chosen)


def _earliest(id_hash: NDArray[np.uint64], weight: NDArray[np.float64], probes: int, seed: int) -> NDArray[np.int64]:
    """The documents of the `probes` earliest arrivals, in order."""
    active = np.arange(len(weight))
    last = np.zeros(len(weight))
    document, time = np.empty(0, np.int64), np.empty(0)
    rounds = 0
    while len(active):
        more = 1 + probes // len(active)  # arrivals that each active document is asked for at once
        salts = np.arange(rounds, rounds + more, dtype=np.uint64)
        hashes = seeded_hash(np.repeat(id_hash[active], more), seed, TOKEN_PROBE_STREAM, np.tile(salts, len(active)))
        waits = -np.log1p(-unit_interval(hashes)).reshape(len(active), more) / weight[active, None]
        # summed one by one from the last arrival on, so that times do not depend on how many are asked for
        times = np.cumsum(np.column_stack([last[active], waits]), axis=1)[:, 1:]
        last[active] = times[:, -1]
        document = np.concatenate([document, np.repeat(active, more)])
        time = np.concatenate([time, times.ravel()])
        if len(time) > probes:
            is_early = time <= np.partition(time, probes - 1)[probes - 1]
            document, time = document[is_early], time[is_early]
        first = np.lexsort((id_hash[document], time))[:probes]
        document, time = document[first], time[first]
        limit = time[-1] if len(time) == probes else np.inf
        active = active[last[active] < limit]
        rounds += more
    return document


def split_probes(probes: NDArray[np.int64], is_heavy: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The probes of no heavy species, which stand for the light documents, and the others, which are counted anyway.

    The light ones are a sample of the light documents, of random size: in the order that they were chosen in.

    Args:
        probes: document numbers.
        is_heavy: (documents,) whether each document is of a heavy species.
    """
    of_heavy = is_heavy[probes]
    return probes[~of_heavy], probes[of_heavy]
