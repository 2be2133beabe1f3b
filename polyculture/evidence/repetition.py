"""Read the evidence of a finished run document by document."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from polyculture.storage.files import read_parquet

REPETITION_FILE, PASSAGES_FILE = "repetition.parquet", "passages.parquet"


@dataclass(frozen=True, slots=True)
class Repetition:
    """How often what drawn documents say stands elsewhere: REPETITION_SCHEMA, and widespread passages."""

    rows: pa.Table
    passages: pa.Table


def read_repetition(ledger: Path) -> Repetition | None:
    """The evidence in a ledger; None if it has none, as of an earlier version."""
    if not (ledger / REPETITION_FILE).is_file():
        return None
    return Repetition(read_parquet(ledger / REPETITION_FILE), read_parquet(ledger / PASSAGES_FILE))
