import os
import tempfile
from pathlib import Path

import pytest

from polyculture.compute.kernel_cache import VARIABLE, has_kernels, kernel_folder
from polyculture.errors import ConfigError


@pytest.fixture
def nowhere(tmp_path: Path) -> Path:
    """A path below which no folder can be made, whoever asks."""
    path = tmp_path / "file"
    path.write_text("")
    return path


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_kernels_lie_beside_the_code_or_in_the_users_cache_where_they_can(tmp_path: Path, nowhere: Path) -> None:
    assert kernel_folder({"XDG_CACHE_HOME": str(nowhere)}, tmp_path) == ""
    assert kernel_folder({"XDG_CACHE_HOME": str(tmp_path / "cache")}, nowhere) == ""


def test_else_they_lie_in_a_private_folder_that_is_the_same_each_time(nowhere: Path, scratch: Path) -> None:
    folders = {kernel_folder({"XDG_CACHE_HOME": str(nowhere)}, nowhere) for _ in range(2)}
    (folder,) = map(Path, folders)
    assert folder.parent == scratch
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_others_may_write_to_is_not_taken(nowhere: Path, scratch: Path) -> None:
    folder = Path(kernel_folder({"XDG_CACHE_HOME": str(nowhere)}, nowhere))
    folder.chmod(0o777)
    with pytest.raises(ConfigError, match="other people can write to it"):
        kernel_folder({"XDG_CACHE_HOME": str(nowhere)}, nowhere)
    folder.rmdir()
    folder.symlink_to(scratch)
    with pytest.raises(ConfigError, match="no kernels are loaded"):
        kernel_folder({"XDG_CACHE_HOME": str(nowhere)}, nowhere)


def test_the_folder_that_is_named_is_taken_or_refused(tmp_path: Path, nowhere: Path) -> None:
    assert kernel_folder({VARIABLE: str(tmp_path / "own")}, nowhere) == str(tmp_path / "own")
    with pytest.raises(ConfigError, match=f"{VARIABLE}: cannot write to"):
        kernel_folder({VARIABLE: str(nowhere / "own")}, tmp_path)


def test_without_any_folder_the_cure_is_named(tmp_path: Path, nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(nowhere))
    with pytest.raises(ConfigError, match=f"set {VARIABLE} to a folder"):
        kernel_folder({"XDG_CACHE_HOME": str(nowhere)}, nowhere)
    assert os.listdir(tmp_path) == ["file"]  # noqa: PTH208


def test_it_is_known_whether_anything_was_compiled_before(tmp_path: Path) -> None:
    environment = {VARIABLE: str(tmp_path / "kernels")}
    assert not has_kernels(environment)
    (tmp_path / "kernels" / "module_1a2b").mkdir()
    (tmp_path / "kernels" / "module_1a2b" / "fold.walk-1.py311.nbi").write_bytes(b"")
    assert has_kernels(environment)
