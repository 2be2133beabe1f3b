"""Records of a caller, whatever they come in: tables, lists of texts, or paths of files."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from polyculture.errors import ConfigError

WANTED = "a polars, pandas or pyarrow table, a list of texts, or paths (a str, a Path, or a list of Paths)"


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of the columns that hold text and id.

    Attributes:
        id: None means `id`, if there is one.
    """

    text: str = "text"
    id: str | None = None

    @property
    def fields(self) -> dict[str, str]:
        """Columns or keys by field, as a source's `fields` has them."""
        if self.id is None and self.text != "id":
            return {"text": self.text}  # what is mapped and not there is warned of
        return {"id": self.id or "id_", "text": self.text}


def as_paths(records: object) -> list[str] | None:
    """Paths that a caller means, absolute; None if it means none.

    One string is a path; strings in a list are texts.
    """
    if isinstance(records, str | Path):
        records = [Path(records)]
    if isinstance(records, list | tuple) and records and all(isinstance(item, Path) for item in records):
        return [str(path.absolute()) for path in records]
    return None


def as_frame(records: object, columns: Columns) -> pl.DataFrame:
    """Records as a polars table; a list of texts becomes its text column, and its row numbers are ids if one is named.

    Raises:
        ConfigError: they are none of the kinds that are taken.
    """
    if isinstance(records, pl.DataFrame):
        return records
    if isinstance(records, pl.LazyFrame):
        return records.collect()
    if hasattr(records, "to_list") and not hasattr(records, "columns"):  # a series
        records = records.to_list()
    if isinstance(records, Sequence) and not isinstance(records, str | bytes):
        texts = pl.DataFrame({columns.text: _texts(records)}, {columns.text: pl.String})
        return texts if columns.id is None else texts.with_columns(_row_ids(len(texts)).alias(columns.id))
    return _foreign(records)


def documents(frame: pl.DataFrame, columns: Columns) -> pl.DataFrame:
    """Texts and ids of a table, as `id` and `text`; where it has no ids, its rows are numbered from 0.

    Raises:
        ConfigError: a column is missing, or the text is no string.
    """
    has = ", ".join(frame.columns) or "none"
    if columns.id == columns.text:
        raise ConfigError(f"text_column and id_column are both {columns.text!r}; name two columns")
    if columns.text not in frame.columns:
        raise ConfigError(f"no column {columns.text!r} for the text; the table has {has}; name it by `text_column`")
    if columns.id is not None and columns.id not in frame.columns:
        raise ConfigError(f"no column {columns.id!r} for the id; the table has {has}; name it by `id_column`")
    texts = frame[columns.text]
    if texts.dtype not in (pl.String, pl.Categorical, pl.Enum, pl.Null):
        raise ConfigError(f"the column {columns.text!r} holds {texts.dtype}; wanted strings; cast it, or name another")
    name = columns.id or ("id" if "id" in frame.columns and columns.text != "id" else None)
    if name is None:
        ids = _row_ids(frame.height)
    elif frame[name].dtype.is_nested() or frame[name].dtype in (pl.Binary, pl.Object):
        raise ConfigError(f"the column {name!r} holds {frame[name].dtype}; wanted strings or numbers as ids")
    else:
        ids = frame[name].cast(pl.String)
    return pl.DataFrame({"id": ids, "text": texts.cast(pl.String)})


def spill(frame: pl.DataFrame, columns: Columns, path: Path) -> str:
    """Write texts and ids as JSON lines, which the engine reads like any other file; a record's position is its row.

    Returns:
        The path.

    Raises:
        ConfigError: see `documents`.
    """
    documents(frame, columns).rename(columns.fields).write_ndjson(path)
    return str(path)


def _row_ids(rows: int) -> pl.Series:
    """Row numbers as ids: they break ties as the ids do that the engine gives to the records of a file without any."""
    return pl.int_range(rows, eager=True).cast(pl.String)


def _texts(records: Iterable[object]) -> list[str | None]:
    found: list[str | None] = []
    for row, text in enumerate(records):
        if text is not None and not isinstance(text, str):
            raise ConfigError(f"row {row} of the list is a {type(text).__name__}, wanted a text; take {WANTED}")
        found.append(text)
    return found


def _foreign(records: Any) -> pl.DataFrame:
    """A table of pandas or pyarrow, recognised without importing either."""
    if type(records).__module__.split(".")[0] == "pandas" and hasattr(records, "columns"):
        found: pl.DataFrame = pl.from_pandas(records)  # without the index
        return found
    if hasattr(records, "__arrow_c_stream__"):
        return pl.DataFrame(records)
    raise ConfigError(f"cannot read a {type(records).__name__}; give {WANTED}")
