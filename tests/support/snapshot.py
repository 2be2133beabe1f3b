"""Folders as hubs, engines and this package leave them: data in many formats, and what lies beside data."""

import csv
import gzip
import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet

from tests.support.corpora import unique_texts

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"3" * 64 + b"\nsize 734003200\n"
HIDDEN = "hidden: its name starts with a dot"
DELTA = "the log of a Delta table"
SPARK = "a marker, summary or checksum of Spark or Hadoop"
SAVED = "the description of a saved dataset"
PAGE = "a page or setting beside data files"
SIDE_FILES = {
    HIDDEN: [".gitattributes"],
    DELTA: ["_delta_log/0.json"],
    SPARK: ["_SUCCESS"],
    SAVED: ["saved/dataset_info.json", "saved/state.json"],
    PAGE: ["LICENSE", "README.md", "data/part.tar!README.md"],
}
# Other folders: what lies beside data, by the reason to leave it out; the files of data; and pointers, by name.
LAYOUTS: Mapping[str, tuple[Mapping[str, list[str]], list[str], list[str]]] = {
    "languages": (
        {
            PAGE: ["CITATION.cff", "LICENSE-APACHE-2.0.txt", "README.zh-cn.md", "croissant.json", "dataset.yaml"],
            HIDDEN: [".cache", ".gitattributes"],
        },
        ["data/train-00000-of-00001.parquet", "docs/notes.txt"],
        [],
    ),
    "splits": (
        {
            SAVED: [
                "dataset_dict.json",
                "test/dataset_info.json",
                "test/state.json",
                "train/dataset_info.json",
                "train/state.json",
            ]
        },
        ["test/data-00000-of-00001.arrow", "train/data-00000-of-00001.arrow"],
        [],
    ),
    "spark": (
        {
            SPARK: ["_SUCCESS", "_committed_17", "_metadata", "_started_17", "part-0.parquet.crc"],
            "what a Spark job has not committed": ["_temporary/0/part-1.parquet"],
        },
        ["part-0.parquet"],
        [],
    ),
    "delta": (
        {
            DELTA: ["_delta_log/00000.checkpoint.parquet", "_delta_log/00000.json"],
            "the change data of a Delta table": ["_change_data/cdc-0.parquet"],
        },
        ["day=1/part-0.parquet", "day=2/part-0.parquet"],
        [],
    ),
    "iceberg": (
        {"the metadata of an Iceberg table": ["metadata/snap-1.avro", "metadata/v1.metadata.json"]},
        ["data/a.parquet"],
        [],
    ),
    "made_run": (
        {
            "a run of Polyculture, of which only the shards are data": [
                "ledger/a.parquet",
                "manifest.json",
                "report/index.html",
                "shards/state.json",
                "verdict.json",
            ]
        },
        ["shards/s-0.arrow"],
        [],
    ),
    "made_dedupe": (
        {
            "the result of polyculture dedupe, of which only kept/ is data": [
                "dedupe.json",
                "quarantined/part-0.parquet",
                "removed/part-0.parquet",
            ]
        },
        ["kept/part-0.parquet"],
        [],
    ),
    "pointers": (
        {PAGE: ["README.md"]},
        ["b.jsonl"],
        ["a.parquet", "c.jsonl", "d.txt", "e.txt.gz", "f.csv", "g.tar", "h.warc.zst", "i.arrow", "part-00000"],
    ),
    "pages": ({}, ["LICENSE", "README.md", "guide.md"], []),
    "strange_names": (
        {PAGE: ["[bold]/README.md"], HIDDEN: [".[red]"]},
        ["-rf.jsonl", "[/b] \"q\" 'q'.jsonl", "[bold]/train.parquet", "käse 漢字.jsonl"],
        [],
    ),
}
DOCUMENTS = {
    "data/array.json": 40,
    "data/chat.jsonl": 40,
    "data/more.jsonl.gz": 40,
    "data/part.tar": 41,
    "data/rows.csv": 40,
    "saved/a.arrow": 40,
}
LOST = "data/large.jsonl"


def _records(number: int) -> list[dict[str, object]]:
    return [{"id": f"{number}-{at}", "text": text} for at, text in enumerate(unique_texts(40, 100 + number))]


def _lines(records: list[dict[str, object]]) -> bytes:
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def _csv(records: list[dict[str, object]]) -> bytes:
    written = io.StringIO()
    writer = csv.DictWriter(written, ["id", "text"])
    writer.writeheader()
    writer.writerows(records)
    return written.getvalue().encode()


def _tar(members: Mapping[str, bytes]) -> bytes:
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return body.getvalue()


def _arrow(records: list[dict[str, object]]) -> bytes:
    sink = io.BytesIO()
    table = pa.Table.from_pylist(records)
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def _parquet(records: list[dict[str, object]]) -> bytes:
    sink = io.BytesIO()
    pa.parquet.write_table(pa.Table.from_pylist(records), sink)
    return sink.getvalue()


def write_layout(folder: Path, layout: str) -> None:
    """One of `LAYOUTS`: each file of data holds 40 documents, or one if it is a page."""
    beside, data, pointers = LAYOUTS[layout]
    writers = {".parquet": _parquet, ".arrow": _arrow, ".jsonl": _lines}
    number = 100 * (1 + list(LAYOUTS).index(layout))
    for at, name in enumerate(data):
        write = writers.get(Path(name).suffix)
        body = write(_records(number + at)) if write else "\n".join(unique_texts(3, 7 * (number + at))).encode()
        _write(folder / name, body)
    for name in (name for names in beside.values() for name in names):
        _write(folder / name, b"{}\n")
    for name in pointers:
        _write(folder / name, POINTER)


def _write(path: Path, body: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)


def write_snapshot(folder: Path) -> None:
    """A snapshot of a hub: `DOCUMENTS` are data, `SIDE_FILES` are none, and `LOST` is a pointer to data."""
    chat = [{**record, "text": [{"role": "user", "content": record["text"]}]} for record in _records(1)]
    files = {
        ".gitattributes": b"*.parquet filter=lfs\n",
        "README.md": b"# About these texts\n",
        "LICENSE": b"Do as you like.\n",
        "_SUCCESS": b"",
        "_delta_log/0.json": b"{}\n",
        "saved/dataset_info.json": b"{}",
        "saved/state.json": b"{}",
        "saved/a.arrow": _arrow(_records(0)),
        "data/chat.jsonl": _lines(chat),
        "data/rows.csv": _csv(_records(2)),
        "data/array.json": json.dumps(_records(3)).encode(),
        "data/more.jsonl.gz": gzip.compress(_lines(_records(4)), mtime=0),
        "data/part.tar": _tar(
            {
                "README.md": b"# About the archive\n",
                "b.jsonl": _lines(_records(5)),
                "c.txt": unique_texts(1, 7)[0].encode(),
            }
        ),
        LOST: POINTER,
    }
    for name, data in files.items():
        _write(folder / name, data)
