"""`filtered/` against plain Python: rows, numbers and what stays, over partitions of any size."""

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from polyculture.corpus import filtered
from polyculture.corpus.corpus import Settled, build_index
from polyculture.corpus.filtered import Filtering, account_exclusions, extend_filtered
from polyculture.corpus.ingest import PARTITION_SCHEMA
from polyculture.filters.registry import open_filters
from polyculture.storage.files import parquet_rows_to, read_parquet, write_arrow_file
from schemas.config import CurationConfig
from schemas.filtered import FILTERED_SCHEMA

SOURCES = ("a", "b", "c")
PARTITIONS = (("a", 40), ("a", 25), ("b", 0), ("b", 30), ("c", 20))
HOSTILE = "\x1b]0;owned\x07\u202e" + "x" * 500


def record(generator: random.Random, source: str, number: int) -> dict[str, object]:
    text = f"{source} {number}"
    row = {"document_id": f"{source}:{number}", "text": text, "source": source, "kind": "web", "language": "en"}
    row |= {"canonical": text, "characters": len(text), "text_bytes": len(text), "has_own_id": True}
    row |= {"key": text.encode().ljust(16), "position": number, "byte_offset": 0, "record_sha256": "0"}
    row |= {"license": generator.choice(["MIT", None, HOSTILE]), "file": f"f{number % 3}", "file_sha256": source}
    return row | {"tokens": generator.randrange(100)}


@pytest.fixture
def rows() -> list[list[dict[str, Any]]]:
    generator, first = random.Random(5), 0
    made = []
    for source, count in PARTITIONS:
        made.append([record(generator, source, first + number) for number in range(count)])
        first += count
    made[1][3] |= {
        "document_id": made[0][3]["document_id"],
        "license": None,
    }  # another text: quarantined, for that alone
    return made


def settle(folder: Path, rows: list[list[dict[str, Any]]], **keys: object) -> Settled:
    paths = []
    for number, (mine, (source, _)) in enumerate(zip(rows, PARTITIONS, strict=True)):
        paths.append((SOURCES.index(source), folder / f"{number}.arrow"))
        write_arrow_file(paths[-1][1], pa.Table.from_pylist(mine, PARTITION_SCHEMA))
    sources = [{"name": name, "kind": "web", "paths": ["x"]} for name in SOURCES]
    config = CurationConfig.model_validate({"name": "n", "sources": sources, **keys})
    filters = open_filters(config, folder)
    settled = build_index(
        paths,
        Filtering(filters, lambda number: parquet_rows_to(folder / f"{SOURCES[number]}.parquet", FILTERED_SCHEMA)),
    )
    account = account_exclusions(filters, settled.filtered)
    assert (account is None) == (not filters)
    if account is not None:
        left = Counter(row["reason"] for name in SOURCES for row in written(folder, name))
        assert account.documents == left
    return settled


def written(folder: Path, name: str) -> list[dict[str, Any]]:
    table = read_parquet(folder / f"{name}.parquet")
    assert table.schema == FILTERED_SCHEMA
    found: list[dict[str, Any]] = table.to_pylist()
    return found


def test_every_document_that_leaves_has_a_row_and_is_counted_with_its_tokens(
    tmp_path: Path, rows: list[list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filtered, "GROUP_ROWS", 7)
    (tmp_path / "list").write_text("id a:1\nid c:97\nid nobody\n")
    settled = settle(tmp_path, rows, exclude=["list"], licenses=["MIT"])
    documents, tokens = Counter[tuple[int, str, str]](), Counter[tuple[int, str, str]]()
    stays = []
    for number, name in enumerate(SOURCES):
        expected = []
        for row in (row for mine, (source, _) in zip(rows, PARTITIONS, strict=True) if source == name for row in mine):
            listed = row["document_id"] in {"a:1", "c:97"}
            if row is rows[1][3]:
                continue
            if not listed and row["license"] == "MIT":
                stays.append(row["document_id"])
                continue
            reason = "exclude" if listed else "license"
            expected.append((row["document_id"], name, reason, row["tokens"]))
            documents[number, row["file"], reason] += 1
            tokens[number, row["file"], reason] += row["tokens"]
        found = written(tmp_path, name)
        assert [(r["document_id"], r["source"], r["reason"], r["text_tokens"]) for r in found] == expected
        assert all(len(r["detail"]) <= 200 and r["detail"].isprintable() for r in found)
    assert settled.index["document_id"].to_pylist() == stays
    counts = {(s, *key): value for s, found in settled.filtered.counts.items() for key, value in found.items()}
    assert counts == {key: (documents[key], tokens[key]) for key in documents}
    assert settled.filtered.used == {"id a:1", "id c:97"}
    assert len(settled.conflicts) == 1


def test_a_source_of_which_nothing_leaves_has_a_file_without_rows(
    tmp_path: Path, rows: list[list[dict[str, Any]]]
) -> None:
    settled = settle(tmp_path, rows)
    assert [written(tmp_path, name) for name in SOURCES] == [[], [], []]
    assert len(settled.index) == sum(count for _, count in PARTITIONS) - 1


def test_more_rows_come_after_those_that_a_file_holds(
    tmp_path: Path, rows: list[list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(tmp_path, rows, licenses=["MIT"])
    monkeypatch.setattr(filtered, "GROUP_ROWS", 2)
    before = written(tmp_path, "a")
    more = [{**before[0], "document_id": f"a:more {number}", "reason": "in_parent"} for number in range(5)]
    path = tmp_path / "a.parquet"
    extend_filtered(path, path, pa.Table.from_pylist(more, FILTERED_SCHEMA))
    assert written(tmp_path, "a") == before + more
