"""Sorted runs: every document once, in the order of a mixture within each run, and nothing of a writing that failed."""

import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pytest

from polyculture.corpus.sorted_runs import SortedRuns
from polyculture.storage.hashing import id_hash, inclusion_hash

SCHEMA = pa.schema([("document_id", pa.string()), ("value", pa.list_(pa.float32()))])


def batches(sizes: list[int]) -> list[pa.RecordBatch]:
    generator, made, number = random.Random(4), [], 0
    for size in sizes:
        rows = [
            {"document_id": f"s:{number + i}", "value": generator.choice([None, [float(number + i)]])}
            for i in range(size)
        ]
        made.append(pa.RecordBatch.from_pylist(rows, SCHEMA))
        number += size
    return made


def write(path: Path, given: list[pa.RecordBatch], seed: int, run_bytes: int) -> list[pa.RecordBatch]:
    with pa.ipc.new_file(str(path), SCHEMA) as writer, SortedRuns(writer, seed, run_bytes) as runs:
        for batch in given:
            runs.add(batch)
    with pa.ipc.open_file(str(path)) as reader:
        return [reader.get_batch(number) for number in range(reader.num_record_batches)]


@pytest.mark.parametrize(
    ("sizes", "run_bytes", "expected"),
    [
        ([40, 1, 300], 1, [40, 1, 300]),
        ([40, 1, 300], 2**30, [341]),
        ([90, 91, 100, 60], 5_000, [181, 160]),
        ([1] * 35, 20_480, [10, 10, 10, 5]),  # a batch of one row takes a kilobyte a column too
    ],
)
def test_each_run_is_sorted_by_inclusion_hash_and_holds_whole_batches(
    tmp_path: Path, sizes: list[int], run_bytes: int, expected: list[int]
) -> None:
    given = batches(sizes)
    runs = write(tmp_path / "a.arrow", given, 7, run_bytes)
    assert [run.num_rows for run in runs] == expected
    for run in runs:
        hashes = inclusion_hash(np.array([id_hash(name) for name in run["document_id"].to_pylist()], np.uint64), 7)
        assert (np.diff(hashes.astype(object)) > 0).all()
    read = [row for run in runs for row in run.to_pylist()]
    every = [row for batch in given for row in batch.to_pylist()]
    assert sorted(map(str, read)) == sorted(map(str, every))
    assert read != every


def test_another_seed_is_another_order_of_the_same_documents(tmp_path: Path) -> None:
    given = batches([200])
    first, second = (write(tmp_path / f"{seed}.arrow", given, seed, 2**30)[0] for seed in (1, 2))
    assert first["document_id"] != second["document_id"]
    assert set(first["document_id"].to_pylist()) == set(second["document_id"].to_pylist())


def test_nothing_is_written_and_no_documents_are_no_run(tmp_path: Path) -> None:
    assert write(tmp_path / "none.arrow", [], 1, 100) == []


def test_what_fails_on_the_way_writes_no_more(tmp_path: Path) -> None:
    def interrupted(writer: pa.ipc.RecordBatchFileWriter) -> None:
        with SortedRuns(writer, 1) as runs:
            runs.add(batches([5])[0])
            raise KeyError

    with pa.ipc.new_file(str(tmp_path / "a.arrow"), SCHEMA) as writer, pytest.raises(KeyError):
        interrupted(writer)
    with pa.ipc.open_file(str(tmp_path / "a.arrow")) as reader:
        assert reader.num_record_batches == 0
