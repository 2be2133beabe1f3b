import gzip
import random
from pathlib import Path

import pytest

from polyculture.sources.charset import decode
from schemas.documents import Kind
from schemas.source_config import LimitsConfig, SourceConfig
from tests.unit.sources.helpers import Outcome, jsonl, page, read, read_found, rows, warc, zst

LINES = jsonl(rows(3))
TEXT = "Ein Satz mit schönen Wörtern über Bäume, Straßen und Häuser. " * 5


@pytest.mark.parametrize(
    ("name", "data", "text"),
    [
        ("a.txt", TEXT.encode(), TEXT),
        ("a.md", b"---\ntitle: x\n---\n# Head\n", "---\ntitle: x\n---\n# Head\n"),
        ("a.md", b"<!-- badge -->\n# Head\n", "<!-- badge -->\n# Head\n"),
        ("a.tex", b"{\\bf bold} text\n", "{\\bf bold} text\n"),
        ("a.txt", b"\xef\xbb\xbfabc", "abc"),
        ("a.txt", TEXT.encode("utf-16"), TEXT),
        ("a.txt", TEXT.encode("utf-32"), TEXT),
        ("a.txt", TEXT.encode("latin-1"), TEXT),
        ("a.txt", b"a\r\nb\rc\x0c\n", "a\r\nb\rc\x0c\n"),
        ("a.txt.gz", gzip.compress(TEXT.encode()), TEXT),
        ("noname", TEXT.encode(), TEXT),
        ("a.txt", "中文的文本,没有声明编码。".encode("gb18030") * 20, "中文的文本,没有声明编码。" * 20),
    ],
)
def test_a_text_file_is_one_document_kept_verbatim(tmp_path: Path, name: str, data: bytes, text: str) -> None:
    found = read(tmp_path, name, data)
    assert found.texts == [text]
    assert found.ids == [None]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"abc\0def" * 100, "schema_mismatch"),
        (b"some words and more of them, enough to be text " * 9 + b"\0", "nul_or_control"),
        (random.Random(5).randbytes(5000), "schema_mismatch"),
        ("some words in sixteen bits".encode("utf-16") + b"a", "unsupported_charset"),
        ("\u200b\u200b".encode(), "text_empty"),
    ],
)
def test_what_is_no_text_is_set_aside(tmp_path: Path, data: bytes, reason: str) -> None:
    found = read(tmp_path, "a.txt", data)
    assert found.reasons == {reason: 1}
    assert len(found.slots) == 1


def test_a_text_over_the_limit(tmp_path: Path) -> None:
    limits = LimitsConfig(max_document_bytes=100)
    assert read(tmp_path, "a.txt", b"x" * 101, limits=limits).reasons == {"doc_too_big": 1}
    assert read(tmp_path, "a.txt", b"x" * 1000, limits=limits).reasons == {"doc_too_big": 1}
    assert read(tmp_path, "a.txt", b"x" * 100, limits=limits).reasons == {}


@pytest.mark.parametrize(
    ("data", "texts"),
    [
        (page("Hello there"), ["Hello there"]),
        (b"  \n<!DOCTYPE HTML>" + page("Hello there"), ["Hello there"]),
        (b"<!-- c -->" + page("Hello there"), ["Hello there"]),
        (b'<?xml version="1.0"?>\n<!DOCTYPE html>' + page("Hello there"), ["Hello there"]),
        (page("Grüße", "latin-1", meta="iso-8859-1"), ["Grüße"]),
        (b"<html><body><script>var x = 1;</script><p>shown</p><style>p{}</style></body></html>", ["shown"]),
        (b"<html><body><nav>only navigation</nav></body></html>", ["only navigation"]),
        (b"<html><body><img></body></html>", []),
    ],
)
def test_html_files(tmp_path: Path, data: bytes, texts: list[str]) -> None:
    found = read(tmp_path, "a.html", data)
    assert found.texts == texts
    assert len(found.slots) == 1
    assert found.notes.format == "html"


REFUSED = {
    "HTML named tar": ("a.tar", page("404 not found"), "HTML"),
    "text named tar": ("a.tgz", b"AccessDenied\n", "text"),
    "zip in gzip": ("a.gz", gzip.compress(b"PK\x03\x04" + b"\0" * 60), "zip"),
    "gzip in gzip": ("a.gz", gzip.compress(gzip.compress(LINES)), "gzip inside"),
    "zstd in gzip": ("a.gz", gzip.compress(zst(LINES)), "zstd inside"),
    "Parquet in gzip": ("a.parquet.gz", gzip.compress(b"PAR1" + b"\0" * 60), "unpack"),
    "encrypted Parquet": ("a.parquet", b"PARE" + b"\0" * 60, "encrypted"),
    "PDF": ("a.pdf", b"%PDF-1.7\n", "PDF"),
    "PNG": ("a.png", b"\x89PNG\r\n\x1a\n", "image"),
    "HTML named JSON Lines": ("a.jsonl.gz", page("404 not found"), "HTML"),
    "HTML named WARC": ("a.warc.gz", page("404 not found"), "HTML"),
    "HTML named Parquet": ("a.parquet", page("404 not found"), "HTML"),
    "text named Parquet": ("a.parquet", b"AccessDenied\n", "text"),
    "binary": ("a.bin", bytes(range(256)), "unknown binary"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_cannot_be_read_is_accounted_for_with_a_cure(tmp_path: Path, name: str) -> None:
    file, data, said = REFUSED[name]
    found = read(tmp_path, file, data)
    assert found.reasons == {"schema_mismatch": 1}
    assert said in found.rejections[0].detail
    assert found.notes.is_tail_lost
    assert found.notes.lost_bytes == len(data)


@pytest.mark.parametrize(
    ("name", "data", "format_name", "documents"),
    [
        ("a.jsonl.gz", LINES, "jsonl", 3),
        ("a.jsonl", gzip.compress(LINES), "jsonl+gzip", 3),
        ("a.txt", zst(LINES), "jsonl+zstd", 3),
        ("a.html", LINES, "jsonl", 3),
        ("a.jsonl", b"[1]\n" + LINES, "jsonl", 3),
        ("a.jsonl", b"garbage\n" + LINES, "jsonl", 3),
        ("a.jsonl.gz", b"\xff\xfe\x00" + LINES, "jsonl", 0),
        ("a.jsonl", warc("conversion", b"text of the page", "text/plain"), "warc", 1),
        ("a.JSONL", b"\x80\x81\x82\n" + LINES, "jsonl", 3),
        ("a", b"[1, 2] is how lists look\n", "text", 1),
    ],
)
def test_content_decides_and_the_name_breaks_ties(
    tmp_path: Path, name: str, data: bytes, format_name: str, documents: int
) -> None:
    found = read(tmp_path, name, data)
    assert found.notes.format == format_name
    assert len(found.documents) == documents


def test_random_bytes_named_gzip_are_damage(tmp_path: Path) -> None:
    found = read(tmp_path, "a.jsonl.gz", b"\x1e" + gzip.compress(LINES)[1:])
    assert found.reasons == {"decompress_error": 1}


def test_decoding_never_replaces() -> None:
    for data in (b"\xff\xfe\x00\xd8", b"\xef\xbb\xbf\xff", b"\x00\x00\xfe\xff\x00\x11\x00\x00", b"\x81\x8d\x8f" * 9):
        decoded = decode(data)
        assert decoded is None or "\ufffd" not in decoded.text


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"ab" * 32 + b"\nsize 123456789\n"


@pytest.mark.parametrize(
    "name", ["a.parquet", "a.jsonl", "a.txt", "a.md", "a", "a.csv", "a.arrow", "a.json.gz", "a.warc"]
)
@pytest.mark.parametrize(
    "data",
    [
        POINTER,
        POINTER.replace(b"\n", b"\r\n"),
        POINTER.replace(b"oid", b"ext-0-foo sha256:" + b"cd" * 32 + b"\noid"),
        POINTER * 2,
        POINTER[:43],
        gzip.compress(POINTER),
        zst(POINTER),
    ],
)
def test_a_git_lfs_pointer_is_refused_under_any_name(tmp_path: Path, name: str, data: bytes) -> None:
    found = read(tmp_path, name, data)
    assert found.reasons == {"schema_mismatch": 1}
    assert "run git lfs pull" in found.rejections[0].detail


@pytest.mark.parametrize(
    "text", [POINTER.decode() + "\nis what a pointer looks like.", "A version https://git-lfs.github.com/spec/v1"]
)
def test_a_text_about_pointers_is_text(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, "a.md", text.encode()).texts == [text]


def split(folder: Path, data: bytes, limits: LimitsConfig | None = None) -> Outcome:
    (folder / "a.txt").write_bytes(data)
    source = SourceConfig(name="s", kind=Kind.WEB, paths=("a.txt",), text_records="blank_lines")
    return read_found(folder, source, limits)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_paragraphs_are_documents_with_their_places(tmp_path: Path, end: str, encoding: str) -> None:
    paragraphs = [f"Ein schöner Satz über Bäume und Häuser {i}.{end}Zweite Zeile für {i}" for i in range(50)]
    data = (end * 2 + f"{end} \t{end}{end}".join(paragraphs) + end).encode(encoding)
    found = split(tmp_path, data)
    assert found.texts == paragraphs
    name = "utf-8" if encoding == "utf-8-sig" else encoding
    for document in found.documents[1:]:
        assert data[document.byte_offset :].decode(name).startswith(str(document.values["text"]))


def test_a_bad_paragraph_costs_only_itself(tmp_path: Path) -> None:
    data = b"one\n\n" + b"x" * 500 + b"\n\ntwo\n\na\0b " + b"words " * 200 + b"\n\nthree"
    found = split(tmp_path, data, LimitsConfig(max_document_bytes=100))
    assert found.texts == ["one", "two", "three"]
    assert [rejection.byte_offset for rejection in found.rejections] == [5, 512]


def test_a_cut_file_of_paragraphs_keeps_those_before_the_cut(tmp_path: Path) -> None:
    texts = [str(record["text"]) for record in rows(3000)]
    data = gzip.compress("\n\n".join(texts).encode())
    found = split(tmp_path, data[: len(data) // 2])
    assert found.texts == texts[: len(found.texts)]
    assert len(found.texts) > 100
    assert found.notes.is_tail_lost


def test_paragraphs_in_utf_16_are_refused(tmp_path: Path) -> None:
    assert split(tmp_path, "one\n\ntwo".encode("utf-16")).reasons == {"unsupported_charset": 1}
