"""Files of each form that a run keeps, whole or absent."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet

from polyculture.storage.commit import writing
from polyculture.storage.hashing import file_sha256
from schemas.accounts import FileDigest

# The Arrow schema is not stored: it adds nothing to flat tables, and readers in other languages do without.
PARQUET = {"compression": "zstd", "store_schema": False, "write_page_checksum": True}


def write_bytes(path: Path, data: bytes | memoryview) -> None:
    """Write `data` to `path`, whole or not at all."""
    with writing(path) as stream:
        stream.write(data)


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8 to `path`, whole or not at all."""
    write_bytes(path, text.encode())


def write_parquet(path: Path, table: pa.Table) -> None:
    """Write a table as Parquet, whole or not at all; the same table gives the same bytes."""
    with writing(path) as stream:
        pa.parquet.write_table(table, stream, row_group_size=131_072, **PARQUET)


@contextmanager
def parquet_rows_to(path: Path, schema: pa.Schema, group_rows: int = 10_000) -> Iterator["ParquetRows"]:
    """Write rows and tables one after another as Parquet, whole or not at all; holds a row group of them at a time."""
    with (
        writing(path) as stream,
        pa.parquet.ParquetWriter(stream, schema, **PARQUET) as writer,
    ):
        rows = ParquetRows(writer, schema, group_rows)
        yield rows
        rows.flush()


class ParquetRows:
    """The writer that `parquet_rows_to` yields."""

    def __init__(self, writer: pa.parquet.ParquetWriter, schema: pa.Schema, group_rows: int) -> None:
        """Write row groups of `group_rows` rows to an open writer."""
        self._writer, self._schema, self._group_rows = writer, schema, group_rows
        self._held: list[dict[str, object]] = []

    def append(self, row: dict[str, object]) -> None:
        """Add a row, by column."""
        self._held.append(row)
        if len(self._held) >= self._group_rows:
            self.flush()

    def extend(self, table: pa.Table) -> None:
        """Add a table of the schema, as a row group of its own."""
        self.flush()
        if table.num_rows:
            self._writer.write_table(table)

    def flush(self) -> None:
        """Write the rows that are held."""
        if self._held:
            self._writer.write_table(pa.Table.from_pylist(self._held, self._schema))
            self._held = []


def read_parquet_parts(path: Path) -> Iterator[pa.Table]:
    """The row groups of a Parquet file, one at a time; errors as of `read_parquet`."""
    with _open_parquet(path) as file:
        for number in range(file.num_row_groups):
            yield file.read_row_group(number)


def read_parquet(path: Path, columns: list[str] | None = None) -> pa.Table:
    """Read a Parquet file into memory, or some of its columns.

    `pyarrow.parquet.read_table` reads folders too, for which it imports pandas where it is installed, and takes columns
    from the names of folders.

    Raises:
        OSError: it cannot be read.
        ValueError: it is damaged.
    """
    with _open_parquet(path) as file:
        return file.read(columns)


@contextmanager
def _open_parquet(path: Path) -> Iterator[pa.parquet.ParquetFile]:
    try:
        with pa.parquet.ParquetFile(path) as file:
            yield file
    except pa.ArrowInvalid as error:
        raise pa.ArrowInvalid(f"{path.name}: {error}") from error


def write_arrow_file(path: Path, table: pa.Table) -> None:
    """Write a table in the Arrow file format, uncompressed so that it can be memory-mapped."""
    with writing(path) as stream, pa.ipc.new_file(stream, table.schema) as writer:
        writer.write_table(table)


def map_arrow_file(path: Path) -> pa.Table:
    """Open an Arrow file that this program wrote, without reading it into memory."""
    return pa.ipc.open_file(pa.memory_map(str(path))).read_all()


def file_digest(path: Path, root: Path, rows: int | None = None) -> FileDigest:
    """Digest of a file under `root`; reads it once."""
    return FileDigest(
        path=path.relative_to(root).as_posix(), sha256=file_sha256(path), bytes=path.stat().st_size, rows=rows
    )


def parquet_rows(path: Path) -> int | None:
    """Rows of a Parquet file, from its footer; None for any other file."""
    return int(pa.parquet.read_metadata(path).num_rows) if path.suffix == ".parquet" else None
