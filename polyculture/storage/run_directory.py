"""The run directory: where its parts lie, who may write to it, and which steps are already done."""

import errno
import hashlib
import os
import re
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import ValidationError

from polyculture.errors import ConfigError, OutputError, RunInUseError
from polyculture.storage.commit import TEMPORARY_PREFIX, make_folder, remove, writing
from polyculture.storage.files import file_digest, write_text
from polyculture.storage.hashing import file_sha256
from schemas.accounts import FileDigest
from schemas.manifest import Manifest
from schemas.strict import Strict
from schemas.top_up import TopUp
from schemas.verdict import Verdict

OTHER_OUT = "choose another --out, or delete that folder"
DIGEST_FILE = "manifest.json.sha256"  # as `sha256sum` writes it, and `sha256sum --check` reads it
_SCHEME = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]+):|(?P<known>(?i:s3|gs|az|file|https?)):(?P<rest>.*)")


def require_local(folder: Path) -> None:
    """Refuse what was a URL: as a path, `s3://bucket/run` would be a local folder named `s3:`.

    Raises:
        ConfigError: a part of the path is the scheme of a URL.
    """
    for at, part in enumerate(folder.parts):
        found = _SCHEME.fullmatch(part)
        if found is not None:
            inside = [found["rest"]] if found["rest"] else []
            url = f"{(found['scheme'] or found['known']).lower()}://{'/'.join([*inside, *folder.parts[at + 1 :]])}"
            raise ConfigError(
                f"{url}: not a local folder; a run is made on local disk, then: polyculture publish RUN {url}"
            )


class StepRecord(Strict):
    """The record that a finished step leaves: the key it was done for, its files, and its small result."""

    key: str
    files: list[FileDigest]
    result: dict[str, object]


@dataclass(frozen=True, slots=True)
class RunDirectory:
    """Paths inside one run directory. Only what `manifest.json` lists is part of the result."""

    root: Path

    def __post_init__(self) -> None:
        """Refuse a URL."""
        require_local(self.root)

    @property
    def shards(self) -> Path:
        """Folder of the Arrow shards."""
        return self.root / "shards"

    @property
    def removed(self) -> Path:
        """Folder of the removed documents."""
        return self.root / "removed"

    @property
    def filtered(self) -> Path:
        """Folder of the documents that filters took out."""
        return self.root / "filtered"

    @property
    def unselected(self) -> Path:
        """Folder of the distinct documents that the mixture leaves out; it is there if there are any."""
        return self.root / "unselected"

    @property
    def quarantined(self) -> Path:
        """Folder of the quarantined record slots."""
        return self.root / "quarantined"

    @property
    def ledger(self) -> Path:
        """Folder of the probe counts."""
        return self.root / "ledger"

    @property
    def listed_folders(self) -> tuple[Path, ...]:
        """Folders in which every file is listed in the manifest."""
        return self.shards, self.removed, self.filtered, self.unselected, self.quarantined, self.ledger

    @property
    def report(self) -> Path:
        """Folder of the report."""
        return self.root / "report"

    @property
    def state(self) -> Path:
        """Folder of all that may differ between two equal runs."""
        return self.root / "state"

    @property
    def work(self) -> Path:
        """Folder of intermediate files; deleted when the run is whole."""
        return self.state / "work"

    @property
    def manifest(self) -> Path:
        """The manifest."""
        return self.root / "manifest.json"

    @property
    def top_up(self) -> Path:
        """The account of a top-up."""
        return self.root / "top_up.json"

    @property
    def plan(self) -> Path:
        """The mixture plan."""
        return self.root / "plan.json"

    @property
    def verdict(self) -> Path:
        """The verdict."""
        return self.root / "verdict.json"

    def step_record(self, name: str) -> Path:
        """Commit record of the step `name`."""
        return self.state / "steps" / f"{name}.json"

    def require_fit(self) -> None:
        """Refuse a path that can be no run directory: no folder, other people's files, or not to be written to.

        Changes nothing; whether a run may really be written is proved under the lock.

        Raises:
            ConfigError: it says which.
        """
        try:
            str(self.root).encode()
        except UnicodeEncodeError:
            raise ConfigError(
                f"--out: the name of {self.root} is not UTF-8; choose another, or set LC_ALL=C.UTF-8"
            ) from None
        if self.root.exists():
            if not self.root.is_dir():
                raise ConfigError(f"--out: {self.root} is not a folder; choose another")
            is_ours = (self.state / "identity").is_file()
            if not is_ours and any(path.name != self.state.name for path in self.root.iterdir()):
                raise ConfigError(f"--out: {self.root} holds other files; {OTHER_OUT}")
        there = next(folder for folder in (self.root, *self.root.parents) if os.path.lexists(folder))
        if not there.is_dir():
            raise self._unusable(os.strerror(errno.ENOTDIR))
        if not os.access(there, os.W_OK | os.X_OK):
            raise self._unusable(os.strerror(errno.EACCES))

    def _unusable(self, why: str | None) -> ConfigError:
        return ConfigError(f"--out: cannot write to {self.root}: {why}; choose another folder")

    def _prove(self) -> None:
        """Prove that files can be written, synced, renamed and linked here. Call it under the lock."""
        probe = self.state / "probe"
        remove(probe)  # of a run that died here
        write_text(probe, "renamed")
        remove(probe)
        with writing(probe, is_exclusive=True) as stream:
            stream.write(b"linked")
        remove(probe)

    def clear_leftovers(self) -> None:
        """Delete temporary files of runs that died. Call it under the lock."""
        for leftover in self.root.rglob(f"{TEMPORARY_PREFIX}*"):
            if leftover.is_file():
                leftover.unlink()

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the run directory; the kernel releases it if the process dies.

        Raises:
            RunInUseError: another process holds it.
            ConfigError: the folder cannot be used; the message says why.
        """
        lock = FileLock(self.state / "lock", timeout=0)
        try:
            make_folder(self.state)
            held = lock.acquire()
        except Timeout as error:
            raise RunInUseError(
                f"{self.root} is in use by another run; wait for it, or choose another --out"
            ) from error
        except OSError as error:
            raise self._unusable(error.strerror) from error
        with held:
            try:
                self.clear_leftovers()
                self._prove()
                write_text(self.state / "holder", str(os.getpid()))
            except OutputError as error:
                raise ConfigError(f"--out: {error}; or choose another folder") from error
            yield

    def finished_step(self, name: str, key: str) -> dict[str, object] | None:
        """The result of a step done for the same key whose files all still have their digests, else None."""
        record = self.finished_record(name, key)
        return None if record is None else record.result

    def finished_record(self, name: str, key: str) -> StepRecord | None:
        """The record of a step done for the same key whose files all still have their digests, else None."""
        try:
            record = StepRecord.model_validate_json(self.step_record(name).read_bytes())
        except (OSError, ValidationError):
            return None
        if record.key != key or not all(is_intact(self.root, file) for file in record.files):
            return None
        return record

    def commit_step(
        self, name: str, key: str, files: Sequence[Path | FileDigest], result: dict[str, object]
    ) -> FileDigest:
        """Record that a step is done and which files it left; files without a digest are read for it.

        The record is put last, and only where none is: one that is void is deleted first.

        Returns:
            Digest of the record.

        Raises:
            RunInUseError: another process has recorded the step meanwhile.
        """
        digests = [file if isinstance(file, FileDigest) else file_digest(file, self.root) for file in files]
        record = StepRecord(key=key, files=digests, result=result)
        remove(self.step_record(name))
        with writing(self.step_record(name), is_exclusive=True) as stream:
            stream.write(record.model_dump_json().encode())
        return stream.digest(self.root)

    def seal(self, manifest: str) -> None:
        """Write the manifest, where none is: from here on the run exists.

        Its digest is put into `state/` first, so that a change of it is found even before there is a verdict.
        """
        write_text(self._seal, hashlib.sha256(manifest.encode()).hexdigest())
        with writing(self.manifest, is_exclusive=True) as stream:
            stream.write(manifest.encode())

    def is_sealed(self) -> bool:
        """True if the manifest is the one that was written."""
        try:
            return self._seal.read_text() == file_sha256(self.manifest)
        except OSError:
            return False

    @property
    def _seal(self) -> Path:
        return self.state / "manifest.sha256"

    def discard_work(self) -> None:
        """Delete the intermediate files."""
        shutil.rmtree(self.work, ignore_errors=True)
        shutil.rmtree(self.state / "steps", ignore_errors=True)


def is_intact(root: Path, file: FileDigest) -> bool:
    """True if a listed file is a regular file of the run, with the size and digest that are listed."""
    return is_in_place(root, file) and file_sha256(root / file.path) == file.sha256


def is_in_place(root: Path, file: FileDigest) -> bool:
    """True if a listed file is a regular file of the listed size that lies in the run itself, behind no link. O(1)."""
    path = root
    try:
        for part in file.path.split("/"):
            path /= part
            found = path.lstat()
            if stat.S_ISLNK(found.st_mode):
                return False
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_size == file.bytes


def misplaced_file(root: Path, files: Sequence[FileDigest]) -> str | None:
    """Describe the first listed file that is not in its place; None if all are. Reads no file: see `is_intact`."""
    for file in files:
        if not is_in_place(root, file):
            return f"{file.path} is missing, or not the regular file of {file.bytes} bytes that the manifest lists"
    return None


def damaged_file(root: Path, files: Sequence[FileDigest]) -> str | None:
    """Describe the first listed file that is missing or changed; None if all are whole. Reads every one."""
    for file in files:
        if not is_intact(root, file):
            return f"{file.path} is missing, or not the bytes that the manifest lists"
    return None


def unlisted_file(directory: RunDirectory, manifest: Manifest, *folders: Path) -> str | None:
    """Describe the first file in folders of a run, links included, that its manifest does not list; None if all are."""
    listed = {file.path for file in manifest.files}
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(directory.root).as_posix()
            if name not in listed and (path.is_symlink() or not path.is_dir()):
                return f"{name} is not listed in the manifest"
    return None


def foreign_verdict(directory: RunDirectory) -> str | None:
    """Say that the run's own verdict was given for another manifest; None if not, or if there is no verdict to ask.

    Raises:
        OSError: there is no manifest.
    """
    try:
        verdict = read_verdict(directory)
    except (OSError, ValidationError):
        return None  # it will be given again, and `verify` says that it is damaged
    is_own = verdict.manifest_sha256 == file_sha256(directory.manifest)
    return None if is_own else "manifest.json is not what the run's verdict was given for"


def read_manifest(directory: RunDirectory) -> Manifest:
    """The manifest of a finished run.

    Raises:
        OSError: there is none.
        ValueError: it is damaged.
    """
    return Manifest.model_validate_json(directory.manifest.read_bytes())


def read_verdict(directory: RunDirectory) -> Verdict:
    """The verdict of a finished run.

    Raises:
        OSError: there is none.
        ValueError: it is damaged.
    """
    return Verdict.model_validate_json(directory.verdict.read_bytes())


def read_top_up(directory: RunDirectory, manifest: Manifest) -> TopUp | None:
    """Read the account of what a top-up adds to its parent; None for any other run.

    Raises:
        OSError: its account is missing.
        ValueError: it is damaged.
    """
    return TopUp.model_validate_json(directory.top_up.read_bytes()) if manifest.parent is not None else None
