"""`polyculture find`: every way that a document can go, asked for by its id."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from polyculture.inspect.find import find_document
from polyculture.inspect.verify import verify_run
from polyculture.shards.listing import read_batches, read_shard_list
from polyculture.storage.files import read_parquet, write_parquet
from polyculture.storage.run_directory import RunDirectory, read_manifest
from tests.conftest import Ended
from tests.support.corpora import write_config
from tests.support.make_run import finished_run, long_texts


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with a document of every fate: `b` goes in twice and more, and of `a` some are left out."""
    folder = tmp_path_factory.mktemp("find")
    texts = long_texts(120, 1)
    rows = [{"id": f"{n}", "text": text} for n, text in enumerate(texts[:80])]
    rows += [{"id": "same", "text": texts[0]}, {"id": "like", "text": f"{texts[1]} indeed"}]
    rows += [{"id": "1", "text": "Another text under an id that is taken."}, {"id": "taken down", "text": texts[100]}]
    lines = [json.dumps(row) for row in rows]
    (folder / "a.jsonl").write_text("\n".join([*lines, "{broken"]) + "\n")
    (folder / "b.jsonl").write_text(
        "\n".join(json.dumps({"id": f"{n}", "text": t}) for n, t in enumerate(texts[80:90]))
    )
    (folder / "list").write_text("id a:taken down\n")
    sources = [
        {"name": "a", "kind": "web", "paths": ["a.jsonl"], "license": "MIT"},
        {"name": "b", "kind": "expert", "paths": ["b.jsonl"], "license": "MIT"},
    ]
    config = {
        "name": "find",
        "sources": sources,
        "measure": {"probes": 30},
        "exclude": ["list"],
        "mixture": {"rates": {"a": 0.5, "b": 2.5}},
        "validation": {"tokens": 500},
    }
    return finished_run(write_config(folder, config), folder / "run")


def shard_rows(run: Path) -> dict[str, list[tuple[str, int]]]:
    """Shard and row of every copy of every document."""
    found: dict[str, list[tuple[str, int]]] = {}
    for shards in read_shard_list(run).groups.values():
        for shard in shards:
            table = pa.Table.from_batches(list(read_batches(run / shard.path, ["document_id"])))
            for row, name in enumerate(table["document_id"].to_pylist()):
                found.setdefault(name, []).append((shard.path, row))
    return found


def test_every_document_that_was_read_is_found_in_the_place_that_it_went_to(run: Path) -> None:
    accounts = {account.name: account for account in read_manifest(RunDirectory(run)).conservation}
    places = {}
    for name in [*(f"a:{n}" for n in range(80)), "a:same", "a:like", "a:taken down", *(f"b:{n}" for n in range(10))]:
        found = find_document(run, name)
        assert len(found.places) == (2 if name == "a:1" else 1), found
        places[name] = next(place for place in found.places if place.place != "quarantined")
    counts = {
        source: [place.place for name, place in places.items() if name.startswith(f"{source}:")] for source in accounts
    }
    for source, account in accounts.items():
        assert counts[source].count("written") == account.kept
        assert counts[source].count("removed") == sum(account.removed.values())
        assert counts[source].count("filtered") == sum(account.filtered.values())
        assert counts[source].count("unselected") + counts[source].count("held_out") == account.unselected
    assert accounts["a"].unselected > 20
    assert {place.place for place in places.values()} == {"written", "held_out", "removed", "filtered", "unselected"}
    assert verify_run(run) == []


def test_rows_and_copies_are_those_of_the_shards(run: Path) -> None:
    rows = shard_rows(run)
    for number in range(10):
        found = find_document(run, f"b:{number}").places
        wanted = rows.get(f"b:{number}", [])
        assert [(place.file, row) for place in found for row in place.rows if place.place != "unselected"] == wanted
        assert sum(place.copies for place in found) == len(wanted) > 0


def test_a_removed_document_names_its_twin_lens_and_similarity_and_what_became_of_the_twin(run: Path) -> None:
    removed = {row["document_id"]: row for row in read_parquet(run / "removed" / "a.parquet").to_pylist()}
    assert {row["reason"] for row in removed.values()} == {"exact", "near"}
    for name, row in removed.items():
        found = find_document(run, name)
        [place] = [place for place in found.places if place.place == "removed"]
        assert (place.reason, place.kept_id, place.similarity) == (row["reason"], row["kept_id"], row["similarity"])
        assert found.twin == find_document(run, row["kept_id"]).places
        assert find_document(run, row["kept_id"]).stands_for == 1


def test_what_a_filter_took_out_names_the_filter_and_the_entry(run: Path) -> None:
    [place] = find_document(run, "a:taken down").places
    assert (place.place, place.reason) == ("filtered", "exclude")
    assert "taken down" in str(place.detail)


def test_a_record_without_an_id_is_found_by_its_place_and_by_its_digest(run: Path) -> None:
    rows = read_parquet(run / "quarantined" / "a.parquet").to_pylist()
    assert {row["reason"] for row in rows} == {"bad_json", "id_conflict"}
    for row in rows:
        for asked in (f"{row['file']}:{row['byte_offset']}", row["sha256"]):
            [place] = find_document(run, asked).places
            assert (place.place, place.reason, place.detail) == ("quarantined", row["reason"], row["detail"])


@pytest.mark.parametrize(
    "name",
    ["a:80000", "c:1", "nothing", "a:", "a:0 ", "A:0", "0", "a:1#2", "[/b]", "a:\n", "a.jsonl:99999999999999999999"],
)
def test_what_the_run_does_not_name_is_not_found(here: Callable[..., Ended], run: Path, name: str) -> None:
    assert find_document(run, name).places == ()
    done = here("find", run, name)
    assert done.returncode == 1
    assert "is not in this run" in done.stdout


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a:same", "was removed as exact duplicate of a:0, similarity 1 (removed/a.parquet, row "),
        ("a:1", "was removed as near duplicate of a:like, similarity 0.9"),
        ("a:taken down", "was filtered by exclude: "),
        ("a:1", "was quarantined, id_conflict: a:1 already names a document"),
    ],
)
def test_the_command_says_where_a_document_went(here: Callable[..., Ended], run: Path, name: str, words: str) -> None:
    done = here("find", run, name)
    assert done.returncode == 0, done.stdout + done.stderr
    assert words in done.stdout
    as_json = json.loads(here("find", run, name, "--json").stdout)
    assert (as_json["document_id"], bool(as_json["places"])) == (name, True)


@pytest.mark.parametrize("name", ["a:same", "b:1"])
@pytest.mark.parametrize("damage", ["cut", "gone", "column"])
def test_damage_is_said_and_no_absence(
    here: Callable[..., Ended], run: Path, tmp_path: Path, name: str, damage: str
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    path = copy / "removed" / "a.parquet"
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-20])
    elif damage == "gone":
        path.unlink()
    else:
        write_parquet(path, pa.table({"other": ["x"]}))
    done = here("find", copy, name)
    assert done.returncode == 1
    assert "removed/a.parquet: missing or damaged" in done.stderr
    assert "not in this run" not in done.stdout


def test_of_an_audit_it_is_not_said_that_a_document_is_absent(
    here: Callable[..., Ended], run: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    manifest = read_manifest(RunDirectory(run))
    listed = [file for file in manifest.files if not file.path.startswith("unselected/")]
    older = manifest.model_copy(update={"files": listed})
    (copy / "manifest.json").write_text(older.model_dump_json())
    number = read_parquet(run / "unselected" / "a.parquet").num_rows
    done = here("find", copy, "a:nothing of this name")
    assert done.returncode == 1
    assert f"is in no file of this run; {number:,} documents of a were measured" in done.stdout
