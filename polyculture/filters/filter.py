"""The shape of a filter: what it reads, when it is active, and what it says of each document."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import polars as pl
import pyarrow as pa
from pydantic import BaseModel, ValidationError

from polyculture.errors import ConfigError
from schemas.config import CurationConfig
from schemas.manifest import TakedownList

Settings = TypeVar("Settings")
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Decisions of a filter on n documents.

    Attributes:
        details: (n,) null for a document that stays; else, in a few words, what it leaves for. Never its text.
        used: entries of the settings that took something out, as `Contribution.entries` names them.
    """

    details: pl.Series
    used: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Asked:
    """Where a filter finds its settings.

    Attributes:
        name: of the filter.
        config: the whole configuration.
        base: folder that paths of the configuration are relative to.
    """

    name: str
    config: CurationConfig
    base: Path


@dataclass(frozen=True, slots=True)
class Contribution:
    """Additions of a filter to the account of what was to be kept out.

    Attributes:
        lists: files that the settings were read from; the identity of the run holds their digests.
        entries: names of all entries, so that those which take nothing out can be warned of.
    """

    lists: tuple[TakedownList, ...] = ()
    entries: frozenset[str] = frozenset()


def _nothing(_: object) -> Contribution:
    return Contribution()


@dataclass(frozen=True, slots=True)
class Filter(Generic[Settings]):
    """One way for documents to leave before anything is compared.

    Attributes:
        decide: gives the verdicts on a table of documents; a pure function, without a loop over documents.
        columns: of a partition that `decide` reads; of `text`, only the pages that it touches are read.
        settings: finds the settings in a configuration; None if the filter is not asked for.
        contribute: names the entries of the settings.
    """

    decide: Callable[[pa.Table, Settings], Verdicts]
    columns: tuple[str, ...]
    settings: Callable[[Asked], Settings | None]
    contribute: Callable[[Settings], Contribution] = _nothing


@dataclass(frozen=True, slots=True)
class Section(Generic[Model]):
    """Settings under `filters: {NAME: ...}` of a configuration, checked by a model."""

    model: type[Model]

    def __call__(self, asked: Asked) -> Model | None:
        """The settings; None if the configuration does not name the filter.

        Raises:
            ConfigError: they are not what the model allows.
        """
        values = asked.config.filters.get(asked.name)
        if values is None:
            return None
        try:
            return self.model.model_validate(values)
        except ValidationError as error:
            known = ", ".join(sorted(self.model.model_fields)) or "none"
            problems = "; ".join(
                f"filters.{'.'.join(map(str, (asked.name, *found['loc'])))}: {found['msg']}, got {found['input']!r:.60}"
                for found in error.errors(include_url=False)
            )
            raise ConfigError(f"{problems}; settings of this filter: {known}") from error


def strings(table: pa.Table, name: str) -> pl.Series:
    """A column of strings, where it lies."""
    return pl.Series(name, pl.from_arrow(table[name].cast(pa.large_string())), dtype=pl.String)
