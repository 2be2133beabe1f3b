"""Crowded documents, which may have many neighbours: an upper bound from counts of band keys, exact and mergeable."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyculture.compute.compiled import compiled
from polyculture.compute.threads import in_spans
from polyculture.measure.lenses.near_keys import Shared, is_shared

BIN_BITS = 22  # at most 24 keys a document in 4 million bins: of N documents a bin holds 6e-6 N by chance


@dataclass(frozen=True, slots=True)
class Crowding:
    """Upper bounds on the neighbours of each group of equal texts.

    Attributes:
        largest: (groups, stages) documents in the fullest bin of each group's band keys, its own included.
        most: (groups, stages) its own documents and all that share one of its bins: no group has more neighbours.
    """

    largest: NDArray[np.int64]
    most: NDArray[np.int64]


def count_bins(
    keys: NDArray[np.uint64], shared: Shared, has_words: NDArray[np.bool_], weight: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Documents in each bin of the band keys that groups share; those of two partitions are added.

    Keys are counted by some of their bits, so that the table has one size, however many keys there are. A bin holds at
    least what each of its keys holds (the one-sided error of Cormode & Muthukrishnan 2005, with one row of counters).

    Args:
        keys: (groups, bands) of all groups.
        shared: which of them another group may have too, of the whole corpus.
        has_words: (groups,) whether a group has shingles; one without has no neighbours.
        weight: (groups, stages) documents of each.

    Returns:
        (2**22, stages). Some 30 ns per key; it waits for memory, and more threads do not help.
    """
    bins = np.zeros((1 << BIN_BITS, weight.shape[1]), np.int64)
    _count(keys, shared, has_words, weight, bins)
    return bins


def crowding(
    banded: tuple[NDArray[np.uint64], Shared],
    has_words: NDArray[np.bool_],
    weight: NDArray[np.int64],
    bins: NDArray[np.int64],
    threads: int = 1,
) -> Crowding:
    """Bounds for each group, from the bins of the whole corpus.

    Args:
        banded: keys and what is shared, as `count_bins` was given them, of the groups that are asked about.
        has_words: (groups,) as `count_bins` was given it.
        weight: (groups, stages) documents of each.
        bins: sums over all partitions.
        threads: how many share the work; they do not change the result.
    """
    (keys, shared), largest, most = banded, weight.copy(), weight.copy()

    def part(span: tuple[int, int]) -> None:
        mine = slice(*span)
        _look_up(keys[mine], shared[mine], has_words[mine], weight[mine], (bins, largest[mine], most[mine]))

    in_spans(part, len(keys), threads)
    return Crowding(largest, most)


@compiled()
def _bin(key: np.uint64) -> np.int64:
    return np.int64((key * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(64 - BIN_BITS))


@compiled()
def _count(
    keys: NDArray[np.uint64],
    shared: Shared,
    has_words: NDArray[np.bool_],
    weight: NDArray[np.int64],
    bins: NDArray[np.int64],
) -> None:
    for group in range(len(keys)):
        for band in range(keys.shape[1] if has_words[group] else 0):
            if is_shared(shared, group, band):
                at = _bin(keys[group, band])
                for stage in range(weight.shape[1]):
                    bins[at, stage] += weight[group, stage]


@compiled()
def _look_up(
    keys: NDArray[np.uint64],
    shared: Shared,
    has_words: NDArray[np.bool_],
    weight: NDArray[np.int64],
    tables: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
) -> None:
    bins, largest, most = tables
    for group in range(len(keys)):
        for band in range(keys.shape[1] if has_words[group] else 0):
            if is_shared(shared, group, band):  # nobody else has the others
                at = _bin(keys[group, band])
                for stage in range(weight.shape[1]):
                    largest[group, stage] = max(largest[group, stage], bins[at, stage])
                    most[group, stage] += max(0, bins[at, stage] - weight[group, stage])
