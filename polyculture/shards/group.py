"""Write a group of shards: in parallel, and only those that are not already whole."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np

from polyculture.compute.executor import Executor, run_worthwhile
from polyculture.shards.cut import Shard, cut_shards
from polyculture.shards.write import Origin, row_bytes, write_shard
from polyculture.storage.commit import remove
from polyculture.storage.hashing import file_sha256, json_sha256
from polyculture.storage.run_directory import RunDirectory
from schemas.accounts import FileDigest
from schemas.mixture_config import ShardConfig
from schemas.shards import ShardStatistics

Written = tuple[FileDigest, ShardStatistics]
_Call = tuple[Origin, Shard, ShardConfig, RunDirectory, str]


@dataclass(frozen=True)
class Place:
    """The directory that shards go to, and the executor that writes them.

    Attributes:
        directory: the run directory.
        identity: identity of the run; a shard that was committed for another is written again.
        executor: runs one call per shard.
    """

    directory: RunDirectory
    identity: str
    executor: Executor


def write_shards(
    origin: Origin, stem: str, config: ShardConfig, place: Place, progress: Callable[[int, int], None]
) -> list[Written]:
    """Write documents in the order of `origin` to `shards/STEM-NNNNN-of-NNNNN.arrow`.

    A shard ends where the next document would take it past `max_shard_bytes`: cuts, and so all bytes, depend on the
    order and the documents alone, not on the number of workers. A shard is committed when it is whole; one that was
    committed before, for the same identity, order and cut, and still has its digest is not written again.

    Args:
        origin: the documents and their order.
        stem: first part of the files' names: `[A-Za-z0-9_][A-Za-z0-9_.-]*`.
        config: sizes and form.
        place: run directory and executor.
        progress: called with the rows that are written, and all.

    Returns:
        Digest and statistics of each shard, in order; at least one, which may be empty.

    Raises:
        OutputError: a shard cannot be written; those before it are committed.
    """
    sizes = row_bytes(origin)[np.fromfile(origin.order, np.int64)]
    shards = cut_shards(sizes, config.max_shard_bytes, stem)
    key = json_sha256([place.identity, file_sha256(origin.order)])
    done = {shard.name: _committed(place.directory, shard, key) for shard in shards}
    missing = [shard for shard in shards if done[shard.name] is None]
    calls = [(origin, shard, config, place.directory, key) for shard in missing]
    rows = sum(shard.last - shard.first for shard in shards if done[shard.name] is not None)
    for shard, written in zip(
        missing, run_worthwhile(place.executor, write_and_commit, calls, is_small=len(calls) < 2), strict=True
    ):
        done[shard.name] = written
        rows += shard.last - shard.first
        progress(rows, len(sizes))
    return [written for written in done.values() if written is not None]


def write_and_commit(origin: Origin, shard: Shard, config: ShardConfig, directory: RunDirectory, key: str) -> Written:
    """Write one shard, and the record that it is done: what a worker process runs."""
    digest, statistics = write_shard(origin, shard, config, directory.root)
    result: dict[str, object] = {"statistics": statistics.model_dump()}
    directory.commit_step(f"shard-{shard.name}", _key(key, shard), [digest], result)
    return digest, statistics


def remove_others(directory: RunDirectory, names: Collection[str]) -> None:
    """Delete the files in `shards/` that are none of these: what an earlier version of the run may have left."""
    if directory.shards.is_dir():
        for path in sorted(directory.shards.iterdir()):
            if path.is_file() and path.name not in names:
                remove(path)


def _committed(directory: RunDirectory, shard: Shard, key: str) -> Written | None:
    record = directory.finished_record(f"shard-{shard.name}", _key(key, shard))
    if record is None:
        return None
    return record.files[0], ShardStatistics.model_validate(record.result["statistics"])


def _key(key: str, shard: Shard) -> str:
    return json_sha256([key, shard.name, shard.first, shard.last])
