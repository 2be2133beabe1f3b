import hashlib
import os
import socket
import zipfile
from pathlib import Path

import pytest

from polyculture.errors import ConfigError
from polyculture.sources.files import check_unchanged, find_inputs
from schemas.source_config import SourceConfig


def source(*paths: str) -> SourceConfig:
    return SourceConfig(name="web_a", kind="web", paths=paths)


def names(folder: Path, *paths: str) -> list[str]:
    return [file.name for file in find_inputs(source(*paths), folder).files]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("b.jsonl", "a.jsonl", "data/2.txt", "data/deep/1.txt", "data/.hidden", "data/.git/config", "x[1].txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["b.jsonl", "a.jsonl"], ["a.jsonl", "b.jsonl"]),
        (["*.jsonl"], ["a.jsonl", "b.jsonl"]),
        (["*.jsonl", "a.jsonl", "./a.jsonl"], ["a.jsonl", "b.jsonl"]),
        (["data"], ["data/2.txt", "data/deep/1.txt"]),
        (["data/"], ["data/2.txt", "data/deep/1.txt"]),
        (["data/**/*.txt"], ["data/2.txt", "data/deep/1.txt"]),
        (["d*"], ["data/2.txt", "data/deep/1.txt"]),
        (["x[1].txt"], ["x[1].txt"]),
        (["[ab].jsonl"], ["a.jsonl", "b.jsonl"]),
        (["data/.hidden"], ["data/.hidden"]),
    ],
)
def test_paths_patterns_and_folders(tree: Path, paths: list[str], expected: list[str]) -> None:
    assert names(tree, *paths) == expected


def test_names_are_relative_to_the_configuration(tree: Path) -> None:
    assert names(tree / "data", "../a.jsonl", str(tree / "b.jsonl")) == ["../a.jsonl", "../b.jsonl"]


def test_a_link_to_a_file_is_read_once_under_the_smaller_name(tree: Path) -> None:
    (tree / "a_link.jsonl").symlink_to("b.jsonl")
    assert names(tree, "a_link.jsonl", "b.jsonl") == ["a_link.jsonl"]


def test_size_and_digest_are_of_the_bytes(tree: Path) -> None:
    (file,) = find_inputs(source("a.jsonl"), tree).files
    assert file.size_bytes == 7
    assert file.sha256 == hashlib.sha256(b"a.jsonl").hexdigest()


@pytest.mark.parametrize("change", ["grow", "rewrite", "remove", "swap for a FIFO"])
def test_a_file_that_changes_is_noticed(tree: Path, change: str) -> None:
    (file,) = find_inputs(source("a.jsonl"), tree).files
    assert check_unchanged(file)
    if change == "grow":
        with file.path.open("a") as out:
            out.write("more")
    elif change == "rewrite":
        file.path.write_text("A.JSONL")
    else:
        file.path.unlink()
        if change == "swap for a FIFO":
            os.mkfifo(file.path)
    assert not check_unchanged(file)


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


def _dangling(path: Path) -> None:
    path.symlink_to("nowhere")


def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _folder_loop(path: Path) -> None:
    path.mkdir()
    (path / "again").symlink_to(".")


def _empty_folder(path: Path) -> None:
    path.mkdir()
    (path / ".hidden").touch()


def _fifo_in_folder(path: Path) -> None:
    path.mkdir()
    os.mkfifo(path / "fifo")


def _zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.jsonl", "{}")


REFUSED = {
    "FIFO": (_fifo, "FIFO"),
    "socket": (_socket, "socket"),
    "device": (_device, "device"),
    "link to itself": (_loop, "cannot be resolved"),
    "dangling link": (_dangling, "cannot be resolved"),
    "link to a folder inside a folder": (_folder_loop, "not followed"),
    "folder without files": (_empty_folder, "holds no files"),
    "FIFO inside a folder": (_fifo_in_folder, "FIFO"),
    "zip": (_zip, "zip"),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.timeout(5)
def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path, name: str) -> None:
    make, said = REFUSED[name]
    make(tmp_path / "thing")
    with pytest.raises(ConfigError, match=said) as caught:
        find_inputs(source("thing"), tmp_path)
    assert "web_a" in str(caught.value)
    assert "thing" in str(caught.value)


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null"])
def test_devices_are_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(ConfigError, match="device"):
        find_inputs(source(path), tmp_path)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("missing.jsonl", "does not exist"),
        ("*.nothing", "no file matches"),
        ("http://169.254.169.254/latest", "URLs are not read"),
        ("s3://bucket/key", "URLs are not read"),
        ("file:///etc/passwd", "URLs are not read"),
        ("a\0b", "U\\+0000"),
    ],
)
def test_what_is_not_there_is_refused(tmp_path: Path, path: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        find_inputs(source(path), tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").touch(mode=0)
    with pytest.raises(ConfigError, match="permissions"):
        find_inputs(source("a"), tmp_path)


def test_an_unreadable_file_is_refused_even_where_root_tests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    (tmp_path / "a").touch()
    monkeypatch.setattr("polyculture.sources.files.open_regular", refuse)
    with pytest.raises(ConfigError, match="check its permissions"):
        find_inputs(source("a"), tmp_path)


def test_a_name_that_is_no_utf_8_is_refused(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.txt")).touch()
    with pytest.raises(ConfigError, match="not UTF-8"):
        find_inputs(source("*.txt"), tmp_path)


def test_control_characters_in_a_path_are_escaped_in_the_message(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        find_inputs(source("a\n\x1b[2J\u202eb"), tmp_path)
    assert str(caught.value).isprintable()
