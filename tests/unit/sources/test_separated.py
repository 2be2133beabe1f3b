import csv
import gzip
import io
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from polyculture.sources.csv_shape import Dialect, find_dialect
from schemas.documents import Kind
from schemas.source_config import LimitsConfig, SourceConfig
from tests.unit.sources.helpers import read, read_found, rows, zst

TEXTS = ["plain words, with commas; semicolons | bars", 'a "quoted" word', "two\nlines,\r\nand three", "für 日本\ttab"]


def written(texts: list[str], **dialect: object) -> bytes:
    out = io.StringIO()
    settings: dict[str, object] = {"lineterminator": "\n", **dialect}
    writer = csv.writer(out, **settings)
    writer.writerow(["id", "text", "url"])
    writer.writerows([f"r{i}", text, "http://x/"] for i, text in enumerate(texts))
    return out.getvalue().encode()


DIALECTS: dict[str, dict[str, object]] = {
    "commas": {},
    "tabs": {"delimiter": "\t"},
    "semicolons": {"delimiter": ";"},
    "bars": {"delimiter": "|"},
    "carriage returns": {"lineterminator": "\r\n"},
    "everything quoted": {"quoting": csv.QUOTE_ALL},
    "escaped quotes": {"doublequote": False, "escapechar": "\\", "quoting": csv.QUOTE_ALL},
}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "part-00000", "a.txt"])
def test_every_dialect_gives_the_same_records(tmp_path: Path, dialect: str, name: str) -> None:
    data = written(TEXTS * 3, **DIALECTS[dialect])
    found = read(tmp_path, name, data)
    assert found.notes.format == "csv"
    assert found.texts == TEXTS * 3
    assert found.ids == [f"r{i}" for i in range(12)]
    assert [document.values["url"] for document in found.documents] == ["http://x/"] * 12
    for document in found.documents:
        assert str(document.values["id"]).encode() in data[document.byte_offset :][:6]


@pytest.mark.parametrize("pack", [gzip.compress, zst])
def test_packed_files_are_read(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    assert read(tmp_path, "a.csv.gz", pack(written(TEXTS))).texts == TEXTS


def test_values_without_quotes_keep_their_quotes(tmp_path: Path) -> None:
    lines = ["id\ttext", *(f'{i}\t"Never", he said {i}" and so on' for i in range(5))]
    found = read(tmp_path, "a.tsv", ("\n".join(lines) + "\n").encode())
    assert found.texts[0] == '"Never", he said 0" and so on'
    assert not found.rejections


def test_columns_are_mapped_and_numbers_read(tmp_path: Path) -> None:
    fields = {"text": "body", "hours": "h", "author": "meta.author", "embedding": "vector"}
    source = SourceConfig(name="s", kind=Kind.EXPERT, paths=("a.csv",), fields=fields)
    data = b'n,body,h,meta,vector\n1,some words,2.5,"{""author"": ""A""}","[1, 0.5]"\n2,more words,two,,\n'
    (tmp_path / "a.csv").write_bytes(data)
    found = read_found(tmp_path, source)
    assert found.texts == ["some words", "more words"]
    first = found.documents[0].values
    assert (first["hours"], first["author"], first["embedding"]) == (2.5, "A", [1.0, 0.5])
    assert found.notes.warnings == [
        "1 values of hours (column `h`) became null: found a string, wanted a finite number"
    ]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"name,body\nx,y\n", "no column for text (text); the file has name, body"),
        (b"text,id,text\nx,1,y\n", "the column text occurs 2 times; the file has text, id, text"),
        (b"x,1\ny,2\n", "the file has x, 1"),
    ],
)
def test_a_header_that_does_not_fit_names_the_columns(tmp_path: Path, data: bytes, said: str) -> None:
    found = read(tmp_path, "a.csv", data)
    assert found.reasons == {"schema_mismatch": 1}
    assert said in found.rejections[0].detail
    assert found.notes.is_tail_lost


BAD_ROWS = {
    "too short": (b"x\n", "bad_row", 1),
    "too long": (b"x,y,z,a\n", "bad_row", 1),
    "an unclosed quote": (b'x,"y,z\n', "bad_row", 1),
    "an unclosed quote in the last value": (b'x,y,"z\n', "bad_row", 1),
    "a quote inside quotes": (b'x,"y "said" he",z\n', "bad_row", 1),
    "NUL": (b"x,a\0b,z\n", "nul_or_control", 1),
    "no UTF-8": (b"x,\xff\xfe,z\n", "invalid_utf8", 1),
    "too many bytes": (b"x," + b"y" * 3000 + b",z\n", "too_long_line", 1),
    "no text": (b"x,,z\n", "text_empty", 1),
}


@pytest.mark.parametrize("name", BAD_ROWS)
@pytest.mark.parametrize("place", [0, 1, 3])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
def test_a_bad_row_costs_only_itself(tmp_path: Path, name: str, place: int, quoting: int) -> None:
    row, reason, _ = BAD_ROWS[name]
    texts = [f"words number {i}" for i in range(4)]
    lines = written(texts, quoting=quoting).splitlines(keepends=True)
    lines.insert(place + 1, row)
    data = b"".join(lines)
    found = read(tmp_path, "a.csv", data, limits=LimitsConfig(max_line_bytes=1000))
    assert found.texts == texts
    assert found.reasons == {reason: 1}
    assert found.rejections[0].byte_offset == data.index(row)
    assert not found.notes.is_tail_lost


def test_a_file_cut_inside_a_quoted_value_loses_the_row_alone(tmp_path: Path) -> None:
    data = written(["one", "two", "three lines\nof text, with commas\nand more\n"])
    found = read(tmp_path, "a.csv", data[:-20])
    assert found.texts == ["one", "two"]
    assert found.reasons == {"truncated_input": 1}
    assert found.rejections[0].byte_offset == data.index(b"r2")


@pytest.mark.parametrize("pack", [gzip.compress, zst])
def test_a_cut_container_keeps_the_rows_before_the_cut(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    texts = [str(record["text"]) + "\nsecond line" for record in rows(3000)]
    data = pack(written(texts))
    found = read(tmp_path, "a.csv", data[: len(data) * 2 // 3])
    assert found.texts == texts[: len(found.texts)]
    assert len(found.texts) > 100
    assert len(found.rejections) == 1
    assert found.notes.is_tail_lost


def test_utf_16_is_refused_with_a_cure_and_a_mark_of_utf_8_is_no_part_of_a_name(tmp_path: Path) -> None:
    data = b"text,id\nsome words,1\n"
    assert "convert" in read(tmp_path, "a.csv", data.decode().encode("utf-16")).rejections[0].detail
    assert read(tmp_path, "a.csv", b"\xef\xbb\xbf" + data).texts == ["some words"]


def test_a_file_of_other_rows_says_so(tmp_path: Path) -> None:
    found = read(tmp_path, "a.csv", b"id,text\n" + b"prose without any\n" * 5)
    assert found.reasons == {"bad_row": 5}
    assert "5 of 5 rows do not fit the header" in found.notes.warnings[0]


PROSE = {
    "a letter": "Dear all,\nI am well,\nand you,\n",
    "verse": "Roses are red, violets are blue,\nsugar is sweet, and so are you.\n" * 5,
    "a table of Markdown": "| text | id |\n|---|---|\n| a | b |\n",
    "code": "import os\nx = [1, 2]\ny = (3, 4)\n" * 4,
    "a list of words": "apple\npear\nplum\n" * 5,
    "ragged": "id,text\n1,a\n2,b,c\n3\n",
}


@pytest.mark.parametrize("name", PROSE)
def test_prose_is_one_document(tmp_path: Path, name: str) -> None:
    found = read(tmp_path, "noname", PROSE[name].encode())
    assert found.notes.format == "text"
    assert found.texts == [PROSE[name]]


def test_markdown_is_never_separated_values(tmp_path: Path) -> None:
    assert read(tmp_path, "a.md", written(TEXTS)).notes.format == "text"


def test_a_page_where_values_were_promised_is_a_failed_download(tmp_path: Path) -> None:
    assert "failed download" in read(tmp_path, "a.csv", b"<!doctype html><html></html>").rejections[0].detail


def test_a_header_of_one_name_is_one_column() -> None:
    assert find_dialect("text\none, two\n", {"csv"}) == Dialect(",")
    assert find_dialect("text\none, two\n", {"tsv"}) == Dialect("\t")
    assert find_dialect('id, text\n1, "a, b"\n', {"csv"}) == Dialect(",", skips_space=True)


@pytest.mark.parametrize("dialect", ["commas", "everything quoted"])
def test_200_damaged_files(tmp_path: Path, dialect: str) -> None:
    texts = [f"{record['text']}\nline two, of {i}" for i, record in enumerate(rows(15))]
    whole = written(texts, **DIALECTS[dialect])
    packed = gzip.compress(whole)
    for seed in range(100):
        draw = random.Random(seed)
        at = draw.randrange(20, len(whole))
        found = read(
            tmp_path, "a.csv", whole[:at] + draw.choice([b"", b'"', b"\0", b",", b"\n", b"\r"]) + whole[at + 1 :]
        )
        assert len(found.slots) <= 45
        changed = bytearray(packed)
        changed[draw.randrange(10, len(changed))] ^= 1 << draw.randrange(8)
        assert set(read(tmp_path, "b.csv", bytes(changed)).texts) <= set(texts)
