"""What must not be in the shards: takedown lists, licences, held-out documents; and a takedown afterwards."""

import itertools
import json
import random
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from cli.application import app
from polyculture.gate import Terms
from polyculture.gate.rejudge import judge_directory
from polyculture.inspect.verify import verify_run
from polyculture.measure.ledger.examples import read_snippets
from polyculture.measure.ledger.ledger import read_ledger
from polyculture.mixture.plan.supply import ledger_supply
from polyculture.storage.files import file_digest, read_parquet, write_parquet, write_text
from polyculture.storage.run_directory import RunDirectory, read_manifest, read_verdict
from polyculture.text.tokenizer import TokenCounter
from schemas.filtered import FILTERED_SCHEMA
from schemas.manifest import Manifest
from schemas.shards import MixtureStatistics
from tests.conftest import Command
from tests.support.corpora import expanded_texts, three_kinds, tree_digests, unique_texts, write_config


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that measures duplicates and removes none, so that held-out documents have twins."""
    folder = tmp_path_factory.mktemp("kept_out")
    config = three_kinds(folder, synthetic=expanded_texts(60, 5, 3))
    pages = [*unique_texts(300, 1), *unique_texts(40, 1)]
    lines = [
        {
            "id": i,
            "text": text,
            "url": f"https://{'bad' if i % 50 == 0 else 'good'}.example.org/{i}",
            "license": "secret" if i % 60 == 7 else "MIT",
        }
        for i, text in enumerate(pages)
    ]
    (folder / "pages.jsonl").write_text("\n".join(map(json.dumps, lines)))
    config["sources"][0] |= {"paths": ["pages.jsonl"]}  # type: ignore[index]
    for source in config["sources"]:  # type: ignore[attr-defined]
        source["license"] = "MIT"
    (folder / "gone.txt").write_text("host bad.example.org\nid solutions:7\nid nobody\n")
    config |= {
        "exclude": "gone.txt",
        "licenses": ["MIT"],
        "validation": {"tokens": 8_000},
        "dedupe": {"exact": {"action": "measure"}, "near": {"action": "measure"}},
        "gate": {"judge": "words", "rules": dict.fromkeys(("narrow", "near", "heavy_species"), "off")},
        "shards": {"max_shard_bytes": 60_000, "batch_rows": 50},
    }
    result = Command()("run", write_config(folder, config), "--out", folder / "run")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Held out for validation" in result.stdout
    return folder / "run"


def rows_of(run: Path, group: str) -> pl.DataFrame:
    shards = sorted((run / "shards").glob(f"{group}-*.arrow"))
    return pl.concat([pl.read_ipc_stream(shard) for shard in shards])


def filtered_of(run: Path, source: str) -> dict[str, tuple[str, str, int]]:
    """Reason, detail and tokens of every document of a source that was filtered."""
    rows = read_parquet(run / "filtered" / f"{source}.parquet").to_pylist()
    assert {row["source"] for row in rows} <= {source}
    found = {row["document_id"]: (row["reason"], row["detail"], row["text_tokens"]) for row in rows}
    assert len(found) == len(rows)
    return found


def agrees(run: Path, source: str) -> bool:
    """Whether the rows of a source are what its account counts."""
    mine = next(one for one in read_manifest(RunDirectory(run)).conservation if one.name == source)
    documents, tokens = Counter[str](), Counter[str]()
    for reason, _, count in filtered_of(run, source).values():
        documents[reason] += 1
        tokens[reason] += count
    assert mine.imbalance() == 0
    return (mine.filtered, mine.filtered_tokens) == (documents, tokens)


def account(manifest: Manifest, name: str) -> dict[str, int]:
    return next(one.filtered for one in manifest.conservation if one.name == name)


def test_what_was_to_be_kept_out_is_in_no_shard_and_is_counted(mixed: Path) -> None:
    manifest = read_manifest(RunDirectory(mixed))
    every = pl.concat([rows_of(mixed, "train"), rows_of(mixed, "validation")])
    assert not every["url"].drop_nulls().str.contains("bad").any()
    assert "solutions:7" not in every["document_id"]
    assert set(every["license"]) == {"MIT"}
    assert account(manifest, "pages") == {"exclude": 7, "license": 6}
    assert account(manifest, "solutions") == {"exclude": 1}
    assert manifest.exclusions is not None
    assert manifest.exclusions.documents == {"exclude": 8, "license": 6}
    assert (manifest.exclusions.entries, manifest.exclusions.examples) == (3, ["id nobody"])
    [warning] = [check for check in read_verdict(RunDirectory(mixed)).checks if check.name == "exclude"]
    assert "nobody" in warning.message
    assert verify_run(mixed) == []


def test_each_document_that_was_kept_out_has_a_row_that_says_why(mixed: Path) -> None:
    lines = map(json.loads, (mixed.parent / "pages.jsonl").read_text().splitlines())
    pages = {f"pages:{line['id']}": line for line in lines}
    expected = {}
    for name, line in pages.items():
        if "bad" in line["url"]:
            expected[name] = ("exclude", "host bad.example.org")
        elif line["license"] == "secret":
            expected[name] = ("license", "license secret")
    found = filtered_of(mixed, "pages")
    assert {name: row[:2] for name, row in found.items()} == expected
    counter = TokenCounter(None)
    assert [row[2] for row in found.values()] == counter.count([pages[name]["text"] for name in found])
    assert {name: row[:2] for name, row in filtered_of(mixed, "solutions").items()} == {
        "solutions:7": ("exclude", "id solutions:7")
    }
    assert filtered_of(mixed, "samples") == {}
    assert all(agrees(mixed, source) for source in ("pages", "solutions", "samples"))


def with_rows(run: Path, out: Path, change: Callable[[list[dict[str, object]]], object]) -> list[str]:
    """Problems of a copy of a run whose rows of `filtered/pages.parquet` were changed, digests and verdict fixed up."""
    shutil.copytree(run, out)
    directory, path = RunDirectory(out), out / "filtered" / "pages.parquet"
    rows = read_parquet(path).to_pylist()
    change(rows)
    write_parquet(path, pa.Table.from_pylist(rows, FILTERED_SCHEMA))
    manifest = read_manifest(directory)
    files = [
        file_digest(path, out, len(rows)) if file.path == "filtered/pages.parquet" else file for file in manifest.files
    ]
    write_text(directory.manifest, manifest.model_copy(update={"files": files}).model_dump_json(indent=1) + "\n")
    again = judge_directory(directory, None, Terms(as_of=read_verdict(directory).as_of))
    write_text(directory.verdict, again.model_dump_json(indent=1) + "\n")
    return verify_run(out)


def test_verify_finds_a_row_of_filtered_that_is_missing_new_or_changed(mixed: Path, tmp_path: Path) -> None:
    def attempt(change: Callable[[list[dict[str, object]]], object]) -> str:
        return "; ".join(with_rows(mixed, tmp_path / str(len(list(tmp_path.iterdir()))), change))

    assert attempt(list.copy) == ""
    counts = "source pages: filtered is {'exclude': 7, 'license': 6} in the manifest and "
    assert f"{counts}{{'exclude': 6, 'license': 6}} in the files" in attempt(
        lambda rows: rows.remove(next(row for row in rows if row["reason"] == "exclude"))
    )
    more = {**filtered_row(mixed), "document_id": "pages:new", "reason": "license"}
    assert f"{counts}{{'exclude': 7, 'license': 7}} in the files" in attempt(lambda rows: rows.append(more))
    assert counts in attempt(lambda rows: rows[0].update(reason="language"))
    assert "pages: filtered_tokens is" in attempt(lambda rows: rows[0].update(text_tokens=1))
    assert "filtered/: a document is listed twice" in attempt(
        lambda rows: rows[0].update(document_id=rows[1]["document_id"])
    )
    trained, held = (rows_of(mixed, group)["document_id"][0] for group in ("train", "validation"))
    for name in (trained, held):
        found = attempt(lambda rows, name=name: rows[0].update(document_id=name))  # type: ignore[misc]
        assert "shards/: a document that was filtered was written" in found
    assert "source 'nowhere' is in the files" in attempt(lambda rows: rows[0].update(source="nowhere"))


def filtered_row(run: Path) -> dict[str, object]:
    row: dict[str, object] = read_parquet(run / "filtered" / "pages.parquet").to_pylist()[0]
    return row


def test_no_training_document_is_a_twin_of_a_held_out_one(mixed: Path) -> None:
    manifest = read_manifest(RunDirectory(mixed))
    held, trained = rows_of(mixed, "validation"), rows_of(mixed, "train")
    assert manifest.validation is not None
    assert manifest.validation.documents == len(held) == held["document_id"].n_unique()
    assert 6_000 < manifest.validation.tokens == held["tokens"].sum() < 9_000
    assert set(held["source"]) == {"pages", "solutions", "samples"}
    assert manifest.validation.twins > 20  # the planted near-duplicates of held-out answers

    def shingles(text: str) -> frozenset[tuple[str, ...]]:
        words = text.split()
        return frozenset(tuple(words[i : i + 5]) for i in range(len(words) - 4))

    kept_out = [shingles(text) for text in held["text"]]
    for text in trained["text"]:
        mine = shingles(text)
        assert max(len(mine & other) / len(mine | other) for other in kept_out) < 0.8
    # the documents of other runs would be the same: an answer in training still has its twins there
    answers = trained.filter(pl.col("source") == "samples")
    assert len(answers) > 100


def test_mixtures_are_foreseen_without_what_is_held_out(mixed: Path) -> None:
    manifest = read_manifest(RunDirectory(mixed))
    assert manifest.plan is not None
    assert manifest.validation is not None
    supply = ledger_supply(read_ledger(mixed / "ledger"))
    available = {source.name: source.available_documents for source in manifest.plan.sources}
    assert dict(zip(supply.names, supply.documents.tolist(), strict=True)) == available
    assert sum(available.values()) == rows_of(mixed, "train")["document_id"].n_unique()


def test_no_passage_of_any_text_is_left_in_the_evidence_of_a_takedown(mixed: Path, tmp_path: Path) -> None:
    quoted = read_snippets(mixed / "ledger")
    victim = next(name for name in rows_of(mixed, "train")["document_id"] if name in quoted)
    (tmp_path / "list").write_text(f"id {victim}\n")
    out = tmp_path / "after"
    CliRunner().invoke(app, ["takedown", str(mixed), "--exclude", str(tmp_path / "list"), "--out", str(out)])
    assert read_snippets(out / "ledger") == {}
    manifest = read_manifest(RunDirectory(out))
    assert manifest.removals is not None
    assert {cluster.examples for cluster in manifest.removals.largest_clusters} <= {("", "")}
    words = quoted[victim][:60].encode()
    assert words in (mixed / "report" / "report.json").read_bytes()
    evidence = [path for path in out.rglob("*") if path.is_file() and path.parent.name != "shards"]
    assert not [path for path in evidence if words in path.read_bytes()]
    assert verify_run(out) == []


def test_a_takedown_writes_only_the_shards_that_it_touches(mixed: Path, tmp_path: Path) -> None:
    shards = sorted((mixed / "shards").glob("train-*.arrow"))
    victim = pl.read_ipc_stream(shards[2])["document_id"][5]
    held = rows_of(mixed, "validation")["document_id"][0]
    (tmp_path / "list").write_text(f"id {victim}\nid {held}\nid nobody\n")
    out = tmp_path / "after"
    arguments = ["takedown", str(mixed), "--exclude", str(tmp_path / "list"), "--out", str(out)]
    done = CliRunner().invoke(app, arguments)
    share = 1 - rows_of(out, "train")["tokens"].sum() / rows_of(mixed, "train")["tokens"].sum()
    assert done.exit_code == (4 if share > 0.001 else 0), done.output  # a small run loses much with one document
    assert "2 documents (2 rows) taken down; 2 shards written again" in " ".join(done.output.split())
    manifest = read_manifest(RunDirectory(out))
    assert manifest.takedown is not None
    assert manifest.takedown.rewritten == [
        f"shards/{shards[2].name}",
        "shards/validation-00000-of-00001.arrow" if len(list(out.glob("shards/validation-*"))) == 1 else "",
    ]
    for shard in shards:
        is_same = (out / "shards" / shard.name).read_bytes() == shard.read_bytes()
        assert is_same is (shard != shards[2])
    statistics = MixtureStatistics.model_validate_json((out / "shards" / "statistics.json").read_bytes()).shards
    ends = list(itertools.accumulate(shard.rows for shard in statistics))
    assert [shard.last_position for shard in statistics] == ends
    assert [shard.first_position for shard in statistics] == [0, *ends[:-1]]
    before, after = rows_of(mixed, "train"), rows_of(out, "train")
    assert after.equals(before.filter(pl.col("document_id") != victim))
    assert held not in rows_of(out, "validation")["document_id"]
    taken = {name: ("exclude", f"id {name}") for name in (victim, held)}
    for source in ("pages", "solutions", "samples"):
        earlier, now = filtered_of(mixed, source), filtered_of(out, source)
        assert earlier.items() <= now.items()
        gone = {name: row[:2] for name, row in now.items() if name not in earlier}
        assert gone == {name: why for name, why in taken.items() if name.startswith(f"{source}:")}
        assert agrees(out, source)
    assert verify_run(out) == []
    assert verify_run(mixed) == []
    tree = tree_digests(out)
    (out / "verdict.json").unlink()  # as a kill after the manifest leaves it
    again = CliRunner().invoke(app, arguments)
    assert again.exit_code == done.exit_code
    assert tree_digests(out) == tree
    (tmp_path / "list").write_text(f"id {held}\n")
    other = CliRunner().invoke(app, arguments)
    assert "holds other files" in str(other.exception)
    assert tree_digests(out) == tree


def test_a_second_takedown_counts_what_the_first_took(mixed: Path, tmp_path: Path) -> None:
    victims = rows_of(mixed, "train").filter(pl.col("source") == "pages").sort("tokens")["document_id"][:2].to_list()
    run = mixed
    for number, victim in enumerate(victims):
        (tmp_path / "list").write_text(f"id {victim}\n")
        arguments = ["takedown", str(run), "--exclude", str(tmp_path / "list"), "--out", str(tmp_path / str(number))]
        CliRunner().invoke(app, arguments)
        run = tmp_path / str(number)
    found = read_manifest(RunDirectory(run)).takedown
    assert found is not None
    assert (found.documents, found.trained_rows) == (1, {"pages": 2})
    gone = rows_of(mixed, "train").filter(pl.col("document_id").is_in(victims))["tokens"].sum()
    assert found.trained_tokens == gone
    assert set(victims) <= filtered_of(run, "pages").keys()
    assert agrees(run, "pages")
    said = [check.message for check in read_verdict(RunDirectory(run)).checks if check.name == "evidence"]
    assert "the numbers are of this run" in said
    assert verify_run(run) == []


def test_lists_of_one_name_are_refused(mixed: Path, tmp_path: Path) -> None:
    lists = [tmp_path / name / "list" for name in "ab"]
    for path in lists:
        path.parent.mkdir()
        path.write_text("id nobody\n")
    given = [word for path in lists for word in ("--exclude", str(path))]
    done = CliRunner().invoke(app, ["takedown", str(mixed), *given, "--out", str(tmp_path / "out")])
    assert "the same file name" in str(done.exception)


def test_a_takedown_that_names_nothing_is_an_error(mixed: Path, tmp_path: Path) -> None:
    (tmp_path / "list").write_text(f"id nobody-{random.Random(1).random()}\n")
    out = tmp_path / "after"
    done = CliRunner().invoke(app, ["takedown", str(mixed), "--exclude", str(tmp_path / "list"), "--out", str(out)])
    assert "none of the 1 entries" in str(done.exception)
    assert not (out / "manifest.json").exists()
