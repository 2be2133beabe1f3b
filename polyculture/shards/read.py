"""Read a shard back, in whichever of the two Arrow formats it was written."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.ipc

from polyculture.shards.listing import is_file_format


def shard_batches(path: Path) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """The schema of a shard, and its batches as they are read: mapped, not copied, unless they are compressed.

    Raises:
        pyarrow.ArrowException: it is damaged; also while the batches are read.
        OSError: it cannot be opened.
    """
    mapped = pa.memory_map(str(path))
    if is_file_format(path):
        reader = pa.ipc.open_file(mapped)
        return reader.schema, (reader.get_batch(number) for number in range(reader.num_record_batches))
    stream = pa.ipc.open_stream(mapped)
    return stream.schema, iter(stream)
