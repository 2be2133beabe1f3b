"""Multiplicities: how many documents of every source belong to each probe's species, counted in the whole corpus."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from polyculture.compute.compiled import compiled


@dataclass(frozen=True, slots=True)
class GroupCounts:
    """Occurrences of each group of equal texts in each source, at one stage or several, sparse.

    Attributes:
        offsets: (groups + 1,) group g has the entries offsets[g]:offsets[g + 1].
        source: (entries,) source number.
        copies: (entries, stages) occurrences.
        sources: number of sources.
    """

    offsets: NDArray[np.int64]
    source: NDArray[np.int64]
    copies: NDArray[np.int64]
    sources: int

    @property
    def entries(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Offsets, sources and copies, as a compiled function takes them."""
        return self.offsets, self.source, self.copies


def count_groups(
    group: NDArray[np.int64], source: NDArray[np.int64], copies: NDArray[np.int64], sources: int
) -> GroupCounts:
    """Count occurrences per group and source.

    Args:
        group: (documents,) group of equal texts, dense from 0.
        source: (documents,) source number.
        copies: (documents, stages) occurrences of each document.
        sources: number of sources.
    """
    columns = {f"copies_{i}": copies[:, i] for i in range(copies.shape[1])}
    frame = pl.DataFrame({"group": group, "source": source, **columns})
    there = frame.filter(pl.any_horizontal(pl.col(list(columns)) != 0))
    counted = there.group_by("group", "source").agg(pl.col(list(columns)).sum()).sort("group", "source")
    groups = int(group.max()) + 1 if len(group) else 0
    offsets = np.searchsorted(counted["group"].to_numpy(), np.arange(groups + 1)).astype(np.int64)
    return GroupCounts(
        offsets,
        counted["source"].to_numpy().astype(np.int64),
        counted.select(list(columns)).to_numpy().astype(np.int64),
        sources,
    )


def different_groups(asked: NDArray[np.int64], groups: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The different ones of the groups that are asked for; O(asked + groups), where `numpy.unique` sorts.

    Args:
        asked: group numbers, with repeats.
        groups: number of groups.

    Returns:
        The different ones, ascending, and (groups,) the place of each group among them; of use for those asked for.
    """
    is_asked = np.zeros(groups, np.bool_)
    is_asked[asked] = True
    return np.flatnonzero(is_asked), np.cumsum(is_asked) - 1


def group_totals(counts: GroupCounts, groups: int) -> NDArray[np.int64]:
    """Occurrences of each group in all sources together, (groups, stages); 0 where there is no entry."""
    totals = np.zeros((groups, counts.copies.shape[1]), np.int64)
    owner = np.repeat(np.arange(len(counts.offsets) - 1), np.diff(counts.offsets))
    for stage in range(totals.shape[1]):
        totals[:, stage] = np.bincount(owner, counts.copies[:, stage], groups)
    return totals


def exact_multiplicities(probe_groups: NDArray[np.int64], counts: GroupCounts) -> NDArray[np.int64]:
    """Occurrences of each probe's text, (probes, sources, stages)."""
    result = np.zeros((len(probe_groups), counts.sources, counts.copies.shape[1]), np.int64)
    ones = np.ones(len(probe_groups), np.int64)
    add_entries(result, np.arange(len(probe_groups)), probe_groups, ones, counts.entries)
    return result


@compiled()
def add_entries(
    result: NDArray[np.int64],
    at: NDArray[np.int64],
    groups: NDArray[np.int64],
    weight: NDArray[np.int64],
    entries: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
) -> None:
    """Add the entries of groups[i], weight[i] times, to result[at[i]]."""
    offsets, source, copies = entries
    for i in range(len(groups)):
        for entry in range(offsets[groups[i]], offsets[groups[i] + 1]):
            for stage in range(copies.shape[1]):
                result[at[i], source[entry], stage] += weight[i] * copies[entry, stage]
