"""Speed of writing the mixture, against `cp` of the same bytes on the same disk; its memory; and whether it is linear.

    python -m bench.shards [--data ../shared/data] [--folder DIR] [--gigabytes 1,10]

The corpus is real text, repeated under new ids until the shards reach the size asked for, in partitions as the
pipeline leaves them, in sorted runs; the `canonical` column, which the writer does not read, is left empty. The order
is the mixture's own: consecutive rows come from anywhere. Both sides end with a sync of every file, and start in
turn, ROUNDS times below 5 GB and once above; the medians count. Worker processes are started before the clock. Memory
is RssAnon: pages of mapped inputs are the system's to take back.

Targets, set before the first measurement.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow as pa
import pyarrow.ipc
from rich.console import Console
from rich.table import Table

from bench.corpora import real_documents
from polyculture.compute.local import Local
from polyculture.corpus.corpus import INDEX_SCHEMA
from polyculture.corpus.ingest import PARTITION_SCHEMA
from polyculture.corpus.sorted_runs import RUN_BYTES, SortedRuns
from polyculture.mixture.plan.order import mixture_order
from polyculture.mixture.plan.selection import rank_documents
from polyculture.shards.group import Place, write_shards
from polyculture.shards.write import Origin
from polyculture.storage.files import write_arrow_file, write_bytes
from polyculture.storage.hashing import id_hash, inclusion_hash
from polyculture.storage.run_directory import RunDirectory
from schemas.mixture_config import ShardConfig

SPEED_OF_COPY = 0.5  # of cp's MB/s, at least
WORKER_ANONYMOUS_BYTES = 512 * 2**20  # of the largest worker, at most, whatever the size
LINEAR = 1.3  # time per GB at the largest size against the smallest, at most
WORKERS = 2
ROUNDS = 3
SEED = 20261125
PARTITION_BYTES = 256 * 2**20
BATCH_ROWS = 1000


@dataclass(frozen=True)
class Measured:
    """One size."""

    size_bytes: int
    shards: int
    seconds: float
    copy_seconds: float
    worker_bytes: int
    main_bytes: int

    @property
    def of_copy(self) -> float:
        """Speed as a part of cp's."""
        return self.copy_seconds / self.seconds


def build_corpus(folder: Path, data: Path, size_bytes: int) -> Origin:
    """Partitions, index and order of a corpus of about that many bytes of text."""
    pools = {name: pa.array(texts, pa.large_string()) for name, texts in real_documents(data).items()}
    names = tuple(sorted(pools))
    share = size_bytes / len(names)
    partitions: list[Path] = []
    pieces: list[pa.Table] = []
    for number, name in enumerate(names):
        mean = pools[name].nbytes / len(pools[name])
        for first in range(0, int(share / mean), per := max(BATCH_ROWS, int(PARTITION_BYTES / mean))):
            rows = min(per, int(share / mean) - first)
            partitions.append(folder / "documents" / f"{name}-{len(partitions):05d}.arrow")
            pieces.append(
                _write_partition(partitions[-1], pools[name], (name, number, len(partitions) - 1), first, rows)
            )
    index = pa.concat_tables(pieces).combine_chunks()
    write_arrow_file(folder / "index.arrow", index)
    hashes, source = index["id_hash"].to_numpy(), index["source"].to_numpy().astype(np.int64)
    streams = rank_documents(source, inclusion_hash(hashes, SEED), np.arange(len(source)), len(names))
    order = mixture_order(streams, np.zeros(len(names), np.int64), streams.documents)
    write_bytes(folder / "order.i64", order.tobytes())
    return Origin(folder / "index.arrow", tuple(partitions), names, folder / "order.i64")


def _write_partition(path: Path, pool: pa.Array, source: tuple[str, int, int], first: int, rows: int) -> pa.Table:
    """One partition of a pool's texts, from its `first` document on and round again; returns its part of the index."""
    name, number, partition = source
    path.parent.mkdir(exist_ok=True)
    ids = pa.array([f"{name}:{first + row:09d}" for row in range(rows)], pa.large_string())
    at = (first + np.arange(rows)) % len(pool)
    sizes = np.diff(np.frombuffer(pool.buffers()[1], np.int64)[: len(pool) + 1])[at]
    with (
        pa.OSFile(str(path), "wb") as sink,
        pa.ipc.new_file(sink, PARTITION_SCHEMA) as writer,
        SortedRuns(writer, SEED, RUN_BYTES // 2) as runs,  # half of a run is canonical text
    ):
        for start in range(0, rows, BATCH_ROWS):
            end = min(start + BATCH_ROWS, rows)
            texts = pool.take(pa.array(at[start:end]))
            runs.add(_batch(ids[start:end].cast(pa.string()), texts, sizes[start:end], name))
    written = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    ids, sizes = written["document_id"].combine_chunks().cast(pa.large_string()), written["text_bytes"].to_numpy()
    columns = {
        "document_id": ids,
        "source": np.full(rows, number, np.uint16),
        "partition": np.full(rows, partition, np.uint32),
        "row": np.arange(rows, dtype=np.uint32),
        "characters": sizes,
        "text_bytes": sizes,
        "tokens": sizes // 4,
        "group": np.arange(first, first + rows),
        "id_hash": np.array([id_hash(name) for name in ids.to_pylist()], np.uint64),
    }
    return pa.table([pa.array(columns[field.name], field.type) for field in INDEX_SCHEMA], schema=INDEX_SCHEMA)


def _batch(
    ids: pa.Array, texts: pa.Array, sizes: np.ndarray[tuple[int], np.dtype[np.int64]], name: str
) -> pa.RecordBatch:
    same: dict[str, object] = {
        "source": name,
        "kind": name.partition("__")[0],
        "language": "en",
        "license": "CC0-1.0",
        "canonical": "",
    }
    same |= {"file": f"{name}.jsonl.zst", "record_sha256": "0" * 64, "file_sha256": "0" * 64, "key": bytes(16)}
    given = {"document_id": ids, "text": texts, "tokens": pa.array(sizes // 4), "text_bytes": pa.array(sizes)}
    given |= {"characters": given["text_bytes"], "position": given["tokens"], "byte_offset": given["tokens"]}
    given["has_own_id"] = pa.array([True] * len(ids))
    arrays = []
    for field in PARTITION_SCHEMA:
        if field.name in same:
            arrays.append(pa.repeat(pa.scalar(same[field.name], field.type), len(ids)))
        else:
            arrays.append(given.get(field.name, pa.nulls(len(ids), field.type)))
    return pa.RecordBatch.from_arrays(arrays, schema=PARTITION_SCHEMA)


def measure(folder: Path, origin: Origin, rounds: int) -> Measured:
    """Write and copy in turn."""
    seconds, copied, peaks = [], [], [(0, 0)]
    size = shards = 0
    with Local(WORKERS) as executor:
        list(executor.run(time.sleep, [(1.0,)] * WORKERS))
        for number in range(rounds):
            run, copy = folder / f"run-{number}", folder / f"copy-{number}"
            place = Place(RunDirectory(run), "bench", executor)
            with anonymous_peaks() as peak:
                start = time.monotonic()
                written = write_shards(origin, "train", ShardConfig(), place, lambda *_: None)
                seconds.append(time.monotonic() - start)
            peaks.append((peak["workers"], peak["main"]))
            size, shards = sum(digest.bytes for digest, _ in written), len(written)
            start = time.monotonic()
            subprocess.run(["cp", "-r", str(run / "shards"), str(copy)], check=True)  # noqa: S607 -- whichever cp is there
            for path in [*copy.iterdir(), copy]:
                _sync(path)
            copied.append(time.monotonic() - start)
            shutil.rmtree(run)
            shutil.rmtree(copy)
    workers, main = (max(column) for column in zip(*peaks, strict=True))
    return Measured(size, shards, median(seconds), median(copied), workers, main)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


@contextmanager
def anonymous_peaks() -> Iterator[dict[str, int]]:
    """Highest RssAnon, in bytes, of the largest child process and of this one, sampled ten times a second."""
    peak, stop = {"workers": 0, "main": 0}, threading.Event()

    def sample() -> None:
        while not stop.wait(0.1):
            peak["main"] = max(peak["main"], _anonymous(os.getpid()))
            children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
            peak["workers"] = max([peak["workers"], *map(_anonymous, map(int, children))])

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        stop.set()
        thread.join()


def _anonymous(process: int) -> int:
    try:
        lines = Path(f"/proc/{process}/status").read_text().split("\n")
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:")), 0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure every size; 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--folder", type=Path, help="on the disk to measure; a temporary folder if absent")
    parser.add_argument("--gigabytes", default="1", help="sizes of the mixture, separated by commas")
    options = parser.parse_args(arguments)
    table = Table("GB", "shards", "MB/s", "cp MB/s", "of cp", "s/GB", "worker MiB", "main MiB")
    found = []
    for gigabytes in map(float, options.gigabytes.split(",")):
        with tempfile.TemporaryDirectory(prefix="bench-shards-", dir=options.folder) as name:
            with Local(1) as executor:  # so that its tables are not in this process
                (origin,) = executor.run(build_corpus, [(Path(name), options.data, int(gigabytes * 1e9))])
            one = measure(Path(name), origin, ROUNDS if gigabytes < 5 else 1)
        found.append(one)
        speeds = [f"{one.size_bytes / 1e6 / seconds:.0f}" for seconds in (one.seconds, one.copy_seconds)]
        memory = [f"{size / 2**20:.0f}" for size in (one.worker_bytes, one.main_bytes)]
        per_gb = f"{one.seconds / one.size_bytes * 1e9:.2f}"
        table.add_row(f"{one.size_bytes / 1e9:.2f}", str(one.shards), *speeds, f"{one.of_copy:.2f}", per_gb, *memory)
    Console().print(table)
    growth = (found[-1].seconds / found[-1].size_bytes) / (found[0].seconds / found[0].size_bytes)
    print(f"time per GB at the largest size: {growth:.2f} of that at the smallest")
    slowest = min(one.of_copy for one in found)
    print(f"{slowest:.2f} of cp's speed with {WORKERS} workers")
    is_met = slowest >= SPEED_OF_COPY and growth <= LINEAR
    return 0 if is_met and max(one.worker_bytes for one in found) <= WORKER_ANONYMOUS_BYTES else 1


if __name__ == "__main__":
    sys.exit(main())
