import gzip
import json
from pathlib import Path

import pyarrow as pa
import pytest

from polyculture.errors import ConfigError
from polyculture.job import open_job
from polyculture.sources.columns import HeadStream, check_columns
from polyculture.sources.files import find_inputs
from schemas.source_config import LimitsConfig, SourceConfig
from tests.unit.sources.helpers import arrow_file, arrow_stream, jsonl, parquet, warc, zst

RECORDS: list[dict[str, object]] = [
    {"body": f"text {i}", "url": "u", "meta": {"a": {"b": "deep"}}, "extra": '{"c": "in JSON"}'} for i in range(3)
]
TABLE = pa.Table.from_pylist(RECORDS)
FILES = {
    "a.jsonl": jsonl(RECORDS),
    "a.jsonl.gz": gzip.compress(jsonl(RECORDS)),
    "a.jsonl.zst": zst(jsonl(RECORDS)),
    "a.parquet": parquet(TABLE),
    "a.arrow": arrow_file(TABLE),
    "b.arrow": arrow_stream(TABLE),
}


def look(folder: Path, files: dict[str, bytes], fields: dict[str, str]) -> None:
    for name, data in files.items():
        (folder / name).write_bytes(data)
    source = SourceConfig(name="pages", kind="web", paths=tuple(files), fields=fields)
    check_columns(source, find_inputs(source, folder).files, LimitsConfig())


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("a.jsonl", "body.inside"),
        ("a.jsonl", "meta.a.x"),
        *((name, "content") for name in FILES),
        ("a.parquet", "meta.x"),
    ],
)
def test_a_text_column_that_does_not_exist_is_refused_with_those_that_do(
    tmp_path: Path, name: str, column: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        look(tmp_path, {name: FILES[name]}, {"text": column})
    assert f"source pages: column `{column}` does not exist; there are: body, url" in str(refused.value)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("column", ["body", "meta.a.b", "extra.c"])
def test_a_text_column_that_exists_is_found_also_at_the_end_of_a_path(tmp_path: Path, name: str, column: str) -> None:
    look(tmp_path, {name: FILES[name]}, {"text": column, "url": "url"})


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow", "b.arrow"])
def test_every_mapped_column_must_stand_in_a_schema(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=r"column `author_name` does not exist; .*; correct `fields\.author`"):
        look(tmp_path, {name: FILES[name]}, {"text": "body", "author": "author_name"})


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow"])
def test_a_text_column_of_a_type_that_holds_no_text_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=r"source pages: .*meta is struct.*wanted string"):
        look(tmp_path, {name: FILES[name]}, {"text": "meta"})


def test_a_key_that_later_records_have_is_no_mistake(tmp_path: Path) -> None:
    late: list[dict[str, object]] = [{"id": i} for i in range(99)]
    look(tmp_path, {"a.jsonl": b"{bad\n" + jsonl([*late, {"text": None}])}, {})
    look(tmp_path, {"a.jsonl": jsonl(RECORDS)}, {"text": "body", "author": "rarely_there"})
    with pytest.raises(ConfigError, match=r"column `text` does not exist; there are: id; name the column under"):
        look(tmp_path, {"a.jsonl": jsonl([*late, {"id": 1}, {"text": "late"}])}, {})


def test_files_that_say_nothing_are_left_to_the_run(tmp_path: Path) -> None:
    broken = {"a.parquet": parquet(TABLE)[:100], "b.jsonl": b"{bad\n" * 5, "c.jsonl": b"", "d.gz": b"\x1f\x8bjunk"}
    look(tmp_path, broken, {"text": "body"})
    look(tmp_path, {**broken, "e.jsonl": jsonl(RECORDS)}, {"text": "body"})
    with pytest.raises(ConfigError, match="column `content`"):
        look(tmp_path, {**broken, "e.jsonl": jsonl(RECORDS)}, {"text": "content"})


def test_a_column_that_another_file_has_is_found(tmp_path: Path) -> None:
    look(tmp_path, {"a.jsonl": jsonl([{"x": 1}]), "b.jsonl": jsonl(RECORDS)}, {"text": "body"})
    look(tmp_path, {"a.txt": b"plain words", "b.jsonl": jsonl(RECORDS)}, {"text": "body"})


def test_readers_that_make_their_own_columns_are_looked_at_too(tmp_path: Path) -> None:
    page = warc("conversion", b"words", "text/plain")
    look(tmp_path, {"a.warc": page}, {})
    with pytest.raises(ConfigError, match=r"column `content` does not exist; there are: .*text"):
        look(tmp_path, {"a.warc": page}, {"text": "content"})
    with pytest.raises(ConfigError, match=r"column `content` does not exist; there are: text"):
        look(tmp_path, {"b.txt": b"plain words"}, {"text": "content"})


@pytest.mark.parametrize("pack", [lambda data: data, gzip.compress, zst])
def test_only_the_head_of_a_file_is_decompressed(tmp_path: Path, pack: object) -> None:
    line = json.dumps({"text": "x" * 1000}).encode() + b"\n"
    assert callable(pack)
    (tmp_path / "a").write_bytes(pack(line * 20_000))
    with HeadStream.open(tmp_path / "a", LimitsConfig()) as stream:
        assert 4 * 2**20 <= len(stream.reader.read()) < 8 * 2**20
        assert stream.problem is not None


def test_a_job_is_refused_before_a_record_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl(RECORDS))
    given = {"name": "n", "sources": [{"name": "pages", "kind": "web", "paths": [str(tmp_path / "a.jsonl")]}]}
    for command in ("run", "audit", "pilot", "top_up"):
        with pytest.raises(ConfigError, match=r"source pages: column `text` does not exist; there are: body, url"):
            open_job(command, given, tmp_path / "run")  # type: ignore[arg-type]
    assert not (tmp_path / "run").exists()
