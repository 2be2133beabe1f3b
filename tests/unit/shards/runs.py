"""Small runs of known rows, without a pipeline: shards and the part of a manifest that readers look at."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.ipc

from polyculture.storage.files import file_digest
from schemas.documents import DOCUMENT_SCHEMA


def documents(first: int, count: int) -> pa.Table:
    rows = [
        {
            "document_id": f"docs:{i}",
            "text": f"text {i} ü",
            "source": "docs",
            "kind": "web",
            "language": "en",
            "license": "MIT",
            "tokens": 3,
        }
        for i in range(first, first + count)
    ]
    return pa.Table.from_pylist(rows, schema=DOCUMENT_SCHEMA)


def write_run(  # noqa: PLR0913 -- one argument a property
    root: Path,
    sizes: list[int],
    *,
    group: str = "train",
    form: str = "stream",
    compression: str | None = None,
    batch_rows: int = 3,
) -> Path:
    """A run directory whose shards hold `sizes` rows, numbered through."""
    (root / "shards").mkdir(parents=True)
    first, digests = 0, []
    for number, size in enumerate(sizes):
        path = root / "shards" / f"{group}-{number:05d}-of-{len(sizes):05d}.arrow"
        options = pa.ipc.IpcWriteOptions(compression=compression)
        new = pa.ipc.new_file if form == "file" else pa.ipc.new_stream
        with new(path, DOCUMENT_SCHEMA, options=options) as writer:
            writer.write_table(documents(first, size), max_chunksize=batch_rows)
        digests.append(file_digest(path, root, rows=size).model_dump())
        first += size
    (root / "manifest.json").write_text(json.dumps({"files": digests}))
    return root
