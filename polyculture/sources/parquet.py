"""Parquet files."""

from collections.abc import Iterator

from polyculture.sources.columnar import read_columnar
from polyculture.sources.record import Reading, Slot


def read_parquet(reading: Reading) -> Iterator[Slot]:
    """The rows of a Parquet file; see `read_columnar`. Page checksums are verified where the file has them."""
    return read_columnar(reading, "parquet")
