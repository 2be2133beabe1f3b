"""Many small files: they share parts, and cost what one file of the same text costs; a broken one costs itself."""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from polyculture.compute.executor import Executor
from polyculture.compute.in_process import InProcess
from polyculture.compute.local import Local
from polyculture.deduplication import request, standalone
from polyculture.deduplication.index import read_manifest
from polyculture.deduplication.request import WORK, DedupeJob, held_output
from polyculture.deduplication.search import Workplace
from polyculture.deduplication.standalone import dedupe_files
from polyculture.errors import OutputError, RunInUseError
from polyculture.sources.files import gather_files
from polyculture.sources.record import InputFile
from schemas.dedupe import DedupeSummary
from schemas.dedupe_config import NearConfig
from schemas.documents import Kind
from schemas.source_config import SourceConfig
from tests.conftest import Ended
from tests.support.corpora import tree_digests

FILES = 60
CUT, NOT_JSON = 7, 31  # files that are broken, among whole ones


def line(number: int) -> bytes:
    words = " ".join(f"word{number * 7 + i}" for i in range(20))
    return json.dumps({"id": str(number), "text": words}).encode() + b"\n"


def write_files(folder: Path, count: int = FILES) -> None:
    """Whole files of a document each, the last one equal to the first, with broken ones among them."""
    folder.mkdir()
    for number in range(count):
        (folder / f"f{number:04}.jsonl").write_bytes(line(number if number < count - 1 else 0))
    (folder / f"f{CUT:04}.jsonl").write_bytes(line(CUT) + line(1000)[:30])
    (folder / f"f{NOT_JSON:04}.jsonl").write_bytes(b"{broken\n" + line(NOT_JSON))


def run(folder: Path, out: Path, executor: Executor | None = None) -> DedupeSummary:
    job = DedupeJob(
        SourceConfig(name="input", kind=Kind.WEB, paths=(folder.name,)), NearConfig(), out, folder=folder.parent
    )
    with executor or InProcess() as workers:
        return dedupe_files(job, workers, Workplace(out.parent / f"{out.name}-work", 1))


def rows(folder: Path) -> list[dict[str, object]]:
    found: list[dict[str, object]] = pa.concat_tables([pq.read_table(p) for p in sorted(folder.glob("*"))]).to_pylist()
    return found


@pytest.mark.parametrize("part_bytes", [1000, 2**22])
def test_a_broken_file_costs_itself_and_is_named(
    part_bytes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standalone, "PART_BYTES", part_bytes)
    write_files(tmp_path / "in")
    summary = run(tmp_path / "in", tmp_path / "out")
    names = [f"in/f{number:04}.jsonl" for number in range(FILES)]
    assert [file.file for file in summary.files] == names
    assert [file.documents for file in summary.files] == [1] * FILES
    bad = [(file.file, file.quarantined) for file in summary.files if file.quarantined or file.is_tail_lost]
    assert bad == [(names[CUT], 1), (names[NOT_JSON], 1)]
    assert [row["file"] for row in rows(tmp_path / "out" / "quarantined")] == [names[CUT], names[NOT_JSON]]
    assert [(row["file"], row["kept_file"]) for row in rows(tmp_path / "out" / "removed")] == [(names[-1], names[0])]
    assert [row["file"] for row in rows(tmp_path / "out" / "kept")] == names[:-1]
    for file in summary.files:
        kept = pq.read_table(tmp_path / "out" / "kept" / file.part)["file"].to_pylist()
        assert kept.count(file.file) == file.kept
    assert len({file.part for file in summary.files}) == (1 if part_bytes > 2**20 else 12)


def test_what_is_made_durable_does_not_grow_with_the_number_of_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    real = os.fsync

    def counted(descriptor: int) -> None:
        calls.append(descriptor)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", counted)
    counts = []
    for number, files in enumerate((40, 400)):
        write_files(tmp_path / f"in{number}", files)
        calls.clear()
        run(tmp_path / f"in{number}", tmp_path / f"out{number}")
        counts.append(len(calls))
    assert counts[0] == counts[1] < 40


def test_the_bytes_depend_on_no_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standalone, "PART_BYTES", 1000)
    write_files(tmp_path / "in")
    run(tmp_path / "in", tmp_path / "a")
    run(tmp_path / "in", tmp_path / "b", Local(2))
    assert tree_digests(tmp_path / "a") == tree_digests(tmp_path / "b")


def test_files_are_gathered_in_order_and_a_large_one_stands_alone() -> None:
    sizes = [10, 0, 50, 41, 200, 0, 100, 1]
    files = [InputFile(Path(str(i)), str(i), "", size) for i, size in enumerate(sizes)]
    groups = [[file.size_bytes for file in group] for group in gather_files(files, 100)]
    assert groups == [[10, 0, 50], [41], [200], [0, 100], [1]]
    assert gather_files([], 100) == []


def left_by_a_kill(out: Path) -> None:
    """A folder as a run leaves it that is killed while it writes its parts."""
    for name in (".work/near", "kept", "removed", "quarantined"):
        (out / name).mkdir(parents=True)
    (out / ".work" / "00000.spool").write_bytes(b"torn")
    for number in range(3):  # more of them than the run will write
        (out / "kept" / f"part-{number:05}.parquet").write_bytes(b"of a run that did not end")


def test_a_killed_run_begins_again_and_ends_in_the_same_bytes(here: Callable[..., Ended], tmp_path: Path) -> None:
    write_files(tmp_path / "in")
    left_by_a_kill(tmp_path / "killed")
    for name in ("whole", "killed"):
        ended = here("dedupe", tmp_path / "in", "--out", tmp_path / name, "--workers", "1")
        assert ended.returncode == 0, ended.stderr
    assert tree_digests(tmp_path / "killed") == tree_digests(tmp_path / "whole")
    assert sorted(path.name for path in (tmp_path / "killed").iterdir()) == [
        "dedupe.json",
        "kept",
        "quarantined",
        "removed",
    ]
    again = here("dedupe", tmp_path / "in", "--out", tmp_path / "killed")
    assert (again.returncode, "not an empty folder" in again.stderr) == (2, True)


def test_a_run_that_fails_leaves_a_folder_that_the_same_command_may_use(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()

    def fail() -> None:
        with request.held_output(out):
            (out / "kept").mkdir()
            raise OutputError("the disk is full")

    with pytest.raises(OutputError):
        fail()
    assert not list(out.iterdir())
    assert request.is_fit_for_output(out)


def test_two_runs_do_not_fill_one_folder(tmp_path: Path) -> None:
    with request.held_output(tmp_path), pytest.raises(RunInUseError, match="in use"), request.held_output(tmp_path):
        pass


@pytest.mark.parametrize(
    ("names", "is_fit"),
    [
        ([], True),
        ([".work"], True),
        ([".work", "kept"], True),
        (["kept"], False),
        ([".work", "mine"], False),
        ([".work", "dedupe.json"], False),
    ],
)
def test_only_what_an_unfinished_run_left_may_be_in_the_folder(
    names: Sequence[str], is_fit: bool, tmp_path: Path
) -> None:
    for name in names:
        (tmp_path / name).mkdir()
    assert request.is_fit_for_output(tmp_path) is is_fit


@pytest.mark.parametrize("is_killed", [False, True])
@pytest.mark.parametrize("had_index", [False, True])
def test_a_run_that_does_not_end_leaves_nothing_in_the_index(
    is_killed: bool, had_index: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Begun again, it would find its own documents there, and keep none."""
    write_files(tmp_path / "monday")
    (tmp_path / "sunday").mkdir()
    (tmp_path / "sunday" / "texts.jsonl").write_bytes(line(2) + line(5000))
    index = tmp_path / "index"

    def indexed(folder: str, out: Path, work: Path) -> DedupeSummary:
        source = SourceConfig(name="input", kind=Kind.WEB, paths=(folder,))
        against = ("index",) if (index / "index.json").exists() else ()
        job = DedupeJob(source, NearConfig(), out, against, index=index, folder=tmp_path)
        with InProcess() as workers:
            return dedupe_files(job, workers, Workplace(work, 1))

    def whole(folder: str, out: Path) -> DedupeSummary:
        out.mkdir(exist_ok=True)
        with held_output(out) as work:
            return indexed(folder, out, work)

    def full(*_: object) -> None:
        raise OutputError("no space left")

    if had_index:
        whole("sunday", tmp_path / "before")
    parts = len(read_manifest(index).parts) if had_index else 0
    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(standalone, "write_outcome", full)
        work = out / WORK
        work.mkdir(parents=True)
        with pytest.raises(OutputError):  # a kill clears up nothing
            indexed("monday", out, work) if is_killed else whole("monday", out)
    kept = sum(file.kept for file in whole("monday", out).files)
    assert kept == FILES - 1 - had_index  # one repeats another, one was kept on Sunday
    found = read_manifest(index).parts
    assert len(found) == parts + 1
    assert sum(part.documents for part in found) == kept + 2 * had_index
