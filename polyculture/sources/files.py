"""Paths of the configuration to regular files; whatever else stands there is refused before anything is read."""

import glob
import hashlib
import io
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from polyculture.errors import ConfigError
from polyculture.sources.record import InputFile
from polyculture.sources.side_files import HIDDEN, gather_left_out, why_left_out
from polyculture.sources.stream import open_regular
from polyculture.storage.messages import safe_detail
from schemas.accounts import LeftOut
from schemas.source_config import SourceConfig

_ARCHIVES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"PK\x03\x04", "zip"),
    (0, b"PK\x05\x06", "zip"),
)
_HEAD_BYTES = 16
_KINDS = (
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISDIR, "a folder behind a link"),
)


@dataclass(frozen=True, slots=True)
class Listed:
    """The files of a source, before any is read, and what was found beside them and is no data.

    Attributes:
        paths: real path of each file by its name (`InputFile.name`), sorted by name.
        left_out: side files.
        bytes: sum of the sizes.
    """

    paths: Mapping[str, Path]
    left_out: tuple[LeftOut, ...]
    bytes: int

    @property
    def unread(self) -> tuple[InputFile, ...]:
        """The files without their digests, for looking at what they begin with."""
        return tuple(InputFile(path, name, "", 0) for name, path in self.paths.items())


@dataclass(frozen=True, slots=True)
class Found:
    """The files of a source, and what was found beside them and is no data."""

    files: tuple[InputFile, ...]
    left_out: tuple[LeftOut, ...]


def find_inputs(source: SourceConfig, base: Path) -> Found:
    """The files of a source, each hashed, sorted by name; a file that is reached twice counts once.

    Args:
        source: its `paths` are files, folders (read recursively), or patterns.
        base: the configuration file's folder, which relative paths start from.

    Returns:
        At least one file. Reads every byte once: O(bytes).

    Raises:
        ConfigError: a path is missing, unreadable, a URL, an archive, or leads to anything but regular files.
    """
    return hash_inputs(source, list_inputs(source, base))


def list_inputs(source: SourceConfig, base: Path) -> Listed:
    """List the files of a source; each is opened, and only its first bytes are read. O(files).

    Side files of known layouts are left out (`why_left_out`), and so is what has a name that starts with a dot, unless
    the configuration names the file itself. Arguments and errors as of `find_inputs`.
    """
    entries = [entry for written in source.paths for entry in _expand(source, written, base)]
    named = {entry.path for entry in entries if entry.root is None}
    hidden = {entry.path for entry in entries if entry.is_hidden} - named
    searched = {e.path: e.root for e in entries if e.root is not None and not e.is_hidden}
    left = why_left_out(searched, named) | dict.fromkeys(hidden, HIDDEN)
    found: dict[Path, str] = {}
    for entry in entries:
        if entry.path not in left:
            real = _resolve(source, entry.path)
            name = _name(source, entry.path, base)
            found[real] = min(name, found.get(real, name))
    if not found:
        first = min(left)
        held = f"holds side files only, e.g. {_name(source, first, base)} ({left[first]})"
        raise _refuse(source, ", ".join(source.paths), f"{held}; name a file itself to read it all the same")
    paths = dict(sorted((name, real) for real, name in found.items()))
    total = 0
    for name, real in paths.items():
        with _open(source, real, name) as handle:
            total += os.fstat(handle.fileno()).st_size
    return Listed(paths, tuple(gather_left_out({_name(source, path, base): why for path, why in left.items()})), total)


def hash_inputs(source: SourceConfig, listed: Listed) -> Found:
    """The listed files with their digests. O(bytes); errors as of `find_inputs`."""
    return Found(tuple(_hash(source, real, name) for name, real in listed.paths.items()), listed.left_out)


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


def gather_files(files: Sequence[InputFile], most_bytes: int) -> list[tuple[InputFile, ...]]:
    """Gather neighbouring files into groups that are worth the fixed cost of a unit of work.

    Args:
        files: files, in their order, which stays.
        most_bytes: most that the sizes of a group sum up to; a larger file is a group of its own.

    Returns:
        The groups, which depend on the files' order and sizes alone; none if there are no files.
    """
    groups: list[list[InputFile]] = []
    filled = 0
    for file in files:
        if not groups or filled + file.size_bytes > most_bytes:
            groups.append([])
            filled = 0
        groups[-1].append(file)
        filled += file.size_bytes
    return [tuple(group) for group in groups]


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


@dataclass(frozen=True, slots=True)
class _Entry:
    """A path that was found, and the folder that the search for it began at; None if it was named.

    `is_hidden` is of what a walk passes over because its name starts with a dot.
    """

    path: Path
    root: Path | None
    is_hidden: bool = False


def _expand(source: SourceConfig, written: str, base: Path) -> Iterator[_Entry]:
    """The paths that one entry of `paths` stands for, folders walked."""
    if "://" in written:
        raise _refuse(source, written, "URLs are not read; download it and give the local path")
    if "\0" in written:
        raise _refuse(source, written, "a path cannot hold U+0000")
    path = base / written
    is_named = os.path.lexists(path)
    matches = matches_of(written, base)
    if not matches:
        what = "no file matches this pattern" if glob.has_magic(written) else "does not exist"
        raise _refuse(source, written, f"{what}; relative paths start at {base}")
    for match in matches:
        if match.is_dir():
            root = match if is_named else _fixed_part(path)
            yield from (_Entry(found, root, found.name.startswith(".")) for found in _walk(source, match))
        else:
            yield _Entry(match, None if is_named else _fixed_part(path))


def _fixed_part(pattern: Path) -> Path:
    """The folder that a pattern begins at."""
    return next((folder for folder in pattern.parents if not glob.has_magic(str(folder))), Path())


def _walk(source: SourceConfig, folder: Path) -> Iterator[Path]:
    """Files below a folder; of what is hidden, files and folders as they stand."""

    def fail(error: OSError) -> None:
        raise _refuse(source, error.filename, f"cannot be listed ({error.strerror}); check its permissions")

    is_empty = True
    for parent, folders, names in os.walk(folder, onerror=fail):
        yield from (Path(parent, name) for name in (*folders, *names) if name.startswith("."))
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


@contextmanager
def _open(source: SourceConfig, path: Path, name: str) -> "Iterator[io.BufferedReader[io.FileIO]]":
    """A file at its beginning, if it can be read and is no archive; errors inside the block are told as the file's."""
    try:
        with open_regular(path) as handle:
            head = os.pread(handle.fileno(), _HEAD_BYTES, 0)  # without filling a buffer: there may be many files
            for offset, magic, archive in _ARCHIVES:
                if head[offset : offset + len(magic)] == magic:
                    raise _refuse(source, name, f"{archive} archives are not read; unpack it and give the folder")
            yield handle
    except BlockingIOError as error:  # a file of the kernel that has nothing to say now
        raise _refuse(source, name, "holds nothing that can be read; copy the data to a file") from error
    except OSError as error:
        raise _refuse(source, name, f"cannot be read ({error.strerror}); check its permissions") from error


def _hash(source: SourceConfig, path: Path, name: str) -> InputFile:
    with _open(source, path, name) as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
        return InputFile(path, name, digest, handle.tell())
