"""Shards against plain Python: every value, whatever the chunks, nulls, lengths and order."""

import os
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pytest
from hypothesis import given

from polyculture.compute.in_process import InProcess
from polyculture.corpus.corpus import build_index
from polyculture.corpus.ingest import PARTITION_SCHEMA
from polyculture.shards.cut import cut, cut_shards
from polyculture.shards.dataset_files import write_dataset_files
from polyculture.shards.group import Place, Written, remove_others, write_shards
from polyculture.shards.read import shard_batches
from polyculture.shards.write import Origin
from polyculture.storage.files import file_digest, write_arrow_file, write_bytes
from polyculture.storage.run_directory import RunDirectory
from schemas.documents import DOCUMENT_SCHEMA
from schemas.mixture_config import ShardConfig
from schemas.shards import MixtureStatistics

SOURCES = ("a", "b", "c")
PER_PARTITION = (70, 0, 45)
SMALL = ShardConfig(max_shard_bytes=20_000, batch_rows=13)


def value(generator: random.Random, kind: pa.DataType) -> object:
    if generator.random() < 0.3:
        return None
    if pa.types.is_int64(kind):
        return generator.randrange(-(2**62), 2**62)
    if pa.types.is_float64(kind):
        return generator.random()
    return "é漢x"[generator.randrange(3)] * generator.choice([0, 1, 7, 60])


def record(generator: random.Random, source: str, number: int) -> dict[str, object]:
    row: dict[str, object] = {f.name: value(generator, f.type) for f in DOCUMENT_SCHEMA if f.name != "author"}
    text = f"{source} {number} " + "wörd " * generator.randrange(40)
    row |= {"document_id": f"{source}:{number}", "text": text, "source": source, "kind": "web", "tokens": number}
    row |= {"canonical": text, "characters": len(text), "text_bytes": len(text.encode()), "has_own_id": True}
    row |= {"key": number.to_bytes(16, "big"), "file": "f", "position": number, "byte_offset": 0}
    return row | {"author": None, "record_sha256": "0", "file_sha256": source}


@pytest.fixture
def made(tmp_path: Path) -> tuple[Origin, list[dict[str, Any]]]:
    """Three sources in partitions of several batches, one of them empty; their rows in the order of the index."""
    generator = random.Random(5)
    paths, rows = [], []
    for number, (source, count) in enumerate(zip(SOURCES, PER_PARTITION, strict=True)):
        mine = [record(generator, source, row) for row in range(count)]
        table = pa.Table.from_pylist(mine, PARTITION_SCHEMA)
        chunks = pa.Table.from_batches(table.to_batches(max_chunksize=17), PARTITION_SCHEMA)
        paths.append((number, tmp_path / f"{source}.arrow"))
        write_arrow_file(paths[-1][1], chunks)
        rows += mine
    index = build_index(paths).index
    write_arrow_file(tmp_path / "index.arrow", index)
    origin = Origin(tmp_path / "index.arrow", tuple(path for _, path in paths), SOURCES, tmp_path / "order.i64")
    return origin, rows


def write(
    origin: Origin, order: Sequence[int], root: Path, config: ShardConfig = SMALL, identity: str = "one"
) -> list[Written]:
    write_bytes(origin.order, np.array(order, np.int64).data)
    place = Place(RunDirectory(root), identity, InProcess(1))
    return write_shards(origin, "train", config, place, lambda *_: None)


def make_old(root: Path) -> None:
    for path in (root / "shards").iterdir():
        os.utime(path, (1, 1))


def is_old(path: Path) -> bool:
    """Whether it was not written since it was made old."""
    return path.stat().st_mtime == 1


def shuffled(rows: Sequence[object]) -> list[int]:
    order = [*range(len(rows)), *range(0, len(rows), 3)]
    random.Random(8).shuffle(order)
    return order


@pytest.mark.parametrize("compression", ["none", "lz4", "zstd"])
@pytest.mark.parametrize("form", ["stream", "file"])
def test_shards_hold_the_documents_in_order_in_every_form(
    made: tuple[Origin, list[dict[str, Any]]], tmp_path: Path, form: str, compression: str
) -> None:
    origin, rows = made
    order = shuffled(rows)
    config = SMALL.model_copy(update={"format": form, "compression": compression})
    written = write(origin, order, tmp_path / "run", config)
    opened = pa.ipc.open_stream if form == "stream" else pa.ipc.open_file
    paths = [tmp_path / "run" / digest.path for digest, _ in written]
    tables = [opened(pa.memory_map(str(path))).read_all() for path in paths]
    for path, table in zip(paths, tables, strict=True):  # and as this package reads them
        assert pa.Table.from_batches(shard_batches(path)[1]).equals(table)
    assert len(tables) > 2
    assert max(len(chunk) for table in tables for chunk in table["text"].chunks) == 13
    table = pa.concat_tables(tables)
    table.validate(full=True)
    assert table.schema == DOCUMENT_SCHEMA
    assert table.to_pylist() == [{name: rows[i][name] for name in DOCUMENT_SCHEMA.names} for i in order]


def test_digests_and_statistics_are_those_of_the_bytes_and_rows(
    made: tuple[Origin, list[dict[str, Any]]], tmp_path: Path
) -> None:
    origin, rows = made
    order = shuffled(rows)
    written = write(origin, order, tmp_path / "run")
    position = 0
    for digest, statistics in written:
        path = tmp_path / "run" / digest.path
        assert digest == file_digest(path, tmp_path / "run", statistics.rows)
        held = pa.ipc.open_stream(path).read_all().to_pylist()
        assert (statistics.first_position, statistics.last_position) == (position, position + len(held))
        position += len(held)
        for name in SOURCES:
            mine = [row for row in held if row["source"] == name]
            found = statistics.sources.get(name)
            assert (found is None) == (not mine)
            if found is not None:
                assert (found.rows, found.tokens) == (len(mine), sum(row["tokens"] for row in mine))
                assert found.text_bytes == sum(len(row["text"].encode()) for row in mine)
    files = write_dataset_files(written, [], SMALL, tmp_path / "run")
    assert files == [file_digest(tmp_path / "run" / file.path, tmp_path / "run") for file in files]
    whole = MixtureStatistics.model_validate_json((tmp_path / "run" / "shards" / "statistics.json").read_bytes())
    assert (whole.rows, whole.shards) == (len(order), [statistics for _, statistics in written])
    assert whole.tokens == sum(rows[i]["tokens"] for i in order)


def test_only_what_is_missing_or_does_not_match_is_written_again(
    made: tuple[Origin, list[dict[str, Any]]], tmp_path: Path
) -> None:
    origin, rows = made
    order = shuffled(rows)
    written = write(origin, order, tmp_path / "run")
    paths = [tmp_path / "run" / digest.path for digest, _ in written]
    bytes_before = [path.read_bytes() for path in paths]
    make_old(tmp_path / "run")
    paths[1].unlink()
    paths[2].write_bytes(bytes_before[2][:-1] + b"\1")  # of the same size
    (tmp_path / "run" / "shards" / "train-00000-of-00099.arrow").write_bytes(b"of another cut")
    assert write(origin, order, tmp_path / "run") == written
    assert [is_old(path) for path in paths] == [i not in (1, 2) for i in range(len(paths))]
    assert [path.read_bytes() for path in paths] == bytes_before
    remove_others(RunDirectory(tmp_path / "run"), {path.name for path in paths})
    assert sorted((tmp_path / "run" / "shards").iterdir()) == paths


def test_a_shard_of_another_identity_or_order_is_never_taken_for_done(
    made: tuple[Origin, list[dict[str, Any]]], tmp_path: Path
) -> None:
    origin, rows = made
    order = shuffled(rows)
    write(origin, order, tmp_path / "run")
    for other, identity in ((order, "two"), (order[::-1], "two")):
        make_old(tmp_path / "run")
        again = write(origin, other, tmp_path / "run", identity=identity)
        assert not any(is_old(tmp_path / "run" / digest.path) for digest, _ in again)


def test_no_documents_are_one_empty_shard(made: tuple[Origin, list[dict[str, Any]]], tmp_path: Path) -> None:
    ((digest, statistics),) = write(made[0], [], tmp_path / "run")
    assert (digest.path, digest.rows, statistics.sources) == ("shards/train-00000-of-00001.arrow", 0, {})
    assert pa.ipc.open_stream(tmp_path / "run" / digest.path).read_all().num_rows == 0


@given(st.lists(st.integers(1, 60), max_size=80), st.integers(1, 100), st.integers(1, 9))
def test_spans_are_contiguous_within_their_limits_and_as_long_as_they_can_be(
    sizes: list[int], most: int, rows: int
) -> None:
    spans = list(cut(np.array(sizes, np.int64), most, rows))
    assert [i for first, last in spans for i in range(first, last)] == list(range(len(sizes)))
    for first, last in spans:
        assert last - first == 1 or (sum(sizes[first:last]) <= most and last - first <= rows)
        is_full = last - first == rows or sum(sizes[first : last + 1]) > most
        assert is_full or last == len(sizes)


def test_shards_are_named_with_their_number_and_count() -> None:
    shards = cut_shards(np.full(5, 10, np.int64), 20, "broad")
    assert [(s.name, s.first, s.last) for s in shards] == [
        ("broad-00000-of-00003.arrow", 0, 2),
        ("broad-00001-of-00003.arrow", 2, 4),
        ("broad-00002-of-00003.arrow", 4, 5),
    ]
