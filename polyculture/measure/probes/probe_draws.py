"""Candidates for probes: the few occurrences of each source whose hash, or first arrival, is below a limit."""

import numpy as np
from numpy.typing import NDArray

from polyculture.storage.hashing import seeded_hash, unit_interval

Numbers = NDArray[np.int64]
DOCUMENTS_AT_ONCE = 2**16  # whose hashes stay in the cache
Documents = tuple[Numbers, Numbers, NDArray[np.uint64]]


def smallest_hashes(
    documents: Documents, seed: int, stream: int, limit: NDArray[np.uint64]
) -> tuple[Numbers, NDArray[np.uint64]]:
    """Occurrences whose seeded hash, of document and copy, is at most the limit of their source.

    Args:
        documents: (documents,) occurrences, source numbers, hashes of document_ids.
        seed: the run's seed.
        stream: a stream of `polyculture.storage.hashing`.
        limit: (sources,).

    Returns:
        Document number and hash of each. Some 20 ns an occurrence; the hash is that of
        `polyculture.storage.hashing.seeded_hash`.
    """
    copies, source, id_hash = documents
    found, hashes = [np.empty(0, np.int64)], [np.empty(0, np.uint64)]
    present = np.flatnonzero(copies > 0)
    for start in range(0, len(present), DOCUMENTS_AT_ONCE):
        block = present[start : start + DOCUMENTS_AT_ONCE]
        for copy in range(int(copies[block].max(initial=0))):
            mine = block if copy == 0 else block[copies[block] > copy]
            drawn = seeded_hash(id_hash[mine], seed, stream, copy)
            is_small = drawn <= limit[source[mine]]
            found.append(mine[is_small])
            hashes.append(drawn[is_small])
    return np.concatenate(found), np.concatenate(hashes)


def early_arrivals(
    documents: Documents, seed: int, stream: int, limit: NDArray[np.float64]
) -> tuple[Numbers, NDArray[np.float64]]:
    """Arrivals of each document's seeded Poisson process up to the limit of its source.

    Args:
        documents: (documents,) rates, source numbers, hashes of document_ids; a rate of 0 has no arrivals.
        seed: the run's seed.
        stream: a stream of `polyculture.storage.hashing`.
        limit: (sources,) limits in units of 1 over a rate.

    Returns:
        Document number and time of each. Some 40 ns an arrival and document.
    """
    rate, source, id_hash = documents
    found, times = [np.empty(0, np.int64)], [np.empty(0)]
    present = np.flatnonzero(rate > 0)
    for start in range(0, len(present), DOCUMENTS_AT_ONCE):
        active = present[start : start + DOCUMENTS_AT_ONCE]
        time, arrival = np.zeros(len(active)), 0
        while len(active):
            uniform = unit_interval(seeded_hash(id_hash[active], seed, stream, arrival))
            time = time - np.log1p(-uniform) / rate[active]
            is_early = time <= limit[source[active]]
            active, time, arrival = active[is_early], time[is_early], arrival + 1
            found.append(active)
            times.append(time)
    return np.concatenate(found), np.concatenate(times)
