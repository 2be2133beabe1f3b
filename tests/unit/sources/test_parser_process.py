"""Many small columnar files: one child reads them, and what becomes of a file depends on no other."""

import subprocess
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from polyculture.sources import isolated, parser_process
from polyculture.sources.parser_process import parser_kept
from schemas.source_config import LimitsConfig
from tests.unit.sources.helpers import Outcome, arrow_stream, parquet, read

FILES = 12
CUT = 5


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> list["subprocess.Popen[bytes]"]:
    """Child processes, as they are started."""
    started: list[subprocess.Popen[bytes]] = []
    start = subprocess.Popen

    def watched(*args: Any, **options: Any) -> "subprocess.Popen[bytes]":
        started.append(start(*args, **options))
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", watched)
    return started


def texts_of(number: int) -> list[str]:
    return [f"Text {row} of file {number}." for row in range(4)]


def contents() -> list[bytes]:
    """Whole files of two formats, and one that is cut."""
    tables = [pa.table({"text": texts_of(number)}) for number in range(FILES)]
    files = [(arrow_stream if number % 3 == 0 else parquet)(table) for number, table in enumerate(tables)]
    files[CUT] = files[CUT][:-20]
    return files


def read_all(folder: Path) -> list[Outcome]:
    found = []
    for number, data in enumerate(contents()):
        (folder / str(number)).mkdir()
        found.append(read(folder / str(number), "a.bin", data))
    return found


def test_a_child_reads_many_files_and_a_broken_one_costs_itself(
    tmp_path: Path, children: list["subprocess.Popen[bytes]"]
) -> None:
    (tmp_path / "apart").mkdir()
    (tmp_path / "kept").mkdir()
    apart = read_all(tmp_path / "apart")
    assert len(children) == FILES
    children.clear()
    with parser_kept():
        kept = read_all(tmp_path / "kept")
        assert sum(child.poll() is None for child in children) == 1
    assert len(children) == 3  # the first one, one that says what is wrong with the broken file, one for those behind
    assert all(child.poll() is not None for child in children)
    assert [found.slots for found in kept] == [found.slots for found in apart]
    assert [bool(found.rejections) for found in kept] == [number == CUT for number in range(FILES)]
    assert [found.texts for found in kept] == [texts_of(n) if n != CUT else [] for n in range(FILES)]


@pytest.mark.parametrize("fault", ["os.abort()", "time.sleep(60)", "sys.stdout.buffer.write(b'junk' * 9)"])
def test_a_file_does_not_pay_for_what_another_one_did_to_its_parser(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, children: list["subprocess.Popen[bytes]"], fault: str
) -> None:
    (tmp_path / "isolated.py").write_text(
        "import os, runpy, sys, time\n"
        f"real = runpy.run_path({isolated.__file__!r})\n"
        "send, requests, batches = real['send'], [], []\n"
        "def answer(written):\n"
        "    requests.append(written)\n"
        "    real_answer(written)\n"
        "def failing(kind, payload):\n"
        "    batches.append(kind)\n"
        "    if len(requests) == 2 and batches[-2:] == [b'B', b'B']:\n"
        f"        {fault}\n"
        "        sys.stdout.buffer.flush()\n"
        "    send(kind, payload)\n"
        "names = real['main'].__globals__\n"
        "real_answer, names['answer'], names['send'] = real['answer'], answer, failing\n"
        "real['main'](sys.argv[1:])\n"
    )
    monkeypatch.setattr(parser_process, "__file__", str(tmp_path / "parser_process.py"))
    texts = [f"Text {row}." for row in range(3 * isolated.MAX_ROWS)]
    data = parquet(pa.table({"text": texts}))
    limits = LimitsConfig(max_parser_seconds=3)
    with parser_kept():
        first, second = (read(tmp_path, "a.bin", data, limits=limits) for _ in range(2))
    assert first.slots == second.slots
    assert (second.texts, second.rejections) == (texts, [])
    assert len(children) == 2


def test_a_child_that_has_sent_much_ends_with_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, children: list["subprocess.Popen[bytes]"]
) -> None:
    monkeypatch.setattr(parser_process, "KEPT_BYTES", 1000)
    with parser_kept():
        for _ in range(2):
            assert read(tmp_path, "a.bin", parquet(pa.table({"text": ["x" * 2000]}))).texts == ["x" * 2000]
            assert children[-1].poll() is not None
    assert len(children) == 2
