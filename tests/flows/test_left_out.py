"""Side files, and files that are not read: both are named wherever a command says what it read."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

import polyculture
from schemas.accounts import SourceAccount
from schemas.dedupe import DedupeSummary
from schemas.manifest import Manifest
from schemas.verdict import CheckResult, Verdict
from tests.conftest import Command, Ended
from tests.support.corpora import three_kinds, write_config
from tests.support.snapshot import DOCUMENTS, LAYOUTS, LOST, SIDE_FILES, write_layout, write_snapshot


def named(folder: str, side_files: Mapping[str, list[str]] = SIDE_FILES) -> dict[str, list[str]]:
    return {why: [f"{folder}/{name}" for name in names] for why, names in side_files.items()}


def counted(names: list[str]) -> str:
    return "1 side file" if len(names) == 1 else f"{len(names)} side files"


@dataclass(frozen=True)
class Done:
    """A run over the snapshot and every layout, each a source of its own."""

    folder: Path
    ended: Ended
    manifest: Manifest
    checks: list[CheckResult]

    def account(self, source: str) -> SourceAccount:
        (account,) = [account for account in self.manifest.conservation if account.name == source]
        return account

    def said(self, check: str, source: str) -> list[str]:
        return [c.message for c in self.checks if c.name == check and c.message.startswith(f"{source}: ")]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Done:
    folder = tmp_path_factory.mktemp("layouts")
    write_snapshot(folder / "hub")
    config = three_kinds(folder)
    web = [{"name": "hub", "kind": "web", "paths": ["hub"], "chat_template": "{role}: {content}"}]
    for layout in LAYOUTS:
        write_layout(folder / layout, layout)
        web.append({"name": layout, "kind": "web", "paths": [layout]})
    config["sources"] = [*web, *config["sources"][1:]]  # type: ignore[index]
    ended = Command()("run", write_config(folder, config), "--out", folder / "run")
    assert ended.returncode == 3, ended.stdout + ended.stderr
    manifest = Manifest.model_validate_json((folder / "run" / "manifest.json").read_bytes())
    verdict = Verdict.model_validate_json((folder / "run" / "verdict.json").read_bytes())
    return Done(folder, ended, manifest, list(verdict.checks))


def test_a_run_names_side_files_and_a_pointer_in_output_verdict_and_manifest(done: Done) -> None:
    account = done.account("hub")
    assert {left.why: left.names for left in account.left_out} == named("hub")
    assert {left.why: left.files for left in account.left_out} == {why: len(of) for why, of in SIDE_FILES.items()}
    documents = {file.name: file.documents for file in account.files}
    assert documents == {f"hub/{name}": count for name, count in (DOCUMENTS | {LOST: 0}).items()}
    for why, names in named("hub").items():
        (line,) = [line for line in done.said("side_files", "hub") if why in line]
        assert line.endswith(", ".join(names))
        assert line in done.ended.stdout
    (loss,) = done.said("truncated_input", "hub")
    assert f"hub/{LOST}" in loss
    assert "git lfs pull" in loss
    assert loss in " ".join(done.ended.stdout.split())


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_run_and_deduplication_leave_out_and_name_the_same(
    done: Done, here: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, layout: str
) -> None:
    beside, data, pointers = LAYOUTS[layout]
    monkeypatch.chdir(done.folder)
    ended = here("dedupe", layout, "--out", tmp_path / "out", "--allow-empty")
    assert ended.returncode == 0, ended.stderr
    summary = DedupeSummary.model_validate_json((tmp_path / "out" / "dedupe.json").read_bytes())
    account = done.account(layout)
    assert {left.why: left.names for left in account.left_out} == named(layout, beside)
    assert list(summary.left_out) == account.left_out
    for left in account.left_out:
        assert f"{layout}: {left.line}" in done.said("side_files", layout)
        assert left.line in ended.stdout.splitlines()
    read = {file.file: (file.documents, file.format, file.loss) for file in summary.files}
    assert read == {file.name: (file.documents, file.format, file.loss) for file in account.files}
    assert sorted(name for name, (documents, _, _) in read.items() if documents) == sorted(
        f"{layout}/{n}" for n in data
    )
    for name in pointers:
        documents, format_, loss = read[f"{layout}/{name}"]
        assert (documents, format_) == (0, "unknown")
        assert "git lfs pull" in loss
        assert any(line.startswith(f"{layout}/{name}: is not read: ") for line in ended.stdout.splitlines())


def test_deduplicating_names_them_too(command: Command, tmp_path: Path) -> None:
    write_snapshot(tmp_path / "hub")
    write_snapshot(tmp_path / "other")
    asked = ("dedupe", "hub", "--against", "other", "--allow-empty")
    done = command(*asked, "--out", tmp_path / "out", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    summary = json.loads((tmp_path / "out" / "dedupe.json").read_text())
    for key, folder, label in (("left_out", "hub", ""), ("against_left_out", "other", "--against: ")):
        assert {left["why"]: left["names"] for left in summary[key]} == named(folder)
        for why, names in named(folder).items():
            said = f"{label}{counted(names)} left out, {why}: {', '.join(names)}"
            assert said in done.stdout.splitlines()
    for key, folder in (("files", "hub"), ("against_files", "other")):
        (lost,) = [file for file in summary[key] if file["is_tail_lost"]]
        assert (lost["file"], lost["documents"], lost["format"]) == (f"{folder}/{LOST}", 0, "unknown")
        assert "git lfs pull" in lost["loss"]
        (line,) = [line for line in done.stdout.splitlines() if line.startswith(f"{folder}/{LOST}: ")]
        assert f"is not read: {lost['loss']}" in line
        (archive,) = [file for file in summary[key] if file["file"] == f"{folder}/data/part.tar"]
        assert archive["left_out"][0]["names"] == [f"{folder}/data/part.tar!README.md"]


def test_a_file_that_is_not_read_is_an_error_that_says_why(here: Callable[..., Ended], tmp_path: Path) -> None:
    write_snapshot(tmp_path / "hub")
    done = here("dedupe", tmp_path / "hub", "--out", tmp_path / "out")
    assert done.returncode == 1
    (line,) = [line for line in done.stderr.splitlines() if LOST in line]
    assert "git lfs pull" in line


def test_what_was_deduplicated_is_data_and_its_byproducts_are_named(here: Callable[..., Ended], tmp_path: Path) -> None:
    write_snapshot(tmp_path / "hub")
    first = here("dedupe", tmp_path / "hub" / "data" / "rows.csv", "--out", tmp_path / "made" / "once")
    second = here("dedupe", tmp_path / "made", "--out", tmp_path / "twice", "--json")
    assert (first.returncode, second.returncode) == (0, 0)
    summary = json.loads(second.stdout)
    (left,) = summary["left_out"]
    assert (left["files"], summary["documents"]) == (3, 40)
    assert "only kept/ is data" in left["why"]


def test_python_names_them_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_snapshot(tmp_path / "hub")
    monkeypatch.chdir(tmp_path)
    found = polyculture.dedupe("hub")
    assert {left.why: left.names for left in found.summary.left_out} == named("hub")
    shown = " ".join(repr(found).split())
    for why, names in named("hub").items():
        assert f"{counted(names)} left out, {why}: " in shown
    assert polyculture.dedupe(pl.DataFrame({"text": ["one text", "another text"]})).summary.left_out == ()
