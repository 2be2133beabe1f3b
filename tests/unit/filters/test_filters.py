"""Every filter against a loop over documents; and what a filter of one's own needs."""

import hashlib
import importlib
import re
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import polars as pl
import pyarrow as pa
import pytest

from polyculture.corpus.ingest import PARTITION_SCHEMA
from polyculture.errors import ConfigError, PolycultureError
from polyculture.filters import registry
from polyculture.filters.filter import Filter, Verdicts
from polyculture.filters.registry import FILTERS, ActiveFilter, apply_filters, open_filters
from polyculture.text.canonical import canonical_text
from schemas.config import CurationConfig
from schemas.filtered import IN_PARENT
from tests.support.pages import page_of, python_examples, section_of

Row = dict[str, object]
HOSTS = ["example.org", "www.example.org", "other.net", "notexample.org", None]
LICENSES = ["MIT", "mit", "CC0-1.0", None, "", "MIT "]
ROWS: list[Row] = [
    {
        "document_id": f"web:{number % 20}" + (f"#{1 + number // 20}" if number >= 20 else ""),
        "url": None if HOSTS[number % 5] is None else f"https://{HOSTS[number % 5]}/{number % 7}",
        "license": LICENSES[number % 6],
        "text": f"Text  number {number % 11}",
        "characters": number,
    }
    for number in range(60)
]
LISTED = hashlib.sha256(b"text number 3").hexdigest()
LIST = f"id web:4\nid web:5#2\nhost example.org\nurl https://other.net/2\nsha256 {LISTED}\nid nobody\n"


def is_listed(row: Row) -> bool:
    name, url, text = str(row["document_id"]), row["url"], str(row["text"])
    host = urlsplit(str(url)).hostname if url else ""
    return (
        re.sub(r"#\d+$", "", name) == "web:4"
        or name == "web:5#2"
        or host in {"example.org", "www.example.org"}
        or url == "https://other.net/2"
        or LISTED in {hashlib.sha256(form.encode()).hexdigest() for form in (text, canonical_text(text))}
    )


# what a configuration says, and which documents leave; a filter without an oracle fails its tests
ORACLES: dict[str, tuple[dict[str, object], Callable[[Row], bool]]] = {
    "exclude": ({"exclude": ["list"]}, is_listed),
    "license": ({"licenses": ["MIT", "CC0-1.0"]}, lambda row: row["license"] not in {"MIT", "CC0-1.0"}),
}


def table_of(rows: list[Row]) -> pa.Table:
    names = list(rows[0])
    return pa.table({name: pa.array([row[name] for row in rows], PARTITION_SCHEMA.field(name).type) for name in names})


def config_of(**keys: object) -> CurationConfig:
    return CurationConfig.model_validate(
        {"name": "n", "sources": [{"name": "pages", "kind": "web", "paths": ["x"]}], **keys}
    )


def opened(folder: Path, name: str) -> ActiveFilter:
    (folder / "list").write_text(LIST)
    [active] = open_filters(config_of(**ORACLES[name][0]), folder)
    assert active.name == name
    return active


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_takes_out_what_a_loop_over_documents_would(tmp_path: Path, name: str) -> None:
    found, _ = apply_filters(table_of(ROWS), [opened(tmp_path, name)])
    expected = [ORACLES[name][1](row) for row in ROWS]
    assert found["reason"].to_list() == [name if leaves else None for leaves in expected]
    assert found["detail"].is_not_null().to_list() == expected
    assert 0 < sum(expected) < len(ROWS)


@pytest.mark.parametrize("name", FILTERS)
def test_a_verdict_depends_on_no_other_document(tmp_path: Path, name: str) -> None:
    active = opened(tmp_path, name)
    whole, used = apply_filters(table_of(ROWS), [active])
    parts = [apply_filters(table_of([row]), [active]) for row in ROWS]
    assert pl.concat([part for part, _ in parts]).equals(whole)
    assert set().union(*(part for _, part in parts)) == used
    nothing, unused = apply_filters(table_of(ROWS).slice(0, 0), [active])
    assert (len(nothing), unused) == (0, set())


@pytest.mark.parametrize("name", FILTERS)
def test_a_detail_never_quotes_the_text(tmp_path: Path, name: str) -> None:
    found, _ = apply_filters(table_of(ROWS), [opened(tmp_path, name)])
    for row, detail in zip(ROWS, found["detail"].to_list(), strict=True):
        assert detail is None or str(row["text"]) not in detail


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_reads_columns_of_partitions_and_has_a_reason_of_its_own(name: str) -> None:
    assert set(FILTERS[name].columns) <= set(PARTITION_SCHEMA.names)
    assert name not in {"http_status", "media_type", "truncated", IN_PARENT}  # of readers, and of top-ups


def test_nothing_is_active_unless_it_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("# nobody yet\n")
    assert open_filters(config_of(), tmp_path) == ()
    assert open_filters(config_of(exclude=["empty"]), tmp_path) == ()


def test_a_document_that_two_filters_take_out_is_counted_by_the_first(tmp_path: Path) -> None:
    (tmp_path / "list").write_text("id web:1\n")
    active = open_filters(config_of(exclude=["list"], licenses=["MIT"]), tmp_path)
    found, used = apply_filters(table_of(ROWS[:4]), active)
    assert found["reason"].to_list() == [None, "exclude", "license", "license"]
    assert found["detail"].to_list() == [None, "id web:1", "license CC0-1.0", "no license"]
    assert used == {"id web:1"}


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The filter that docs/extending.md shows, in place of a file of its own."""
    [code] = python_examples(section_of(page_of("extending.md"), "A filter"))
    (tmp_path / "too_short.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "too_short", raising=False)
    shown = importlib.import_module("too_short")
    monkeypatch.setitem(registry.FILTERS, "too_short", shown.TOO_SHORT)


def test_a_filter_of_ones_own_has_its_settings_in_the_configuration(own: None, tmp_path: Path) -> None:
    active = open_filters(config_of(filters={"too_short": {"characters": 3}}), tmp_path)
    found, _ = apply_filters(table_of(ROWS[:5]), active)
    assert found["detail"].to_list() == ["0 characters", "1 characters", "2 characters", None, None]


@pytest.mark.parametrize(
    ("filters", "told"),
    [
        ({"to_short": {}}, "unknown filter 'to_short'; did you mean 'too_short'"),
        ({"license": {}}, "unknown filter 'license'"),
        ({"too_short": {}}, "filters.too_short.characters: Field required"),
        (
            {"too_short": {"characters": 0}},
            "filters.too_short.characters: Input should be greater than or equal to 1, got 0",
        ),
        ({"too_short": {"characters": 1, "words": 2}}, "filters.too_short.words: Extra inputs are not permitted"),
    ],
)
def test_settings_that_are_not_fit_are_refused_by_name(
    own: None, tmp_path: Path, filters: dict[str, object], told: str
) -> None:
    with pytest.raises(ConfigError, match=re.escape(told)):
        open_filters(config_of(filters=filters), tmp_path)


def test_a_filter_that_does_not_answer_for_every_document_stops_the_run() -> None:
    short = Filter(lambda _, __: Verdicts(pl.Series(["one"])), ("text",), lambda _: True)
    with pytest.raises(PolycultureError, match="gave 1 verdicts of type String on 2 documents"):
        apply_filters(table_of(ROWS[:2]), [ActiveFilter("short", short, True)])
