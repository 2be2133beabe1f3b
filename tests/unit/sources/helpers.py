"""Files made from bytes, and what came of reading them."""

import gzip
import hashlib
import io
import json
import struct
import tarfile
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import xxhash
import zstandard

from polyculture.sources.documents import Document
from polyculture.sources.files import find_inputs
from polyculture.sources.read import read_file
from polyculture.sources.record import FileNotes, Filtered, Rejection
from schemas.documents import Kind
from schemas.source_config import LimitsConfig, SourceConfig


@dataclass(frozen=True)
class Outcome:
    """All slots of a file, sorted by what became of them."""

    slots: list[Document | Rejection | Filtered]
    notes: FileNotes

    @property
    def documents(self) -> list[Document]:
        return [slot for slot in self.slots if isinstance(slot, Document)]

    @property
    def rejections(self) -> list[Rejection]:
        return [slot for slot in self.slots if isinstance(slot, Rejection)]

    @property
    def filtered(self) -> list[str]:
        return [slot.rule for slot in self.slots if isinstance(slot, Filtered)]

    @property
    def texts(self) -> list[object]:
        return [document.values["text"] for document in self.documents]

    @property
    def ids(self) -> list[object]:
        return [document.values["id"] for document in self.documents]

    @property
    def reasons(self) -> dict[str, int]:
        return dict(Counter(str(rejection.reason) for rejection in self.rejections))


def read(
    folder: Path,
    name: str,
    data: bytes,
    fields: dict[str, str] | None = None,
    *,
    limits: LimitsConfig | None = None,
) -> Outcome:
    """Write `data` to `folder/name` and read it as a source; checks what holds for every file."""
    (folder / name).write_bytes(data)
    source = SourceConfig(name="s", kind=Kind.WEB, paths=(name,), fields=fields or {})
    return read_found(folder, source, limits)


def read_found(folder: Path, source: SourceConfig, limits: LimitsConfig | None = None) -> Outcome:
    """Read the one file of a source and check what holds for every file."""
    (file,) = find_inputs(source, folder).files
    notes = FileNotes()
    slots = list(read_file(file, source, limits or LimitsConfig(), notes))
    offsets = [slot.byte_offset for slot in slots]
    assert offsets == sorted(offsets)
    for number, slot in enumerate(slots):
        if isinstance(slot, Document):
            assert slot.position == number
            assert isinstance(slot.values["text"], str)
        if isinstance(slot, Rejection):
            assert len(slot.detail) <= 200
            assert slot.detail.isprintable()
            assert len(slot.sha256) == 64
            assert not slot.is_tail or number == len(slots) - 1 or notes.format.startswith("tar")  # of a member
    assert notes.is_tail_lost == any(isinstance(slot, Rejection) and slot.is_tail for slot in slots)
    assert notes.format
    return Outcome(slots, notes)


def rows(count: int, words: int = 20) -> list[dict[str, object]]:
    """Records with text that compresses like text."""
    return [{"id": f"id-{i}", "text": _text(i, words)} for i in range(count)]


def _text(seed: int, words: int) -> str:
    digest = hashlib.sha256(str(seed).encode()).hexdigest() * (words // 16 + 1)
    return " ".join(digest[4 * i : 4 * i + 4] for i in range(words)) + " für"


def jsonl(records: list[dict[str, object]]) -> bytes:
    """Records as JSON Lines."""
    return b"".join(json.dumps(record, ensure_ascii=False).encode() + b"\n" for record in records)


def parquet(table: pa.Table, **options: object) -> bytes:
    """A table as a Parquet file."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, **options)
    return bytes(sink.getvalue())


def arrow_file(table: pa.Table, batch_rows: int = 100) -> bytes:
    """A table as an Arrow IPC file."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=batch_rows)
    return bytes(sink.getvalue())


def arrow_stream(table: pa.Table, batch_rows: int = 100) -> bytes:
    """A table as an Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=batch_rows)
    return bytes(sink.getvalue())


def members(data: bytes, count: int) -> bytes:
    """Gzip with `count` members."""
    size = len(data) // count + 1
    return b"".join(gzip.compress(data[i : i + size], mtime=0) for i in range(0, len(data), size))


def zst(data: bytes, frames: int = 1, *, sized: bool = True) -> bytes:
    """Zstd with content checksums, in `frames` frames."""
    compressor = zstandard.ZstdCompressor(write_checksum=True, write_content_size=sized)
    size = len(data) // frames + 1
    parts = [data[i : i + size] for i in range(0, len(data), size)]
    if sized:
        return b"".join(compressor.compress(part) for part in parts)
    packed = []
    for part in parts:
        stream = compressor.compressobj()
        packed.append(stream.compress(part) + stream.flush())
    return b"".join(packed)


def lz4(data: bytes, frames: int = 1, *, is_linked: bool = True, has_checksum: bool = True) -> bytes:
    """Lz4 with content checksums, in `frames` frames of blocks of 64 KiB."""
    size = len(data) // frames + 1
    return b"".join(_lz4_frame(data[i : i + size], is_linked, has_checksum) for i in range(0, len(data), size))


def _lz4_frame(data: bytes, is_linked: bool, has_checksum: bool) -> bytes:
    """Blocks as pyarrow packs them, under a header of our own: pyarrow links them and writes no checksum."""
    flags = 0x40 | (0 if is_linked else 0x20) | (4 if has_checksum else 0)
    start = bytes([flags, 0x40])
    parts = [data] if is_linked else [data[i : i + 2**16] for i in range(0, len(data), 2**16)]
    blocks = b"".join(pa.compress(part, codec="lz4", asbytes=True)[7:-4] for part in parts)
    checksum = struct.pack("<I", xxhash.xxh32_intdigest(data)) if has_checksum else b""
    header = b"\x04\x22\x4d\x18" + start + bytes([xxhash.xxh32_intdigest(start) >> 8 & 0xFF])
    return header + blocks + bytes(4) + checksum


def streams(pack: Callable[[bytes], bytes], data: bytes, count: int) -> bytes:
    """Parts of `data`, each packed by itself."""
    size = len(data) // count + 1
    return b"".join(pack(data[i : i + size]) for i in range(0, len(data), size))


def raw_deflate(data: bytes) -> bytes:
    """Deflate without zlib's header."""
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def warc(
    kind: str,
    payload: bytes,
    content_type: str = "application/http; msgtype=response",
    number: int = 1,
    **headers: str | None,
) -> bytes:
    """One WARC record; a header given as None is left out."""
    written: dict[str, str | None] = {
        "WARC-Type": kind,
        "WARC-Record-ID": f"<urn:uuid:{number}>",
        "WARC-Date": "2024-05-18T01:58:10Z",
        "WARC-Target-URI": f"http://example.org/{number}",
        "Content-Type": content_type,
        "Content-Length": str(len(payload)),
    }
    written |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{name}: {value}\r\n" for name, value in written.items() if value is not None]
    return b"WARC/1.0\r\n" + "".join(lines).encode() + b"\r\n" + payload + b"\r\n\r\n"


def tar(files: Sequence[tuple[str, bytes]], form: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar archive of members."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, data in files:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


def arc_start(version: int = 1) -> bytes:
    """The version block of an ARC file."""
    more = "Result-code Checksum Location Offset Filename " if version == 2 else ""
    block = f"{version} 0 Somebody\nURL IP-address Archive-date Content-type {more}Archive-length\n"
    return arc(block.encode(), "filedesc://a.arc", "text/plain")


def arc(payload: bytes, url: str = "http://example.org/1", kind: str = "text/html", **other: str) -> bytes:
    """One record of an ARC file, version 1; `date` and `length` may be others."""
    date, length = other.get("date", "20140216050221"), other.get("length", str(len(payload)))
    return f"{url} 93.184.216.119 {date} {kind} {length}\n".encode() + payload + b"\n"


def http(body: bytes, content_type: str | None = "text/html", status: int = 200, headers: str = "") -> bytes:
    """An HTTP response."""
    line = f"Content-Type: {content_type}\r\n" if content_type is not None else ""
    return f"HTTP/1.1 {status} Whatever\r\n{line}{headers}\r\n".encode() + body


def page(text: str, charset: str = "utf-8", meta: str | None = None) -> bytes:
    """An HTML page with one paragraph."""
    declared = f'<meta charset="{meta}">' if meta else ""
    html = f"<html><head><title>Title</title>{declared}</head><body><main><p>{text}</p></main></body></html>"
    return html.encode(charset)
