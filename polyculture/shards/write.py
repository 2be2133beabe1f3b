"""Write the mixture as Arrow shards."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.ipc
from numpy.typing import NDArray

from polyculture.corpus import Corpus
from polyculture.files import file_digest, whole_file, write_text
from polyculture.hashing import json_sha256
from schemas.documents import DOCUMENT_SCHEMA
from schemas.manifest import FileDigest
from schemas.mixture_config import ShardConfig

ROW_BYTES = 200  # of the columns beside the text, about


def write_shards(
    corpus: Corpus,
    group: tuple[str, NDArray[np.int64]],
    config: ShardConfig,
    root: Path,
    progress: Callable[[int], None],
) -> list[FileDigest]:
    """Write documents in the given order to `shards/STEM-NNNNN-of-NNNNN.arrow`.

    Arrow IPC stream format, uncompressed: readers map it without copying. A shard ends where the next document would
    take it past `max_shard_bytes`, so cuts depend on the mixture alone. Memory is bounded by one record batch.

    Args:
        corpus: where the documents are.
        group: first part of the files' names, and (rows,) document numbers, with repeats.
        config: sizes.
        root: the run directory.
        progress: called with the rows written so far.

    Returns:
        Digests of the shards; at least one, which may be empty.
    """
    stem, order = group
    folder = root / "shards"
    spans = list(_spans(corpus.text_bytes[order] + ROW_BYTES, config.max_shard_bytes, len(order))) or [(0, 0)]
    digests = []
    for number, (first, last) in enumerate(spans):
        path = folder / f"{stem}-{number:05d}-of-{len(spans):05d}.arrow"
        with whole_file(path) as temporary, pa.ipc.new_stream(temporary, DOCUMENT_SCHEMA) as writer:
            sizes = corpus.text_bytes[order[first:last]]
            for start, end in _spans(sizes, config.max_batch_bytes, config.batch_rows):
                table = corpus.documents(order[first + start : first + end]).combine_chunks()
                for batch in table.to_batches():
                    writer.write_batch(batch)
                progress(first + end)
        digests.append(file_digest(path, root, rows=last - first))
    return digests


def _spans(sizes: NDArray[np.int64], most: int, most_rows: int) -> Iterator[tuple[int, int]]:
    """Cut consecutive items into spans of at most `most` in total and `most_rows` items; an item over it is alone."""
    ends = np.cumsum(sizes)
    first = 0
    while first < len(sizes):
        before = int(ends[first - 1]) if first else 0
        last = int(np.searchsorted(ends, before + most, side="right"))
        last = min(max(last, first + 1), first + most_rows)
        yield first, last
        first = last


def write_dataset_files(shards: list[FileDigest], root: Path) -> list[FileDigest]:
    """`state.json` and `dataset_info.json`, with which `datasets.load_from_disk` opens the folder."""
    folder = root / "shards"
    state: dict[str, object] = {
        "_data_files": [{"filename": Path(shard.path).name} for shard in shards],
        "_fingerprint": json_sha256([shard.sha256 for shard in shards])[:16],
        "_format_columns": None,
        "_format_kwargs": {},
        "_format_type": None,
        "_output_all_columns": False,
        "_split": "train",
    }
    dtypes = {pa.string(): "string", pa.large_string(): "large_string", pa.int64(): "int64", pa.float64(): "float64"}
    features = {field.name: {"dtype": dtypes[field.type], "_type": "Value"} for field in DOCUMENT_SCHEMA}
    info = {"citation": "", "description": "", "features": features, "homepage": "", "license": ""}
    for name, content in (("state.json", state), ("dataset_info.json", info)):
        write_text(folder / name, json.dumps(content, indent=1, sort_keys=True) + "\n")
    return [file_digest(folder / name, root) for name in ("state.json", "dataset_info.json")]
