"""A request to deduplicate files, checked by names and first bytes before anything that computes is loaded."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock, Timeout

from polyculture.errors import ConfigError, RunInUseError
from polyculture.sources.columns import check_columns
from polyculture.sources.files import list_inputs, matches_of
from schemas.dedupe_config import NearConfig
from schemas.source_config import LimitsConfig, SourceConfig
from schemas.survivor import Survivor

INDEX_MANIFEST = "index.json"
READ_SETTINGS = ("text_records", "chat_template", "cut_pages")  # of a source, that a request may set
SUMMARY = "dedupe.json"
WORK = ".work"
INDEX_MARK = "index-part"  # in the work: what the run has added to an index
PARTS = ("kept", "removed", "removed-against", "matches", "matches-against", "quarantined")


@dataclass(frozen=True, slots=True)
class DedupeJob:
    """A request to deduplicate files.

    Attributes:
        source: the input's paths, and which `fields` hold id and text.
        near: threshold and banding.
        out: gets `kept/`, `removed/`, `quarantined/` (Parquet; a file for each large input, small ones together, as
            `dedupe.json` says) and `dedupe.json`, written last.
        against: indexes, or files and folders, that the input is compared with.
        survivor: the side that stays of a pair of the input and `against`.
        is_measured_only: whether nothing is removed: `matches/` says what would be.
        index: gets what is kept.
        folder: the folder that paths are relative to.
        limits: bounds on what is read.
    """

    source: SourceConfig
    near: NearConfig
    out: Path
    against: tuple[str, ...] = ()
    survivor: Survivor = Survivor.AGAINST
    is_measured_only: bool = False
    index: Path | None = None
    folder: Path = Path()
    limits: LimitsConfig = field(default_factory=LimitsConfig)


def refuse_nesting(job: DedupeJob) -> None:
    """Refuse output where input is read from: the next run would take it for input. Reads folders, and no file.

    Raises:
        ConfigError: `out` or `index` lies in a folder that is read, or a path that is read lies in `out`.
    """
    out, index = job.out.resolve(), job.index.resolve() if job.index is not None else None
    for option, names in (("INPUT", job.source.paths), ("--against", job.against)):
        for name in names:
            for place in (path.resolve() for path in matches_of(name, job.folder)):
                if out.is_relative_to(place):
                    raise ConfigError(
                        f"--out: {job.out} lies in {name} ({option}), which is read; choose another folder"
                    )
                if place.is_relative_to(out):
                    raise ConfigError(
                        f"--out: {name} ({option}), which is read, lies in {job.out}; choose another folder"
                    )
                if index is not None and index.is_relative_to(place) and not is_index(place):
                    raise ConfigError(f"--index: {job.index} lies in {name} ({option}), which is read; choose another")


def is_fit_for_output(out: Path) -> bool:
    """True if a folder is empty, or holds what a run that did not end left there: its work, and some of its parts."""
    if not out.exists():
        return True
    if not out.is_dir():
        return False
    names = {path.name for path in out.iterdir()}
    return names <= {WORK, *PARTS} if WORK in names else not names


@contextmanager
def held_output(out: Path) -> Iterator[Path]:
    """Hold the folder of the output while a run fills it; yields the folder of its work, which goes at the end.

    Until the summary is there, parts are nobody's: those of a run that did not end are deleted, what it added to an
    index is taken out again, and the same command begins again.

    Raises:
        RunInUseError: another run holds it.
    """
    work = out / WORK
    work.mkdir(exist_ok=True)
    try:
        held = FileLock(work / "lock", timeout=0).acquire()
    except Timeout as error:
        raise RunInUseError(f"{out} is in use by another run; wait for it, or choose another --out") from error
    with held:
        try:
            _undo(out, work)
            yield work
        finally:
            if not (out / SUMMARY).exists():
                _undo(out, work)
            shutil.rmtree(work, ignore_errors=True)


def _undo(out: Path, work: Path) -> None:
    if (work / INDEX_MARK).exists():
        from polyculture.deduplication.index import take_back  # noqa: PLC0415 -- with all that computes

        take_back(work / INDEX_MARK)
        (work / INDEX_MARK).unlink()
    for name in PARTS:
        shutil.rmtree(out / name, ignore_errors=True)


def check_request(job: DedupeJob) -> int:
    """Look at the input and at what it is compared with; returns the bytes of all files, as they lie on disk. O(files).

    Raises:
        ConfigError: a file is missing, cannot be read, or has no column for the text.
    """
    listed = list_inputs(job.source, job.folder)
    check_columns(job.source, listed.unread, job.limits)
    others = tuple(name for name in job.against if not is_index(job.folder / name))
    if not others:
        return listed.bytes
    return listed.bytes + list_inputs(job.source.model_copy(update={"paths": others}), job.folder).bytes


def is_index(path: Path) -> bool:
    """True if a path is the folder of an index."""
    return (path / INDEX_MANIFEST).is_file()
