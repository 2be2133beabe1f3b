import gzip
import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from polyculture.sources.json_scan import CutError, JsonWindow, StructureError
from schemas.source_config import LimitsConfig
from tests.unit.sources.helpers import jsonl, read, rows, zst

RECORDS = [
    {"id": "a", "text": 'braces } ] { [ and "quotes" \\ in text, and a backslash at the end \\'},
    {"id": "b", "text": "für alle 日本\n\nzwei", "meta": {"tags": ["x", {"y": [1, 2.5, None, True]}]}},
    {"id": "c", "text": '[{"text": "JSON that was quoted"}]'},
]
TEXTS = [record["text"] for record in RECORDS]


def one_a_line(records: list[dict[str, object]]) -> str:
    return "[\n" + ",\n".join(json.dumps(record) for record in records) + "\n]\n"


def under(key: str, records: object, **beside: object) -> dict[str, object]:
    return {"version": "1.0", **beside, key: records, "license": {"name": "x", "urls": ["a", "b"]}}


LAYOUTS: dict[str, Callable[[list[dict[str, object]]], str]] = {
    "one line": json.dumps,
    "one line, tight": lambda records: json.dumps(records, separators=(",", ":"), ensure_ascii=False),
    "pretty": lambda records: json.dumps(records, indent=2),
    "tabs and carriage returns": lambda records: json.dumps(records, indent="\t").replace("\n", "\r\n"),
    "one a line": one_a_line,
    "comma first": lambda records: "[ " + "\n, ".join(json.dumps(record) for record in records) + "\n]",
    "white space before": lambda records: "\n  \n" + json.dumps(records),
    "byte order mark": lambda records: "\ufeff" + json.dumps(records),
    "under a key": lambda records: json.dumps(under("data", records)),
    "under a key, pretty": lambda records: json.dumps(under("rows", records), indent=4),
    "under a key, one a line": lambda records: '{"train": ' + one_a_line(records) + "}",
    "under a key, behind other arrays": lambda records: json.dumps(
        under("data", records, empty=[], numbers=[1, 2], names=["a } ]"], nested=[[{"text": "no record"}]]), indent=1
    ),
    "under a key with a quote": lambda records: json.dumps({'a"b': records}, indent=1),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "part-00000", "a.txt"])
def test_every_layout_gives_the_records_and_their_places(tmp_path: Path, layout: str, name: str) -> None:
    data = LAYOUTS[layout](RECORDS).encode()
    found = read(tmp_path, name, data)
    assert found.notes.format == "json"
    assert found.texts == TEXTS
    assert found.ids == ["a", "b", "c"]
    assert not found.rejections
    for document in found.documents:
        assert data[document.byte_offset :].startswith(b"{")
        assert json.JSONDecoder().raw_decode(data[document.byte_offset :].decode())[0]["id"] == document.values["id"]


@pytest.mark.parametrize("pack", [gzip.compress, zst])
def test_arrays_are_read_compressed(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    assert read(tmp_path, "a", pack(json.dumps(RECORDS).encode())).texts == TEXTS


def test_what_stands_beside_the_records_is_named(tmp_path: Path) -> None:
    found = read(tmp_path, "a.json", json.dumps(under("data", RECORDS, split="train"), indent=1).encode())
    assert found.notes.warnings == ["the records are those under 'data'; left out beside them: version, split, license"]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
def test_the_end_of_a_value_does_not_depend_on_how_bytes_arrive(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    data = json.dumps([{"a": 'x\\"]}', "b": [1, {"c": "\\\\"}]}, 's\\u00e9"]', -1.5e3, None, [], {}]).encode() + b" "
    left = [data[at : at + size] for at in range(0, len(data), size)][::-1]
    window = JsonWindow(lambda _: left.pop() if left else b"")
    assert window.peek() == b"["
    window.skip(1)
    found = []
    while window.peek() != b"]":
        window.skip(window.peek() == b",")
        window.peek()
        found.append(json.loads(window.value(1000)[0]))
    assert found == json.loads(data)


@pytest.mark.parametrize("size", [1, 3, 50])
@pytest.mark.parametrize(
    "value", ['{"a": ["x\\"]}", {"b": 1}]}', '"a } ] long \\\\ string"', "-12345.25e10", "[[], [[]]]"]
)
def test_a_value_over_the_limit_is_passed_over(value: str, size: int) -> None:
    data = value.encode() + b' , "next"]'
    left = [data[at : at + size] for at in range(0, len(data), size)][::-1]
    window = JsonWindow(lambda _: left.pop() if left else b"")
    assert window.value(4) == (value.encode()[:5], len(value))
    assert window.peek() == b","


@pytest.mark.parametrize("value", ["{", '{"a": "b', "[1, 2", '"abc', '"abc\\', "12", '{"a\\"}'])
def test_a_value_that_does_not_end_is_cut(value: str) -> None:
    for limit in (2, 1000):
        left = [value.encode()]
        with pytest.raises((CutError, StructureError)):
            JsonWindow(lambda _: left.pop() if left else b"").value(limit)  # noqa: B023


BAD_ELEMENTS = {
    "number": ("7", "not_object"),
    "null": ("null", "not_object"),
    "string": ('"a, ] }"', "not_object"),
    "array": ('[{"text": "x"}]', "not_object"),
    "no text": ('{"id": "x"}', "text_missing"),
    "no JSON": ('{"text": x}', "bad_json"),
    "repeated key": ('{"text": "x", "text": "y"}', "duplicate_key"),
    "raw control": ('{"text": "a\x01b"}', "nul_or_control"),
    "too long": ('{"text": "' + "x" * 3000 + '"}', "too_long_line"),
}


@pytest.mark.parametrize("name", BAD_ELEMENTS)
@pytest.mark.parametrize("place", [0, 1, 3])
def test_a_bad_element_costs_only_itself(tmp_path: Path, name: str, place: int) -> None:
    element, reason = BAD_ELEMENTS[name]
    parts = [json.dumps(record) for record in RECORDS]
    parts.insert(place, element)
    data = ('{"data": [' + ", ".join(parts) + "]}").encode()
    found = read(tmp_path, "a.json", data, limits=LimitsConfig(max_line_bytes=1000))
    if place == 0 and reason in {"not_object", "too_long_line"}:
        return  # an array that does not begin with an object; a line of which nothing but a beginning is looked at
    assert found.texts == TEXTS
    assert found.reasons == {reason: 1}
    assert data[found.rejections[0].byte_offset :].startswith(element.encode())


def test_invalid_utf_8_costs_its_element(tmp_path: Path) -> None:
    found = read(tmp_path, "a.json", b'[{"text": "a"}, {"text": "\xff"}, {"text": "b"}]')
    assert found.texts == ["a", "b"]
    assert found.reasons == {"invalid_utf8": 1}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: data.replace(b"}, {", b"} {", 1), "neither a comma"),
        (lambda data: data.replace(b'"}, {"id": "id-2', b', {"id": "id-2', 1), ""),
        (lambda data: data[:-1] + b"}", "neither a comma"),
        (lambda data: data + b' [{"text": "x"}]', "another JSON value follows"),
        (lambda data: data + b" junk", "something follows"),
        (lambda data: data.replace(b"}, {", b"}, \\ {", 1), "byte"),
        (lambda data: data[:-30], "ends before its JSON does"),
        (lambda data: data[:-1], "ends before its JSON does"),
    ],
)
def test_damage_keeps_the_records_before_it(tmp_path: Path, change: Callable[[bytes], bytes], said: str) -> None:
    records = rows(6)
    found = read(tmp_path, "a.json", change(json.dumps(records, ensure_ascii=False).encode()))
    assert found.texts == [record["text"] for record in records][: len(found.texts)]
    assert len(found.rejections) <= 2
    assert found.rejections[-1].is_tail
    assert said in found.rejections[-1].detail
    assert found.rejections[-1].byte_offset > 0
    assert found.texts


@pytest.mark.parametrize("codec", ["gzip", "zstd", "plain"])
def test_a_cut_array_keeps_what_is_before_the_cut(tmp_path: Path, codec: str) -> None:
    records = rows(200)
    data = {"gzip": gzip.compress, "zstd": zst, "plain": bytes}[codec](json.dumps(records).encode())
    found = read(tmp_path, "a.json", data[: len(data) * 2 // 3])
    assert found.texts == [record["text"] for record in records][: len(found.texts)]
    assert found.notes.is_tail_lost
    if codec != "zstd":
        assert 60 < len(found.texts) < 180


def test_a_trailing_comma_is_a_warning(tmp_path: Path) -> None:
    found = read(tmp_path, "a.json", b'[{"text": "a"}, {"text": "b"},\n]')
    assert found.texts == ["a", "b"]
    assert found.notes.warnings == ["a comma stands before the end of the array"]


@pytest.mark.parametrize("data", [b"[]", b"[\n]\n", b" [ ] ", b'{\n "data": [{"text": "x"}]\n}'])
def test_small_documents(tmp_path: Path, data: bytes) -> None:
    found = read(tmp_path, "a.json", data)
    assert found.notes.format == "json"
    assert not found.rejections


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"text": "x", "id": 1}, "one JSON object over several lines"),
        ({"config": {"data": [{"text": "x"}]}}, "one JSON object over several lines"),
        ({"train": [{"text": "x"}], "test": [{"text": "y"}]}, "a second array of objects, under 'test'"),
    ],
)
def test_an_object_over_several_lines_that_is_no_array_says_so(tmp_path: Path, value: object, said: str) -> None:
    for text in (json.dumps(value, indent=2), json.dumps(value, indent=2) + "\n" + json.dumps(value, indent=2)):
        found = read(tmp_path, "a.json", text.encode())
        assert said in found.rejections[0].detail
        assert found.notes.is_tail_lost


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a"])
def test_json_lines_stay_json_lines(tmp_path: Path, name: str) -> None:
    held = [{"text": f"t{i}", "spans": [{"start": 1}], "n": {"x": 1}} for i in range(3)]
    for records in (held, held[:1]):
        found = read(tmp_path, name, jsonl(records))
        assert found.notes.format == "jsonl"
        assert len(found.documents) == len(records)


def test_lines_of_arrays_say_so(tmp_path: Path) -> None:
    found = read(tmp_path, "a.jsonl", b'[{"text": "x"}, {"text": "y"}]\n' * 3)
    assert found.reasons == {"not_object": 3}
    assert "one object a line is wanted" in found.notes.warnings[0]


@pytest.mark.parametrize(
    "text", ["[1] First note.\n[2] Second.\n", "[link](http://x/)\n", "[{tag}] words", "{a} [b]\n"]
)
def test_text_between_brackets_stays_text(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, "a.md", text.encode()).texts == [text]


def test_a_wrapped_array_of_one_line_over_the_limit_is_read(tmp_path: Path) -> None:
    records = rows(100)
    limits = LimitsConfig(max_line_bytes=1000)
    found = read(tmp_path, "a.json", json.dumps(under("data", records)).encode(), limits=limits)
    assert found.texts == [record["text"] for record in records]
    lines = [{"id": "x", "text": "y" * 2000, "parts": [{"text": "z"}]}, {"text": "short"}]
    assert read(tmp_path, "b.json", jsonl(lines), limits=limits).texts == ["short"]


def test_arrays_in_utf_16_are_refused_whole(tmp_path: Path) -> None:
    found = read(tmp_path, "a.json", json.dumps(RECORDS).encode("utf-16"))
    assert found.reasons == {"unsupported_charset": 1}


def test_an_array_of_no_objects_is_given_up(tmp_path: Path) -> None:
    found = read(tmp_path, "a.json", b'[{"text": "x"}' + b", 1" * 30_000 + b"]")
    assert len(found.slots) == 10_001
    assert "no objects" in found.rejections[-1].detail


_MEMORY = """
import resource, sys, tempfile
from pathlib import Path
from polyculture.sources.json_scan import JsonWindow
piece = b'{"id": 1, "text": "' + b"word " * 200_000 + b'"}, '
count = int(sys.argv[1])
left = iter([b"[", *([piece] * count), b'{}]'])
window = JsonWindow(lambda _: next(left, b""))
window.peek(); window.skip(1)
base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
values = 0
while window.peek() != b"]":
    window.skip(window.peek() == b","); window.peek()
    window.value(2**25); values += 1
assert values == count + 1
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - base) // 1024)
"""


def test_memory_does_not_grow_with_the_array() -> None:
    command = [sys.executable, "-c", _MEMORY, "300"]
    grown = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert grown < 40  # MB, of 300 that pass


def test_300_damaged_arrays_of_each_layout(tmp_path: Path) -> None:
    records = rows(12)
    texts = {record["text"] for record in records}
    for layout in ("one line", "pretty", "under a key, pretty"):
        whole = gzip.compress(LAYOUTS[layout](records).encode())
        plain = LAYOUTS[layout](records).encode()
        for seed in range(150):
            draw = random.Random(seed)
            at = draw.randrange(len(plain))
            changed = plain[:at] + draw.choice([b"", b"\0", b'"', b"}", b"]", b"\\", b"\n"]) + plain[at + 1 :]
            found = read(tmp_path, "a.json", changed)
            assert len(found.slots) <= 80
            assert set(found.texts) <= texts or len(set(found.texts) - texts) == 1
            packed = bytearray(whole)
            packed[draw.randrange(10, len(packed))] ^= 1 << draw.randrange(8)
            found = read(tmp_path, "a.json", bytes(packed))
            assert set(found.texts) <= texts
