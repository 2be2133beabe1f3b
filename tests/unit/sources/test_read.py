import gzip
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from polyculture.sources import read as module
from polyculture.sources.documents import Document
from polyculture.sources.files import find_inputs
from polyculture.sources.read import read_file
from polyculture.sources.readers import READERS
from polyculture.sources.record import FileNotes, Reading, Record, Rejection, Slot
from schemas.documents import Kind
from schemas.source_config import LimitsConfig, SourceConfig
from tests.unit.sources.helpers import (
    arc,
    arc_start,
    arrow_file,
    arrow_stream,
    http,
    jsonl,
    page,
    parquet,
    read,
    tar,
    warc,
    zst,
)

LINES = b'{"text": "x"}\n' * 3


def fail_with(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def reader(reading: Reading) -> Iterator[Slot]:
        yield Record({"text": "x"}, 0, "0" * 64)
        raise error

    readers: Mapping[str, object] = {**READERS, "jsonl": reader}
    monkeypatch.setattr(module, "READERS", readers)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (MemoryError(), "parser_crash"),
        (RecursionError(), "parser_crash"),
        (OSError(5, "Input/output error"), "decompress_error"),
    ],
)
def test_a_failure_that_the_bytes_cause_costs_the_rest_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
) -> None:
    fail_with(error, monkeypatch)
    found = read(tmp_path, "a.jsonl", LINES)
    assert found.texts == ["x"]
    assert found.reasons == {reason: 1}
    assert found.notes.is_tail_lost
    assert found.notes.lost_bytes == len(LINES)


@pytest.mark.parametrize("error", [KeyError("x"), TypeError("x"), ValueError("x"), AttributeError("x")])
def test_a_defect_of_this_program_surfaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    fail_with(error, monkeypatch)
    with pytest.raises(type(error)):
        read(tmp_path, "a.jsonl", LINES)


def pyarrow_table(texts: list[str]) -> object:
    import pyarrow as pa

    return pa.table({"text": texts})


ONE_DOCUMENT = {
    "jsonl": lambda text: jsonl([{"text": text}]),
    "json": lambda text: json.dumps([{"text": text}], ensure_ascii=False).encode(),
    "csv": lambda text: f'id,text\n,"{text}"\n'.encode(),
    "parquet": lambda text: parquet(pyarrow_table([text])),
    "arrow": lambda text: arrow_file(pyarrow_table([text])),
    "arrow_stream": lambda text: arrow_stream(pyarrow_table([text])),
    "warc": lambda text: warc("conversion", text.encode(), "text/plain"),
    "arc": lambda text: arc_start() + arc(http(text.encode(), "text/plain")),
    "html": page,
    "text": lambda text: text.encode(),
    "tar": lambda text: tar([("a.txt", text.encode())]),
}


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("text", ["One sentence, no more.", "Übergröße 日本語 \U0001f600 a\u200bb", "x" * 100_000])
def test_every_reader_gives_the_same_text(tmp_path: Path, name: str, text: str) -> None:
    found = read(tmp_path, "file", ONE_DOCUMENT[name](text))
    assert found.notes.format == name
    assert [str(said).replace("\u200b", "") for said in found.texts] == [text.replace("\u200b", "")]
    assert len(found.slots) == 1


@pytest.mark.parametrize("name", READERS)
def test_every_reader_is_deterministic(tmp_path: Path, name: str) -> None:
    data = ONE_DOCUMENT[name]("the same twice over")
    assert read(tmp_path, "a", data).slots == read(tmp_path, "a", data).slots


@pytest.mark.parametrize("name", ["jsonl", "json", "csv", "warc", "arc", "html", "text", "tar"])
def test_every_stream_reader_reads_packed_files(tmp_path: Path, name: str) -> None:
    found = read(tmp_path, "a", zst(ONE_DOCUMENT[name]("A sentence that was packed")))
    assert found.texts == ["A sentence that was packed"]
    assert found.notes.format == f"{name}+zstd"


@pytest.mark.parametrize("name", READERS)
def test_every_reader_survives_a_cut_at_any_place(tmp_path: Path, name: str) -> None:
    data = ONE_DOCUMENT[name]("A sentence that will be cut somewhere")
    step = max(1, len(data) // (3 if name in ("parquet", "arrow", "arrow_stream") else 40))
    for cut in range(1, len(data), step):
        found = read(tmp_path, "a." + ("warc" if name == "warc" else "x"), data[:cut])
        assert len(found.slots) <= 2


def test_positions_do_not_shift_when_a_slot_is_set_aside(tmp_path: Path) -> None:
    good = b'{"text": "x"}\n'
    whole = read(tmp_path, "a.jsonl", good * 5)
    holed = read(tmp_path, "a.jsonl", good * 2 + b"bad\n" + good * 2)
    assert [d.position for d in whole.documents] == [0, 1, 2, 3, 4]
    assert [d.position for d in holed.documents] == [0, 1, 3, 4]


def test_filtered_slots_have_positions_too(tmp_path: Path) -> None:
    records = [warc("response", http(page("Some text here"), status=status), number=status) for status in (404, 200)]
    found = read(tmp_path, "a.warc", b"".join(records))
    assert [document.position for document in found.documents] == [1]
    assert found.filtered == ["http_status"]
    assert not [slot for slot in found.slots if isinstance(slot, Rejection)]


@pytest.mark.parametrize("word", ["ORCA whales", "PARENTS", "Rar! he said", "BZhang", "FEA12", "PAR1 is", "ARROW1 is"])
def test_prose_that_starts_like_a_magic_number_is_prose(tmp_path: Path, word: str) -> None:
    found = read(tmp_path, "a.txt", f"{word} and a sentence that goes on.\n".encode())
    assert found.notes.format == "text"
    assert len(found.documents) == 1


def test_a_packed_file_that_changes_while_it_is_read_loses_its_tail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("polyculture.sources.stream.KEPT_BYTES", 0)
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(
        gzip.compress(b"".join(b'{"text": "%s"}\n' % os.urandom(500).hex().encode() for _ in range(8_000)))
    )
    source = SourceConfig(name="s", kind=Kind.WEB, paths=(path.name,))
    (file,) = find_inputs(source, tmp_path).files
    notes = FileNotes()
    slots = read_file(file, source, LimitsConfig(), notes)
    assert isinstance(next(slots), Document)
    os.truncate(path, path.stat().st_size // 2)
    rest = list(slots)
    assert isinstance(rest[-1], Rejection)
    assert rest[-1].reason == "decompress_error"
    assert notes.is_tail_lost
