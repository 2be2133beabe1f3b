"""`polyculture dedupe`: bounds, trouble in files, files that give nothing, and folders that must not nest."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Command, Ended
from tests.support.corpora import unique_texts


def write(path: Path, count: int = 5, seed: int = 1, **more: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [{"id": f"{n}", "text": text, **more} for n, text in enumerate(unique_texts(count, seed))]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_limit_is_a_bound_of_what_is_read(command: Command, tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl")
    with (tmp_path / "a.jsonl").open("a") as file:
        file.write(json.dumps({"id": "long", "text": "word " * 400}) + "\n")
    limits = ("--limit", "max_document_bytes=1_500", "--limit", "max_line_bytes=100_000")
    done = command("dedupe", tmp_path / "a.jsonl", "--out", tmp_path / "out", "--json", *limits)
    assert done.returncode == 0, done.stderr
    [file] = json.loads(done.stdout)["files"]
    assert (file["documents"], file["quarantine_reasons"]) == (5, {"doc_too_big": 1})


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ("max_document_byte=1", "known: max_document_bytes, "),
        ("max_document_bytes", "max_document_bytes="),
        ("max_document_bytes=0", "greater than 0"),
        ("max_document_bytes=[/b]", "max_document_bytes=[/b]: wanted a whole number"),
        ("=5", "known: "),
    ],
)
def test_a_limit_that_is_none_is_refused_before_anything_is_made(
    here: Callable[..., Ended], tmp_path: Path, limit: str, words: str
) -> None:
    done = here("dedupe", write(tmp_path / "a.jsonl"), "--out", tmp_path / "out", "--limit", limit)
    assert done.returncode == 2
    assert words in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_limit_is_given_once(here: Callable[..., Ended], tmp_path: Path) -> None:
    twice = ("--limit", "max_json_depth=3", "--limit", "max_json_depth=4")
    done = here("dedupe", write(tmp_path / "a.jsonl"), "--out", tmp_path / "out", *twice)
    assert (done.returncode, "max_json_depth is given twice" in done.stderr) == (2, True)


def test_what_went_wrong_in_a_file_is_said_beside_its_name(command: Command, tmp_path: Path) -> None:
    write(tmp_path / "in" / "fine.jsonl", seed=1)
    broken = write(tmp_path / "in" / "broken.jsonl", seed=2)
    broken.write_text(broken.read_text() + "{no\n{nor this\n")
    lines = write(tmp_path / "zeros.jsonl", seed=3).read_bytes()
    (tmp_path / "in" / "zeros.jsonl.gz").write_bytes(gzip.compress(lines) + b"\0" * 10)
    cut = gzip.compress(b"".join(write(tmp_path / "cut.jsonl", 3000, 4).read_bytes() for _ in range(3)))
    (tmp_path / "in" / "cut.jsonl.gz").write_bytes(cut[: len(cut) // 2])
    done = command("dedupe", "in", "--out", tmp_path / "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    said = {line.split(": ")[0]: line for line in done.stdout.splitlines() if ".jsonl" in line and ": " in line}
    assert set(said) == {"in/broken.jsonl", "in/zeros.jsonl.gz", "in/cut.jsonl.gz"}
    assert "quarantined: bad_json 2" in said["in/broken.jsonl"]
    assert "10 zero bytes follow the last gzip member" in said["in/zeros.jsonl.gz"]
    assert "ends in damage: tail lost, " in said["in/cut.jsonl.gz"]


def test_a_file_that_gives_nothing_is_an_error_unless_it_is_allowed(command: Command, tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl")
    (tmp_path / "empty.jsonl").touch()
    (tmp_path / "named.jsonl").write_text('{"id": "1", "body": "text of another name"}\n')
    asked = ("dedupe", "a.jsonl", "empty.jsonl", "--against", "named.jsonl")
    done = command(*asked, "--out", tmp_path / "out", cwd=tmp_path)
    assert done.returncode == 1
    assert "empty.jsonl gave no document (it holds no records)" in done.stderr
    assert "named.jsonl gave no document (text_missing 1: no text; the record has body, id)" in done.stderr
    assert "a.jsonl gave" not in done.stderr
    assert (tmp_path / "out" / "dedupe.json").is_file()
    done = command(*asked, "--out", tmp_path / "again", "--allow-empty", cwd=tmp_path)
    assert (done.returncode, "gave no document" in done.stderr) == (0, False)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("in --out in/out", "in/out lies in in (INPUT)"),
        ("in --out in/deep/out", "in/deep/out lies in in (INPUT)"),
        ("in/* --out in/out", "lies in in/* (INPUT)"),
        ("in/** --out in/deep/out", "lies in in/** (INPUT)"),
        ("../here/in --out in/out", "lies in ../here/in (INPUT)"),
        ("link --out in/out", "lies in link (INPUT)"),
        ("in --out link/out", "link/out lies in in (INPUT)"),
        ("in/a.jsonl --against other --out other/out", "lies in other (--against)"),
        (". --out out", "out lies in . (INPUT)"),
        ("in --index in/index --out out", "--index: in/index lies in in (INPUT)"),
    ],
)
def test_output_inside_what_is_read_is_refused_before_anything_is_read(
    here: Callable[..., Ended], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: str, words: str
) -> None:
    folder = tmp_path / "here"
    for name in ("in/a.jsonl", "in/deep/b.jsonl", "other/c.jsonl"):
        write(folder / name)
    (folder / "link").symlink_to("in")
    monkeypatch.chdir(folder)
    before = sorted(folder.rglob("*"))
    done = here("dedupe", *arguments.split())
    assert (done.returncode, words in done.stderr) == (2, True), done.stderr
    assert sorted(folder.rglob("*")) == before


def test_input_inside_output_is_refused(here: Callable[..., Ended], tmp_path: Path) -> None:
    write(tmp_path / "out" / "a.jsonl")
    done = here("dedupe", tmp_path / "out" / "a.jsonl", "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "--out: " in done.stderr
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "a.jsonl"]


def test_output_beside_what_is_read_is_no_nesting(command: Command, tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl")
    write(tmp_path / "a" / "b.jsonl", seed=2)
    done = command("dedupe", "*.jsonl", "a", "--out", "a-out", "--index", "seen", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    done = command("dedupe", "a.jsonl", "--out", "again", "--against", "seen", "--index", "seen", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
