import gzip
import io
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from polyculture.sources.warc_records import WarcFraming
from schemas.source_config import CutPages, LimitsConfig, SourceConfig
from tests.unit.sources.helpers import Outcome, http, page, raw_deflate, read, read_found, warc

try:
    import brotli
except ImportError:  # an optional dependency; without it such pages are set aside
    brotli = None

SAID = "A paragraph of text on the page"
GOOD = warc("response", http(page(SAID)), number=0)
AFTER = warc("response", http(page("The page after it")), number=99)


def chunked(body: bytes, size: int = 10) -> bytes:
    parts = [body[i : i + size] for i in range(0, len(body), size)]
    return b"".join(f"{len(part):x}\r\n".encode() + part + b"\r\n" for part in parts) + b"0\r\n\r\n"


def encoded(body: bytes, name: str) -> bytes:
    return http(body, headers=f"Content-Encoding: {name}\r\n")


PAGES = {
    "plain": http(page(SAID)),
    "line feeds only": http(page(SAID)).replace(b"\r\n", b"\n"),
    "xhtml": http(page(SAID), "application/xhtml+xml"),
    "text": http(SAID.encode(), "text/plain"),
    "upper case": http(page(SAID), "Text/HTML; Charset=UTF-8"),
    "no content type": http(page(SAID), None),
    "chunked": http(chunked(page(SAID)), headers="Transfer-Encoding: chunked\r\n"),
    "chunked with extension": http(
        chunked(page(SAID)).replace(b"a\r\n", b"A ;x=y\r\n", 1), headers="Transfer-Encoding: Chunked\r\n"
    ),
    "said to be chunked": http(page(SAID), headers="Transfer-Encoding: chunked\r\n"),
    "gzip": encoded(gzip.compress(page(SAID)), "gzip"),
    "x-gzip": encoded(gzip.compress(page(SAID)), "X-Gzip"),
    "said to be gzip": encoded(page(SAID), "gzip"),
    "deflate": encoded(zlib.compress(page(SAID)), "deflate"),
    "raw deflate": encoded(raw_deflate(page(SAID)), "deflate"),
    "said to be deflate": encoded(page(SAID), "deflate"),
    "zstd": encoded(zstandard.compress(page(SAID)), "zstd"),
    "identity": encoded(page(SAID), "identity"),
    "chunked gzip": http(
        chunked(gzip.compress(page(SAID))), headers="Transfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n"
    ),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_read_however_it_was_sent(tmp_path: Path, name: str) -> None:
    found = read(tmp_path, "a.warc", warc("response", PAGES[name]))
    assert found.texts == [SAID]
    assert found.documents[0].values == {
        "id": "<urn:uuid:1>",
        "text": SAID,
        "url": "http://example.org/1",
        "crawl_date": "2024-05-18T01:58:10Z",
        "warc_record_id": "<urn:uuid:1>",
    }


NO_PAGES = {
    "404": (http(page(SAID), status=404), "http_status"),
    "302": (http(b"", status=302), "http_status"),
    "image": (http(b"\x89PNG", "image/png"), "media_type"),
    "json": (http(b"{}", "application/json"), "media_type"),
    "no content type, no markup": (http(b"\0\1", None), "media_type"),
}


@pytest.mark.parametrize("name", NO_PAGES)
def test_what_is_no_page_is_filtered(tmp_path: Path, name: str) -> None:
    payload, rule = NO_PAGES[name]
    found = read(tmp_path, "a.warc", GOOD + warc("response", payload) + AFTER)
    assert found.filtered == [rule]
    assert [document.position for document in found.documents] == [0, 2]
    assert found.slots[1].byte_offset == len(GOOD)


BAD_PAGES = {
    "no status line": (b"<html>no http</html>", "bad_warc_header"),
    "cut chunk": (http(b"ff\r\nabc", headers="Transfer-Encoding: chunked\r\n"), "decompress_error"),
    "broken chunk": (http(b"3\r\nabc\r\nzz\r\nabc", headers="Transfer-Encoding: chunked\r\n"), "decompress_error"),
    "cut gzip": (encoded(gzip.compress(page(SAID))[:-9], "gzip"), "decompress_error"),
    "broken gzip": (encoded(gzip.compress(page(SAID))[:20] + b"\0" * 40, "gzip"), "decompress_error"),
    "unknown encoding": (encoded(b"xyz", "sdch"), "decompress_error"),
    "empty page": (http(b""), "text_empty"),
    "page without text": (http(b"<html><body><img></body></html>"), "text_empty"),
    "100,000 nested elements": (http(b"<html><body>" + b"<div>" * 100_000 + b"x"), "too_deep"),
    "nested behind false end tags": (http(b"<html><body>" + b"<div></x>" * 100_000 + b"x"), "too_deep"),
    "100,000 attributes": (http(b"<div " + b" ".join(b"a%d" % i for i in range(100_000)) + b">x"), "too_many_keys"),
    "100,000 attributes with values": (
        http(b"<div " + b" ".join(b"a%d='>'" % i for i in range(100_000)) + b">x"),
        "too_many_keys",
    ),
    "100,000 options": (http(b"<html><body><select>" + b"<option>x" * 100_000), "doc_too_big"),
    "bytes that are no charset": (http(b"\x80\x81\xfe\xff\x00" * 30, "text/plain"), "unsupported_charset"),
}


@pytest.mark.parametrize("name", BAD_PAGES)
@pytest.mark.timeout(10)
def test_a_bad_page_costs_only_itself(tmp_path: Path, name: str) -> None:
    payload, reason = BAD_PAGES[name]
    found = read(tmp_path, "a.warc", GOOD + warc("response", payload) + AFTER)
    assert found.texts == [SAID, "The page after it"]
    assert found.reasons == {reason: 1}
    assert found.rejections[0].byte_offset == len(GOOD)


def test_a_page_that_explodes_is_set_aside(tmp_path: Path) -> None:
    limits = LimitsConfig(max_warc_record_bytes=2**20)
    for name, packed in {
        "gzip": gzip.compress(b" " * 2**24),
        "zstd": zstandard.compress(b" " * 2**24),
        "deflate": raw_deflate(b" " * 2**24),
    }.items():
        found = read(tmp_path, "a.warc", GOOD + warc("response", encoded(packed, name)) + AFTER, limits=limits)
        assert found.reasons == {"bomb_size": 1}
        assert len(found.documents) == 2


BODY = http(page("hidden"))
BROKEN_RECORDS = {
    "no length": (warc("response", BODY, Content_Length=None), "bad_content_length"),
    "length is a word": (warc("response", BODY, Content_Length="many"), "bad_content_length"),
    "negative length": (warc("response", BODY, Content_Length="-5"), "bad_content_length"),
    "length too small": (warc("response", BODY, Content_Length=str(len(BODY) - 7)), "bad_content_length"),
    "length too big": (warc("response", BODY, Content_Length=str(len(BODY) + 7)), "bad_content_length"),
    "length reaches into the next record": (
        warc("response", BODY, Content_Length=str(len(BODY) + 200)),
        "bad_content_length",
    ),
    "length beyond the file": (warc("response", BODY, Content_Length="30000000"), "bad_content_length"),
    "length of 2 GB": (warc("response", BODY, Content_Length="2147483648"), "bad_content_length"),
    "length of 30 digits": (warc("response", BODY, Content_Length="9" * 30), "bad_content_length"),
    "no record id": (warc("response", BODY, WARC_Record_ID=None), "bad_warc_header"),
    "empty record id": (warc("response", BODY, WARC_Record_ID=""), "bad_warc_header"),
    "no type": (warc("response", BODY, WARC_Type=None), "bad_warc_header"),
    "header of 10 MB": (warc("response", BODY, X_Long="x" * 10_000_000), "bad_warc_header"),
    "header of many lines": (
        warc("response", BODY, **{f"X_{i}": "y" * 50 for i in range(2000)}),
        "bad_warc_header",
    ),
    "no line after the header": (b"WARC/1.0\r\nWARC-Type: response\r\n", "bad_warc_header"),
    "wrong version line": (warc("response", BODY).replace(b"WARC/1.0", b"WURC/1.0"), "bad_warc_header"),
    "junk": (b"some junk\r\n\r\nWARC/1.0 in a text\r\n\r\n", "bad_warc_header"),
    "binary junk": (bytes(range(256)) * 300 + b"\r\n", "bad_warc_header"),
}


@pytest.mark.parametrize("name", BROKEN_RECORDS)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_a_broken_record_costs_only_itself(tmp_path: Path, name: str, packed: bool) -> None:
    record, reason = BROKEN_RECORDS[name]
    data = GOOD + record + AFTER
    found = read(tmp_path, "a.warc.gz", gzip.compress(data) if packed else data)
    assert found.texts == [SAID, "The page after it"]
    assert found.reasons == {reason: 1}
    assert found.rejections[0].byte_offset == len(GOOD)
    assert found.documents[1].byte_offset == len(GOOD + record)
    assert not found.notes.is_tail_lost


def test_a_broken_record_at_the_start_of_a_file_named_warc(tmp_path: Path) -> None:
    found = read(tmp_path, "a.warc", b"WURC" + GOOD[4:] + AFTER)
    assert found.texts == ["The page after it"]
    assert found.reasons == {"bad_warc_header": 1}


def test_a_record_over_the_limit_is_passed_over(tmp_path: Path) -> None:
    limits = LimitsConfig(max_warc_record_bytes=10_000)
    big = warc("response", http(page("x" * 20_000)))
    found = read(tmp_path, "a.warc", GOOD + big + AFTER, limits=limits)
    assert found.texts == [SAID, "The page after it"]
    assert found.reasons == {"doc_too_big": 1}


@pytest.mark.parametrize("end", [b"", b"\r\n", b"\n", b"\n\n", b"\r\n\r\n\r\n\r\n"])
def test_records_that_are_not_parted_as_they_should(tmp_path: Path, end: bytes) -> None:
    found = read(tmp_path, "a.warc", GOOD[:-4] + end + AFTER)
    assert found.texts == [SAID, "The page after it"]
    assert found.rejections == []


@pytest.mark.parametrize("cut", [3, 60, 200, -100, -5])
def test_a_plain_file_that_ends_inside_a_record(tmp_path: Path, cut: int) -> None:
    found = read(tmp_path, "a.warc", GOOD + AFTER[:cut])
    assert found.texts == [SAID]
    assert len(found.slots) == 2
    assert found.rejections[0].byte_offset == len(GOOD)
    if cut != 3:
        assert found.reasons == {"truncated_input": 1}
        assert found.notes.is_tail_lost


def test_a_page_about_warc_does_not_start_a_record(tmp_path: Path) -> None:
    text = b"first line\r\n\r\nWARC/1.0\r\nWARC-Type: response\r\nContent-Length: 5\r\n\r\nabcde\r\n\r\n"
    found = read(tmp_path, "a.warc", warc("conversion", text, "text/plain") + AFTER)
    assert len(found.documents) == 2


def test_control_records_are_counted_and_are_no_slots(tmp_path: Path) -> None:
    controls = ["warcinfo", "request", "metadata", "revisit", "request", "made-up"]
    records = [warc(kind, b"x", "text/plain", number=i) for i, kind in enumerate(controls, 1)]
    found = read(tmp_path, "a.warc", b"".join(records) + GOOD)
    assert len(found.slots) == 1
    assert found.documents[0].position == 0
    assert found.notes.skipped == {"warcinfo": 1, "request": 2, "metadata": 1, "revisit": 1, "unknown": 1}


@pytest.mark.parametrize(
    ("kind", "content_type", "payload", "expected"),
    [
        ("resource", "text/html", page(SAID), [SAID]),
        ("resource", "text/plain; charset=utf-8", SAID.encode(), [SAID]),
        ("conversion", "text/plain", SAID.encode(), [SAID]),
        ("resource", "image/png", b"\x89PNG", []),
        ("conversion", "application/json", b"{}", []),
        ("response", "text/dns", b"example.org", []),
    ],
)
def test_records_without_http(
    tmp_path: Path, kind: str, content_type: str, payload: bytes, expected: list[str]
) -> None:
    found = read(tmp_path, "a.warc", warc(kind, payload, content_type))
    assert found.texts == expected
    assert len(found.slots) == 1


def test_wget_puts_addresses_between_brackets(tmp_path: Path) -> None:
    found = read(tmp_path, "a.warc", warc("response", http(page(SAID)), WARC_Target_URI="<http://a b/>"))
    assert found.documents[0].values["url"] == "http://a b/"


FRENCH = "Le français est une langue où l'été dure, même à Noël. Ça dépend de la région, bien sûr, et des années."
JAPANESE = "日本語の文章です。これは文字コードの検出を確かめるための長い文章で、ひらがなとカタカナと漢字を含みます。"
RUSSIAN = "Это довольно длинный русский текст, по которому можно определить кодировку без всяких объявлений."
CHARSETS = {
    "header": (page(FRENCH, "latin-1"), "text/html; charset=iso-8859-1", FRENCH),
    "meta": (page(FRENCH, "latin-1", meta="iso-8859-1"), "text/html", FRENCH),
    "latin-1 said to be UTF-8": (page(FRENCH, "latin-1"), "text/html; charset=utf-8", FRENCH),
    "UTF-8 said to be latin-1": (page(FRENCH), "text/html; charset=iso-8859-1", FRENCH),
    "header lies, meta does not": (page(RUSSIAN, "cp1251", meta="windows-1251"), "text/html; charset=utf-8", RUSSIAN),
    "Shift-JIS declared": (page(JAPANESE, "shift_jis", meta="Shift_JIS"), "text/html", JAPANESE),
    "Shift-JIS undeclared": (page(JAPANESE, "shift_jis"), "text/html", JAPANESE),
    "EUC-JP undeclared": (page(JAPANESE, "euc_jp"), "text/html", JAPANESE),
    "windows-1251 undeclared": (page(RUSSIAN, "cp1251"), "text/html", RUSSIAN),
    "UTF-16 with mark": (page(JAPANESE, "utf-16"), "text/html", JAPANESE),
    "mark beats header": (b"\xef\xbb\xbf" + page(JAPANESE), "text/html; charset=shift_jis", JAPANESE),
    "charset=foo": (page(JAPANESE), "text/html; charset=foo", JAPANESE),
    "charset=rot13": (page(JAPANESE), "text/html; charset=rot13", JAPANESE),
    "charset=unicode_escape": (page(r"a\u0041b"), "text/html; charset=unicode_escape", r"a\u0041b"),
    "GB 2312 said, GB 18030 meant": (page("中文〇𠀀", "gb18030"), "text/html; charset=gb2312", "中文〇𠀀"),
}


@pytest.mark.parametrize("name", CHARSETS)
def test_charsets(tmp_path: Path, name: str) -> None:
    body, content_type, text = CHARSETS[name]
    found = read(tmp_path, "a.warc", warc("response", http(body, content_type)))
    assert found.texts == [text]


@pytest.mark.skipif(brotli is None, reason="brotli is not installed")
@pytest.mark.parametrize(
    ("make", "reasons"),
    [
        (lambda: brotli.compress(page(SAID)), {}),
        (lambda: page(SAID), {}),
        (lambda: brotli.compress(page(SAID))[:-4], {"decompress_error": 1}),
        (lambda: b"\xff\xfe" * 30, {"decompress_error": 1}),
        (lambda: brotli.compress(b" " * 2**24), {"bomb_size": 1}),
    ],
    ids=["whole", "decoded already", "cut", "broken", "bomb"],
)
def test_brotli(tmp_path: Path, make: Callable[[], bytes], reasons: dict[str, int]) -> None:
    limits = LimitsConfig(max_warc_record_bytes=2**20)
    found = read(tmp_path, "a.warc", warc("response", encoded(make(), "br")), limits=limits)
    assert found.reasons == reasons
    assert found.texts == ([] if reasons else [SAID])


@pytest.mark.parametrize("label", ["koi8-r", "koi8-u", "ibm866", "macintosh", "gbk", "gb2312", "utf-16", "utf-16le"])
@pytest.mark.parametrize("said", ["Это обычная страница на русском языке.", "这是一个普通的中文网页,没有别的。"])
def test_utf_8_under_another_name_is_utf_8(tmp_path: Path, label: str, said: str) -> None:
    found = read(tmp_path, "a.warc", warc("response", http(page(said), f"text/html; charset={label}")))
    assert found.texts == [said]


@pytest.mark.parametrize(
    ("name", "pack"), [("gzip", gzip.compress), ("zstd", zstandard.compress)], ids=["gzip", "zstd"]
)
def test_a_body_of_several_members_is_read_whole(tmp_path: Path, name: str, pack: Callable[[bytes], bytes]) -> None:
    body = page(SAID)
    packed = pack(body[:70]) + pack(body[70:])
    found = read(tmp_path, "a.warc", warc("response", http(packed, headers=f"Content-Encoding: {name}\r\n")))
    assert found.texts == [SAID]


def test_bytes_given_back_are_not_copied_for_every_line() -> None:
    framing = WarcFraming(io.BytesIO(), 100)
    framing._give_back(b"short line\n" * 10_000)
    ahead = framing._ahead
    for _ in range(3):
        line = framing._readline(1000)
        framing._give_back(line)
        assert framing._readline(1000) == b"short line\n"
    assert framing._ahead is ahead
    assert framing.offset == 33 - 110_000


def read_pages(folder: Path, data: bytes, cut_pages: CutPages) -> Outcome:
    (folder / "a.warc").write_bytes(data)
    return read_found(folder, SourceConfig(name="s", kind="web", paths=("a.warc",), cut_pages=cut_pages))


LONG = " ".join(f"word {i} für" for i in range(400))
CUT_PAGES = {
    "plain": http(page(LONG))[:2000],
    "in the middle of a character": http(page("ü" * 3000))[:2001],
    "text": http(LONG.encode(), "text/plain")[:2000],
    "gzip": encoded(gzip.compress(page(LONG)), "gzip")[:600],
    "deflate": encoded(zlib.compress(page(LONG)), "deflate")[:600],
    "zstd": encoded(zstandard.compress(page(LONG * 50), 1), "zstd")[:-40],
    "chunked": http(chunked(page(LONG)), headers="Transfer-Encoding: chunked\r\n")[:2000],
    "cut inside the length of a chunk": http(chunked(page(LONG), 200), headers="Transfer-Encoding: chunked\r\n")[:1095],
}


@pytest.mark.parametrize("name", CUT_PAGES)
@pytest.mark.parametrize("reason", ["length", "Time", "disconnect", "unspecified", "made up"])
def test_a_page_that_the_crawler_cut_is_counted_and_left_out_if_asked(tmp_path: Path, name: str, reason: str) -> None:
    data = GOOD + warc("response", CUT_PAGES[name], WARC_Truncated=reason) + AFTER
    kept = read_pages(tmp_path, data, "keep")
    assert len(kept.documents) == 3
    assert len(str(kept.texts[1])) > 200
    assert LONG.startswith(str(kept.texts[1])[:150]) or str(kept.texts[1]).strip("ü") == ""
    counted = "another reason" if reason == "made up" else reason.lower()
    assert [
        w for w in kept.notes.warnings if f"1 pages were cut when they were fetched and are kept ({counted} 1)" in w
    ]
    left = read_pages(tmp_path, data, "leave_out")
    assert left.texts == [SAID, "The page after it"]
    assert left.filtered == ["truncated"]
    assert left.notes.warnings == []


def test_only_pages_that_would_be_kept_count_as_cut(tmp_path: Path) -> None:
    payloads = [http(b"\x89PNG", "image/png"), http(page(SAID), status=404), http(b"", "text/html")]
    records = [warc("response", payload, WARC_Truncated="length", number=i) for i, payload in enumerate(payloads)]
    request = warc("request", b"GET / HTTP/1.1", WARC_Truncated="length")
    for cut_pages, filtered in (("keep", 2), ("leave_out", 3)):
        found = read_pages(tmp_path, b"".join(records) + request + GOOD, cut_pages)
        assert len(found.filtered) == filtered
        assert found.notes.warnings == []
        assert found.texts == [SAID]


@pytest.mark.parametrize("kind", ["resource", "conversion"])
def test_bare_pages_can_be_cut_too(tmp_path: Path, kind: str) -> None:
    data = warc(kind, SAID.encode(), "text/plain", WARC_Truncated="time") + GOOD
    assert "time 1" in read_pages(tmp_path, data, "keep").notes.warnings[0]
    assert read_pages(tmp_path, data, "leave_out").filtered == ["truncated"]


@pytest.mark.parametrize("cut_pages", ["keep", "leave_out"])
def test_a_body_that_is_cut_but_not_said_to_be_is_still_set_aside(tmp_path: Path, cut_pages: CutPages) -> None:
    found = read_pages(tmp_path, GOOD + warc("response", CUT_PAGES["gzip"]), cut_pages)
    assert found.reasons == {"decompress_error": 1}


BINARY = [
    "image/jpeg",
    "IMAGE/png",
    "application/pdf",
    "video/mp4",
    "application/zip",
    "audio/mpeg",
    "application/x-gzip",
]
BINARY += ["application/vnd.ms-excel", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"]
TEXTUAL = ["text/html", "application/xhtml+xml", "text/plain", "", "application/xml", "application/json", "text/x-php"]
TEXTUAL += ["message/rfc822", "application/octet-stream", "application/javascript", "text/html; charset=utf-8"]


@pytest.mark.parametrize("identified", [*BINARY, *TEXTUAL])
@pytest.mark.parametrize("kind", ["response", "resource"])
def test_what_the_crawler_identified_beats_what_the_server_says(tmp_path: Path, identified: str, kind: str) -> None:
    payload, content_type = (http(page(SAID)), "application/http") if kind == "response" else (page(SAID), "text/html")
    data = warc(kind, payload, content_type, WARC_Identified_Payload_Type=identified)
    found = read(tmp_path, "a.warc", data + AFTER)
    assert found.filtered == (["media_type"] if identified in BINARY else [])
    assert found.texts == ([] if identified in BINARY else [SAID]) + ["The page after it"]


def test_the_text_of_a_pdf_is_a_text(tmp_path: Path) -> None:
    data = warc("conversion", SAID.encode(), "text/plain", WARC_Identified_Payload_Type="application/pdf")
    assert read(tmp_path, "a.warc", data).texts == [SAID]
