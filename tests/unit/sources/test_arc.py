import gzip
import random
from pathlib import Path

import pytest

from schemas.source_config import LimitsConfig
from tests.unit.sources.helpers import arc, arc_start, http, page, read

SAID = "A paragraph of text on the page"
START = arc_start()
GOOD = arc(http(page(SAID)))
AFTER = arc(http(page("The page after it")), "http://example.org/99")


def second(payload: bytes) -> bytes:
    """A record of version 2."""
    line = f"http://example.org/1 93.184.216.119 20140216050221 text/html 200 - - 0 a.arc {len(payload)}\n"
    return line.encode() + payload + b"\n"


@pytest.mark.parametrize("name", ["a.arc", "a.arc.gz", "a.bin"])
@pytest.mark.parametrize("packed", [False, True])
def test_pages_and_their_provenance_are_read(tmp_path: Path, name: str, packed: bool) -> None:
    parts = [START, GOOD, AFTER]
    found = read(tmp_path, name, b"".join(map(gzip.compress, parts)) if packed else b"".join(parts))
    assert found.texts == [SAID, "The page after it"]
    assert found.documents[0].values == {
        "id": None,
        "text": SAID,
        "url": "http://example.org/1",
        "crawl_date": "2014-02-16T05:02:21Z",
    }
    assert found.documents[1].byte_offset == len(START + GOOD)
    assert found.notes.skipped == {"filedesc": 1}
    assert found.notes.format == ("arc+gzip" if packed else "arc")


def test_version_2_is_read_and_may_follow_version_1(tmp_path: Path) -> None:
    data = START + GOOD + arc_start(2) + second(http(page("Of version 2"))) + START + AFTER
    found = read(tmp_path, "a.arc", data)
    assert found.texts == [SAID, "Of version 2", "The page after it"]
    assert found.rejections == []
    assert found.notes.skipped == {"filedesc": 3}


@pytest.mark.parametrize("url", ["http://a/b c d.html?e=f g", "https://a/20140216050221 text/html 5", "http://ü/"])
def test_addresses_with_spaces(tmp_path: Path, url: str) -> None:
    found = read(tmp_path, "a.arc", START + arc(http(page(SAID)), url) + AFTER)
    assert [document.values["url"] for document in found.documents] == [url, "http://example.org/99"]


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("20140216050221", "2014-02-16T05:02:21Z"),
        ("20140216050221123", "2014-02-16T05:02:21Z"),
        ("201402160502", "2014-02-16T05:02:00Z"),
        ("20141316050221", None),
        ("00000000000000", None),
    ],
)
def test_dates(tmp_path: Path, date: str, expected: str | None) -> None:
    found = read(tmp_path, "a.arc", START + arc(http(page(SAID)), date=date))
    assert found.texts == [SAID]
    assert found.documents[0].values.get("crawl_date") == expected


@pytest.mark.parametrize(
    ("record", "rule"),
    [
        (arc(http(page(SAID), status=404)), "http_status"),
        (arc(http(b"\x89PNG", "image/png"), kind="image/png"), "media_type"),
        (arc(b"20140216\nexample.org\n", "dns:example.org", "text/dns"), "media_type"),
    ],
)
def test_what_is_no_page_is_filtered(tmp_path: Path, record: bytes, rule: str) -> None:
    found = read(tmp_path, "a.arc", START + GOOD + record + AFTER)
    assert found.filtered == [rule]
    assert found.texts == [SAID, "The page after it"]


def test_a_bare_text_has_the_type_of_its_line(tmp_path: Path) -> None:
    found = read(tmp_path, "a.arc", START + arc(SAID.encode(), "ftp://example.org/readme", "text/plain"))
    assert found.texts == [SAID]


BODY = http(page("hidden"))
BROKEN = {
    "length -1": (arc(BODY, length="-1"), "bad_content_length"),
    "length is a word": (arc(BODY, length="abc"), "bad_content_length"),
    "length too small": (arc(BODY, length=str(len(BODY) - 7)), "bad_content_length"),
    "length too big": (arc(BODY, length=str(len(BODY) + 7)), "bad_content_length"),
    "length reaches into the next record": (arc(BODY, length=str(len(BODY) + 90)), "bad_content_length"),
    "length beyond the file": (arc(BODY, length="30000000"), "bad_content_length"),
    "length of 2 GB": (arc(BODY, length="2147483648"), "bad_content_length"),
    "no status line": (arc(b"<html>no http</html>"), "bad_warc_header"),
    "a date of letters": (arc(BODY, date="yesterday"), "bad_warc_header"),
    "a line of 100,000 bytes": (arc(BODY, "http://a/" + "x" * 100_000), "bad_warc_header"),
    "junk": (b"some junk\n\nhttp://a.example/ is an address\n", "bad_warc_header"),
    "binary junk": (bytes(range(256)) * 300 + b"\n", "bad_warc_header"),
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_a_broken_record_costs_only_itself(tmp_path: Path, name: str, packed: bool) -> None:
    record, reason = BROKEN[name]
    data = START + GOOD + record + AFTER
    found = read(tmp_path, "a.arc.gz", gzip.compress(data) if packed else data)
    assert found.texts == [SAID, "The page after it"]
    assert found.reasons == {reason: 1}
    assert found.rejections[0].byte_offset == len(START + GOOD)
    assert found.documents[1].byte_offset == len(START + GOOD + record)
    assert not found.notes.is_tail_lost


@pytest.mark.parametrize("start", [b"", START[:20] + b"#" + START[20:], b"\x00\x01junk\n"])
def test_a_broken_start_of_a_file_named_arc(tmp_path: Path, start: bytes) -> None:
    found = read(tmp_path, "a.arc", start + GOOD + AFTER)
    assert found.texts[-1] == "The page after it"
    assert found.rejections or not start or found.texts == [SAID, "The page after it"]


def test_a_record_over_the_limit_is_passed_over(tmp_path: Path) -> None:
    data = START + GOOD + arc(http(page("x" * 20_000))) + AFTER
    found = read(tmp_path, "a.arc", data, limits=LimitsConfig(max_warc_record_bytes=10_000))
    assert found.texts == [SAID, "The page after it"]
    assert found.reasons == {"doc_too_big": 1}


@pytest.mark.parametrize("end", [b"", b"\r\n", b"\n\n", b"\n" * 6])
def test_records_that_are_not_parted_as_they_should(tmp_path: Path, end: bytes) -> None:
    found = read(tmp_path, "a.arc", START + GOOD[:-1] + end + AFTER)
    assert found.texts == [SAID, "The page after it"]
    assert found.rejections == []


@pytest.mark.parametrize("cut", [3, 30, 100, 200, -40])
@pytest.mark.parametrize("packed", [False, True])
def test_a_file_that_ends_inside_a_record(tmp_path: Path, cut: int, packed: bool) -> None:
    data = START + GOOD + AFTER[:cut]
    found = read(tmp_path, "a.arc", gzip.compress(data) if packed else data)
    assert found.texts == [SAID]
    assert found.reasons == {"truncated_input": 1}
    assert found.rejections[0].byte_offset == len(START + GOOD)
    assert found.notes.is_tail_lost


def test_300_mutants_give_whole_records_or_say_why_not(tmp_path: Path) -> None:
    texts = [f"The page of number {i} in full" for i in range(30)]
    whole = START + b"".join(arc(http(page(text)), f"http://a/{i}") for i, text in enumerate(texts))
    changed = 0
    for seed in range(300):
        draw = random.Random(seed)
        data = bytearray(whole)
        at = draw.randrange(len(data))
        length = draw.choice([1, 5, 60])
        if seed % 3 == 0:
            data[at] ^= 1 << draw.randrange(8)
        elif seed % 3 == 1:
            del data[at : at + length]
        else:
            data[at:at] = draw.randbytes(length)
        found = read(tmp_path, "a.arc", bytes(data))
        others = [text for text in found.texts if text not in texts]
        changed += len(others)
        assert len(others) <= 1  # the page that was hit: ARC has no checksum
        assert len(found.documents) >= 28
        assert len(found.slots) <= 32
    assert changed < 200
