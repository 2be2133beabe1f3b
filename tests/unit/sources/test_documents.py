import math
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyculture.sources.documents import Document, Tally, plan_fields, to_document
from polyculture.sources.record import Record, Rejection
from polyculture.storage.messages import safe_detail
from schemas.documents import Kind
from schemas.source_config import LimitsConfig, SourceConfig
from tests.unit.sources.helpers import jsonl, read

DIGEST = "0" * 64


def check(
    values: dict[str, object], fields: dict[str, str] | None = None, kind: Kind = Kind.SYNTHETIC
) -> tuple[Document | Rejection, Tally]:
    source = SourceConfig(name="s", kind=kind, paths=("x",), fields=fields or {})
    tally = Tally()
    return to_document(Record(values, 7, DIGEST), 3, plan_fields(source, LimitsConfig()), tally), tally


def values_of(
    values: dict[str, object], fields: dict[str, str] | None = None, kind: Kind = Kind.SYNTHETIC
) -> dict[str, object]:
    document, _ = check(values, fields, kind)
    assert isinstance(document, Document)
    assert (document.position, document.byte_offset, document.sha256) == (3, 7, DIGEST)
    return document.values


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ("a", "a"),
        (7, "7"),
        (0, "0"),
        (7.0, "7"),
        (-0.0, "0"),
        (2.0**53, "9007199254740992"),
        (2.0**53 + 2, None),
        (math.nan, None),
        (math.inf, None),
        (Decimal("12345678901234567890"), "12345678901234567890"),
        (Decimal("7.00"), "7"),
        (Decimal("7.01"), None),
        (b"abc", "abc"),
        (b"\xff", None),
        ("../../etc/passwd", "../../etc/passwd"),
        ("a\nb", "a\nb"),
        ("x" * 512, "x" * 512),
        ("x" * 513, "sha256:e5d0f3a54e3b5ed0"),
        ("ä" * 257, "sha256:"),
        ("x" * 1_000_000, "sha256:"),
        (None, None),
        ("", None),
        (True, None),
        (1.5, None),
        ([1], None),
        ({"a": 1}, None),
        ("\ud800", None),
    ],
)
def test_own_ids(own: object, expected: str | None) -> None:
    found = values_of({"id": own, "text": "x"})["id"]
    if expected and expected.startswith("sha256:"):
        assert isinstance(found, str)
        assert found.startswith("sha256:")
        assert len(found) == 71
    else:
        assert found == expected


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("teacher", "m", "m"),
        ("teacher", 7, "7"),
        ("teacher", True, None),
        ("teacher", 1.5, None),
        ("teacher", 4.0, "4"),
        ("teacher", Decimal("4.0"), "4"),
        ("sample_index", Decimal("3.0"), 3),
        ("sample_index", Decimal("3.5"), None),
        ("teacher", ["m"], None),
        ("teacher", "\ud800", None),
        ("sample_index", 3, 3),
        ("sample_index", 3.0, 3),
        ("sample_index", 3.5, None),
        ("sample_index", "3", None),
        ("sample_index", True, None),
        ("sample_index", 2**63, None),
        ("generation_depth", -(2**63), -(2**63)),
        ("generation_depth", math.inf, None),
        ("sampling_parameters", {"top_p": 1, "a": {"c": 1, "b": 2}}, '{"a":{"b":2,"c":1},"top_p":1}'),
        ("sampling_parameters", "t=1", "t=1"),
        ("sampling_parameters", [1], None),
        ("sampling_parameters", {"a": b"x"}, None),
        ("language", "de", "de"),
        ("license", "MIT", "MIT"),
    ],
)
def test_a_value_of_a_wrong_type_costs_the_value_not_the_document(field: str, value: object, expected: object) -> None:
    document, tally = check({"text": "x", field: value})
    assert isinstance(document, Document)
    assert document.values.get(field) == expected
    assert [name for name, _ in tally.lost] == ([field] if expected is None else [])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2, 2.0),
        (2.5, 2.5),
        (Decimal("2.5"), 2.5),
        (math.nan, None),
        (-math.inf, None),
        ("2", None),
        (True, None),
        (10**400, None),
    ],
)
def test_hours_and_cost_are_finite_numbers(value: object, expected: float | None) -> None:
    for field in ("hours", "cost"):
        assert values_of({"text": "x", field: value}, kind=Kind.EXPERT).get(field) == expected


def test_mapped_names_do_not_also_act_as_themselves() -> None:
    values = values_of({"content": "mine", "text": "other", "id": "a", "key": "b"}, {"text": "content", "id": "key"})
    assert values == {"id": "b", "text": "mine"}


def test_one_column_may_supply_two_fields() -> None:
    assert values_of({"text": "x", "p": 5}, {"seed": "p", "id": "p"}) == {"id": "5", "text": "x", "seed": "5"}


@pytest.mark.parametrize(
    ("values", "path", "expected"),
    [
        ({"meta": {"a": {"b": "deep"}}}, "meta.a.b", "deep"),
        ({"meta": '{"a": {"b": "in JSON"}}'}, "meta.a.b", "in JSON"),
        ({"meta": {"a": '{"b": "JSON inside"}'}}, "meta.a.b", "JSON inside"),
        ({"meta.a": "literal", "meta": {"a": "path"}}, "meta.a", "literal"),
        ({"meta": "{broken"}, "meta.a", None),
        ({"meta": "[1]"}, "meta.a", None),
        ({"meta": [1]}, "meta.a", None),
        ({"meta": None}, "meta.a", None),
        ({}, "meta.a", None),
        ({"meta": "{" * 2000}, "meta.a", None),
    ],
)
def test_dotted_paths(values: dict[str, object], path: str, expected: str | None) -> None:
    assert values_of({"text": "x", **values}, {"teacher": path}).get("teacher") == expected
    found, _ = check(values, {"text": path})
    if expected is None:
        assert isinstance(found, Rejection)
        assert found.reason == "text_missing"
    else:
        assert isinstance(found, Document)
        assert found.values["text"] == expected


@pytest.mark.parametrize(
    ("meta", "reason"),
    [('{"a":' * 2000 + "1" + "}" * 2000, "too_deep"), ('{"a": "one", "a": "two"}', "duplicate_key")],
)
def test_json_inside_a_string_is_held_to_the_same_rules(meta: str, reason: str) -> None:
    found, _ = check({"meta": meta}, {"text": "meta.a"})
    assert isinstance(found, Rejection)
    assert found.reason == reason
    assert "teacher" not in values_of({"text": "x", "meta": meta}, {"teacher": "meta.a"})


@pytest.mark.parametrize(
    ("value", "reason"),
    [({"a": [[{"b": 1}]]}, "too_deep"), ({"a": {"b": 1, "c": 2, "d": 3}}, "too_many_keys"), ([[[[1]]]], "too_deep")],
)
@pytest.mark.parametrize(("key", "path"), [("p", "p"), ("meta", "meta.p")])
def test_bounds_on_depth_and_keys_hold_for_mapped_columns_alone(
    value: object, reason: str, key: str, path: str
) -> None:
    limits = LimitsConfig(max_json_depth=3, max_json_keys=2)
    record = Record({"text": "x", "other": value, key: value if key == path else {"p": value, "q": value}}, 0, DIGEST)

    def found(fields: dict[str, str]) -> Document | Rejection:
        source = SourceConfig(name="s", kind=Kind.SYNTHETIC, paths=("x",), fields=fields)
        return to_document(record, 0, plan_fields(source, limits), Tally())

    assert isinstance(found({}), Document)
    rejected = found({"sampling_parameters": path})
    assert isinstance(rejected, Rejection)
    assert rejected.reason == reason
    assert f"column {path}" in rejected.detail


@pytest.mark.parametrize("value", [None, "", "absent"])
def test_a_mapped_column_that_gives_nothing_is_a_warning_with_its_name(tmp_path: Path, value: str | None) -> None:
    records: list[dict[str, object]] = [
        {"text": f"t{i}"} | ({"who": value} if value != "absent" else {}) for i in (1, 2)
    ]
    fields = {"teacher": "who", "seed": "text"}
    found = read(tmp_path, "a.jsonl", jsonl(records), fields)
    assert found.notes.warnings == ["teacher (column `who`) is absent, null or empty in all 2 records"]
    given = read(tmp_path, "b.jsonl", jsonl([*records, {"text": "t", "who": "m"}]), fields)
    assert given.notes.warnings == []


def test_own_ids_that_cannot_be_kept_are_a_warning_with_column_and_type(tmp_path: Path) -> None:
    records: list[dict[str, object]] = [{"text": "t", "key": 1.5}, {"text": "t", "key": [1]}, {"text": "t", "key": 2.0}]
    found = read(tmp_path, "a.jsonl", jsonl(records), {"id": "key"})
    assert found.ids == [None, None, "2"]
    wanted = "wanted a string or a whole number"
    assert found.notes.warnings == [
        f"1 values of id (column `key`) became the record's number: found a number that is not whole, {wanted}",
        f"1 values of id (column `key`) became the record's number: found an array, {wanted}",
    ]


def test_a_record_cannot_choose_kind_or_source(tmp_path: Path) -> None:
    record = {"text": "x", "kind": "expert", "source": "human", "document_id": "d", "tokens": 5}
    assert read(tmp_path, "a.jsonl", jsonl([record])).documents[0].values == {"id": None, "text": "x"}


def test_fields_of_another_kind_are_read_only_where_asked_for() -> None:
    record: dict[str, object] = {"text": "x", "url": "u", "teacher": "m", "author": "a"}
    assert set(values_of(record, kind=Kind.SYNTHETIC)) == {"id", "text", "teacher"}
    assert set(values_of(record, kind=Kind.WEB)) == {"id", "text", "url"}
    assert set(values_of(record, {"url": "url"}, Kind.EXPERT)) == {"id", "text", "url", "author"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "text_missing"),
        (5, "text_wrong_type"),
        (b"a\xff", "invalid_utf8"),
        ("\ud800", "lone_surrogate"),
        (" \u2003\n", "text_empty"),
        ("\u00ad\u200b", "text_empty"),
        ("x" * (10 * 2**20 + 1), "doc_too_big"),
    ],
)
def test_texts_that_cannot_be(text: object, reason: str) -> None:
    found, _ = check({"text": text})
    assert isinstance(found, Rejection)
    assert found.reason == reason
    assert found.byte_offset == 7


def test_another_field_that_is_longer_than_a_text_may_be_is_set_aside() -> None:
    found, _ = check({"text": "words", "teacher": "x" * (10 * 2**20 + 1)})
    assert isinstance(found, Rejection)
    assert found.reason == "doc_too_big"
    assert "teacher of 10485761 bytes" in found.detail
    assert isinstance(check({"text": "words", "teacher": "x" * (10 * 2**20)})[0], Document)


@given(
    st.dictionaries(
        st.sampled_from(["id", "text", "teacher", "sample_index", "x"]),
        st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(), st.lists),
    )
)
def test_any_record_is_a_document_or_a_rejection(values: dict[str, object]) -> None:
    found, _ = check(values)
    if isinstance(found, Document):
        text = values["text"]
        assert isinstance(text, str | bytes)
        assert isinstance(found.values["text"], str)
        found.values["text"].encode()
        assert "\0" not in found.values["text"]


@given(st.text())
def test_details_are_safe_to_print(text: str) -> None:
    detail = safe_detail(text)
    assert len(detail) <= 200
    assert detail.isprintable()
    detail.encode()
