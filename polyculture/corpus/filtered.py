"""Rows and numbers of what filters took out."""

import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

from polyculture.filters.registry import ActiveFilter, apply_filters
from polyculture.storage.files import ParquetRows, map_arrow_file, parquet_rows_to, read_parquet_parts
from polyculture.storage.messages import safe_detail
from schemas.filtered import FILTERED_SCHEMA
from schemas.manifest import ExclusionAccount

SHOWN_ENTRIES = 20
GROUP_ROWS = 100_000
_IDENTITY = ("document_id", "source", "file", "tokens")

# (file name, reason) -> documents that left and their tokens
Counts = dict[tuple[str, str], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Filtering:
    """Filters to apply, and where what they take out is written.

    Attributes:
        filters: in the order in which they decide.
        open_rows: opens `filtered/` of a source, by its number; a file is written even if nothing leaves.
    """

    filters: Sequence[ActiveFilter]
    open_rows: Callable[[int], AbstractContextManager[ParquetRows]]


@dataclass(slots=True)
class FilteredOut:
    """Numbers of what left.

    Attributes:
        counts: by source number.
        used: entries of the filters that took something out.
    """

    counts: dict[int, Counts] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def add(self, source: int, left: pl.DataFrame) -> None:
        """Count documents of a source, with their `file`, `reason` and `tokens`."""
        counts = self.counts.setdefault(source, {})
        sums = left.group_by("file", "reason").agg(pl.len(), pl.col("tokens").sum())
        for file, reason, documents, tokens in sums.iter_rows():
            before = counts.get((file, reason), (0, 0))
            counts[file, reason] = (before[0] + documents, before[1] + tokens)


def filter_partitions(
    frame: pl.DataFrame, partitions: Sequence[tuple[int, Path]], filtering: Filtering
) -> tuple[pl.Series, FilteredOut]:
    """Find which documents must not be in, and write them to `filtered/`, a partition at a time.

    Args:
        frame: settled `document_id` and `conflict` of every row, in the order of the partitions. Conflicts are
            quarantined, and leave for no other reason.
        partitions: (source number, file), in the order of the sources.
        filtering: the filters, and where to write.

    Returns:
        (rows,) whether a row must not be in; and the numbers.
    """
    masks, out, first = [pl.Series([], dtype=pl.Boolean)], FilteredOut(), 0
    for source, mine in itertools.groupby(partitions, key=lambda partition: partition[0]):
        with filtering.open_rows(source) as rows:
            for _, path in mine:
                table = map_arrow_file(path)
                settled = frame.slice(first, table.num_rows)
                first += table.num_rows
                left, leaves, used = _decide(table, settled, filtering.filters)
                out.used |= used
                out.add(source, left)
                masks.append(leaves)
                for part in left.iter_slices(GROUP_ROWS):
                    rows.extend(_rows(part))
    return pl.concat(masks), out


def _decide(
    table: pa.Table, settled: pl.DataFrame, filters: Sequence[ActiveFilter]
) -> tuple[pl.DataFrame, pl.Series, set[str]]:
    """The documents of a partition that leave, which rows these are, and the entries that took something out."""
    columns = {name for active in filters for name in active.filter.columns}
    table = table.select([*_IDENTITY, *sorted(columns - set(_IDENTITY))])
    table = table.set_column(0, "document_id", pa.chunked_array([settled["document_id"].to_arrow()]))
    found, used = apply_filters(table, filters)
    leaves = found["reason"].is_not_null() & ~settled["conflict"]
    at = pa.array(np.flatnonzero(leaves.to_numpy()))
    identity = pl.DataFrame(pl.from_arrow(table.select(list(_IDENTITY)).take(at)))
    return identity.hstack(found.filter(leaves)), leaves, used


def _rows(left: pl.DataFrame) -> pa.Table:
    """Rows of `filtered/`."""
    details = left["detail"].to_arrow().cast(pa.string()).dictionary_encode()
    safe = pa.array([safe_detail(detail) for detail in details.dictionary.to_pylist()], pa.string())
    table = left.select("document_id", "source", "reason", "detail", text_tokens="tokens").to_arrow()
    place = FILTERED_SCHEMA.get_field_index("detail")
    return table.set_column(place, "detail", safe.take(details.indices)).cast(FILTERED_SCHEMA)


def extend_filtered(old: Path, new: Path, rows: pa.Table) -> None:
    """Write what a file of `filtered/` holds, and more rows after it, to a file that may be the same; in row groups."""
    with parquet_rows_to(new, FILTERED_SCHEMA) as writer:
        for part in read_parquet_parts(old):
            writer.extend(part.cast(FILTERED_SCHEMA))
        for first in range(0, rows.num_rows, GROUP_ROWS):
            writer.extend(rows.slice(first, GROUP_ROWS))


def account_exclusions(filters: Sequence[ActiveFilter], filtered: FilteredOut) -> ExclusionAccount | None:
    """Count what was kept out, and which entries named nothing; None if nothing was to be kept out.

    Args:
        filters: those that were asked for.
        filtered: what they took out.
    """
    if not filters:
        return None
    stated = [active.contribution for active in filters]
    entries = frozenset[str]().union(*(found.entries for found in stated))
    unmatched = sorted(entries - filtered.used)
    documents = Counter[str]()
    for counts in filtered.counts.values():
        for (_, reason), (count, _) in counts.items():
            documents[reason] += count
    return ExclusionAccount(
        lists=[listed for found in stated for listed in found.lists],
        entries=len(entries),
        unmatched=len(unmatched),
        examples=unmatched[:SHOWN_ENTRIES],
        documents=dict(sorted(documents.items())),
    )
