"""The run directory: where its parts lie, who may write to it, and which steps are already done."""

import hashlib
import os
import re
import shutil
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

_SCHEME = re.compile("[a-z][a-z0-9+.-]+:")


def require_local(folder: Path) -> None:
    """Refuse what was a URL: as a path, `s3://bucket/run` would be a local folder named `s3:`.

    Raises:
        ConfigError: a part of the path is the scheme of a URL.
    """
    for at, part in enumerate(folder.parts):
        if _SCHEME.fullmatch(part):
            url = f"{part}//{'/'.join(folder.parts[at + 1 :])}"
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
    def quarantined(self) -> Path:
        """Folder of the quarantined record slots."""
        return self.root / "quarantined"

    @property
    def ledger(self) -> Path:
        """Folder of the probe counts."""
        return self.root / "ledger"

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
            raise ConfigError(f"--out: cannot write to {self.root}: {error.strerror}; choose another folder") from error
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
    """True if a listed file exists under `root` with the size and digest that are listed."""
    path = root / file.path
    return path.is_file() and path.stat().st_size == file.bytes and file_sha256(path) == file.sha256


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
