"""The command line as a process: exit codes, errors, and output for machines."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from polyculture.errors import ConfigError
from polyculture.job import open_job
from tests.conftest import Command, Ended
from tests.support.corpora import three_kinds, write_config


def test_no_arguments_show_help_and_an_unknown_command_is_usage(command: Command) -> None:
    assert "Usage" in command().stdout
    assert command("curate").returncode == 2
    assert command("run").returncode == 2
    assert command("--version").stdout.startswith("polyculture 0.")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda config, _: config["sources"][0].update(paths=["http://169.254.169.254/x"]), "://"),
        (lambda config, _: config["sources"][0].update(paths=["/dev/zero"]), "/dev/zero"),
        (lambda config, folder: os.mkfifo(folder / "pipe") or config["sources"][0].update(paths=["pipe"]), "FIFO"),
        (lambda config, _: config.update(tokenizer={"path": "none.json"}), "tokenizer.path"),
        (lambda config, _: config.update(tokenizer={"path": "config.yaml"}), "tokenizer.json"),
    ],
)
def test_what_cannot_work_is_refused_before_it_starts(  # type: ignore[no-untyped-def]  # a table of small changes
    change, words: str, tmp_path: Path
) -> None:
    config = three_kinds(tmp_path)
    change(config, tmp_path)
    with pytest.raises(ConfigError, match=re.escape(words)):
        open_job("run", write_config(tmp_path, config), tmp_path / "run")
    assert not (tmp_path / "run" / "manifest.json").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sedd": 1}, "did you mean 'seed'?"),
        ({"sources": [{"name": "pages", "kind": "web", "paths": ["nowhere.jsonl"]}]}, "nowhere.jsonl"),
    ],
)
def test_a_refusal_is_told_in_words(change: dict[str, object], words: str, tmp_path: Path, command: Command) -> None:
    path = write_config(tmp_path, three_kinds(tmp_path) | change)
    result = command("run", path, "--out", tmp_path / "run")
    assert result.returncode == 2, result.stdout + result.stderr
    assert words in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "run" / "manifest.json").exists()


def test_a_missing_configuration_is_named(tmp_path: Path, here: Callable[..., Ended]) -> None:
    result = here("run", tmp_path / "none.yaml")
    assert result.returncode == 2
    assert "none.yaml" in result.stderr


def test_an_output_folder_of_other_files_is_refused(tmp_path: Path, command: Command) -> None:
    path = write_config(tmp_path, three_kinds(tmp_path))
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "draft.txt").write_text("years of work")
    result = command("run", path, "--out", tmp_path / "thesis")
    assert result.returncode == 2
    assert "holds other files" in result.stderr
    inside = command("run", path, "--out", tmp_path)
    assert inside.returncode == 2
    assert "holds an input of source" in inside.stderr
    assert (tmp_path / "thesis" / "draft.txt").read_text() == "years of work"


@pytest.mark.parametrize("name", ["verify", "report", "gate", "what-if", "plan"])
def test_a_folder_that_is_no_run_is_named(name: str, tmp_path: Path, here: Callable[..., Ended]) -> None:
    result = here(name, tmp_path)
    assert result.returncode == 2
    assert "not a finished run" in result.stderr


def test_machines_read_json_and_the_report_is_rendered_again(tmp_path: Path, command: Command) -> None:
    result = command("run", write_config(tmp_path, three_kinds(tmp_path)), "--out", tmp_path / "run", "--json")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["verdict"] == "GO"
    index = tmp_path / "run" / "report" / "index.html"
    before = index.read_bytes()
    index.unlink()
    report = command("report", tmp_path / "run", "--json")
    assert json.loads(report.stdout)["report"] == str(index)
    assert index.read_bytes() == before
    verify = command("verify", tmp_path / "run", "--json")
    assert json.loads(verify.stdout) == {"run": str(tmp_path / "run"), "is_whole": True, "problems": []}


def test_hostile_names_reach_terminal_and_report_as_text_only(tmp_path: Path, command: Command) -> None:
    config = three_kinds(tmp_path)
    hostile = "\x1b]0;owned\x07\u202e<script>alert(1)</script>.jsonl"
    (tmp_path / hostile.replace("/", "_")).write_text("{broken\n")
    config["sources"].append({"name": "bad", "kind": "web", "paths": ["*script*"]})  # type: ignore[attr-defined]
    result = command("run", write_config(tmp_path, config), "--out", tmp_path / "run")
    assert result.returncode == 3, result.stderr
    assert "\x1b]0" not in result.stdout + result.stderr
    assert "\u202e" not in result.stdout + result.stderr
    page = (tmp_path / "run" / "report" / "index.html").read_text()
    assert "<script" not in page
    assert "\u202e" not in page


def test_paths_whose_bytes_are_not_utf_8_are_refused_or_shown(tmp_path: Path, command: Command) -> None:
    config = write_config(tmp_path, three_kinds(tmp_path))
    refused = command("run", config, "--out", tmp_path / "caf\udce9")
    assert refused.returncode == 2
    assert "is not UTF-8" in refused.stderr
    renamed = config.rename(tmp_path / "caf\udce9.yaml")
    done = command("run", renamed, "--out", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    assert "caf\\xe9.yaml" in (tmp_path / "run" / "state" / "journal.jsonl").read_text().replace("\\\\", "\\")


def test_a_prefect_server_that_does_not_answer_is_named(tmp_path: Path, command: Command) -> None:
    path = write_config(tmp_path, three_kinds(tmp_path))
    result = command("run", path, "--out", tmp_path / "run", PREFECT_API_URL="http://127.0.0.1:9/api")
    assert result.returncode == 1
    *_, line = result.stderr.strip().splitlines()
    assert line.startswith("error: PREFECT_API_URL: http://127.0.0.1:9/api does not answer: connection refused")
    assert "unset PREFECT_API_URL to run without a server" in line
    assert not (tmp_path / "run").exists()
