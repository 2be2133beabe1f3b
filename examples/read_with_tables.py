"""Ask a run's shards questions: polars, pyarrow.dataset, DuckDB; shards of the stream and of the file format.

python examples/read_with_tables.py RUN
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.dataset

from polyculture.shards.listing import is_file_format, read_batches, read_shard_list


def shards(run: Path) -> list[Path]:
    """The shards that the manifest lists, in order; never a glob: a folder may hold what is no part of the run."""
    return [run / shard.path for shard in read_shard_list(run).group("train")]


def batches(run: Path) -> pa.RecordBatchReader:
    """All record batches, one at a time and mapped."""

    def each() -> Iterator[pa.RecordBatch]:
        for shard in shards(run):
            yield from read_batches(shard)

    schema = next(each()).schema
    return pa.RecordBatchReader.from_batches(schema, each())


def with_polars(run: Path) -> list[tuple[str, int]]:
    """Tokens of each source."""
    read = pl.read_ipc if is_file_format(shards(run)[0]) else pl.read_ipc_stream
    frame = pl.concat([read(shard, columns=["source", "tokens"]) for shard in shards(run)])
    return frame.group_by("source").agg(pl.col("tokens").sum()).sort("source").rows()


def with_pyarrow(run: Path, source: str) -> int:
    """Documents of one source, filtered batch by batch; `pa.dataset.dataset(files)` opens the file format alone."""
    chosen = pa.dataset.field("source") == source
    return pa.dataset.Scanner.from_batches(batches(run), columns=["tokens"], filter=chosen).count_rows()


def with_duckdb(run: Path) -> list[tuple[str, int]]:
    """Tokens of each source, by SQL over the batches as they are read."""
    documents = batches(run)  # noqa: F841 -- DuckDB finds it by its name
    return duckdb.sql("SELECT source, sum(tokens)::BIGINT FROM documents GROUP BY source ORDER BY source").fetchall()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python examples/read_with_tables.py RUN")
    for name, tokens in with_duckdb(Path(sys.argv[1])):
        print(f"{name} {tokens:,}")
