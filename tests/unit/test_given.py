"""Mistakes in what a job is given are said before anything that computes is loaded, and by the code that runs later."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from polyculture.errors import ConfigError
from polyculture.given import check_given
from polyculture.job import open_job
from tests.support.processes import ROOT

CONFIG: dict[str, object] = {
    "name": "small",
    "sources": [{"name": "pages", "kind": "web", "paths": ["pages.jsonl"], "license": "MIT"}],
}
HEAVY = ("numba", "torch", "sentence_transformers", "polars", "prefect", "pyarrow.dataset", "scipy")
PROGRAM = f"""
import sys
from cli.main import main
try:
    main(sys.argv[1:])
except SystemExit as ended:
    print(ended.code, *(name for name in {HEAVY!r} if name in sys.modules))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pages.jsonl").write_text('{"id": "1", "text": "a text of some words"}\n')
    return tmp_path


def source(**changes: object) -> dict[str, object]:
    return {"sources": [{"name": "pages", "kind": "web", "paths": ["pages.jsonl"], "license": "MIT", **changes}]}


MISTAKES: dict[str, tuple[dict[str, object], str]] = {
    "a pattern without files": (source(paths=["*.parquet"]), "no file matches this pattern"),
    "a file that is not there": (source(paths=["absent.jsonl"]), "does not exist"),
    "a bucket as input": (source(paths=["s3://bucket/a.jsonl"]), "URLs are not read"),
    "an unknown setting": ({"mixtur": {}}, "did you mean 'mixture'"),
    "an unknown column": (source(fields={"text": "body"}), "column `body` does not exist"),
    "no tokenizer": ({"tokenizer": {"path": "absent.json"}}, "no file absent.json"),
    "no background": ({"measure": {"semantic": {"path": "absent.safetensors"}}}, "absent.safetensors cannot be read"),
    "no model": (
        {"measure": {"semantic": {"encoder": "sentence_transformers", "path": "absent", "languages": ["en"]}}},
        "no modules.json",
    ),
    "no takedown list": ({"exclude": ["absent.txt"]}, "absent.txt: cannot be read"),
    "no file of rates": ({"mixture": {"rates": {"file": "absent.json"}}}, "absent.json: cannot be read"),
    "no last run": ({"gate": {"last_go": "absent"}}, "absent is not a finished run"),
}


def written(folder: Path, change: dict[str, object]) -> Path:
    path = folder / "config.json"
    path.write_text(json.dumps(CONFIG | change))
    return path


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_found_first_and_by_what_opens_the_job_too(folder: Path, mistake: str) -> None:
    change, words = MISTAKES[mistake]
    config = written(folder, change)
    told = []
    for check in (check_given, open_job):
        with pytest.raises(ConfigError) as raised:
            check("run", config, folder / "run")  # type: ignore[operator]
        told.append(str(raised.value))
    assert words in told[0]
    assert told[0] == told[1]
    assert not (folder / "run").exists()


@pytest.mark.parametrize("out", ["pages.jsonl", "pages.jsonl/run", "held", "."])
def test_a_run_directory_that_cannot_be_one_is_refused(folder: Path, out: str) -> None:
    (folder / "held").mkdir()
    (folder / "held" / "notes.txt").write_text("mine")
    with pytest.raises(ConfigError, match="--out: "):
        check_given("run", written(folder, {}), folder / out)
    assert (folder / "held" / "notes.txt").read_text() == "mine"


def test_what_was_checked_opens_the_job_that_its_configuration_opens(folder: Path) -> None:
    config = written(folder, {})
    given = check_given("run", config, folder / "run")
    assert given.input_bytes == (folder / "pages.jsonl").stat().st_size
    assert open_job("run", given, None).identity == open_job("run", config, folder / "run").identity


def test_commands_say_mistakes_before_they_load_what_computes(folder: Path) -> None:
    bad = str(written(folder, source(paths=["*.parquet"])))
    absent = str(folder / "absent")
    calls = [[name, bad] for name in ("run", "audit")]
    calls += [["pilot", bad, "--target-documents", "1000"], ["dedupe", absent, "--out", str(folder / "out")]]
    calls += [["top-up", absent, "--consumed", "0", "--candidates", bad, "--tokens", "10"]]
    calls += [[name, absent] for name in ("gate", "verify", "report", "profile", "plan", "what-if")]
    calls += [["find", absent, "a:1"], ["diff", absent, absent], ["publish", absent, str(folder / "to")]]
    calls += [["trial", absent, "--ids", absent], ["export", absent, "--out", str(folder / "out")]]
    calls += [["takedown", absent, "--exclude", absent, "--out", str(folder / "out")]]
    program = "import sys\nargs = sys.argv\n" + "\n".join(f"sys.argv[1:] = {call!r}\n{PROGRAM}" for call in calls)
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["2"] * len(calls), done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert not (folder / "out").exists()
