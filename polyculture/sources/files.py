"""Paths of the configuration to regular files; whatever else stands there is refused before anything is read."""

import glob
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from polyculture.errors import ConfigError
from polyculture.sources.record import InputFile
from polyculture.sources.stream import open_regular
from polyculture.storage.messages import safe_detail
from schemas.source_config import SourceConfig

_ARCHIVES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"PK\x03\x04", "zip"),
    (0, b"PK\x05\x06", "zip"),
    (257, b"ustar", "tar"),
)
_KINDS = (
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISDIR, "a folder behind a link"),
)


def find_files(source: SourceConfig, base: Path) -> list[InputFile]:
    """The files of a source, each hashed, sorted by name; a file that is reached twice counts once.

    Args:
        source: its `paths` are files, folders (read recursively, names that start with a dot left out) or patterns.
        base: the configuration file's folder, which relative paths start from.

    Returns:
        At least one file. Reads every byte once: O(bytes).

    Raises:
        ConfigError: a path is missing, unreadable, a URL, an archive, or leads to anything but regular files.
    """
    found: dict[Path, str] = {}
    for written in source.paths:
        for path in _expand(source, written, base):
            real = _resolve(source, path)
            name = _name(source, path, base)
            found[real] = min(name, found.get(real, name))
    return [_hash(source, real, name) for name, real in sorted((name, real) for real, name in found.items())]


def matches_of(written: str, base: Path) -> list[Path]:
    """The files and folders that one entry of `paths` names, folders not walked; none if nothing is there.

    Args:
        written: a file, a folder or a pattern.
        base: the folder that relative paths start from.
    """
    path = base / written
    if os.path.lexists(path):
        return [path]
    pattern = os.path.join(glob.escape(str(base)), written)  # noqa: PTH118 - an absolute `written` replaces the base
    return [Path(match) for match in glob.glob(pattern, recursive=True)]  # noqa: PTH207 - Path.glob refuses those


def check_unchanged(file: InputFile) -> bool:
    """True if the file still has the size and digest that it had when it was found. O(bytes)."""
    try:
        with open_regular(file.path) as handle:
            if os.fstat(handle.fileno()).st_size != file.size_bytes:
                return False
            return hashlib.file_digest(handle, "sha256").hexdigest() == file.sha256
    except OSError:
        return False


def _refuse(source: SourceConfig, path: object, problem: str) -> ConfigError:
    return ConfigError(f"source {source.name}: {safe_detail(str(path), 500)}: {problem}")


def _expand(source: SourceConfig, written: str, base: Path) -> Iterator[Path]:
    """The paths that one entry of `paths` stands for, folders walked."""
    if "://" in written:
        raise _refuse(source, written, "URLs are not read; download it and give the local path")
    if "\0" in written:
        raise _refuse(source, written, "a path cannot hold U+0000")
    matches = matches_of(written, base)
    if not matches:
        what = "no file matches this pattern" if glob.has_magic(written) else "does not exist"
        raise _refuse(source, written, f"{what}; relative paths start at {base}")
    for match in matches:
        if match.is_dir():
            yield from _walk(source, match)
        else:
            yield match


def _walk(source: SourceConfig, folder: Path) -> Iterator[Path]:
    def fail(error: OSError) -> None:
        raise _refuse(source, error.filename, f"cannot be listed ({error.strerror}); check its permissions")

    is_empty = True
    for parent, folders, names in os.walk(folder, onerror=fail):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in folders:
            if Path(parent, name).is_symlink():
                problem = "a link to a folder is not followed; name its target in `paths` or remove the link"
                raise _refuse(source, Path(parent, name), problem)
        for name in names:
            if not name.startswith("."):
                is_empty = False
                yield Path(parent, name)
    if is_empty:
        raise _refuse(source, folder, "the folder holds no files; put some there or correct the path")


def _resolve(source: SourceConfig, path: Path) -> Path:
    """Resolve where `path` really lies, if that is a readable regular file."""
    try:
        real = Path(os.path.realpath(path, strict=True))
        mode = real.stat().st_mode
    except OSError as error:
        raise _refuse(source, path, f"cannot be resolved ({error.strerror}); correct the path or the link") from error
    if not stat.S_ISREG(mode):
        kind = next((name for test, name in _KINDS if test(mode)), "not a regular file")
        raise _refuse(source, path, f"is {kind}; only regular files are read: copy the data to a file")
    return real


def _name(source: SourceConfig, path: Path, base: Path) -> str:
    name = os.path.relpath(path, base).replace(os.sep, "/")
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise _refuse(source, name, "the file's name is not UTF-8; rename it") from error
    return name


def _hash(source: SourceConfig, path: Path, name: str) -> InputFile:
    try:
        with open_regular(path) as handle:
            head = handle.read(512)
            if head is None:  # a file of the kernel that has nothing to say now
                raise _refuse(source, name, "holds nothing that can be read; copy the data to a file")
            for offset, magic, archive in _ARCHIVES:
                if head[offset : offset + len(magic)] == magic:
                    raise _refuse(source, name, f"{archive} archives are not read; unpack it and give the folder")
            handle.seek(0)
            digest = hashlib.file_digest(handle, "sha256").hexdigest()
            return InputFile(path, name, digest, handle.tell())
    except OSError as error:
        raise _refuse(source, name, f"cannot be read ({error.strerror}); check its permissions") from error
