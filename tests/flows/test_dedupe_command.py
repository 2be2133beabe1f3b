"""`polyculture dedupe` as a process."""

import json
import random
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from polyculture.text.canonical import canonical_text
from tests.conftest import Command, Ended
from tests.support.corpora import tree_digests
from tests.support.processes import ROOT
from tests.unit.deduplication import brute_force

FAILPOINTS = ROOT / "tests" / "support" / "failpoints"


def corpus(folder: Path) -> tuple[Path, Path]:
    """Two files that repeat themselves and each other, with one line that is no JSON."""
    generator = random.Random(4)
    vocabulary = [f"word{i}" for i in range(500)]
    texts: list[str] = []
    for _ in range(160):
        words = generator.choices(vocabulary, k=80)
        if texts and generator.random() < 0.5:
            words = generator.choice(texts).split()
            for _ in range(generator.choice([0, 0, 1, 3, 6])):
                words[generator.randrange(80)] = "changed"
        texts.append(" ".join(words) if generator.random() < 0.8 else " ".join(words).upper())
    left, right = folder / "left.jsonl", folder / "right.parquet"
    lines = [json.dumps({"id": f"l{i}", "text": text}) for i, text in enumerate(texts[:80])]
    left.write_text("\n".join([*lines, "{broken"]) + "\n")
    pq.write_table(pa.table({"id": [f"r{i}" for i in range(80)], "text": texts[80:]}), right)
    return left, right


def rows(folder: Path) -> list[dict[str, object]]:
    found: list[dict[str, object]] = pa.concat_tables([pq.read_table(p) for p in sorted(folder.glob("*"))]).to_pylist()
    return found


def test_every_document_is_kept_or_removed_for_a_kept_twin(command: Command, tmp_path: Path) -> None:
    left, right = corpus(tmp_path)
    result = command("dedupe", left, right, "--out", tmp_path / "out", "--json")
    assert result.returncode == 0, result.stderr
    summary = json.loads(result.stdout)
    kept = {str(row["id"]): str(row["text"]) for row in rows(tmp_path / "out" / "kept")}
    removed = rows(tmp_path / "out" / "removed")
    originals = {row["id"]: row["text"] for row in pq.read_table(right).to_pylist()}
    originals |= {r["id"]: r["text"] for r in map(json.loads, left.read_text().splitlines()[:80])}
    assert set(originals) == kept.keys() | {row["id"] for row in removed}
    assert all(originals[name] == text for name, text in kept.items())
    assert len(kept) + len(removed) == 160 == summary["documents"]
    for row in removed:
        gone, stayed = canonical_text(originals[row["id"]]), canonical_text(kept[str(row["kept_id"])])
        similarity = brute_force.jaccard(brute_force.shingles(gone), brute_force.shingles(stayed))
        assert similarity >= Fraction(4, 5)
        assert row["similarity"] == float(similarity)
        assert (row["reason"] == "exact") == (gone == stayed)
    assert {row["reason"] for row in removed} == {"exact", "near"}
    assert sum(size * count for size, count in ((int(s), c) for s, c in summary["cluster_sizes"].items())) == 160
    assert [row["reason"] for row in rows(tmp_path / "out" / "quarantined")] == ["bad_json"]
    expected = brute_force.removals(
        [canonical_text(text) for text in originals.values()],
        sorted(range(160), key=lambda i: (-len(list(originals.values())[i]), list(originals)[i])),
        Fraction(4, 5),
    )
    assert len(removed) == len(expected)


@pytest.mark.long
def test_neither_the_order_of_inputs_nor_the_workers_change_a_byte(command: Command, tmp_path: Path) -> None:
    left, right = corpus(tmp_path)
    first = command("dedupe", left, right, "--out", tmp_path / "a", "--workers", "1")
    second = command("dedupe", right, left, "--out", tmp_path / "b", "--workers", "3")
    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    files = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*") if path.is_file())
    assert len(files) == 4
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


@pytest.mark.parametrize("step", ["fsync .work/", "fsync removed", "fsync quarantined"])
def test_killed_while_it_writes_the_same_command_ends_in_the_same_bytes(
    command: Command, tmp_path: Path, step: str
) -> None:
    left, right = corpus(tmp_path)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert command("dedupe", left, right, "--out", whole).returncode == 0
    plan = json.dumps({"root": str(killed), "trace": str(tmp_path / "trace"), "at": None, "match": step, "act": "kill"})
    failed = command("dedupe", left, right, "--out", killed, FAILPOINTS=plan, PYTHONPATH=f"{FAILPOINTS}:{ROOT}")
    assert failed.returncode != 0
    assert not (killed / "dedupe.json").exists()
    again = command("dedupe", left, right, "--out", killed)
    assert again.returncode == 0, again.stderr
    assert tree_digests(killed) == tree_digests(whole)


def test_a_limit_on_losses_is_only_there_if_it_is_given(command: Command, tmp_path: Path) -> None:
    left, _ = corpus(tmp_path)
    refused = command("dedupe", left, "--out", tmp_path / "out", "--max-removed-fraction", "0.01")
    assert refused.returncode == 3
    assert "left.jsonl" in refused.stderr
    assert (tmp_path / "out" / "dedupe.json").is_file()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["nowhere.jsonl"], "does not exist"), (["https://example.org/x"], "URLs are not read"), (["."], "not an empty")],
)
def test_what_cannot_work_is_refused(
    here: Callable[..., Ended], tmp_path: Path, arguments: list[str], words: str
) -> None:
    (tmp_path / "out").mkdir()
    if words == "not an empty":
        (tmp_path / "out" / "mine.txt").write_text("x")
        arguments = [str(corpus(tmp_path)[0])]
    result = here("dedupe", *arguments, "--out", tmp_path / "out")
    assert result.returncode == 2
    assert words in result.stderr
    assert "Traceback" not in result.stderr
