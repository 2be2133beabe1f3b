"""Documents kept in the order in which a mixture takes them, run by run: what makes shards from disk reads in pieces.

A shard takes the documents of a source in the order of their inclusion hashes, so from everywhere in a partition that
stands as it was read: once the corpus is larger than memory, each of them would be a read of its own. In runs sorted
by that hash, what a shard takes from a run lies in one piece, and the next shard's piece follows it. These are the runs
of an external merge sort (Knuth, The Art of Computer Programming 3, 5.4), and a shard is a part of the merge.
"""

from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.ipc

from polyculture.storage.hashing import id_hash, inclusion_hash

RUN_BYTES = 32 * 2**20
_COLUMN_BYTES = 1024  # of a column of a batch, however few its rows, in memory


class SortedRuns:
    """A writer of record batches that joins them into runs of about 32 MiB, each sorted by inclusion hash.

    Nothing but speed depends on it: documents that were renamed afterwards, or a mixture of another seed, are only
    read less in order. Memory: a run and its sorted copy.
    """

    def __init__(self, writer: pa.ipc.RecordBatchFileWriter, seed: int, run_bytes: int = RUN_BYTES) -> None:
        """Write to an open writer, in the order that a seed gives; `run_bytes` is of one run, about."""
        self._writer, self._seed, self._run_bytes = writer, seed, run_bytes
        self._held: list[pa.RecordBatch] = []
        self._held_bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None and self._held:
            self._write()

    def add(self, batch: pa.RecordBatch) -> None:
        """Take documents: record batches with a column `document_id`."""
        self._held.append(batch)
        self._held_bytes += batch.nbytes + _COLUMN_BYTES * batch.num_columns
        if self._held_bytes >= self._run_bytes:
            self._write()

    def _write(self) -> None:
        run = pa.concat_batches(self._held)
        hashes = np.array([id_hash(name) for name in run.column("document_id").to_pylist()], np.uint64)
        order = np.argsort(inclusion_hash(hashes, self._seed), kind="stable")
        self._writer.write_batch(run.take(pa.array(order)))
        self._held, self._held_bytes = [], 0
