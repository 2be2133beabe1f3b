"""What probes are chosen from: the few occurrences of each source whose hash, or first arrival, is below a limit."""

import numpy as np
from numpy.typing import NDArray

from polyculture.compiled import compiled
from polyculture.hashing import stream_origin

Numbers = NDArray[np.int64]
Documents = tuple[Numbers, Numbers, NDArray[np.uint64]]


def smallest_hashes(
    documents: Documents, seed: int, stream: int, limit: NDArray[np.uint64]
) -> tuple[Numbers, NDArray[np.uint64]]:
    """Occurrences whose seeded hash, of document and copy, is at most the limit of their source.

    Args:
        documents: (documents,) occurrences, source numbers, hashes of document_ids.
        seed: the run's seed.
        stream: a stream of `polyculture.hashing`.
        limit: (sources,).

    Returns:
        Document number and hash of each, by document and copy. Some 5 ns an occurrence; the hash is that of
        `polyculture.hashing.seeded_hash`.
    """
    copies, source, id_hash = documents
    found: tuple[Numbers, NDArray[np.uint64]] = _smallest(copies, source, id_hash, stream_origin(seed, stream), limit)
    return found


def early_arrivals(
    documents: Documents, seed: int, stream: int, limit: NDArray[np.float64]
) -> tuple[Numbers, NDArray[np.float64]]:
    """Arrivals of each document's seeded Poisson process up to the limit of its source.

    Args:
        documents: (documents,) rates, source numbers, hashes of document_ids; a rate of 0 has no arrivals.
        seed: the run's seed.
        stream: a stream of `polyculture.hashing`.
        limit: (sources,) in units of 1 over a rate.

    Returns:
        Document number and time of each, by document and time. Some 20 ns an arrival and document.
    """
    rate, source, id_hash = documents
    found: tuple[Numbers, NDArray[np.float64]] = _early(rate, source, id_hash, stream_origin(seed, stream), limit)
    return found


@compiled()
def _mix(value: np.uint64) -> np.uint64:
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@compiled()
def _salted(mixed: np.uint64, salt: int, origin: np.uint64) -> np.uint64:
    """The seeded hash of a document that is mixed already."""
    return _mix(mixed + _mix(np.uint64(salt) * np.uint64(0xD1B54A32D192ED03) + origin))


@compiled()
def _smallest(
    copies: Numbers, source: Numbers, id_hash: NDArray[np.uint64], origin: np.uint64, limit: NDArray[np.uint64]
) -> tuple[Numbers, NDArray[np.uint64]]:
    document, hashes, count = np.empty(1024, np.int64), np.empty(1024, np.uint64), 0
    for number in range(len(copies)):
        if copies[number] > 0:
            mixed, most = _mix(id_hash[number] ^ origin), limit[source[number]]
            for copy in range(copies[number]):
                found = _salted(mixed, copy, origin)
                if found <= most:
                    if count == len(document):
                        document = np.concatenate((document, np.empty_like(document)))
                        hashes = np.concatenate((hashes, np.empty_like(hashes)))
                    document[count], hashes[count] = number, found
                    count += 1
    return document[:count].copy(), hashes[:count].copy()


@compiled()
def _early(
    rate: Numbers, source: Numbers, id_hash: NDArray[np.uint64], origin: np.uint64, limit: NDArray[np.float64]
) -> tuple[Numbers, NDArray[np.float64]]:
    document, times, count = np.empty(1024, np.int64), np.empty(1024), 0
    for number in range(len(rate)):
        if rate[number] > 0:
            mixed, most = _mix(id_hash[number] ^ origin), limit[source[number]]
            time, arrival = 0.0, 0
            while True:
                uniform = np.float64(_salted(mixed, arrival, origin) >> np.uint64(11)) * 2.0**-53
                time += -np.log1p(-uniform) / rate[number]
                if time > most:
                    break
                if count == len(document):
                    document = np.concatenate((document, np.empty_like(document)))
                    times = np.concatenate((times, np.empty_like(times)))
                document[count], times[count] = number, time
                count += 1
                arrival += 1
    return document[:count].copy(), times[:count].copy()
