import gc
import json
import random
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import polyculture
from polyculture import ConfigError
from polyculture.compute import executor
from polyculture.compute.in_process import InProcess
from tests.conftest import Ended
from tests.unit.deduplication.test_near import variants

FOX = "The quick brown fox jumps over the lazy dog, again and again."
OTHER = "Something else entirely, in other words than those above."


def records(seed: int) -> list[dict[str, object]]:
    """Near-duplicates, exact ones in other letters, texts without words, and records without a text."""
    texts: list[str | None] = [*variants(150, seed), "...", "…", "", None]
    texts += [text.upper() + "\u200b" for text in texts[:9] if text] + ["\uff21 b\u0301 c d e", "a b\u0301 C d e"]
    random.Random(seed).shuffle(texts)
    return [{"id": 1000 - row, "text": text} for row, text in enumerate(texts)]


def of_the_command(here: Callable[..., Ended], folder: Path, rows: list[dict[str, object]]) -> Path:
    """The output folder of `polyculture dedupe` on the same records."""
    (folder / "records.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    ended = here("dedupe", folder / "records.jsonl", "--out", folder / "out", "--json")
    assert ended.returncode == 0, ended.stderr
    return folder / "out"


@pytest.mark.parametrize("has_ids", [True, False])
def test_decisions_are_those_of_the_command(
    here: Callable[..., Ended], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_ids: bool
) -> None:
    monkeypatch.setitem(executor.EXECUTORS, "local", InProcess)
    rows = records(3) if has_ids else [{"text": row["text"]} for row in records(4)]
    out = of_the_command(here, tmp_path, rows)
    found = polyculture.dedupe(pl.DataFrame(rows))
    kept = pl.read_parquet(out / "kept" / "*.parquet")
    assert found.is_kept.arg_true().to_list() == kept["position"].to_list()
    removed = pl.read_parquet(out / "removed" / "*.parquet").sort("position")
    wanted = removed.select("position", "reason", "kept_position", "similarity").rows()
    assert found.removed.select("row", "reason", "kept_row", "similarity").rows() == wanted
    assert set(removed["reason"]) == {"exact", "near"}
    assert (
        found.quarantined["reason"].to_list() == pl.read_parquet(out / "quarantined" / "*.parquet")["reason"].to_list()
    )
    summary = json.loads((out / "dedupe.json").read_text())
    for name in ("documents", "kept", "exact", "near", "threshold", "bands", "rows", "compared"):
        assert getattr(found.summary, name) == summary[name]
    if has_ids:
        assert found.removed["kept_id"].to_list() == removed["kept_id"].to_list()


def test_every_kind_of_table_and_list_gives_the_same_rows() -> None:
    texts = [FOX, OTHER, FOX.upper(), "Four words, no more."]
    table = pl.DataFrame({"text": texts, "x": [10, 11, 12, 13]})
    pandas = table.to_pandas().set_index("x", drop=False)
    kinds = [table, table.lazy(), table.to_arrow(), pandas, texts, tuple(texts), table["text"], pandas["text"]]
    for kind in kinds:
        found = polyculture.dedupe(kind)
        assert found.is_kept.to_list() == [True, True, False, True]
        assert found.kept["text"].to_list() == [FOX, OTHER, "Four words, no more."]
        assert found.removed.rows() == [(2, "2", "exact", 0, "0", 1.0)]
    assert polyculture.dedupe(pa.table({"body": texts}), text_column="body").kept.columns == ["body"]
    assert polyculture.dedupe(table).kept.columns == ["text", "x"]
    assert polyculture.dedupe(pd.DataFrame({"text": [FOX, None]})).is_kept.to_list() == [True, False]


def test_ids_decide_between_equals_and_may_have_another_name() -> None:
    table = pl.DataFrame({"text": [FOX, FOX], "name": ["b", "a"]})
    assert polyculture.dedupe(table).is_kept.to_list() == [True, False]
    assert polyculture.dedupe(table, id_column="name").removed.rows() == [(0, "b", "exact", 1, "a", 1.0)]


def test_an_empty_input_has_empty_results() -> None:
    found = polyculture.dedupe([])
    assert (found.kept.height, found.removed.height, found.quarantined.height, len(found.is_kept)) == (0, 0, 0, 0)
    assert found.summary.documents == 0


def test_files_and_folders_are_read_as_the_command_reads_them(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps({"id": "x", "text": FOX}) + "\n")
    (tmp_path / "b.jsonl").write_text(json.dumps({"id": "y", "text": FOX.lower()}) + "\n")
    for paths in (str(tmp_path), tmp_path, [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]):
        found = polyculture.dedupe(paths)
        assert found.kept["id"].to_list() == ["x"]
        assert found.removed["kept_id"].to_list() == ["x"]
        with pytest.raises(ConfigError, match="got files"):
            _ = found.is_kept


def test_records_are_compared_with_others_that_stay(
    here: Callable[..., Ended], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(executor.EXECUTORS, "local", InProcess)
    old, index = tmp_path / "old.jsonl", tmp_path / "index"
    old.write_text(json.dumps({"id": "old", "body": FOX}) + "\n")
    assert here("dedupe", old, "--text", "body", "--out", tmp_path / "out", "--index", index).returncode == 0
    table = pl.DataFrame({"body": [FOX + " And again.", OTHER]})
    for against in (old, str(index), pl.DataFrame({"body": [FOX]}), [FOX]):
        found = polyculture.dedupe(table, threshold=0.6, text_column="body", against=against)
        assert found.is_kept.to_list() == [False, True]
        assert found.removed["kept_row"].to_list() == [None]


@pytest.mark.parametrize(
    ("given", "options", "says"),
    [
        (3, {}, "cannot read a int; give a polars, pandas or pyarrow table"),
        ([FOX, 3], {}, "row 1 of the list is a int, wanted a text"),
        (pl.DataFrame({"a": [1]}), {}, "no column 'text' for the text; the table has a; name it by `text_column`"),
        (pl.DataFrame({"text": [1]}), {}, "holds Int64; wanted strings"),
        (pl.DataFrame({"text": [FOX], "id": [[1]]}), {}, "wanted strings or numbers as ids"),
        (pl.DataFrame({"text": [FOX]}), {"id_column": "key"}, "no column 'key' for the id"),
        (pl.DataFrame({"text": [FOX]}), {"id_column": "text"}, "both 'text'"),
        ([FOX], {"threshold": 0.2}, "from 0.5 to 1"),
        ([FOX], {"threshold": 0.80000001}, "at most 6 decimals"),
        ("nowhere.jsonl", {}, "does not exist"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_to_do(given: object, options: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        polyculture.dedupe(given, **options)  # type: ignore[arg-type]


def test_the_folder_of_the_rows_goes_with_the_result() -> None:
    found = polyculture.dedupe([FOX])
    folder = found._out.parent
    assert [path.name for path in folder.iterdir()] == ["out"]
    del found
    gc.collect()
    assert not folder.exists()


def test_a_result_shows_itself_within_80_columns_and_escaped() -> None:
    found = polyculture.dedupe([f"<script>x</script> {FOX}", f"<script>x</script> {FOX}", OTHER])
    assert max(map(len, repr(found).splitlines())) <= 80
    assert "Kept 2 of 3 documents at threshold 0.8" in repr(found)
    page = found._repr_html_()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
