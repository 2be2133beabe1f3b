import datetime
import random
import signal
import subprocess
import time
import uuid
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from polyculture.sources import parser_process
from polyculture.sources.documents import Document
from polyculture.sources.files import find_inputs
from polyculture.sources.read import read_file
from polyculture.sources.record import FileNotes
from schemas.source_config import LimitsConfig, SourceConfig
from tests.unit.sources.helpers import arrow_file, arrow_stream, jsonl, parquet, read, rows

RECORDS = rows(250)
TABLE = pa.Table.from_pylist(RECORDS)
TEXTS = [record["text"] for record in RECORDS]
LEAST_BYTES = 500 * 2**20  # pyarrow maps about 350 MiB before it reads a byte
WRITERS = {"parquet": parquet, "arrow": arrow_file, "arrow_stream": arrow_stream}


def column(values: list[object], kind: pa.DataType | None = None, name: str = "text") -> pa.Table:
    return pa.table({name: pa.array(values, kind)})


@pytest.mark.parametrize("name", WRITERS)
def test_every_columnar_format_gives_what_json_lines_give(tmp_path: Path, name: str) -> None:
    started = time.monotonic()
    found = read(tmp_path, "a.bin", WRITERS[name](TABLE))
    lines = read(tmp_path, "a.jsonl", jsonl(RECORDS))
    assert [document.values for document in found.documents] == [document.values for document in lines.documents]
    assert [document.byte_offset for document in found.documents] == list(range(250))
    assert found.notes.format == name
    assert found.rejections == []
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize(
    ("kind", "texts"),
    [
        (pa.string(), ["one", "two"]),
        (pa.large_string(), ["one", "two"]),
        (pa.string_view(), ["one", "two"]),
        (pa.binary(), ["one", "two"]),
        (pa.dictionary(pa.int32(), pa.string()), ["one", "two"]),
    ],
    ids=str,
)
def test_types_that_hold_text(tmp_path: Path, name: str, kind: pa.DataType, texts: list[str]) -> None:
    values = pa.array(["one", None, "two"]).cast(kind)
    found = read(tmp_path, "a.bin", WRITERS[name](pa.table({"text": values})))
    assert found.texts == texts
    assert found.reasons == {"text_missing": 1}
    assert [document.position for document in found.documents] == [0, 2]


MISMATCHES = {
    "no such column": column(["x"], name="content"),
    "integers": column([1, 2]),
    "list of strings": column([["x"]]),
    "list of bytes": column([[b"x"]]),
    "struct": column([{"a": "x"}]),
    "null type": column([None], pa.null()),
    "booleans": column([True]),
    "timestamps": column([datetime.datetime(2024, 5, 18)]),
    "column twice": pa.Table.from_arrays([pa.array(["x"]), pa.array(["y"])], ["text", "text"]),
}


@pytest.mark.parametrize("name", ["parquet", "arrow", "arrow_stream"])
@pytest.mark.parametrize("table", MISMATCHES)
def test_a_file_without_a_text_column_costs_one_rejection(tmp_path: Path, name: str, table: str) -> None:
    found = read(tmp_path, "a.bin", WRITERS[name](MISMATCHES[table]))
    assert found.reasons == {"schema_mismatch": 1}
    assert len(found.slots) == 1
    assert found.notes.is_tail_lost
    assert "text" in found.rejections[0].detail
    assert ": " in found.rejections[0].detail


@pytest.mark.parametrize("name", WRITERS)
def test_no_rows_are_no_documents(tmp_path: Path, name: str) -> None:
    found = read(tmp_path, "a.bin", WRITERS[name](TABLE.slice(0, 0)))
    assert found.slots == []


def test_no_row_groups(tmp_path: Path) -> None:
    with pq.ParquetWriter(tmp_path / "made", TABLE.schema):
        pass
    found = read(tmp_path, "a.bin", (tmp_path / "made").read_bytes())
    assert found.slots == []


def test_invalid_utf_8_costs_its_row(tmp_path: Path) -> None:
    values = pa.Array.from_buffers(pa.string(), 3, pa.array([b"one", b"a\xff", b"two"]).buffers())
    found = read(tmp_path, "a.bin", arrow_file(pa.table({"text": values})))
    assert found.texts == ["one", "two"]
    assert found.reasons == {"invalid_utf8": 1}
    assert found.rejections[0].byte_offset == 1


@pytest.mark.parametrize("name", WRITERS)
def test_a_text_over_the_limit_costs_its_row(tmp_path: Path, name: str) -> None:
    table = column(["short", "x" * 1001, "ä" * 500])
    found = read(tmp_path, "a.bin", WRITERS[name](table), limits=LimitsConfig(max_document_bytes=1000))
    assert found.texts == ["short", "ä" * 500]
    assert found.reasons == {"doc_too_big": 1}
    assert found.rejections[0].byte_offset == 1


def test_columns_nobody_wants_are_not_read(tmp_path: Path) -> None:
    blobs = pa.array([bytes([i]) * 2**20 for i in range(200)])
    table = pa.table({"text": ["x"] * 200, "image": blobs, "images": pa.array([[i] * 10**5 for i in range(200)])})
    packed = parquet(table, compression="zstd", use_dictionary=False)
    limits = LimitsConfig(max_parser_bytes=LEAST_BYTES)
    assert len(read(tmp_path, "a.parquet", packed, limits=limits).documents) == 200


def test_mapped_nested_and_odd_columns(tmp_path: Path) -> None:
    table = pa.table(
        {
            "content": ["x"],
            "meta": pa.array([{"author": {"name": "ann"}, "n": 2}]),
            "json": ['{"cost": 1.5}'],
            "when": pa.array([datetime.datetime(2024, 5, 18, 1, 58)], pa.timestamp("ns")),
            "zoned": pa.array([datetime.datetime(2024, 5, 18, 1, 58)], pa.timestamp("us", "UTC")),
            "span": pa.array([5], pa.duration("ns")),
            "half": pa.array([0.5], pa.float16()),
            "map": pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())),
            "cents": pa.array([1]).cast(pa.decimal128(22, 2)),
        }
    )
    fields = {
        "text": "content",
        "author": "meta.author.name",
        "cost": "json.cost",
        "crawl_date": "when",
        "url": "zoned",
        "teacher": "span",
        "hours": "half",
        "seed": "map",
        "explanation": "cents",
    }
    found = read(tmp_path, "a.bin", parquet(table), fields)
    assert found.documents[0].values == {
        "id": None,
        "text": "x",
        "author": "ann",
        "cost": 1.5,
        "crawl_date": "2024-05-18T01:58:00.000000000",
        "url": "2024-05-18T01:58:00.000000Z",
        "hours": 0.5,
        "explanation": "1",
    } | {key: value for key, value in found.documents[0].values.items() if key == "teacher"}


UUIDS = [uuid.UUID(int=7), None, uuid.UUID(int=2**127 + 1)]
STORED = pa.array([value.bytes if value else None for value in UUIDS], pa.binary(16))
OWN_IDS: dict[str, tuple[pa.Array, list[str | None]]] = {
    "uuid": (pa.ExtensionArray.from_storage(pa.uuid(), STORED), [str(value) if value else None for value in UUIDS]),
    "16 bytes": (STORED, [str(value) if value else None for value in UUIDS]),
    "decimal": (pa.array([Decimal(7), None, Decimal(10**19)], pa.decimal128(20, 0)), ["7", None, str(10**19)]),
    "wide decimal": (pa.array([Decimal(7), None, Decimal(10**40)], pa.decimal256(42, 0)), ["7", None, str(10**40)]),
    "decimal with a scale": (pa.array([Decimal("7.00"), None, Decimal("8.00")]), ["7", None, "8"]),
    "float with a null": (pa.array([1.0, None, 3.0]), ["1", None, "3"]),
    "unsigned": (pa.array([1, None, 2**64 - 1], pa.uint64()), ["1", None, str(2**64 - 1)]),
    "hexadecimal in fixed width": (pa.array([b"ab12", None, b"cd34"], pa.binary(4)), ["ab12", None, "cd34"]),
    "dictionary of floats": (pa.array([1.0, None, 2.0]).dictionary_encode(), ["1", None, "2"]),
    "date": (
        pa.array([datetime.date(2024, 5, 18), None, datetime.date(2024, 5, 19)]),
        ["2024-05-18", None, "2024-05-19"],
    ),
}


@pytest.mark.parametrize("name", WRITERS)
def test_own_ids_of_every_type_that_can_be_text_become_text(tmp_path: Path, name: str) -> None:
    for kind, (values, expected) in OWN_IDS.items():
        table = pa.table({"id": values, "text": ["one", "two", "three"]})
        found = read(tmp_path, "a.bin", WRITERS[name](table))
        assert (kind, found.ids) == (kind, expected)
        assert (kind, found.notes.warnings) == (kind, [])
        inside = pa.table({"m": pa.StructArray.from_arrays([values], names=["k"]), "text": ["one", "two", "three"]})
        found = read(tmp_path, "b.bin", WRITERS[name](inside), {"id": "m.k"})
        assert (kind, found.ids) == (kind, expected)


def test_a_uuid_is_known_by_parquets_own_type(tmp_path: Path) -> None:
    table = pa.table({"id": OWN_IDS["uuid"][0], "text": ["one", "two", "three"]})
    assert read(tmp_path, "a.bin", parquet(table, store_schema=False)).ids == OWN_IDS["uuid"][1]


@pytest.mark.parametrize(
    ("values", "found_type"),
    [
        (pa.array([b"\xff\x00", None, b"\xfe"]), "binary"),
        (pa.array([[1], None, [2]]), "an array"),
        (pa.array([True, None, False]), "a boolean"),
        (pa.array([Decimal("1.5"), None, Decimal("2.5")]), "a number that is not whole"),
        (pa.array([(1, 2, 3), None, (1, 2, 4)], pa.month_day_nano_interval()), "month_day_nano_interval"),
    ],
)
def test_ids_that_cannot_be_kept_are_a_warning(tmp_path: Path, values: pa.Array, found_type: str) -> None:
    table = pa.table({"key": values, "text": ["one", "two", "three"]})
    if found_type == "month_day_nano_interval":  # Parquet has no such type
        found = read(tmp_path, "a.bin", arrow_file(table), {"id": "key"})
    else:
        found = read(tmp_path, "a.bin", parquet(table), {"id": "key"})
    assert found.ids == [None] * 3
    (warning,) = found.notes.warnings
    assert warning.startswith(f"2 values of id (column `key`) became the record's number: found {found_type}, wanted")


def test_an_odd_field_of_a_struct_costs_its_neighbours_nothing(tmp_path: Path) -> None:
    meta = pa.array(
        [{"author": "ann", "when": datetime.datetime(2024, 5, 18), "span": (1, 2, 3)}, None],
        pa.struct([("author", pa.string()), ("when", pa.timestamp("s")), ("span", pa.month_day_nano_interval())]),
    )
    fields = {"author": "meta.author", "crawl_date": "meta.when", "url": "meta.span"}
    found = read(tmp_path, "a.bin", arrow_file(pa.table({"text": ["one", "two"], "meta": meta})), fields)
    first = {"id": None, "text": "one", "author": "ann", "crawl_date": "2024-05-18T00:00:00"}
    assert [document.values for document in found.documents] == [first, {"id": None, "text": "two"}]
    assert ["month_day_nano_interval" in warning for warning in found.notes.warnings] == [True]


def test_text_inside_a_struct(tmp_path: Path) -> None:
    table = pa.table({"message": pa.array([{"content": "x"}, {"content": None}])})
    found = read(tmp_path, "a.bin", parquet(table), {"text": "message.content"})
    assert found.texts == ["x"]
    assert found.reasons == {"text_missing": 1}


def test_encrypted_parquet_is_refused(tmp_path: Path) -> None:
    found = read(tmp_path, "a.parquet", b"PARE" + parquet(TABLE)[4:-4] + b"PARE")
    assert found.reasons == {"schema_mismatch": 1}


@pytest.mark.parametrize("cut", [8, 100, 0.5, -1, -8])
@pytest.mark.parametrize("name", WRITERS)
def test_a_cut_file(tmp_path: Path, name: str, cut: float) -> None:
    data = WRITERS[name](TABLE)
    found = read(tmp_path, "a.bin", data[: int(cut * len(data)) if cut == 0.5 else int(cut)])
    assert found.texts == TEXTS[: len(found.texts)]
    assert len(found.rejections) == 1
    assert found.notes.is_tail_lost
    assert found.reasons in ({"decompress_error": 1}, {"truncated_input": 1}, {"parser_crash": 1})
    if name == "arrow_stream" and cut in (0.5, -1, -8):
        assert len(found.documents) >= 100


def test_a_stream_cut_between_batches_is_noticed(tmp_path: Path) -> None:
    data = arrow_stream(TABLE)
    found = read(tmp_path, "a.bin", data[:-8])
    assert found.texts == TEXTS
    assert found.reasons == {"truncated_input": 1}


def test_a_changed_page_is_a_checksum_mismatch(tmp_path: Path) -> None:
    data = bytearray(parquet(TABLE, compression="none", use_dictionary=False, write_page_checksum=True))
    at = data.find(str(TEXTS[100]).encode())
    data[at] ^= 1
    found = read(tmp_path, "a.bin", bytes(data))
    assert found.reasons == {"checksum_mismatch": 1}


@pytest.mark.parametrize("name", WRITERS)
def test_ten_damaged_files_of_each_format(tmp_path: Path, name: str) -> None:
    draw = random.Random(name)
    options = {"write_page_checksum": True} if name == "parquet" else {}
    data = WRITERS[name](TABLE, **options)
    for _ in range(10):
        damaged = bytearray(data)
        for _ in range(draw.choice([1, 4, 64])):
            damaged[draw.randrange(4, len(damaged))] = draw.randrange(256)
        found = read(tmp_path, "a.bin", bytes(damaged))
        assert len(found.slots) <= 251
        assert name != "parquet" or found.texts == TEXTS[: len(found.texts)] or found.rejections


def _fake_parser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Runs `code` in the place of the child."""
    script = tmp_path / "isolated.py"
    script.write_text(code)
    monkeypatch.setattr(parser_process, "__file__", str(tmp_path / "parser_process.py"))


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (f"import os; os.kill(os.getpid(), {int(signal.SIGSEGV)})", "parser_crash"),
        ("import os; os.abort()", "parser_crash"),
        ("pass", "parser_crash"),
        ("print('garbage on standard output')", "parser_crash"),
        ("import sys; sys.stdout.buffer.write(b'B' + (2**60).to_bytes(8, 'big'))", "parser_crash"),
        ("import sys; sys.stdout.buffer.write(b'B' + (100).to_bytes(8, 'big') + b'x' * 100)", "parser_crash"),
        ("import time; time.sleep(60)", "timeout"),
    ],
)
def test_a_child_that_fails_costs_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, reason: str
) -> None:
    _fake_parser(tmp_path, monkeypatch, code)
    started = time.monotonic()
    found = read(tmp_path, "a.bin", parquet(TABLE), limits=LimitsConfig(max_parser_seconds=1))
    assert found.reasons == {reason: 1}
    assert found.notes.is_tail_lost
    assert time.monotonic() - started < 10


def test_too_little_address_space_costs_the_file(tmp_path: Path) -> None:
    found = read(tmp_path, "a.bin", parquet(TABLE), limits=LimitsConfig(max_parser_bytes=50 * 2**20))
    assert found.documents == []
    assert found.reasons == {"parser_crash": 1}


def test_large_texts_come_in_small_batches(tmp_path: Path) -> None:
    table = column(["x" * 1_000_000 + str(i) for i in range(20)])
    for data in (parquet(table), arrow_file(table), parquet(column(["y" * 1_000_000] * 40))):
        found = read(tmp_path, "a.bin", data)
        assert len(found.documents) in (20, 40)


def test_a_reader_that_is_dropped_ends_its_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    children: list[subprocess.Popen[bytes]] = []
    start = subprocess.Popen

    def watched(*args: Any, **options: Any) -> "subprocess.Popen[bytes]":
        children.append(start(*args, **options))
        return children[-1]

    monkeypatch.setattr(subprocess, "Popen", watched)
    (tmp_path / "a.parquet").write_bytes(parquet(column(["x" * 2**20] * 100)))
    source = SourceConfig(name="s", kind="web", paths=("a.parquet",))
    (file,) = find_inputs(source, tmp_path).files
    slots = read_file(file, source, LimitsConfig(), FileNotes())
    assert isinstance(next(iter(slots)), Document)
    assert children[0].poll() is None
    slots.close()  # type: ignore[attr-defined]
    assert children[0].poll() is not None


@pytest.mark.parametrize(
    "behind",
    [arrow_stream(column(["third"])), arrow_file(column(["third"])), b"x" * 400],
    ids=["stream", "file", "junk"],
)
@pytest.mark.parametrize("make", [arrow_stream, arrow_file])
def test_files_that_were_joined_do_not_lose_the_second_in_silence(
    tmp_path: Path, make: Callable[[pa.Table], bytes], behind: bytes
) -> None:
    whole = make(column(["first", "second"]))
    found = read(tmp_path, "a.bin", whole + behind)
    assert found.notes.is_tail_lost
    assert found.rejections[-1].reason in ("decompress_error", "truncated_input")


def test_a_dictionary_cannot_expand_without_bound(tmp_path: Path) -> None:
    values = pa.DictionaryArray.from_arrays(pa.array([0] * 2_000, pa.int32()), pa.array(["word " * 20_000]))
    found = read(tmp_path, "a.arrow", arrow_file(pa.table({"text": values}), 2_000))
    assert found.reasons == {"bomb_ratio": 1}
    assert found.notes.is_tail_lost
    assert sum(map(len, found.texts)) < 80 * 2**20


def test_any_field_over_the_limit_costs_its_row(tmp_path: Path) -> None:
    table = pa.table({"text": ["one", "two"], "url": ["https://example.org/", "u" * 2_000]})
    found = read(tmp_path, "a.parquet", parquet(table), limits=LimitsConfig(max_document_bytes=1_000))
    assert found.texts == ["one"]
    assert found.reasons == {"doc_too_big": 1}
