"""Files of the repetition of drawn documents, in the ledger's folder; read where nothing is counted."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from polyculture.storage.files import read_parquet, write_parquet
from schemas.repetition import PASSAGES_SCHEMA, REPETITION_SCHEMA

ROWS_FILE, PASSAGES_FILE = "repetition.parquet", "passages.parquet"
REPETITION_FILES = (ROWS_FILE, PASSAGES_FILE)


@dataclass(frozen=True)
class Repetition:
    """Counts of what drawn documents say, elsewhere in the corpus.

    Attributes:
        rows: REPETITION_SCHEMA, one for each draw.
        passages: PASSAGES_SCHEMA, widespread passages that drawn documents hold.
    """

    rows: pa.Table
    passages: pa.Table


def write_repetition(found: Repetition, folder: Path) -> None:
    """Write both files."""
    write_parquet(folder / ROWS_FILE, found.rows)
    write_parquet(folder / PASSAGES_FILE, found.passages)


def read_repetition(folder: Path) -> Repetition | None:
    """The repetition of a ledger; None if it holds none, as one of an earlier version does.

    Raises:
        OSError: a file cannot be read.
        ValueError: a file does not hold what it should.
    """
    if not any((folder / name).is_file() for name in REPETITION_FILES):
        return None
    return Repetition(_read(folder / ROWS_FILE, REPETITION_SCHEMA), _read(folder / PASSAGES_FILE, PASSAGES_SCHEMA))


def _read(path: Path, schema: pa.Schema) -> pa.Table:
    table = read_parquet(path)
    if table.schema.names != schema.names:
        raise ValueError(f"{path.name} has the columns {table.schema.names}, expected {schema.names}")
    return table.cast(schema)


def without_passage_texts(passages: pa.Table) -> pa.Table:
    """The passages without what they say: what is left after a takedown."""
    at = PASSAGES_SCHEMA.get_field_index("text")
    empty = pa.array([""] * passages.num_rows, pa.string())
    return passages.set_column(at, PASSAGES_SCHEMA.field("text"), empty)
