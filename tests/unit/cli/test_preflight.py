"""A command in poor surroundings works, or says the cause and the cure in a line, in processes of its own."""

import json
import os
import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path
from tempfile import mkdtemp

import pytest

from cli.preflight import check_machine
from tests.support.processes import ROOT

NOBODY = 65_534
CALL = "from cli.main import main; import sys; main(sys.argv[1:])"


def ended(code: str, *arguments: str | Path, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "pages.jsonl").write_text('{"id": "1", "text": "a text of some words"}\n')
    source = {"name": "pages", "kind": "web", "paths": ["pages.jsonl"], "license": "MIT"}
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"name": "small", "sources": [source]}))
    return path


def test_too_few_open_files_are_said_before_the_work(config: Path) -> None:
    limit = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)); "
    done = ended(limit + CALL, "run", config, "--out", config.parent / "run")
    assert done.returncode == 2
    assert "open files: 256 are needed, the limit is 64; raise it with `ulimit -Hn`" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_for_kernels_that_cannot_be_used_is_said_before_the_work(config: Path) -> None:
    folder = config / "kernels"  # below a file
    done = ended(CALL, "run", config, "--out", config.parent / "run", NUMBA_CACHE_DIR=str(folder))
    assert done.returncode == 2
    assert f"NUMBA_CACHE_DIR: cannot write to {folder}" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_terminal_that_lacks_characters_shows_them_escaped(tmp_path: Path, encoding: str) -> None:
    done = ended(CALL, "verify", tmp_path / "ü→", LC_ALL="C", PYTHONIOENCODING=encoding)
    assert done.returncode == 2
    assert "is not a finished run" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_another_user_without_a_home_keeps_kernels_of_a_read_only_package(request: pytest.FixtureRequest) -> None:
    folder = Path(mkdtemp(prefix="another-user-"))  # those of tests lie where only root reads
    request.addfinalizer(lambda: shutil.rmtree(folder))
    copy, scratch = folder / "copy", folder / "scratch"
    for name in ("polyculture", "schemas"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    scratch.mkdir()
    scratch.chmod(0o777)
    folder.chmod(0o755)
    # The interpreter and its libraries may lie where only root reads; the package is imported by the other user.
    code = (
        "import os, hashlib, tempfile, numba, numba.extending, numba.core.cgutils, numpy\n"
        f"os.setgid({NOBODY}); os.setuid({NOBODY})\n"
        "import polyculture.compute.compiled; print(numba.config.CACHE_DIR)"
    )
    done = ended(code, cwd=copy, PYTHONPATH=str(copy), HOME="/nonexistent", XDG_CACHE_HOME="", TMPDIR=str(scratch))
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).parent == scratch


def test_a_disk_that_is_rather_full_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("cli.preflight.shutil.disk_usage", lambda _: usage(10**12, 0, 10**9))
    check_machine(tmp_path / "run", 10**8)
    assert capsys.readouterr().err == ""
    check_machine(tmp_path / "run", 10**9)
    assert "1.0 GB are free, and a run over 1.0 GB of files takes about 3.0 GB" in capsys.readouterr().err


def test_without_semaphores_a_line_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("cli.preflight.why_no_workers", lambda: "no semaphores")
    check_machine(tmp_path, 0)
    assert capsys.readouterr().err == "warning: no semaphores; the work is done in one process\n"
