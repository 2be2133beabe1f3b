"""Hostile names of folders, files, ids and values through every command that prints them."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from polyculture.shards.listing import read_batches, read_shard_list
from tests.conftest import Command, Ended
from tests.support.corpora import write_config
from tests.support.make_run import finished_run, long_texts

# as a file system holds it -> as it is shown
NAMES = {
    "[id]": "[id]",
    "]": "]",
    "x[/b]": "x[/b]",  # a folder and what is in it
    "[red]": "[red]",
    'it\'s "quoted"': 'it\'s "quoted"',
    "two  words ": "two  words ",
    "line\nbreak": "line\\nbreak",
    "größe 数据": "größe 数据",
    "\u202egnp": "\\u202egnp",
    "-dash": "-dash",
    ":smile:": ":smile:",
    "\x1b[31m": "\\x1b[31m",
    "n" * 180: "n" * 180,
}
ALL = '[id] ] [red] it\'s "q" line\nbreak größe \u202e :smile: \x1b[31m'
ALL_SHOWN = '[id] ] [red] it\'s "q" line\\nbreak größe \\u202e :smile: \\x1b[31m'
HOSTILE_ID = "[/b] :smile: \u202e ] [red]"
by_name = pytest.mark.parametrize(("name", "shown"), NAMES.items(), ids=range(len(NAMES)))


def corpus(folder: Path, count: int, seed: int) -> None:
    """A source of one whole file, and a broken one for each hostile name."""
    folder.mkdir(parents=True)
    lines = [json.dumps({"id": f"{HOSTILE_ID}{n}", "text": text}) for n, text in enumerate(long_texts(count, seed))]
    (folder / "whole.jsonl").write_text("\n".join([*lines, lines[0].replace('0"', 'twin"', 1)]) + "\n")
    for name in NAMES:
        path = folder / f"{name}.jsonl.gz"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03cut short")


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration of one source in a folder of a hostile name."""
    folder = tmp_path_factory.mktemp("hostile")
    corpus(folder / ALL, 60, 1)
    source = {"name": "a", "kind": "web", "paths": [f"./{ALL}"], "license": "[/b] :smile:", "language": "en"}
    bounds = [{"lens": "near", "metric": "distinct_fraction", "scope": "all", "at_least": 0.5}]
    values = {"name": "made", "sources": [source], "measure": {"probes": 60}, "gate": {"expectations": bounds}}
    return write_config(folder, values)


@pytest.fixture(scope="module")
def finished(config: Path) -> Path:
    """A run of it."""
    return finished_run(config, config.parent / "run")


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)


def check(done: Ended, *shown: str, codes: tuple[int, ...] = (0, 3, 4)) -> None:
    """Nothing failed, and every text stands in the output of the command as it is shown."""
    output = done.stdout + done.stderr
    assert "Traceback" not in output, output
    assert done.returncode in codes, output
    assert [text for text in shown if text not in output] == []
    assert all(line.isprintable() for line in output.splitlines())


@by_name
@pytest.mark.usefixtures("elsewhere")
def test_the_name_of_a_run_directory_is_shown_as_it_is(
    here: Callable[..., Ended], finished: Path, name: str, shown: str
) -> None:
    run = Path(name)
    run.parent.mkdir(exist_ok=True)
    run.symlink_to(finished)
    given = f"./{name}"
    check(here("verify", given), f"{shown} is whole", codes=(0,))
    check(here("report", given), f"{shown}/report/index.html", codes=(0,))
    check(here("gate", given), f"Report: {shown}/report/index.html")
    out = f"./{name} out"
    check(here("export", given, "--out", out), f"{shown} out/")
    there = f"./{name} there"
    check(here("publish", given, there, "--approved-by", name, "--reason", name), f"{shown} there", codes=(0,))
    gone = f"./{name} gone"
    for command in ("verify", "report", "gate", "profile", "what-if", "plan"):
        check(here(command, gone), f"error: {shown} gone", codes=(2,))
    check(here("diff", given, gone), f"error: {shown} gone", codes=(2,))


@by_name
@pytest.mark.usefixtures("elsewhere")
def test_the_names_of_lists_and_of_output_are_shown_as_they_are(
    here: Callable[..., Ended], finished: Path, name: str, shown: str
) -> None:
    Path(name).parent.mkdir(exist_ok=True)
    Path(f"{name} list").write_text("id a:nothing\n")
    down = ("takedown", finished, "--out", f"./{name} out", "--exclude", f"./{name} list")
    check(here(*down), "none of the 1 entries names a document", codes=(1,))
    assert not Path(f"{name} out").exists()
    Path(f"{name} list").write_text(f"id {first_id(finished)}\n")
    Path(f"{name} out").mkdir(exist_ok=True)
    (Path(f"{name} out") / "mine").touch()
    check(here(*down), f"--out: {shown} out holds other files", codes=(2,))
    check(here("dedupe", f"./{name} gone", "--out", "./out"), f"{shown} gone", codes=(2,))
    check(here("run", f"./{name} gone"), f"error: {shown} gone", codes=(2,))
    check(here("gate", finished, "--policy", f"./{name} gone"), f"error: {shown} gone", codes=(2,))
    check(here("trial", finished, "--ids", f"./{name} gone"), f"{shown} gone", codes=(1, 2))
    check(here("index", "show", f"./{name} gone"), f"{shown} gone", codes=(1, 2))
    check(here("what-if", finished, "--rates", f"{name.replace(',', '')}=1"), codes=(2,))
    check(here("what-if", finished, "--lens", name), codes=(2,))


def first_id(run: Path) -> str:
    shard = read_shard_list(run).group("train")[0]
    return str(pa.Table.from_batches(list(read_batches(run / shard.path, ["document_id"])))["document_id"][0])


@pytest.mark.usefixtures("elsewhere")
def test_every_other_command_shows_what_a_run_holds(here: Callable[..., Ended], finished: Path) -> None:
    run = Path(ALL)
    shutil.copytree(finished, run)
    check(here("profile", run), "near", codes=(0,))
    check(here("diff", run, run), "The configurations are the same.", codes=(0,))
    check(here("what-if", run, "--rates", "a=1"), "a ", codes=(0,))
    check(here("plan", run, "--out", f"{ALL} plan"), f"Plan: {ALL_SHOWN} plan", codes=(0,))
    check(here("plan", run, "--open-gate"), codes=(0,))
    Path("ids").write_text(f"{first_id(run)}\na:[/b] unknown :smile:\n")
    check(here("trial", run, "--ids", "ids", "--no-fail"), "a:[/b] unknown :smile:", codes=(0,))
    Path("list").write_text(f"id {first_id(run)}\n")
    done = here("takedown", run, "--out", f"{ALL} less", "--exclude", "list")
    check(done, "1 documents (1 rows) taken down", f"Report: {ALL_SHOWN} less/report/index.html")
    (run / "removed" / "a.parquet").write_bytes(b"damaged")
    check(here("verify", run), "damaged: removed/a.parquet", codes=(1,))


@pytest.mark.parametrize("job", ["run", "audit"])
def test_a_run_and_an_audit_show_the_names_of_damaged_files(
    command: Command, config: Path, tmp_path: Path, job: str
) -> None:
    done = command(job, config, "--out", tmp_path / ALL)
    check(done, f"Report: {tmp_path}/{ALL_SHOWN}/report/index.html")
    assert f"{ALL_SHOWN}/[id].jsonl.gz" in done.stdout
    page = (tmp_path / ALL / "report" / "index.html").read_text()
    assert "x[/b].jsonl.gz" in page
    assert "\u202e" not in page


def test_a_pilot_shows_the_name_of_its_folder(command: Command, config: Path, tmp_path: Path) -> None:
    done = command("pilot", config, "--out", tmp_path / ALL, "--target-documents", "1000")
    check(done, f"Numbers: {tmp_path}/{ALL_SHOWN}/pilot.json")


def test_dedupe_shows_the_names_of_files_and_ids(command: Command, tmp_path: Path) -> None:
    corpus(tmp_path / ALL, 3, 5)
    out = tmp_path / "[out] :smile:"
    done = command("dedupe", f"./{ALL}", "--out", out, "--allow-empty", cwd=tmp_path)
    names = [f"{ALL_SHOWN}/{shown}.jsonl.gz" for shown in NAMES.values()]
    check(done, *names, f"documents like {HOSTILE_ID.replace(chr(0x202E), 'X')[:12]}", f"Result: {out}", codes=(0,))
    assert all(sum(name in line for line in done.stdout.splitlines()) == 2 for name in names)
    done = command("dedupe", f"./{ALL}", "--out", tmp_path / "again", cwd=tmp_path)
    check(done, *(f"error: {name} gave no document" for name in names), codes=(1,))


@pytest.mark.parametrize("where", [(), ("run",), ("trial", "x"), ("index", "show")])
@pytest.mark.parametrize(
    "option", ["--no\u202eoption", "--\x1b[31m", "--a\x9b31m", "--zero\u200bwidth=1", "--bell\x07", "--[red]"]
)
def test_a_usage_error_shows_an_unknown_option_without_control(
    here: Callable[..., Ended], where: tuple[str, ...], option: str
) -> None:
    check(here(*where, option), "No such option", codes=(2,))
