"""Readers: MB/s of one core beside the libraries alone on the same file, and peak memory.

    python -m bench.readers [--size 64MB] [--kinds csv,xz] [--rounds 3]
    python -m bench.readers --large 2GB [--kinds csv,array,tar,xz]

Each file holds made-up records of about 2 KB as its format has them, and is written for the purpose. A reader is timed
from the file to checked documents; the floor decompresses the same file and parses its records with the libraries that
the reader uses or that everybody does (csv, orjson, tarfile, resiliparse), and checks nothing. MB are of decompressed
bytes, seconds of CPU, of the quickest round. Every measurement has a process of its own; memory is what its peak is
above that of the imports. With `--large` there are no floors, and the question is whether memory keeps its bound.

Targets.
"""

import argparse
import bz2
import csv
import gzip
import io
import json
import lzma
import random
import re
import resource
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import orjson
import pyarrow as pa
import zstandard
from rich.console import Console
from rich.table import Table

from polyculture.sources.documents import Document
from polyculture.sources.files import list_inputs
from polyculture.sources.read import read_file
from polyculture.sources.record import FileNotes
from schemas.documents import Kind
from schemas.source_config import LimitsConfig, SourceConfig

LEAST_OF_FLOOR = 0.1  # of the libraries' MB/s; orjson alone reads a gigabyte a second, and checks and hashes nothing
MOST_BYTES = 256 * 2**20  # of memory above the imports, whatever the size of the file
SEED = 20261201
POOL = 2_000  # texts, which return under new ids
PIECE_BYTES = 2**20
DICTIONARY_BYTES = 64 * 2**10
_PAGE = re.compile(rb"<html>.*?</html>", re.DOTALL)


def main() -> int:
    """Print the table; 0 if every target is met."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", default="64MB", type=_bytes)
    parser.add_argument("--large", type=_bytes)
    parser.add_argument("--kinds", default=",".join(FORMATS))
    parser.add_argument("--rounds", default=3, type=int)
    parser.add_argument("--one", nargs=3, metavar=("WHAT", "KIND", "FILE"), help="what a process of its own runs")
    given = parser.parse_args()
    if given.one:
        print(json.dumps(_run(*given.one)))
        return 0
    table = Table("reader", "MB", "stored MB", "MB/s", "floor, MB/s", "of floor", "memory, MB")
    missed = 0
    for name in given.kinds.split(","):
        with tempfile.TemporaryDirectory() as folder:
            row, is_met = _measured(name, Path(folder), given.large or given.size, given.large is None, given.rounds)
        table.add_row(name, *row)
        missed += not is_met
    Console().print(table)
    print(f"{missed} of {table.row_count} miss a target")
    return 1 if missed else 0


def _measured(name: str, folder: Path, size: int, has_floor: bool, rounds: int) -> tuple[list[str], bool]:
    form = FORMATS[name]
    path = folder / form.file
    form.write(path, size)
    runs = [_start("read", name, path) for _ in range(rounds if has_floor else 1)]
    millions = runs[0]["bytes"] / 1e6
    speed = millions / min(run["seconds"] for run in runs)
    memory = max(run["memory"] for run in runs)
    shown = [f"{millions:,.0f}", f"{path.stat().st_size / 1e6:,.0f}", f"{speed:.0f}"]
    if not has_floor:
        return [*shown, "", "", f"{memory / 2**20:.0f}"], memory <= MOST_BYTES
    floor = millions / min(_start("floor", name, path)["seconds"] for _ in range(rounds))
    row = [*shown, f"{floor:.0f}", f"{speed / floor:.2f}", f"{memory / 2**20:.0f}"]
    return row, speed >= LEAST_OF_FLOOR * floor and memory <= MOST_BYTES


def _start(what: str, name: str, path: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.readers", "--one", what, name, str(path)]
    done = subprocess.run(command, capture_output=True, check=True)
    return {key: float(value) for key, value in json.loads(done.stdout).items()}


def _run(what: str, name: str, path: str) -> dict[str, float]:
    form = FORMATS[name]
    source = SourceConfig(name="s", kind=Kind.WEB, paths=(path,), **form.options)
    (file,) = list_inputs(source, Path()).unread
    Path("/proc/self/clear_refs").write_text("5")  # the peak is that of the imports until here
    before, started = _peak_bytes(), _cpu_seconds()
    if what == "floor":
        form.floor(Path(path))
        return {"seconds": _cpu_seconds() - started}
    notes = FileNotes()
    count = sum(isinstance(slot, Document) for slot in read_file(file, source, LimitsConfig(), notes))
    seconds = _cpu_seconds() - started
    expected = int(Path(f"{path}.count").read_text())
    if count != expected:
        raise RuntimeError(f"{name}: {count} documents of {expected}: {notes}")
    size = int(Path(f"{path}.bytes").read_text())
    return {"seconds": seconds, "memory": _peak_bytes() - before, "bytes": size}


def _peak_bytes() -> int:
    """Peak of resident memory; that of `getrusage` may be the parent's."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    if found is None:
        raise RuntimeError("wanted VmHWM in /proc/self/status")
    return int(found[1]) * 1024


def _cpu_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(part.ru_utime + part.ru_stime for part in used)


def _bytes(text: str) -> int:
    unit = {"MB": 10**6, "GB": 10**9}[text[-2:].upper()]
    return int(float(text[:-2]) * unit)


def _texts() -> Iterator[tuple[str, str]]:
    """Ids and texts without end."""
    generator = random.Random(SEED)
    letters = "etaoinshrdlcumwfgypbvk"
    words = ["".join(generator.choices(letters, k=generator.randint(2, 9))) for _ in range(20_000)]
    pool = [" ".join(generator.choices(words, k=300)) + ', "so" it was.' for _ in range(POOL)]
    number = 0
    while True:
        yield f"id-{number}", pool[number % POOL]
        number += 1


@dataclass
class _Output:
    """A file that counts what is written to it, before it is packed."""

    stream: IO[bytes]
    written: int = 0

    def write(self, data: bytes) -> int:
        self.written += len(data)
        return self.stream.write(data)


Pack = Callable[[Path], IO[bytes]]
Records = Callable[[_Output, int], int]


def _plain(path: Path) -> IO[bytes]:
    return path.open("wb")


def _bzip2(path: Path) -> IO[bytes]:
    return bz2.open(path, "wb")


def _xz(path: Path) -> IO[bytes]:
    return lzma.open(path, "wb", preset=0)


def _lz4(path: Path) -> IO[bytes]:
    stream: IO[bytes] = pa.CompressedOutputStream(path, "lz4")
    return stream


def _lines(out: _Output, size: int, *, is_chat: bool = False) -> int:
    for count, (name, text) in enumerate(_texts(), 1):
        said: object = [{"role": "user", "content": text[:200]}, {"role": "assistant", "content": text[200:]}]
        out.write(orjson.dumps({"id": name, "text": said if is_chat else text}) + b"\n")
        if out.written >= size:
            return count
    raise AssertionError


def _chats(out: _Output, size: int) -> int:
    return _lines(out, size, is_chat=True)


def _array(out: _Output, size: int) -> int:
    out.write(b"[")
    for count, (name, text) in enumerate(_texts(), 1):
        out.write((b"," if count > 1 else b"") + orjson.dumps({"id": name, "text": text}))
        if out.written >= size:
            out.write(b"]")
            return count
    raise AssertionError


def _separated(delimiter: str) -> Records:
    def write(out: _Output, size: int) -> int:
        row = io.StringIO()
        writer = csv.writer(row, delimiter=delimiter, lineterminator="\n")
        writer.writerow(["id", "text"])
        for count, record in enumerate(_texts()):
            if out.written >= size:
                return count
            writer.writerow(record)
            out.write(row.getvalue().encode())
            row.seek(0)
            row.truncate()
        raise AssertionError

    return write


def _page(text: str) -> bytes:
    html = f"<html><head><title>A page</title></head><body><main><p>{text}</p></main></body></html>".encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + html


def _warc(name: str, text: str) -> bytes:
    payload = _page(text)
    head = (
        f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:{name}>\r\nWARC-Date: 2024-05-18T01:58:10Z\r\n"
        f"WARC-Target-URI: http://example.org/{name}\r\nContent-Type: application/http; msgtype=response\r\n"
        f"Content-Length: {len(payload)}\r\n\r\n"
    )
    return head.encode() + payload + b"\r\n\r\n"


def _arc(name: str, text: str) -> bytes:
    payload = _page(text)
    return (
        f"http://example.org/{name} 93.184.216.119 20140216050221 text/html {len(payload)}\n".encode() + payload + b"\n"
    )


def _write_arc(path: Path, size: int) -> None:
    block = b"1 0 Somebody\nURL IP-address Archive-date Content-type Archive-length\n"
    first = b"filedesc://a.arc 0.0.0.0 20140216050221 text/plain %d\n" % len(block) + block + b"\n"
    _write_pages(path, size, _arc, gzip.compress, first, gzip.compress(first))


def _write_warc(path: Path, size: int) -> None:
    samples = [_warc(name, text) for (name, text), _ in zip(_texts(), range(200), strict=False)]
    trained = zstandard.train_dictionary(DICTIONARY_BYTES, [*samples])
    packer = zstandard.ZstdCompressor(dict_data=trained, write_checksum=True)
    body = trained.as_bytes()
    start = b"\x5d\x2a\x4d\x18" + len(body).to_bytes(4, "little") + body
    _write_pages(path, size, _warc, packer.compress, b"", start)


def _write_pages(  # noqa: PLR0913, PLR0917 -- what a file of packed records is made of
    path: Path,
    size: int,
    record: Callable[[str, str], bytes],
    pack: Callable[[bytes], bytes],
    plain: bytes,
    start: bytes,
) -> None:
    written, count = len(plain), 0
    with path.open("wb") as stream:
        stream.write(start)
        for name, text in _texts():
            data = record(name, text)
            stream.write(pack(data))
            written, count = written + len(data), count + 1
            if written >= size:
                break
    _note(path, count, written)


def _write_tar(path: Path, size: int) -> None:
    """Two members, so that each of them is large where the archive is."""
    count = 0
    with tempfile.TemporaryDirectory(dir=path.parent) as folder, tarfile.open(path, "w") as archive:
        for name in ("a.jsonl", "b.jsonl"):
            with (Path(folder) / name).open("wb") as stream:
                count += _lines(_Output(stream), size // 2)
            archive.add(Path(folder) / name, name)
            (Path(folder) / name).unlink()
    _note(path, count, path.stat().st_size)


def _writer(records: Records, pack: Pack = _plain) -> Callable[[Path, int], None]:
    def write(path: Path, size: int) -> None:
        with pack(path) as stream:
            out = _Output(stream)
            count = records(out, size)
        _note(path, count, out.written)

    return write


def _note(path: Path, count: int, size: int) -> None:
    Path(f"{path}.count").write_text(str(count))
    Path(f"{path}.bytes").write_text(str(size))


def _parse_lines(lines: Iterable[bytes]) -> None:
    for line in lines:
        orjson.loads(line)


def _lines_floor(opened: Callable[[Path], IO[bytes]]) -> Callable[[Path], None]:
    def floor(path: Path) -> None:
        with opened(path) as stream:
            _parse_lines(stream)

    return floor


def _lz4_floor(path: Path) -> None:
    with pa.CompressedInputStream(str(path), "lz4") as stream:
        _parse_lines(io.BufferedReader(stream, PIECE_BYTES))


def _array_floor(path: Path) -> None:
    orjson.loads(path.read_bytes())


def _separated_floor(delimiter: str) -> Callable[[Path], None]:
    def floor(path: Path) -> None:
        with path.open(newline="", encoding="utf-8") as stream:
            for _ in csv.reader(stream, delimiter=delimiter):
                pass

    return floor


def _tar_floor(path: Path) -> None:
    with tarfile.open(path, "r|") as archive, ExitStack() as members:
        for member in archive:
            stream = archive.extractfile(member)
            if stream is not None:
                _parse_lines(members.enter_context(stream))


def _arc_floor(path: Path) -> None:
    with gzip.open(path) as stream:
        _extract(stream.read())


def _warc_floor(path: Path) -> None:
    data = path.read_bytes()
    size = int.from_bytes(data[4:8], "little")
    dictionary = zstandard.ZstdCompressionDict(data[8 : 8 + size])
    reader = zstandard.ZstdDecompressor(dict_data=dictionary).stream_reader(data[8 + size :], read_across_frames=True)
    _extract(reader.read())


def _extract(pages: bytes) -> None:
    from resiliparse.extract.html2text import extract_plain_text
    from resiliparse.parse.html import HTMLTree

    for page in _PAGE.finditer(pages):
        extract_plain_text(HTMLTree.parse(page[0].decode()), main_content=True)


@dataclass(frozen=True)
class Format:
    """A kind of file: its name, how it is written, what the libraries alone do with it, and its source's settings."""

    file: str
    write: Callable[[Path, int], None]
    floor: Callable[[Path], None]
    options: dict[str, object]


def _open_plain(path: Path) -> IO[bytes]:
    return path.open("rb")


CHAT: dict[str, object] = {"chat_template": "{role}: {content}\n"}
FORMATS = {
    "jsonl": Format("a.jsonl", _writer(_lines), _lines_floor(_open_plain), {}),
    "csv": Format("a.csv", _writer(_separated(",")), _separated_floor(","), {}),
    "tsv": Format("a.tsv", _writer(_separated("\t")), _separated_floor("\t"), {}),
    "array": Format("a.json", _writer(_array), _array_floor, {}),
    "chat": Format("a.jsonl", _writer(_chats), _lines_floor(_open_plain), CHAT),
    "bz2": Format("a.jsonl.bz2", _writer(_lines, _bzip2), _lines_floor(bz2.open), {}),
    "xz": Format("a.jsonl.xz", _writer(_lines, _xz), _lines_floor(lzma.open), {}),
    "lz4": Format("a.jsonl.lz4", _writer(_lines, _lz4), _lz4_floor, {}),
    "tar": Format("a.tar", _write_tar, _tar_floor, {}),
    "arc.gz": Format("a.arc.gz", _write_arc, _arc_floor, {}),
    "warc.zst": Format("a.warc.zst", _write_warc, _warc_floor, {}),
}


if __name__ == "__main__":
    sys.exit(main())
