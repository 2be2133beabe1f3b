import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyculture.sources.json_line import LineFault, parse_line
from schemas.source_config import LimitsConfig
from tests.unit.sources.helpers import jsonl, read, rows

GOOD = b'{"text": "good"}\n'
DEEP = b"[" * 100_000 + b"]" * 100_000

BAD_LINES = {
    "unterminated string": (b'{"text": "x}', "bad_json"),
    "no value": (b'{"text": }', "bad_json"),
    "bare word": (b"hello", "bad_json"),
    "NaN": (b'{"text": "x", "n": NaN}', "bad_json"),
    "Infinity": (b'{"text": "x", "n": -Infinity}', "bad_json"),
    "5,000-digit integer": (b'{"text": "x", "n": ' + b"7" * 5000 + b"}", "bad_json"),
    "two objects": (b'{"text": "x"} {"text": "y"}', "bad_json"),
    "two objects, carriage return between": (b'{"text": "x"}\r{"text": "y"}', "bad_json"),
    "trailing comma": (b'{"text": "x",}', "bad_json"),
    "single quotes": (b"{'text': 'x'}", "bad_json"),
    "byte order mark inside": (b' \xef\xbb\xbf{"text": "x"}', "bad_json"),
    "raw tab in a string": (b'{"text": "a\tb"}', "bad_json"),
    "bad escape": (b'{"text": "\\x41"}', "bad_json"),
    "array": (b'["list"]', "not_object"),
    "string": (b'"text"', "not_object"),
    "number": (b"42", "not_object"),
    "null": (b"null", "not_object"),
    "boolean": (b"true", "not_object"),
    "0xff": (b'{"text": "a\xffb"}', "invalid_utf8"),
    "latin-1": ('{"text": "café"}'.encode("latin-1"), "invalid_utf8"),
    "CESU-8": (b'{"text": "\xed\xa0\xbd\xed\xb8\x80"}', "invalid_utf8"),
    "overlong": (b'{"text": "\xc0\xaf"}', "invalid_utf8"),
    "cut character": (b'{"text": "\xe2\x82"}', "invalid_utf8"),
    "beyond U+10FFFF": (b'{"text": "\xf4\x90\x80\x80"}', "invalid_utf8"),
    "lone surrogate": (b'{"text": "a\\ud800b"}', "lone_surrogate"),
    "lone low surrogate": (b'{"text": "a\\udc00"}', "lone_surrogate"),
    "pair reversed": (b'{"text": "\\ude00\\ud83d"}', "lone_surrogate"),
    "lone surrogate in a key": (b'{"text": "x", "\\ud800": 1}', "lone_surrogate"),
    "raw NUL": (b'{"text": "a\x00b"}', "nul_or_control"),
    "raw escape": (b'{"text": "a\x1bb"}', "nul_or_control"),
    "raw form feed": (b'{"text": "a\x0cb"}', "nul_or_control"),
    "text twice": (b'{"text": "one", "text": "two"}', "duplicate_key"),
    "id twice": (b'{"id": 1, "text": "x", "id": 1}', "duplicate_key"),
    "key twice, escaped": (b'{"text": "x", "te\\u0078t": "y"}', "duplicate_key"),
    "key twice, nested": (b'{"text": "x", "meta": {"a": 1, "a": 2}}', "duplicate_key"),
    "key twice, in a list": (b'{"text": "x", "l": [{"a": 1}, {"b": 1, "b": 2}]}', "duplicate_key"),
    "key twice, space before colon": (b'{"text" : "x", "text"\t:"y"}', "duplicate_key"),
    "key twice, ends in backslash": (b'{"text": "x", "a\\\\": 1, "a\\\\": 2}', "duplicate_key"),
    "key twice, ends in backslash, nested": (b'{"text": "x", "m": [{"\\\\": 1, "\\\\": 2}]}', "duplicate_key"),
    "key twice, ends in backslash, written both ways": (b'{"text": "x", "a\\\\": 1, "a\\u005c": 2}', "duplicate_key"),
    "key twice, colons in strings": (b'{"text": ": \\": :", "a": ":", "a": ":"}', "duplicate_key"),
    "key twice, nested 900 deep": (
        b'{"text": "x", "d": ' + b'{"a":' * 900 + b'{"b":1,"b":2}' + b"}" * 901,
        "duplicate_key",
    ),
    "key twice, above 900 levels": (
        b'{"text": "x", "d": ' + b'{"a":' * 900 + b"1" + b"}" * 899 + b', "a": 2}}',
        "duplicate_key",
    ),
    "nested 100,000 deep": (b'{"text": "x", "d": ' + DEEP + b"}", "too_deep"),
    "nested 100,000 deep, objects": (b'{"d":' * 100_000 + b"1" + b"}" * 100_000, "too_deep"),
    "text absent": (b'{"no_text": "x"}', "text_missing"),
    "empty object": (b"{}", "text_missing"),
    "text null": (b'{"text": null}', "text_missing"),
    "text integer": (b'{"text": 42}', "text_wrong_type"),
    "text float": (b'{"text": 4.2}', "text_wrong_type"),
    "text boolean": (b'{"text": true}', "text_wrong_type"),
    "text list": (b'{"text": ["x"]}', "text_wrong_type"),
    "text object": (b'{"text": {"x": 1}}', "text_wrong_type"),
    "text empty": (b'{"text": ""}', "text_empty"),
    "text white space": (b'{"text": " \\n\\t\\u3000"}', "text_empty"),
    "text of format characters": (b'{"text": "\\u200b\\u200d\\ufeff"}', "text_empty"),
    "text of NUL": (b'{"text": "\\u0000"}', "text_empty"),
}

GOOD_LINES = {
    "escaped quotes and colons": (b'{"text": "a \\": b \\" : c"}', 'a ": b " : c'),
    "starts with a colon": (b'{"a": ":x", "text": ":y"}', ":y"),
    "space before colon": (b'{"text" : "x"}', "x"),
    "key that ends in a backslash": (b'{"a\\\\": 1, "text": "x"}', "x"),
    "surrogate pair": (b'{"text": "\\ud83d\\ude00"}', "\U0001f600"),
    "U+2028 and U+0085": ('{"text": "a\u2028b\u0085c"}'.encode(), "a\u2028b\u0085c"),
    "escaped newline": (b'{"text": "a\\nb\\r\\nc"}', "a\nb\r\nc"),
    "escaped control": (b'{"text": "a\\u001b[2Jb"}', "a\x1b[2Jb"),
    "escaped NUL removed": (b'{"text": "a\\u0000b"}', "ab"),
    "CRLF": (b'{"text": "x"}\r', "x"),
    "space around": (b'  {"text": "x"}  ', "x"),
    "nested 64 deep": (b'{"text": "x", "d": ' + b"[" * 63 + b"]" * 63 + b"}", "x"),
    "nested 1,000 deep": (b'{"text": "x", "d": ' + b"[" * 1000 + b"]" * 1000 + b"}", "x"),
    "objects nested 900 deep, and a colon": (b'{"text": ":x", "d": ' + b'{"a":' * 900 + b"1" + b"}" * 901, ":x"),
    "10,000 keys": (json.dumps({"text": "x", **{f"k{i}": i for i in range(10_000)}}).encode(), "x"),
    "10,000 keys nested": (json.dumps({"text": "x", "m": [{f"k{i}": i for i in range(10_000)}]}).encode(), "x"),
    "256 keys": (json.dumps({"text": "x", **{f"k{i}": i for i in range(255)}}).encode(), "x"),
    "no letters": (b'{"text": "!?"}', "!?"),
    "U+FFFD that was there": ('{"text": "a\ufffdb"}'.encode(), "a\ufffdb"),
    "same key in two objects": (b'{"text": "x", "a": {"k": 1}, "b": {"k": 1}}', "x"),
    "zero-width inside": ('{"text": "a\u200bb"}'.encode(), "a\u200bb"),
    "30-digit number elsewhere": (b'{"text": "x", "n": 123456789012345678901234567890}', "x"),
}


@pytest.mark.parametrize("name", BAD_LINES)
@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_a_bad_line_costs_only_itself(tmp_path: Path, name: str, place: str) -> None:
    line, reason = BAD_LINES[name]
    before = {"first": 0, "middle": 2, "last": 4}[place]
    data = GOOD * before + line + b"\n" + GOOD * (4 - before)
    found = read(tmp_path, "a.jsonl", data)
    assert found.texts == ["good"] * 4
    assert found.reasons == {reason: 1}
    assert found.rejections[0].byte_offset == before * len(GOOD)
    assert not found.notes.is_tail_lost


@pytest.mark.parametrize("name", GOOD_LINES)
def test_an_odd_but_valid_line_is_read(tmp_path: Path, name: str) -> None:
    line, text = GOOD_LINES[name]
    found = read(tmp_path, "a.jsonl", GOOD + line + b"\n" + GOOD)
    assert found.texts == ["good", text, "good"]
    assert found.documents[1].byte_offset == len(GOOD)


def test_removed_nul_characters_are_counted(tmp_path: Path) -> None:
    found = read(tmp_path, "a.jsonl", b'{"text": "a\\u0000b\\u0000"}\n{"text": "\\u0000c"}\n')
    assert found.texts == ["ab", "c"]
    assert found.notes.warnings == ["3 U+0000 removed from texts"]


@pytest.mark.parametrize("at", [0, 5_000, 9_999])
def test_one_bad_line_of_ten_thousand(tmp_path: Path, at: int) -> None:
    lines = jsonl(rows(9_999, words=3)).split(b"\n")[:-1]
    lines.insert(at, b'{"text": "broken')
    found = read(tmp_path, "a.jsonl", b"\n".join(lines) + b"\n")
    assert len(found.documents) == 9_999
    assert found.reasons == {"bad_json": 1}
    assert found.rejections[0].byte_offset == sum(len(line) + 1 for line in lines[:at])
    assert found.notes.warnings == []


@pytest.mark.parametrize("data", [b"", b"\n\n\n", b"\r\n \t\n", b"\xef\xbb\xbf"])
def test_an_empty_file_has_no_slots(tmp_path: Path, data: bytes) -> None:
    found = read(tmp_path, "a.jsonl", data)
    assert found.slots == []
    assert found.notes.warnings == []


def test_blank_lines_are_no_slots_and_the_last_line_needs_no_newline(tmp_path: Path) -> None:
    found = read(tmp_path, "a.jsonl", GOOD + b"\n  \n\r\n" + GOOD.strip())
    assert [document.position for document in found.documents] == [0, 1]


@pytest.mark.parametrize("name", ["a.jsonl", "a.data"])
def test_a_byte_order_mark_is_stripped(tmp_path: Path, name: str) -> None:
    found = read(tmp_path, name, b"\xef\xbb\xbf" + GOOD * 2)
    assert found.texts == ["good", "good"]
    assert [document.byte_offset for document in found.documents] == [0, 3 + len(GOOD)]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_json_lines_in_utf_16_are_refused_whole(tmp_path: Path, encoding: str) -> None:
    found = read(tmp_path, "a.jsonl", GOOD.decode().encode(encoding))
    assert found.reasons == {"unsupported_charset": 1}
    assert found.notes.is_tail_lost


def test_a_key_that_appears_late_and_changes_its_type_is_kept(tmp_path: Path) -> None:
    records: list[dict[str, object]] = [{"text": f"t{i}"} for i in range(10_002)]
    records[100] |= {"url": "http://a/"}
    records[10_000] |= {"url": 7}
    records[10_001] |= {"url": ["x"]}
    found = read(tmp_path, "a.jsonl", jsonl(records))
    assert len(found.documents) == 10_002
    assert [document.values["url"] for document in found.documents if "url" in document.values] == ["http://a/", "7"]
    assert found.notes.warnings == [
        "1 values of url (column `url`) became null: found an array, wanted a string or a whole number"
    ]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(json.dumps({"text": "x", "id": 1}, indent=2).encode(), id="pretty-printed object"),
        pytest.param(b'["x", "y"]\n["x", "y"]\n', id="lines of arrays"),
        pytest.param(b'{"text": "x"}\r{"text": "y"}\r', id="carriage returns only"),
    ],
)
def test_a_file_of_mostly_bad_lines_says_so(tmp_path: Path, data: bytes) -> None:
    found = read(tmp_path, "a.json", data)
    assert "another format, or JSON over several lines" in found.notes.warnings[0]
    assert found.documents == []
    assert set(found.reasons) <= {"bad_json", "not_object", "text_missing"}


def test_a_file_of_bad_lines_is_given_up_with_a_hint(tmp_path: Path) -> None:
    found = read(tmp_path, "a.jsonl", b"{bad\n" * 30_000)
    assert len(found.slots) == 10_001
    assert found.notes.is_tail_lost
    assert "another format" in found.rejections[-1].detail


def test_a_long_line_is_skipped_to_the_next_newline(tmp_path: Path) -> None:
    limits = LimitsConfig(max_line_bytes=1000)
    exact = b'{"text": "' + b"x" * 988 + b'"}'
    assert len(exact) == 1000
    data = GOOD + exact + b"\n" + b'{"text": "' + b"x" * 5000 + b'"}\n' + GOOD + b'{"text": "' + b"x" * 5000
    found = read(tmp_path, "a.jsonl", data, limits=limits)
    assert [len(str(text)) for text in found.texts] == [4, 988, 4]
    assert found.reasons == {"too_long_line": 2}
    assert found.rejections[0].byte_offset == len(GOOD) + 1001


def test_a_text_over_the_limit_is_set_aside(tmp_path: Path) -> None:
    limits = LimitsConfig(max_document_bytes=10)
    found = read(tmp_path, "a.jsonl", '{"text": "ääääää"}\n{"text": "äääää"}\n'.encode(), limits=limits)
    assert found.texts == ["äääää"]
    assert found.reasons == {"doc_too_big": 1}


def test_a_line_of_200_mb_needs_little_memory(tmp_path: Path) -> None:
    with (tmp_path / "a.jsonl").open("wb") as out:
        out.write(GOOD + b'{"text": "')
        out.truncate(200 * 2**20)  # sparse: bytes of zero
        out.seek(0, 2)
        out.write(b'"}\n' + GOOD)
    code = """
import resource, sys
from pathlib import Path
from polyculture.sources.read import read_file
from polyculture.sources.record import FileNotes, InputFile
from schemas.source_config import LimitsConfig
from schemas.source_config import SourceConfig
path = Path(sys.argv[1])
file = InputFile(path, "a.jsonl", "0" * 64, path.stat().st_size)
source = SourceConfig(name="s", kind="web", paths=("a",))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
slots = list(read_file(file, source, LimitsConfig(), FileNotes()))
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(len(slots), slots[1].reason, (after - before) // 1024)
"""
    command = [sys.executable, "-c", code, str(tmp_path / "a.jsonl")]
    slots, reason, megabytes = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert (slots, reason) == ("3", "too_long_line")
    assert int(megabytes) < 120


@given(
    st.lists(st.tuples(st.text('ab\\":\t ', max_size=4), st.text('a\\":\t {', max_size=6)), max_size=4), st.booleans()
)
def test_repeated_keys_are_found_exactly(pairs: list[tuple[str, str]], is_nested: bool) -> None:
    written = "{" + ", ".join(f"{json.dumps(key)} : {json.dumps(value)}" for key, value in pairs) + "}"
    line = ('{"text": [' + written + "]}" if is_nested else written).encode()
    found = parse_line(line)
    if len({key for key, _ in pairs}) < len(pairs):
        assert isinstance(found, LineFault)
        assert found.reason == "duplicate_key"
    else:
        assert found == json.loads(line)
