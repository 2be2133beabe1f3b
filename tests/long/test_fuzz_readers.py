"""Mutated files in every format: nothing kills the run, nothing raises, no text that was not there under a checksum."""

import bz2
import json
import lzma
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest

from tests.unit.sources.helpers import (
    Outcome,
    arc,
    arc_start,
    arrow_file,
    arrow_stream,
    http,
    jsonl,
    lz4,
    members,
    page,
    parquet,
    read,
    rows,
    streams,
    warc,
    zst,
)

pytestmark = pytest.mark.long

RECORDS = rows(120)
TABLE = pa.Table.from_pylist([{**record, "n": i, "tags": ["a", str(i)]} for i, record in enumerate(RECORDS)])
TEXTS = {record["text"] for record in RECORDS}
COLUMNAR = {
    "parquet": parquet(TABLE, write_page_checksum=True, row_group_size=40),
    "parquet plain": parquet(TABLE, write_page_checksum=True, compression="none", use_dictionary=False),
    "arrow": arrow_file(TABLE, 40),
    "arrow_stream": arrow_stream(TABLE, 40),
}
PAGES = b"".join(warc("response", http(page(str(record["text"]))), number=i) for i, record in enumerate(RECORDS))
ARC_PAGES = arc_start() + b"".join(arc(http(page(str(record["text"])))) for record in RECORDS)
SEPARATED = b"id,text\n" + b"".join(f'{r["id"]},"{r["text"]}"\n'.encode() for r in RECORDS)
STREAMS = {
    "jsonl": (jsonl(RECORDS), 5_000),
    "json": (json.dumps(RECORDS, indent=1).encode(), 1_000),
    "json.gz": (members(json.dumps(RECORDS).encode(), 4), 500),
    "csv": (SEPARATED, 1_000),
    "csv.zst": (zst(SEPARATED, 4), 500),
    "warc": (PAGES, 1_000),
    "jsonl.gz": (members(jsonl(RECORDS), 4), 500),
    "jsonl.zst": (zst(jsonl(RECORDS), 4), 500),
    "jsonl.bz2": (streams(bz2.compress, jsonl(RECORDS), 4), 500),
    "jsonl.xz": (streams(lzma.compress, jsonl(RECORDS), 4), 500),
    "jsonl.lz4": (lz4(jsonl(RECORDS), 4), 500),
    "arc": (ARC_PAGES, 1_000),
}
PACKED = ("gz", "zst", "bz2", "xz", "lz4")


def mutate(data: bytes, draw: random.Random) -> bytes:
    """One of: flipped bits, random bytes, a cut, a part removed, doubled or zeroed."""
    changed = bytearray(data)
    at = draw.randrange(4, len(changed))
    length = min(draw.choice([1, 4, 32, 500]), len(changed) - at)
    kind = draw.randrange(6)
    if kind == 0:
        for _ in range(draw.choice([1, 2, 8])):
            changed[draw.randrange(4, len(changed))] ^= 1 << draw.randrange(8)
    elif kind == 1:
        changed[at : at + length] = draw.randbytes(length)
    elif kind == 2:
        del changed[at:]
    elif kind == 3:
        del changed[at : at + length]
    elif kind == 4:
        changed[at:at] = changed[at : at + length]
    else:
        changed[at : at + length] = bytes(length)
    return bytes(changed)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", COLUMNAR)
def test_500_damaged_columnar_files_of_each_kind(tmp_path: Path, name: str) -> None:
    def one(seed: int) -> Outcome:
        folder = tmp_path / str(seed)
        folder.mkdir()
        return read(folder, "a.bin", mutate(COLUMNAR[name], random.Random(seed)))

    with ThreadPoolExecutor(2) as pool:  # the work is in the children
        outcomes = list(pool.map(one, range(500)))
    assert all(len(found.slots) <= 1000 for found in outcomes)
    if name.startswith("parquet"):
        silent = [found for found in outcomes if not found.rejections and not set(found.texts) <= TEXTS]
        assert len(silent) <= 2  # metadata has no checksum


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", STREAMS)
def test_damaged_streams(tmp_path: Path, name: str) -> None:
    data, count = STREAMS[name]
    changed = 0
    for seed in range(count):
        found = read(tmp_path, f"a.{name}", mutate(data, random.Random(seed)))
        changed += not set(found.texts) <= TEXTS
        assert len(found.slots) <= (700 if name == "json" else 260)  # lines, where the first bracket is gone
        assert set(found.texts) <= TEXTS or found.rejections or not name.endswith(PACKED)
    if name.endswith("gz"):
        assert changed <= count // 500  # damage that also destroys the last trailer cannot be told from a cut
    elif name.endswith(PACKED):
        assert changed == 0
