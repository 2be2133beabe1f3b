"""Places that files are published to: each creates a name only if it is free, and shows what it really holds."""

import hashlib
import mmap
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from polyculture.errors import ConfigError, PolycultureError
from polyculture.publish.destination import Destination
from polyculture.storage.hashing import file_sha256

MOST_BYTES = 5 * 2**30  # of one request; larger files would need several, which a kill leaves behind half done
TEMPORARY = ".tmp-"
# Options that a credentials block may set, by scheme. Whatever is absent comes from the environment.
OPTIONS = {
    "s3": ("access_key_id", "secret_access_key", "session_token", "region", "endpoint"),
    "gs": ("service_account_key",),
    "az": ("account_name", "account_key", "sas_key", "tenant_id", "client_id", "client_secret"),
}


class Store(Protocol):
    """A destination. Names are relative, with `/`."""

    def sizes(self) -> dict[str, int]:
        """Bytes of everything that is there, by name."""

    def clear_leftovers(self) -> None:
        """Delete what an interrupted writer left that is no file yet."""

    def read(self, name: str) -> bytes | None:
        """A small file; None if there is none."""

    def sha256(self, name: str) -> str | None:
        """Digest of what a reader would get, read back; None if there is nothing."""

    def create(self, name: str, data: bytes) -> bool:
        """Write a small file if the name is free; whether it was. Of several at once, one succeeds."""

    def write(self, name: str, path: Path) -> None:
        """Write a copy of a file, whole or not at all; replaces what is there."""


class FolderStore:
    """A folder of this machine: temporary name, fsync, link or rename, fsync of the folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def sizes(self) -> dict[str, int]:
        """Bytes of every file, without those under temporary names."""
        found = {}
        for path in sorted(self._root.rglob("*")):
            if not path.name.startswith(TEMPORARY) and (path.is_symlink() or path.is_file()):
                found[path.relative_to(self._root).as_posix()] = path.lstat().st_size
        return found

    def clear_leftovers(self) -> None:
        """Delete files under temporary names."""
        for path in self._root.rglob(f"{TEMPORARY}*"):
            path.unlink(missing_ok=True)

    def read(self, name: str) -> bytes | None:
        """A small file."""
        path = self._root / name
        return path.read_bytes() if path.is_file() else None

    def sha256(self, name: str) -> str | None:
        """Digest of a file."""
        path = self._root / name
        return file_sha256(path) if path.is_file() else None

    def create(self, name: str, data: bytes) -> bool:
        """Write a file by a hard link to it, which fails if the name is taken."""
        path = self._root / name
        try:
            with self._temporary(name) as temporary:
                temporary.write_bytes(data)
                _sync(temporary)
                os.link(temporary, path)
                _sync(path.parent)
        except FileExistsError:
            return False
        except FileNotFoundError:  # whoever has the place now cleared our temporary file
            if not path.exists():
                raise
            return False
        return True

    def write(self, name: str, path: Path) -> None:
        """Copy a file."""
        with self._temporary(name) as temporary:
            with path.open("rb") as source, temporary.open("wb") as target:
                while piece := source.read(2**20):
                    target.write(piece)
            try:
                _sync(temporary)
                temporary.replace(self._root / name)
            except FileNotFoundError as error:
                raise PolycultureError(
                    f"{self._root}: another process publishes there and cleared {name} while it was written; let it "
                    "finish, and run again"
                ) from error
            _sync((self._root / name).parent)

    @contextmanager
    def _temporary(self, name: str) -> Iterator[Path]:
        path = self._root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.parent / f"{TEMPORARY}{os.getpid()}-{secrets.token_hex(4)}-{path.name}"
        try:
            yield temporary
        finally:
            temporary.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def require_library(destination: Destination) -> None:
    """Refuse object storage where the library for it is not installed; it is not loaded.

    Raises:
        ConfigError: it names the extra to install.
    """
    if destination.folder is None and find_spec("obstore") is None:
        raise ConfigError("object storage needs `pip install 'polyculture[objects]'`")


class BucketStore:
    """A folder of S3, Google Cloud Storage or Azure Blob Storage, by the library obstore.

    Every file is one request, so a kill leaves nothing behind: no part of an upload, no half an object. A file is
    mapped while it is sent.
    """

    def __init__(self, destination: Destination, options: Mapping[str, str], *, is_plain: bool) -> None:
        """Open it; nothing is sent yet.

        Args:
            destination: the destination.
            options: credentials and endpoint, if they do not come from the environment.
            is_plain: the endpoint in the environment is spoken to without TLS.

        Raises:
            ConfigError: obstore is not installed, or an option is unknown.
        """
        unknown = sorted(set(options) - set(OPTIONS[destination.scheme]))
        if unknown:
            known = ", ".join(OPTIONS[destination.scheme])
            raise ConfigError(
                f"credentials: unknown option {unknown[0][:40]!r} for {destination.scheme}; known: {known}"
            )
        require_library(destination)
        self._api, stores = import_module("obstore"), import_module("obstore.store")
        self._url = destination.url
        is_plain = options["endpoint"].startswith("http://") if "endpoint" in options else is_plain
        client = {"allow_http": True} if is_plain else None
        with self._explained():
            self._store = stores.from_url(destination.url, config=dict(options) or None, client_options=client)

    def sizes(self) -> dict[str, int]:
        """Bytes of every object."""
        with self._explained():
            return {found["path"]: found["size"] for page in self._api.list(self._store) for found in page}

    def clear_leftovers(self) -> None:
        """Nothing: an object is one request, so nothing can be left."""

    def read(self, name: str) -> bytes | None:
        """A small object."""
        with self._explained():
            try:
                return bytes(self._api.get(self._store, name).bytes())
            except FileNotFoundError:
                return None

    def sha256(self, name: str) -> str | None:
        """Digest of an object, read back."""
        digest = hashlib.sha256()
        with self._explained():
            try:
                for piece in self._api.get(self._store, name).stream(min_chunk_size=2**20):
                    digest.update(piece)
            except FileNotFoundError:
                return None
        return digest.hexdigest()

    def create(self, name: str, data: bytes) -> bool:
        """Write an object on the condition that there is none, which the storage checks."""
        taken = self._api.exceptions.AlreadyExistsError
        with self._explained():
            try:
                self._api.put(self._store, name, data, mode="create", use_multipart=False)
            except taken:
                return False
        return True

    def write(self, name: str, path: Path) -> None:
        """Send a file."""
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise ConfigError(f"{path.name} has {size} bytes, at most {MOST_BYTES} can be sent; lower max_shard_bytes")
        with path.open("rb") as source, self._explained():
            data: Any = mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
            self._api.put(self._store, name, data, use_multipart=False)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Errors of the storage in one line without what follows a `?`, where signatures stand; no chain to them."""
        try:
            yield
        except (OSError, ValueError, self._api.exceptions.BaseError) as error:
            first = re.sub(r"\?\S*", "", next(iter(str(error).split("\n")), ""))[:300]
            raise PolycultureError(f"{self._url}: {first}; the same command goes on where it stopped") from None


def open_store(destination: Destination, options: Mapping[str, str], *, is_plain: bool = False) -> Store:
    """The store that a destination names.

    Args:
        destination: checked.
        options: credentials and endpoint, if they do not come from the environment.
        is_plain: the endpoint in the environment is spoken to without TLS.

    Raises:
        ConfigError: an option is unknown, or the library for object storage is not installed.
    """
    if destination.folder is None:
        return BucketStore(destination, options, is_plain=is_plain)
    if options:
        raise ConfigError("credentials: a folder needs none")
    return FolderStore(destination.folder.absolute())
