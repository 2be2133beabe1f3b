"""Every filter by its name, and those that a configuration asks for."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from polyculture.errors import ConfigError, PolycultureError
from polyculture.filters.filter import Asked, Contribution, Filter, Section
from polyculture.filters.licenses import LICENSES
from polyculture.filters.lists import EXCLUDE, LISTS
from schemas.config import CurationConfig

# By the name that `filtered` counts it. A document that several take out is counted by the first of them.
FILTERS: dict[str, Filter[Any]] = {
    EXCLUDE: LISTS,
    "license": LICENSES,
}


@dataclass(frozen=True, slots=True)
class ActiveFilter:
    """A filter with the settings that a configuration gives it."""

    name: str
    filter: Filter[Any]
    settings: Any

    @property
    def contribution(self) -> Contribution:
        """Lists and entries of the settings."""
        return self.filter.contribute(self.settings)


def open_filters(config: CurationConfig, base: Path) -> tuple[ActiveFilter, ...]:
    """Find which filters a configuration asks for, in the order in which they decide.

    Args:
        config: the configuration.
        base: folder that its paths are relative to.

    Raises:
        ConfigError: it names a filter that does not exist, or settings or lists are not fit.
    """
    known = sorted(name for name, found in FILTERS.items() if isinstance(found.settings, Section))
    for name in config.filters:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise ConfigError(f"filters: unknown filter {name!r}; {hint}known: {', '.join(known) or 'none'}")
    opened = ((name, found, found.settings(Asked(name, config, base))) for name, found in FILTERS.items())
    return tuple(ActiveFilter(*active) for active in opened if active[2] is not None)


def apply_filters(table: pa.Table, filters: Sequence[ActiveFilter]) -> tuple[pl.DataFrame, set[str]]:
    """Ask every filter about a table of documents.

    Args:
        table: n documents with the columns that the filters read; ids are settled.
        filters: the first that takes a document out names the reason.

    Returns:
        (n,) `reason` and `detail`, null for a document that stays; and the entries that took something out.

    Raises:
        PolycultureError: a filter did not give one verdict a document.
    """
    nothing = pl.repeat(None, table.num_rows, dtype=pl.String, eager=True)
    found = pl.DataFrame({"reason": nothing, "detail": nothing})
    used = set[str]()
    for active in filters:
        verdicts = active.filter.decide(table.select(list(active.filter.columns)), active.settings)
        if len(verdicts.details) != table.num_rows or verdicts.details.dtype != pl.String:
            raise PolycultureError(
                f"the filter {active.name} gave {len(verdicts.details):,} verdicts of type {verdicts.details.dtype} on "
                f"{table.num_rows:,} documents; it has to give one string or null for each"
            )
        leaves = pl.col("reason").is_null() & pl.lit(verdicts.details).is_not_null()
        found = found.with_columns(
            reason=pl.when(leaves).then(pl.lit(active.name)).otherwise("reason"),
            detail=pl.when(leaves).then(pl.lit(verdicts.details)).otherwise("detail"),
        )
        used |= verdicts.used
    return found, used
