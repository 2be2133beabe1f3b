"""Find one document in a finished run: where it went, and why."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from polyculture.errors import ConfigError, PolycultureError
from polyculture.shards.listing import group_of, read_batches
from polyculture.storage.run_directory import RunDirectory, read_manifest
from schemas.found import FoundDocument, FoundPlace, Place
from schemas.manifest import Manifest
from schemas.mixture_config import VALIDATION
from schemas.quarantined import QuarantineReason

SHOWN_ROWS = 20
BATCH_ROWS = 64 * 1024
LISTS: dict[str, Place] = {"removed": "removed", "filtered": "filtered", "unselected": "unselected"}


def find_document(run: Path, document_id: str) -> FoundDocument:
    """Look for a document in every file of a run that names documents.

    Args:
        run: the run directory.
        document_id: `SOURCE:ID`, as shards and lists hold it. A record slot that was quarantined has no id, and is
            found by `FILE:BYTE_OFFSET` or by the SHA-256 of its bytes, as `quarantined/` holds them.

    Returns:
        What was found. Reads one column of every shard and of the lists of the source, batch by batch; memory is
        bounded by a batch.

    Raises:
        ConfigError: the id is empty.
        PolycultureError: a listed file is missing or damaged.
    """
    if not document_id.strip():
        raise ConfigError("the id is empty; give SOURCE:ID, as the shards hold it")
    directory = RunDirectory(run)
    manifest = read_manifest(directory)
    places = tuple(_places(directory, manifest, document_id))
    twins = [place.kept_id for place in places if place.kept_id is not None]
    return FoundDocument(
        run=manifest.name,
        document_id=document_id,
        source=source_of(manifest, document_id),
        places=places,
        stands_for=_stands_for(directory, manifest, document_id),
        twin=tuple(_places(directory, manifest, twins[0])) if twins else (),
        unlisted=_unlisted(manifest, source_of(manifest, document_id)),
    )


def source_of(manifest: Manifest, document_id: str) -> str | None:
    """The source that an id names; None if the run has none of that name."""
    name = document_id.partition(":")[0]
    return name if any(account.name == name for account in manifest.conservation) else None


def _unlisted(manifest: Manifest, source: str | None) -> int:
    """Documents of a source that are in the mixture's account and in no file."""
    unselected = sum(account.unselected for account in manifest.conservation if account.name == source)
    held = manifest.validation.sources if manifest.validation is not None else []
    listed = sum(file.rows or 0 for file in manifest.files if file.path == f"unselected/{source}.parquet")
    return unselected - listed - sum(part.documents for part in held if part.name == source)


def _places(directory: RunDirectory, manifest: Manifest, document_id: str) -> Iterator[FoundPlace]:
    source = source_of(manifest, document_id)
    for file in manifest.files:
        folder, _, name = file.path.partition("/")
        path = directory.root / file.path
        with _named(path, directory.root):
            if folder == "shards" and name.endswith(".arrow") and source is not None:
                yield from _in_shard(path, file.path, document_id)
            elif folder == "quarantined":
                yield from _in_quarantine(path, file.path, document_id)
            elif folder in LISTS and name == f"{source}.parquet":
                yield from _in_list(path, file.path, LISTS[folder], document_id)


@contextmanager
def _named(path: Path, root: Path) -> Iterator[None]:
    """Errors of reading as one that names the file.

    Raises:
        PolycultureError: the file is missing, damaged, or lacks a column.
    """
    try:
        yield
    except (OSError, pa.ArrowException, KeyError) as error:
        problem = (str(error).splitlines() or [type(error).__name__])[0]
        raise PolycultureError(
            f"{path}: missing or damaged: {problem}; `polyculture verify {root}` says more"
        ) from error


def _in_shard(path: Path, listed: str, document_id: str) -> Iterator[FoundPlace]:
    rows, copies, first = list[int](), 0, 0
    for batch in read_batches(path, ["document_id"]):
        hits = _hits(batch["document_id"], document_id)
        rows += [first + hit for hit in hits[: SHOWN_ROWS - len(rows)]]
        copies += len(hits)
        first += batch.num_rows
    if copies:
        place: Place = "held_out" if group_of(listed) == VALIDATION else "written"
        yield FoundPlace(place=place, file=listed, rows=tuple(rows), copies=copies)


def _in_list(path: Path, listed: str, place: Place, document_id: str) -> Iterator[FoundPlace]:
    """Rows of a Parquet list of documents."""
    for row, found in _rows(path, "document_id", document_id):
        yield FoundPlace(
            place=place,
            file=listed,
            rows=(row,),
            copies=1,
            reason=found["reason"],
            detail=found.get("detail"),
            kept_id=found.get("kept_id"),
            similarity=found.get("similarity"),
        )


def _in_quarantine(path: Path, listed: str, wanted: str) -> Iterator[FoundPlace]:
    """Rows of the quarantine: by the id that they clashed with, by file and offset, or by digest."""
    file, _, offset = wanted.rpartition(":")
    for first, batch in _batches(path, ["file", "byte_offset", "sha256", "reason", "detail"]):
        is_hit = pc.equal(batch["sha256"], wanted)
        if file and offset.isdecimal() and len(offset) < 19:
            at = pc.and_(pc.equal(batch["file"], file), pc.equal(batch["byte_offset"], int(offset)))
            is_hit = pc.or_(is_hit, at)
        clash = pc.and_(
            pc.equal(batch["reason"], QuarantineReason.ID_CONFLICT.value),
            pc.starts_with(batch["detail"], f"{wanted} already names"),
        )
        for row in _true(pc.or_(is_hit, clash)):
            found = batch.slice(row, 1).to_pylist()[0]
            yield FoundPlace(
                place="quarantined",
                file=listed,
                rows=(first + row,),
                copies=1,
                reason=found["reason"],
                detail=found["detail"],
                input_file=found["file"],
                byte_offset=found["byte_offset"],
            )


def _stands_for(directory: RunDirectory, manifest: Manifest, document_id: str) -> int:
    count = 0
    for path in (directory.root / file.path for file in manifest.files if file.path.startswith("removed/")):
        with _named(path, directory.root):
            count += sum(len(_hits(batch["kept_id"], document_id)) for _, batch in _batches(path, ["kept_id"]))
    return count


def _rows(path: Path, column: str, wanted: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Rows of a Parquet file by the value of a column, with their numbers."""
    for first, batch in _batches(path, None):
        for row in _hits(batch[column], wanted):
            yield first + row, batch.slice(row, 1).to_pylist()[0]


def _batches(path: Path, columns: Sequence[str] | None) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Batches of a Parquet file, each with the number of its first row."""
    first = 0
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(BATCH_ROWS, columns=columns):
            yield first, batch
            first += batch.num_rows


def _hits(column: pa.Array, wanted: str) -> list[int]:
    return _true(pc.equal(column, pa.scalar(wanted, column.type)))


def _true(mask: pa.BooleanArray) -> list[int]:
    rows: list[int] = pc.indices_nonzero(mask).to_pylist()
    return rows
