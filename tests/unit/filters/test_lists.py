import hashlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from polyculture.errors import ConfigError
from polyculture.filters.entries import Exclusions, normal_url, read_exclusions
from polyculture.filters.lists import match

DEEP = f"https://{'a.' * 100}example.net/"
TABLE = pa.table(
    {
        "document_id": ["web:1", "web:2", "web:2#2", "web:20", "books:1"],
        "url": [" <https://www.Example.org/a>", "http://example.org:80", "https://notexample.org/", None, DEEP],
        "text": pa.array(["one", "two", "Three  words", "four", "five"], pa.large_string()),
    }
)


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def taken(exclusions: Exclusions) -> tuple[list[int], set[str]]:
    found = match(TABLE, exclusions)
    return np.flatnonzero(found.details.is_not_null().to_numpy()).tolist(), set(found.used)


@pytest.mark.parametrize(
    ("line", "rows"),
    [
        ("id web:1", [0]),
        ("id web:2", [1, 2]),
        ("id web:2#2", [2]),
        ("url HTTPS://www.example.org/a#part", [0]),
        ("url http://EXAMPLE.org/", [1]),
        ("url https://www.example.org/A", []),
        ("host example.org", [0, 1]),
        ("host www.example.org", [0]),
        ("host org", [0, 1, 2]),
        ("host example.net", [4]),
        (f"sha256 {sha256('Three  words')}", [2]),
        (f"sha256 {sha256('three words')}", [2]),
        (f"sha256 {sha256('three  words')}", []),
    ],
)
def test_an_entry_takes_what_it_names(tmp_path: Path, line: str, rows: list[int]) -> None:
    path = tmp_path / "list"
    path.write_text(f"# asked for by letter\n\n{line}\r\n")
    exclusions = read_exclusions({"list": path})
    found, matched = taken(exclusions)
    assert found == rows
    assert matched == (exclusions.entries if rows else set())


def test_the_detail_is_the_first_entry_that_names_a_document_and_every_entry_counts_as_used(tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_text("host org\nhost www.example.org\nid web:2\nid web:2#2\nhost example.org\nid web:9\n")
    exclusions = read_exclusions({"list": path})
    found = match(TABLE, exclusions)
    assert found.details.to_list() == ["host www.example.org", "id web:2", "id web:2#2", None, None]
    assert exclusions.entries - found.used == {"id web:9"}


@pytest.mark.parametrize(
    "line", ["web:1", "id", "sha256 12ab", "host https://example.org", "host a/b", "url example.org", "ids web:1"]
)
def test_a_line_that_is_no_entry_is_refused_with_its_number(tmp_path: Path, line: str) -> None:
    path = tmp_path / "list"
    path.write_text(f"id web:1\n{line}\n")
    with pytest.raises(ConfigError, match="list:2"):
        read_exclusions({"list": path})


def test_a_list_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="missing"):
        read_exclusions({"missing": tmp_path / "missing"})
    (tmp_path / "bytes").write_bytes(b"id \xff")
    with pytest.raises(ConfigError, match="UTF-8"):
        read_exclusions({"bytes": tmp_path / "bytes"})


@pytest.mark.parametrize("url", ["http://[::1", "http://h:99999/", "no scheme", "https://user:pw@H/x"])
def test_any_string_is_normalised_once(url: str) -> None:
    assert normal_url(normal_url(url)) == normal_url(url)
    assert "pw" not in normal_url(url)
