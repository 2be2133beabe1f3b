"""The reader that trainers use: every row once, in one order, and resumed exactly."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyculture.errors import ConfigError, PolycultureError
from polyculture.shards.reader import ShardReader, Share
from tests.unit.shards.runs import write_run

SIZES = [7, 0, 5, 11]
ROWS = sum(SIZES)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("run") / "run", SIZES)


def numbers(reader: ShardReader) -> list[int]:
    return [int(row["document_id"].partition(":")[2]) for row in reader]


def worker_rows(reader: ShardReader, workers: int, rank: int = 0, ranks: int = 1) -> list[list[int]]:
    found = []
    for worker in range(workers):
        reader.take_share(Share(rank, ranks, worker, workers))
        found.append(numbers(reader))
    return found


def in_turn(parts: list[list[int]], batch_rows: int) -> list[list[int]]:
    """Batches as a loader takes them from its workers, one from each in turn."""
    queues = [[part[i : i + batch_rows] for i in range(0, len(part), batch_rows)] for part in parts]
    return [queue[step] for step in range(max(map(len, queues))) for queue in queues if step < len(queue)]


@pytest.mark.parametrize("form", ["stream", "file"])
@pytest.mark.parametrize("compression", [None, "lz4", "zstd"])
def test_rows_come_in_the_order_of_the_shards_in_either_format(
    tmp_path: Path, form: str, compression: str | None
) -> None:
    reader = ShardReader(write_run(tmp_path / "run", SIZES, form=form, compression=compression))
    rows = list(reader)
    assert [row["document_id"] for row in rows] == [f"docs:{i}" for i in range(ROWS)]
    assert rows[4]["text"] == "text 4 ü"
    assert rows[4]["author"] is None
    narrow = ShardReader(tmp_path / "run", columns=["tokens", "text"])
    assert next(iter(narrow)) == {"tokens": 3, "text": "text 0 ü"}


def test_resumed_at_every_row_it_gives_the_rest(run: Path) -> None:
    for stop in range(ROWS + 1):
        reader = ShardReader(run)
        rows = iter(reader)
        taken = [next(rows) for _ in range(stop)]
        state = json.loads(json.dumps(reader.state_dict()))
        other = ShardReader(run)
        other.load_state_dict(state)
        assert [row["document_id"] for row in [*taken, *other]] == [f"docs:{i}" for i in range(ROWS)]


GEOMETRY = st.tuples(st.integers(1, 6), st.integers(1, 4), st.integers(1, 4))


@given(GEOMETRY, st.integers(0, 8), GEOMETRY)
def test_ranks_and_workers_read_each_row_once_and_resume_with_other_numbers_of_them(
    run: Path, before: tuple[int, int, int], steps: int, after: tuple[int, int, int]
) -> None:
    batch_rows, ranks, workers = before
    reader = ShardReader(run, batch_rows=batch_rows)
    by_rank = [in_turn(worker_rows(reader, workers, rank, ranks), batch_rows) for rank in range(ranks)]
    assert sorted(n for batches in by_rank for batch in batches for n in batch) == list(range(ROWS))
    taken = [n for batches in by_rank for batch in batches[:steps] for n in batch]
    reader.take_share(Share(0, ranks, 0, workers))
    state = reader.state_after(steps)
    assert sorted(taken) == list(range(state["row"]))
    batch_rows, ranks, workers = after
    other = ShardReader(run, batch_rows=batch_rows)
    other.load_state_dict(state)
    rest = [worker_rows(other, workers, rank, ranks) for rank in range(ranks)]
    assert sorted(n for parts in rest for part in parts for n in part) == list(range(state["row"], ROWS))


@pytest.mark.parametrize("workers", [1, 2, 3, 5])
def test_a_loader_gives_one_order_whatever_its_number_of_workers(run: Path, workers: int) -> None:
    parts = worker_rows(ShardReader(run, batch_rows=4), workers)
    assert [n for batch in in_turn(parts, 4) for n in batch] == list(range(ROWS))


def test_even_readers_take_equally_many_whole_blocks(run: Path) -> None:
    reader = ShardReader(run, batch_rows=4, is_even=True)
    by_rank = [worker_rows(reader, 1, rank, 3)[0] for rank in range(3)]
    assert [len(rows) for rows in by_rank] == [4, 4, 4]  # 23 rows: one whole round of 12
    assert sorted(n for rows in by_rank for n in rows) == list(range(12))


def test_a_rank_knows_its_state_at_the_end_of_a_block_and_nowhere_else(run: Path) -> None:
    reader = ShardReader(run, batch_rows=4)
    reader.take_share(Share(1, 2, 0, 1))
    states: list[int | None] = []
    for _ in reader:
        try:
            states.append(reader.state_dict()["row"])
        except ConfigError:
            states.append(None)
    assert states == [None, None, None, 8, None, None, None, 16, None, None, 23]
    reader.take_share(Share(0, 1, 0, 2))
    with pytest.raises(ConfigError, match="state_after"):
        reader.state_dict()


def test_a_state_of_other_shards_is_refused(run: Path, tmp_path: Path) -> None:
    state = ShardReader(run).state_after(3)
    reader = ShardReader(write_run(tmp_path / "other", [9]))
    with pytest.raises(ConfigError, match="manifest_sha256"):
        reader.load_state_dict(state)
    with pytest.raises(ConfigError, match="row is 10, wanted 0 to 9"):
        reader.load_state_dict(reader.state_after(0) | {"row": 10})
    with pytest.raises(PolycultureError, match="another run's, or changed"):
        ShardReader(run, manifest_sha256="0" * 64)


def test_only_what_the_manifest_lists_is_read(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", SIZES)
    write_run(tmp_path / "stray", [4], group="stray")
    stray = tmp_path / "stray" / "shards" / "stray-00000-of-00001.arrow"
    stray.rename(run / "shards" / stray.name)
    assert numbers(ShardReader(run)) == list(range(ROWS))
    with pytest.raises(ConfigError, match="it has train"):
        ShardReader(run, group="stray")


def test_a_shard_that_is_missing_cut_or_changed_is_refused(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", SIZES)
    shard = run / "shards" / "train-00002-of-00004.arrow"
    data = bytearray(shard.read_bytes())
    data[-40] ^= 1
    shard.write_bytes(data)
    with pytest.raises(PolycultureError, match="is not what the manifest lists"):
        ShardReader(run).verify()
    os.truncate(shard, 100)
    with pytest.raises(PolycultureError, match="has 100 bytes"):
        ShardReader(run)
    shard.unlink()
    with pytest.raises(PolycultureError, match="is missing"):
        ShardReader(run)


def test_a_list_of_shards_with_a_gap_is_refused(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", SIZES)
    manifest = json.loads((run / "manifest.json").read_text())
    del manifest["files"][1]
    (run / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(PolycultureError, match="not numbered"):
        ShardReader(run)
