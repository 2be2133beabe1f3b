"""Commit files: whole under their names, or not at all, after a kill or a loss of power at any instruction.

The order is the same for every file: temporary name in the same folder, write, fsync of the file, rename, fsync of the
folder. A record of what is done is put by a link instead of a rename, which fails if the name is taken: of two
processes that race for it one loses. All of a run's files are written through here, and their digest is taken on the
way, so that nothing is read again to be listed.
"""

import errno
import hashlib
import io
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from polyculture.errors import OutputError, RunInUseError
from schemas.accounts import FileDigest

TEMPORARY_PREFIX = ".tmp-"
_SMALL_BYTES = 2**16  # writes below it are gathered: Arrow writes many of a few bytes
_GATHERED_BYTES = 2**20


class WholeStream(io.RawIOBase):
    """A file under a temporary name, written from its start to its end; counts and digests what is written."""

    def __init__(self, path: Path) -> None:
        """Create the temporary file beside `path`."""
        self.path = path
        self.size = 0
        self.temporary = path.parent / f"{TEMPORARY_PREFIX}{os.getpid()}-{secrets.token_hex(4)}-{path.name}"
        self._sha256 = hashlib.sha256()
        self._gathered = bytearray()
        self._is_named = False
        self._descriptor = os.open(self.temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)

    def writable(self) -> bool:
        """Yes: this is what writers ask."""
        return True

    def tell(self) -> int:
        """Bytes written so far."""
        return self.size

    def write(self, data: Any) -> int:
        """Write all of `data`, however little the system takes at a time; returns its bytes.

        Raises:
            OutputError: the system does not take it.
        """
        view = memoryview(data)
        if not view.nbytes:  # nothing cannot be cast
            return 0
        view = view.cast("B")
        self.size += len(view)
        if len(view) < _SMALL_BYTES:
            self._gathered += view
            if len(self._gathered) >= _GATHERED_BYTES:
                self._pass_on()
        else:
            self._pass_on()
            self._put(view)
        return len(view)

    def commit(self, is_exclusive: bool) -> None:
        """Make the file durable and give it its name; see `writing`."""
        self._pass_on()
        with explained(self.path):
            os.fsync(self._descriptor)
            self._release()
            if is_exclusive:
                self._link()
            else:
                self.temporary.replace(self.path)
        self._is_named = True
        sync(self.path.parent)

    def abandon(self) -> None:
        """Delete the temporary file, if it is still there; where that fails, the next run does it."""
        with suppress(OSError):
            self._release()
        if not self._is_named:
            with suppress(OSError):
                self.temporary.unlink()

    def digest(self, root: Path, rows: int | None = None) -> FileDigest:
        """Digest of the bytes, once all are written; the path is relative to `root`."""
        self._pass_on()
        return FileDigest(
            path=self.path.relative_to(root).as_posix(), sha256=self._sha256.hexdigest(), bytes=self.size, rows=rows
        )

    def _pass_on(self) -> None:
        if self._gathered:
            gathered, self._gathered = self._gathered, bytearray()
            self._put(memoryview(gathered))

    def _put(self, view: memoryview) -> None:
        self._sha256.update(view)
        with explained(self.path):
            while view:
                taken = os.write(self._descriptor, view)
                if not taken:  # no system does, and it would go on for ever
                    raise OSError(errno.EIO, os.strerror(errno.EIO))
                view = view[taken:]

    def _link(self) -> None:
        try:
            self.path.hardlink_to(self.temporary)
        except FileExistsError as error:
            raise RunInUseError(
                f"{self.path} was put there by another process at the same time; let it finish, and run again"
            ) from error
        self.temporary.unlink()

    def _release(self) -> None:
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)


@contextmanager
def writing(path: Path, is_exclusive: bool = False) -> Iterator[WholeStream]:
    """A stream whose bytes are under `path` when the block ends well, and nowhere if it does not.

    Args:
        path: path of the file; missing folders are made.
        is_exclusive: whether a file of that name must not be replaced.

    Raises:
        OutputError: it cannot be written; the message names the file and what to do.
        RunInUseError: `is_exclusive`, and another process has put a file there.
    """
    with explained(path):
        make_folder(path.parent)
        stream = WholeStream(path)
    try:
        yield stream
        stream.commit(is_exclusive)
    finally:
        stream.abandon()


def make_folder(folder: Path) -> None:
    """Make a folder and those above it; each is durable before what it will hold."""
    missing = [level for level in (folder, *folder.parents) if not level.is_dir()]
    for level in reversed(missing):
        level.mkdir(exist_ok=True)
        sync(level.parent)


def sync(path: Path) -> None:
    """Make the bytes of a file durable, or the names in a folder.

    Raises:
        OutputError: the system does not confirm it.
    """
    with explained(path):
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove(path: Path) -> None:
    """Delete a file for good, if it is there: no loss of power brings it back."""
    if path.exists():
        with explained(path):
            path.unlink()
        sync(path.parent)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Say of an error of the system which file it is about and what to do."""
    try:
        yield
    except OSError as error:
        is_full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        cure = "free space there" if is_full else "see to the disk and its permissions"
        raise OutputError(
            f"{path}: cannot be written: {error.strerror or error}; {cure}, and run the same command again: "
            "it goes on from what is whole"
        ) from error
