"""Side files of known layouts: what stands beside data and is none. A closed list of rules; see `why_left_out`."""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path, PurePath, PurePosixPath
from typing import Protocol

from polyculture.sources.record import extensions_of
from polyculture.sources.sniff import ARCHIVE_NAMES, COLUMNAR_NAMES, JSON_NAMES, SEPARATED_NAMES, WARC_NAMES
from schemas.accounts import LeftOut

MOST_NAMES = 10
MOST_FOLDERS = 100_000  # of one archive that are told apart
HIDDEN = "hidden: its name starts with a dot"
_RECORDS = COLUMNAR_NAMES | WARC_NAMES | SEPARATED_NAMES | JSON_NAMES | ARCHIVE_NAMES
_LANGUAGE = r"(?:[._-][a-z]{2,3}(?:[_-][a-z]{2,4})?)?"
_TERMS = (
    r"(?:[._-](?:mit|apache|bsd|l?gpl|mpl|cc|odc|data|code|model|agreement|third.?party|lesser|\d)(?:[\w-]|\.\d)*?)?"
)
_PAGES = re.compile(
    rf"(?:(?:readme|citation|changelog){_LANGUAGE}|(?:licen[cs]e|copying|notice){_TERMS})"
    r"(?:\.(?:md|markdown|txt|rst|html?|adoc|org|cff|bib|pdf))?"
    r"|.*\.ya?ml|dataset_infos\.json|croissant\.json",
    re.IGNORECASE,
)
_SAVED = frozenset({"dataset_info.json", "state.json", "dataset_dict.json"})
_MARKERS = re.compile(r"_SUCCESS|_committed_.*|_started_.*|_metadata|_common_metadata|.*\.crc")
_ARCHIVE_MARKS = frozenset({"manifest.json", "verdict.json", "dedupe.json", "version-hint.text"})
_MARKING_FOLDERS = frozenset({"state", "kept"})
# Folders whose name is enough, and what they are.
_FOLDERS: Mapping[str, str] = {
    "_delta_log": "the log of a Delta table",
    "_change_data": "the change data of a Delta table",
    "_temporary": "what a Spark job has not committed",
}


class _Tree(Protocol):
    """What the rules ask of the place that the files lie in."""

    def has(self, path: PurePath) -> bool:
        """True if a file or folder of this path is there."""
        ...

    def is_iceberg(self, folder: PurePath) -> bool:
        """True if a folder holds the metadata of an Iceberg table."""
        ...


class _Disk:
    """A `_Tree` of files and folders, which asks for each once: a folder may hold thousands of files."""

    def __init__(self) -> None:
        self.has = cache(self._has)
        self.is_iceberg = cache(self._is_iceberg)

    def _has(self, path: PurePath) -> bool:
        return Path(path).exists()

    def _is_iceberg(self, folder: PurePath) -> bool:
        return self.has(folder / "version-hint.text") or any(Path(folder).glob("*.metadata.json"))


class ArchiveNames:
    """The same rules for the members of an archive, whose names are only compared. Memory: 100,000 folders.

    An archive of more folders is one folder as far as files of records beside a page are concerned.
    """

    def __init__(self) -> None:
        self._above: tuple[set[PurePosixPath], set[PurePosixPath]] = (set(), set())  # Arrow files, files of records
        self._marks: set[PurePosixPath] = set()

    def add(self, name: str) -> None:
        """Take note of a member."""
        path = _path_of(name)
        if path.name in _ARCHIVE_MARKS and len(self._marks) < MOST_FOLDERS:
            self._marks.add(path)
        if path.name.endswith(".metadata.json"):
            self._marks.add(path.parent / "version-hint.text")
        self._marks |= {folder for folder in path.parents if folder.name in _MARKING_FOLDERS}
        for folders, test in zip(self._above, (_is_arrow, _is_record_file), strict=True):
            if path.parent not in folders and test(path):
                room = len(folders) < MOST_FOLDERS
                folders.update(path.parents if room else [])

    def why_left_out(self, name: str) -> str | None:
        """Reason why a member is no data, as `why_left_out`; also where a part of its name starts with a dot."""
        path = _path_of(name)
        if any(part.startswith(".") and part != ".." for part in path.parts):
            return HIDDEN
        arrow, records = self._above
        return _why(path, PurePosixPath(), arrow, records, self)

    def has(self, path: PurePath) -> bool:
        """See `_Tree`."""
        return path in self._marks

    def is_iceberg(self, folder: PurePath) -> bool:
        """See `_Tree`."""
        return folder / "version-hint.text" in self._marks


def _path_of(name: str) -> PurePosixPath:
    return PurePosixPath(name.lstrip("/"))


def why_left_out(found: Mapping[Path, Path], named: Collection[Path]) -> dict[Path, str]:
    """The files that are no data by the layout of their folder, and why. The first rule that fits counts.

    1. A folder with `manifest.json` and `state/` or `verdict.json` is a run of Polyculture: only `shards/` is data, and
       of it only the shards. A folder with `dedupe.json` and `kept/` likewise: only `kept/`.
    2. `_delta_log/`, `_change_data/`, `_temporary/`; `metadata/` that holds `*.metadata.json` or `version-hint.text`.
    3. `_SUCCESS`, `_committed_*`, `_started_*`, `_metadata`, `_common_metadata`, `*.crc`.
    4. `dataset_info.json`, `state.json`, `dataset_dict.json` where `*.arrow` files lie in their folder or below it.
    5. README, CITATION and CHANGELOG, in a language or in none, LICENSE, COPYING and NOTICE, with the name of a licence
       or without, as pages (without extension, or `.md`, `.txt`, `.rst`, `.html` and the like), `*.yaml`, `*.yml`,
       `dataset_infos.json` and `croissant.json`, where files of records (by extension: JSON, JSON Lines, CSV, TSV,
       Parquet, Arrow, WARC) lie in their folder or below it. A folder of Markdown alone is a corpus, README and all.

    Args:
        found: each file that walking a folder or a pattern found, and the folder that the search began at; no rule
            looks above it.
        named: files that the configuration names itself; never left out.
    """
    arrow, records = _folders_above(found, _is_arrow), _folders_above(found, _is_record_file)
    left, tree = {}, _Disk()
    for path, root in found.items():
        why = None if path in named else _why(path, root, arrow, records, tree)
        if why is not None:
            left[path] = why
    return left


def gather_left_out(left: Mapping[str, str]) -> list[LeftOut]:
    """Names of left-out files by reason, at most 10 names each.

    Args:
        left: name of a file or folder to why it is left out.
    """
    names: dict[str, list[str]] = defaultdict(list)
    for name, why in sorted(left.items()):
        names[why].append(name)
    return [LeftOut(why=why, files=len(of), names=of[:MOST_NAMES]) for why, of in sorted(names.items())]


def join_left_out(parts: Sequence[LeftOut]) -> list[LeftOut]:
    """Side files of several places, one entry for each reason, at most 10 names each."""
    joined: dict[str, LeftOut] = {}
    for part in parts:
        known = joined.get(part.why, LeftOut(why=part.why, files=0, names=[]))
        names = [*known.names, *part.names][:MOST_NAMES]
        joined[part.why] = LeftOut(why=part.why, files=known.files + part.files, names=names)
    return [joined[why] for why in sorted(joined)]


def _is_arrow(path: PurePath) -> bool:
    return path.suffix.lower() == ".arrow"


def _is_record_file(path: PurePath) -> bool:
    is_page = path.name in _SAVED or _PAGES.fullmatch(path.name) or _MARKERS.fullmatch(path.name)
    return not is_page and bool(extensions_of(path.name) & _RECORDS)


def _folders_above(found: Iterable[Path], test: Callable[[PurePath], bool]) -> set[Path]:
    """Folders that hold a file which passes the test, at any depth."""
    holding: set[Path] = set()
    for path in found:
        if path.parent not in holding and test(path):
            holding.update(path.parents)
    return holding


def _why(
    path: PurePath, root: PurePath, arrow: Collection[PurePath], records: Collection[PurePath], tree: _Tree
) -> str | None:
    folder = root
    for part in path.relative_to(root).parts if path.is_relative_to(root) else (path.name,):
        why = _by_product(folder, part, path, tree) or _by_folder(folder / part, path, tree)
        if why is not None:
            return why
        folder /= part
    if _MARKERS.fullmatch(path.name):
        return "a marker, summary or checksum of Spark or Hadoop"
    if path.name in _SAVED and path.parent in arrow:
        return "the description of a saved dataset"
    is_page = _PAGES.fullmatch(path.name) and path.parent in records
    return "a page or setting beside data files" if is_page else None


def _by_folder(folder: PurePath, path: PurePath, tree: _Tree) -> str | None:
    """Reason to leave out `path` below a folder that a table format keeps its own files in."""
    if folder == path:
        return None
    is_iceberg = folder.name == "metadata" and tree.is_iceberg(folder)
    return "the metadata of an Iceberg table" if is_iceberg else _FOLDERS.get(folder.name)


def _by_product(folder: PurePath, part: str, path: PurePath, tree: _Tree) -> str | None:
    """Reason to leave out `path` in a folder that Polyculture wrote; `part` is the next step from there to it."""
    if tree.has(folder / "manifest.json") and (tree.has(folder / "state") or tree.has(folder / "verdict.json")):
        is_shard = part == "shards" and _is_arrow(path)
        return None if is_shard else "a run of Polyculture, of which only the shards are data"
    if tree.has(folder / "dedupe.json") and tree.has(folder / "kept"):
        return None if part == "kept" else "the result of polyculture dedupe, of which only kept/ is data"
    return None
