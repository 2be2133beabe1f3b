"""Mutated files in every format: nothing kills the run, nothing raises, no text that was not there under a checksum."""

import bz2
import json
import lzma
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest
import zstandard

from schemas.source_config import SourceConfig
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
    read_found,
    rows,
    streams,
    tar,
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


def warc_zst(data: bytes, frames: int = 4) -> bytes:
    """Frames of WARC records under a dictionary of their own, which stands before them as crawlers write it."""
    size = len(data) // frames + 1
    parts = [data[at : at + size] for at in range(0, len(data), size)]
    samples: list[bytes | bytearray | memoryview] = [data[at : at + 400] for at in range(0, len(data), 400)]
    trained = zstandard.train_dictionary(4096, samples)
    body = zstandard.ZstdCompressor().compress(trained.as_bytes())
    head = b"\x5d\x2a\x4d\x18" + len(body).to_bytes(4, "little") + body
    packer = zstandard.ZstdCompressor(dict_data=trained, write_checksum=True)
    return head + b"".join(packer.compress(part) for part in parts)


TABBED = b"id\ttext\n" + b"".join(f"{r['id']}\t{r['text']}\n".encode() for r in RECORDS)
PARAGRAPHS = "\n\n".join(str(r["text"]) for r in RECORDS).encode()
CHATS = jsonl([{"id": r["id"], "text": [{"role": "user", "content": r["text"]}]} for r in RECORDS])
ARCHIVE = tar(
    [
        *((f"t/{n:03}.txt", str(r["text"]).encode()) for n, r in enumerate(RECORDS[:40])),
        ("a.jsonl", jsonl(RECORDS[40:80])),
        ("b.jsonl.gz", members(jsonl(RECORDS[80:]), 2)),
    ]
)
STREAMS = {
    "jsonl": (jsonl(RECORDS), 5_000),
    "json": (json.dumps(RECORDS, indent=1).encode(), 1_000),
    "json.gz": (members(json.dumps(RECORDS).encode(), 4), 700),
    "csv": (SEPARATED, 1_000),
    "csv.zst": (zst(SEPARATED, 4), 700),
    "tsv": (TABBED, 1_000),
    "tsv.xz": (streams(lzma.compress, TABBED, 4), 700),
    "warc": (PAGES, 1_000),
    "warc.gz": (members(PAGES, 4), 700),
    "warc.zst": (warc_zst(PAGES), 700),
    "jsonl.gz": (members(jsonl(RECORDS), 4), 700),
    "jsonl.zst": (zst(jsonl(RECORDS), 4), 700),
    "jsonl.bz2": (streams(bz2.compress, jsonl(RECORDS), 4), 700),
    "jsonl.xz": (streams(lzma.compress, jsonl(RECORDS), 4), 700),
    "jsonl.lz4": (lz4(jsonl(RECORDS), 4), 700),
    "arc": (ARC_PAGES, 1_000),
    "arc.gz": (members(ARC_PAGES, 4), 700),
    "txt": (PARAGRAPHS, 1_000),
    "txt.bz2": (streams(bz2.compress, PARAGRAPHS, 4), 700),
    "chat.jsonl": (CHATS, 1_000),
    "chat.jsonl.lz4": (lz4(CHATS, 4), 700),
    "tar": (ARCHIVE, 1_000),
    "tar.gz": (members(ARCHIVE, 4), 700),
    "tar.zst": (zst(ARCHIVE, 4), 700),
}
SETTINGS: dict[str, dict[str, str]] = {
    "txt": {"text_records": "blank_lines"},
    "chat": {"chat_template": "{content}"},
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
    (tmp_path / f"a.{name}").touch()
    settings = SETTINGS.get(name.partition(".")[0], {})
    source = SourceConfig.model_validate({"name": "s", "kind": "web", "paths": [f"a.{name}"], **settings})
    for seed in range(count):
        (tmp_path / f"a.{name}").write_bytes(mutate(data, random.Random(seed)))
        found = read_found(tmp_path, source)
        changed += not set(found.texts) <= TEXTS
        assert len(found.slots) <= (700 if name == "json" else 260)  # lines, where the first bracket is gone
        assert set(found.texts) <= TEXTS or found.rejections or not name.endswith(PACKED)
    if name.endswith("gz"):
        assert changed <= count // 500  # damage that also destroys the last trailer cannot be told from a cut
    elif name.endswith(PACKED):
        assert changed == 0
