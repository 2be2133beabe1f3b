"""How a file comes to be: the order of the system's calls, and what is left when one of them fails."""

import errno
import hashlib
import os
from pathlib import Path

import pytest

from polyculture.errors import ConfigError, OutputError, RunInUseError
from polyculture.storage.commit import make_folder, remove, writing
from polyculture.storage.run_directory import RunDirectory
from tests.support.failpoints.sitecustomize import RECORD, Failpoints

BIG = bytes(range(256)) * 1024  # 256 KiB: written as it comes, not gathered


class Steps:
    """Calls of this process under a folder, as they are made."""

    def __init__(self, root: Path, trace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.plan = {"root": str(root), "trace": str(trace), "at": None, "act": ""}
        self.trace, self.patch = trace, monkeypatch

    def fail(self, act: str, at: int | None) -> None:
        self.patch.undo()
        self.trace.unlink(missing_ok=True)
        points = Failpoints(self.plan | {"act": act, "at": at})
        for name in points.real:
            self.patch.setattr(os, name, points._stand_in(name))

    def seen(self) -> list[str]:
        data = self.trace.read_text() if self.trace.exists() else ""
        lines = [data[i : i + RECORD].strip() for i in range(0, len(data), RECORD)]
        return [line.partition(" ")[0] + (" folder" if ".tmp-" not in line else " file") for line in lines]


@pytest.fixture
def steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Steps:
    (tmp_path / "run").mkdir()
    return Steps(tmp_path / "run", tmp_path / "trace", monkeypatch)


def put(path: Path, *pieces: bytes, is_exclusive: bool = False) -> str:
    with writing(path, is_exclusive=is_exclusive) as stream:
        for piece in pieces:
            stream.write(piece)
    return stream.digest(path.parent).sha256


def test_bytes_are_durable_before_they_have_a_name_and_the_name_before_anything_follows(
    tmp_path: Path, steps: Steps
) -> None:
    steps.fail("", None)
    digest = put(tmp_path / "run" / "data", b"small", BIG, b"end")
    expected = ["open file", *["write file"] * 3, "fsync file", "replace file", "open folder", "fsync folder"]
    assert steps.seen() == expected
    written = (tmp_path / "run" / "data").read_bytes()
    assert written == b"small" + BIG + b"end"
    assert digest == hashlib.sha256(written).hexdigest()


def test_a_record_is_linked_and_a_taken_name_is_never_replaced(tmp_path: Path, steps: Steps) -> None:
    steps.fail("", None)
    put(tmp_path / "run" / "record", b"mine", is_exclusive=True)
    assert steps.seen()[-5:] == ["fsync file", "link file", "unlink file", "open folder", "fsync folder"]
    with pytest.raises(RunInUseError, match="another process"):
        put(tmp_path / "run" / "record", b"other", is_exclusive=True)
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["record"]
    assert (tmp_path / "run" / "record").read_bytes() == b"mine"


def test_folders_and_deletions_are_durable_too(tmp_path: Path, steps: Steps) -> None:
    steps.fail("", None)
    make_folder(tmp_path / "run" / "a" / "b")
    assert steps.seen() == ["mkdir folder", "open folder", "fsync folder"] * 2
    steps.fail("", None)
    (tmp_path / "run" / "old").write_bytes(b"old")
    remove(tmp_path / "run" / "old")
    remove(tmp_path / "run" / "old")
    assert steps.seen() == ["unlink folder", "open folder", "fsync folder"]


def failure_of(path: Path) -> str | None:
    try:
        put(path, b"small", BIG)
    except OutputError as error:
        return str(error)
    return None


@pytest.mark.parametrize("act", ["ENOSPC", "EIO", "EINTR", "EDQUOT"])
def test_whichever_call_fails_the_name_holds_all_or_what_it_held(tmp_path: Path, steps: Steps, act: str) -> None:
    path = tmp_path / "run" / "data"
    for at in range(100):
        path.write_bytes(b"before")
        steps.fail(act, at)
        message = failure_of(path)
        if message is None:
            break
        assert str(tmp_path / "run") in message
        assert os.strerror(getattr(errno, act)) in message
        assert ("free space" in message) == (act in ("ENOSPC", "EDQUOT"))
        assert "run the same command again" in message
        assert path.read_bytes() in (b"before", b"small" + BIG)
        assert [p.name for p in path.parent.iterdir()] == ["data"]
    assert at == len(steps.seen()) == 7  # every call was made to fail, and then none


def test_a_short_write_is_continued(tmp_path: Path, steps: Steps) -> None:
    steps.fail("short", 1)
    digest = put(tmp_path / "run" / "data", BIG)
    assert steps.seen().count("write file") == 2
    assert hashlib.sha256((tmp_path / "run" / "data").read_bytes()).hexdigest() == digest
    assert digest == hashlib.sha256(BIG).hexdigest()


def test_a_block_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(TypeError), writing(tmp_path / "data") as stream:  # noqa: PT012 -- the block is what is tested
        put(tmp_path / "other", BIG)
        stream.write(b"half")
        stream.write("no bytes")
    (tmp_path / "other").unlink()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_where_names_cannot_be_linked_is_refused_before_work_starts(tmp_path: Path, steps: Steps) -> None:
    steps.fail("", None)
    with RunDirectory(tmp_path / "run").lock():
        pass
    number = steps.seen().index("link file")
    steps.fail("EPERM", number)
    with (
        pytest.raises(ConfigError, match=r"Operation not permitted.*choose another folder"),
        RunDirectory(tmp_path / "run").lock(),
    ):
        pass


def test_leftovers_of_dead_runs_are_cleared_and_a_taken_lock_is_said(tmp_path: Path) -> None:
    directory = RunDirectory(tmp_path / "run")
    directory.shards.mkdir(parents=True)
    (directory.shards / ".tmp-1-00000000-train-00000-of-00001.arrow").write_bytes(b"half")
    with directory.lock():
        assert list(directory.shards.iterdir()) == []
        with pytest.raises(RunInUseError, match="in use"), directory.lock():
            pass
    with directory.lock():
        pass


def test_of_two_that_commit_one_step_one_loses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = RunDirectory(tmp_path)
    (tmp_path / "file").write_bytes(b"x")
    directory.commit_step("s", "old", [tmp_path / "file"], {})
    directory.commit_step("s", "key", [tmp_path / "file"], {"n": 1})  # a void record is replaced
    assert directory.finished_step("s", "key") == {"n": 1}
    monkeypatch.setattr("polyculture.storage.run_directory.remove", lambda _: None)  # the other commits after the look
    with pytest.raises(RunInUseError):
        directory.commit_step("s", "key", [tmp_path / "file"], {"n": 2})
    assert directory.finished_step("s", "key") == {"n": 1}
    (tmp_path / "file").write_bytes(b"y")
    assert directory.finished_step("s", "key") is None
