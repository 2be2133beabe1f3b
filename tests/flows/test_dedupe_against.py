"""`polyculture dedupe --against` and `polyculture index` as processes."""

import json
import random
import shutil
from fractions import Fraction
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from polyculture.text.canonical import canonical_text
from tests.conftest import Command
from tests.unit.deduplication import brute_force

Texts = dict[str, str]


@pytest.fixture(scope="module")
def deliveries() -> tuple[Texts, Texts]:
    """An old delivery and a new one, that repeat themselves and each other; texts without words among them."""
    generator = random.Random(8)
    vocabulary = [f"word{i}" for i in range(500)]
    texts: list[str] = ["...", "... ", "!!!"]
    while len(texts) < 150:
        words = generator.choices(vocabulary, k=generator.randrange(60, 90))
        if generator.random() < 0.6:
            words = generator.choice(texts).split()
            for _ in range(generator.choice([0, 0, 1, 2, 3, 6])):
                words[generator.randrange(len(words))] = "changed"
        texts.append(" ".join(words) if generator.random() < 0.8 else " ".join(words).upper())
    generator.shuffle(texts)
    return {f"o{i}": t for i, t in enumerate(texts[:90])}, {f"n{i}": t for i, t in enumerate(texts[90:])}


def write(path: Path, texts: Texts) -> Path:
    path.write_text("".join(json.dumps({"id": name, "text": text}) + "\n" for name, text in texts.items()))
    return path


def rows(folder: Path) -> list[dict[str, object]]:
    found: list[dict[str, object]] = pa.concat_tables([pq.read_table(p) for p in sorted(folder.glob("*"))]).to_pylist()
    return found


def similarity(left: str, right: str) -> Fraction:
    one, other = canonical_text(left), canonical_text(right)
    shingles = [brute_force.shingles(one), brute_force.shingles(other)]
    return Fraction(1) if one == other else brute_force.jaccard(*shingles) if all(shingles) else Fraction(0)


def expected(old: Texts, new: Texts, survivor: str) -> dict[str, str]:
    """The removal rule over all pairs that are not both old: who goes, and in whose favour."""
    every = old | new
    second: dict[str, Texts] = {"against": new, "input": old, "longer": {}}
    kept: list[str] = []
    gone: dict[str, str] = {}
    for name in sorted(every, key=lambda n: (n in second[survivor], -len(canonical_text(every[n])), n)):
        twins = [k for k in kept if (k in new or name in new) and similarity(every[k], every[name]) >= Fraction(4, 5)]
        if twins:
            equal = [twin for twin in twins if canonical_text(every[twin]) == canonical_text(every[name])]
            gone[name] = (equal or twins)[0]
        else:
            kept.append(name)
    return gone


def found(out: Path, folder: str = "removed") -> dict[str, str]:
    both = rows(out / folder) + rows(out / f"{folder}-against")
    return {str(row["id"]): str(row["kept_id"]) for row in both}


@pytest.mark.parametrize("survivor", ["against", "input", "longer"])
def test_a_pair_is_decided_as_the_policy_says(
    command: Command, tmp_path: Path, deliveries: tuple[Texts, Texts], survivor: str
) -> None:
    old, new = deliveries
    before, after = write(tmp_path / "old.jsonl", old), write(tmp_path / "new.jsonl", new)
    result = command("dedupe", after, "--against", before, "--survivor", survivor, "--out", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    gone = expected(old, new, survivor)
    assert found(tmp_path / "out") == gone
    assert {row["id"] for row in rows(tmp_path / "out" / "kept")} == new.keys() - gone.keys()
    assert {row["id"] for row in rows(tmp_path / "out" / "removed-against")} == gone.keys() & old.keys()
    for row in rows(tmp_path / "out" / "removed"):
        text = (old if row["kept_in"] == "against" else new)[str(row["kept_id"])]
        assert row["similarity"] == float(similarity(new[str(row["id"])], text)) >= 0.8
    summary = json.loads((tmp_path / "out" / "dedupe.json").read_text())
    assert summary["against_documents"] == len(old)
    assert summary["removed_for_against"] == sum(name in new and kept in old for name, kept in gone.items())
    assert summary["removed_of_against"] == len(gone.keys() & old.keys())


def test_measuring_removes_nothing(command: Command, tmp_path: Path, deliveries: tuple[Texts, Texts]) -> None:
    old, new = deliveries
    before, after = write(tmp_path / "old.jsonl", old), write(tmp_path / "new.jsonl", new)
    result = command("dedupe", after, "--against", before, "--measure", "--out", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    assert found(tmp_path / "out", "matches") == expected(old, new, "against")
    assert not (tmp_path / "out" / "kept").exists()
    refused = command("dedupe", after, "--measure", "--index", tmp_path / "i", "--out", tmp_path / "other")
    assert refused.returncode == 2


def test_an_index_outlives_its_run(command: Command, tmp_path: Path, deliveries: tuple[Texts, Texts]) -> None:
    """Two deliveries, indexed apart and merged, stand for both: their files are gone, and the index was moved."""
    old, new = deliveries
    halves = [dict(list(old.items())[:45]), dict(list(old.items())[45:])]
    kept: Texts = {}
    for number, half in enumerate(halves):
        path = write(tmp_path / f"old{number}.jsonl", half)
        out, index = tmp_path / f"out{number}", tmp_path / f"index{number}"
        result = command("dedupe", path, "--out", out, "--index", index)
        assert result.returncode == 0, result.stderr
        kept |= {str(row["id"]): str(row["text"]) for row in rows(out / "kept")}
        shutil.rmtree(out)
        path.unlink()
    moved = tmp_path / "moved"
    for _ in range(2):  # the second time changes nothing
        merged = command("index", "merge", tmp_path / "index0", tmp_path / "index1", "--out", tmp_path / "merged")
        assert merged.returncode == 0, merged.stderr
        assert f"2 parts, {len(kept)} documents" in " ".join(merged.stdout.split())
    (tmp_path / "merged").rename(moved)
    after = write(tmp_path / "new.jsonl", new)
    several = ["--against", tmp_path / "index1", "--against", tmp_path / "index0"]
    for number, against in enumerate([["--against", moved], several]):
        out = tmp_path / f"new{number}"
        result = command("dedupe", after, *against, "--out", out, "--index", tmp_path / f"next{number}")
        assert result.returncode == 0, result.stderr
        assert found(out) == expected(kept, new, "against")
    shown = command("index", "show", tmp_path / "next0")
    assert f"{len(rows(tmp_path / 'new0' / 'kept'))} documents" in " ".join(shown.stdout.split())


@pytest.mark.long
def test_a_foreign_or_damaged_index_is_refused(
    command: Command, tmp_path: Path, deliveries: tuple[Texts, Texts]
) -> None:
    path = write(tmp_path / "new.jsonl", deliveries[1])
    index = tmp_path / "index"
    assert command("dedupe", path, "--out", tmp_path / "out", "--index", index).returncode == 0
    manifest = json.loads((index / "index.json").read_text())
    bands = next(index.glob("part-*/bands.arrow"))
    whole = bands.read_bytes()

    def refusal(*arguments: object) -> str:
        result = command(*arguments)
        assert result.returncode == 2, result.stdout + result.stderr
        assert "Traceback" not in result.stderr
        return " ".join(result.stderr.split())

    against = ("dedupe", path, "--against", index, "--out", tmp_path / "other")
    bands.write_bytes(whole[:-1])
    assert "bands.arrow is missing or has another size" in refusal(*against)
    bands.write_bytes(whole[:-100] + bytes([whole[-100] ^ 1]) + whole[-99:])
    assert "is damaged" in refusal("index", "merge", index, "--out", tmp_path / "merged")
    bands.write_bytes(whole)
    manifest["scheme"]["seed"] = 2
    (index / "index.json").write_text(json.dumps(manifest))
    assert "seed 2 (wanted 1)" in refusal(*against)
    assert "seed 2 (wanted 1)" in refusal("dedupe", path, "--index", index, "--out", tmp_path / "third")
    (index / "index.json").write_text("{}")
    assert "cannot be read" in refusal(*against)
