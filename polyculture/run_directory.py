"""The run directory: where its parts lie, who may write to it, and which steps are already done."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, ValidationError

from polyculture.errors import ConfigError, RunInUseError
from polyculture.files import TEMPORARY_PREFIX, file_digest, write_text
from polyculture.hashing import file_sha256
from schemas.manifest import FileDigest


class StepRecord(BaseModel):
    """What a finished step leaves behind: the key it was done for, its files, and its small result."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    files: list[FileDigest]
    result: dict[str, object]


@dataclass(frozen=True, slots=True)
class RunDirectory:
    """Paths inside one run directory. Only what `manifest.json` lists is part of the result."""

    root: Path

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
        """Folder of the documents that a top-up left out since its parent holds them."""
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
    def verdict(self) -> Path:
        """The verdict."""
        return self.root / "verdict.json"

    def step_record(self, name: str) -> Path:
        """Commit record of the step `name`."""
        return self.state / "steps" / f"{name}.json"

    def prepare(self) -> None:
        """Create the folder, prove that files can be written, renamed and synced in it, and clear leftovers.

        Raises:
            ConfigError: the folder cannot be used; the message says why.
        """
        try:
            self.state.mkdir(parents=True, exist_ok=True)
            write_text(self.state / "probe", "")
            (self.state / "probe").unlink()
        except OSError as error:
            raise ConfigError(f"--out: cannot write to {self.root}: {error.strerror}; choose another folder") from error

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
        """
        self.prepare()
        lock = FileLock(self.state / "lock", timeout=0)
        try:
            with lock:
                write_text(self.state / "holder", str(os.getpid()))
                self.clear_leftovers()
                yield
        except Timeout as error:
            raise RunInUseError(
                f"{self.root} is in use by another run; wait for it, or choose another --out"
            ) from error

    def finished_step(self, name: str, key: str) -> dict[str, object] | None:
        """The result of a step done for the same key whose files all still have their digests, else None."""
        try:
            record = StepRecord.model_validate_json(self.step_record(name).read_bytes())
        except (OSError, ValidationError):
            return None
        if record.key != key or not all(is_intact(self.root, file) for file in record.files):
            return None
        return record.result

    def commit_step(self, name: str, key: str, files: list[Path], result: dict[str, object]) -> None:
        """Record that a step is done and which files it left. The record is written last."""
        record = StepRecord(key=key, files=[file_digest(path, self.root) for path in files], result=result)
        write_text(self.step_record(name), record.model_dump_json())

    def discard_work(self) -> None:
        """Delete the intermediate files."""
        shutil.rmtree(self.work, ignore_errors=True)
        shutil.rmtree(self.state / "steps", ignore_errors=True)


def is_intact(root: Path, file: FileDigest) -> bool:
    """Whether a listed file exists under `root` with the size and digest that are listed."""
    path = root / file.path
    return path.is_file() and path.stat().st_size == file.bytes and file_sha256(path) == file.sha256
