import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from polyculture.errors import ConfigError
from polyculture.storage.files import file_digest
from polyculture.storage.run_directory import RunDirectory, damaged_file, is_in_place, is_intact, misplaced_file


@pytest.mark.parametrize(
    "url",
    ["s3://bucket/run", "gs://bucket/run", "file:///tmp/run", "s3:/bucket/run", "S3://bucket/run", "s3:bucket/run"],
)
def test_a_url_is_no_local_folder(url: str, tmp_path: Path) -> None:
    for path in (Path(url), tmp_path / url):
        with pytest.raises(ConfigError, match=r"not a local folder.*polyculture publish"):
            RunDirectory(path)


def test_a_folder_with_a_colon_is_one(tmp_path: Path) -> None:
    for name in ("c:", "2026-11-25 08:18", "a:b", "Notes:"):
        assert RunDirectory(tmp_path / name).root.name == name


def behind_a_link(path: Path) -> None:
    shutil.move(path, path.parent.parent.parent / "elsewhere")
    path.symlink_to(path.parent.parent.parent / "elsewhere")


def in_a_linked_folder(path: Path) -> None:
    shutil.move(path.parent, path.parent.parent.parent / "folder")
    path.parent.symlink_to(path.parent.parent.parent / "folder")


def as_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def as_a_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def without_its_folder(path: Path) -> None:
    shutil.rmtree(path.parent)


@pytest.mark.parametrize(
    "damage", [behind_a_link, in_a_linked_folder, as_a_folder, as_a_fifo, without_its_folder, Path.unlink]
)
def test_a_listed_file_is_a_regular_file_inside_the_run(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    path = tmp_path / "run" / "removed" / "a.parquet"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"rows")
    listed = file_digest(path, tmp_path / "run")
    (tmp_path / "linked").symlink_to(tmp_path / "run")
    for root in (tmp_path / "run", tmp_path / "linked"):  # the run itself may stand behind a link
        assert is_intact(root, listed)
        assert misplaced_file(root, [listed]) is damaged_file(root, [listed]) is None
    damage(path)
    assert not is_in_place(tmp_path / "run", listed)
    assert not is_intact(tmp_path / "run", listed)
    assert "removed/a.parquet" in (misplaced_file(tmp_path / "run", [listed]) or "")
    assert "removed/a.parquet" in (damaged_file(tmp_path / "run", [listed]) or "")


def test_only_the_digest_tells_a_changed_byte(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"rows")
    listed = file_digest(tmp_path / "a", tmp_path)
    (tmp_path / "a").write_bytes(b"rowz")
    assert is_in_place(tmp_path, listed)
    assert not is_intact(tmp_path, listed)
