"""Count what the files of a run hold, by code that did not write them."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from polyculture.shards.listing import group_of
from polyculture.shards.read import shard_batches
from polyculture.storage.files import read_parquet
from polyculture.storage.run_directory import RunDirectory
from schemas.documents import DOCUMENT_SCHEMA
from schemas.filtered import FILTERED_SCHEMA
from schemas.manifest import Manifest
from schemas.mixture_config import VALIDATION
from schemas.quarantined import QuarantineReason
from schemas.unselected import UNSELECTED_SCHEMA


@dataclass(slots=True)
class Tally:
    """Contents of the files of a run, counted again."""

    written: Counter[str] = field(default_factory=Counter)
    written_tokens: Counter[str] = field(default_factory=Counter)
    kept: dict[str, set[str]] = field(default_factory=dict)
    removed: Counter[tuple[str, str]] = field(default_factory=Counter)
    removed_ids: set[str] = field(default_factory=set)
    representatives: set[str] = field(default_factory=set)
    removed_tokens: Counter[str] = field(default_factory=Counter)
    quarantined: Counter[tuple[str, str]] = field(default_factory=Counter)
    filtered: Counter[tuple[str, str]] = field(default_factory=Counter)
    filtered_tokens: Counter[tuple[str, str]] = field(default_factory=Counter)
    filtered_ids: set[str] = field(default_factory=set)
    unselected: Counter[str] = field(default_factory=Counter)
    unselected_ids: set[str] = field(default_factory=set)
    held: Counter[str] = field(default_factory=Counter)
    held_tokens: Counter[str] = field(default_factory=Counter)
    held_ids: set[str] = field(default_factory=set)


def recount(directory: RunDirectory, manifest: Manifest, problems: list[str]) -> Tally:
    """Count the rows of every listed file; reads shards and lists once, and holds every document_id in memory.

    Args:
        directory: of the run; its files have the digests that the manifest lists.
        manifest: of the run.
        problems: gets every file that does not hold what the manifest says, in words.
    """
    tally = Tally()
    for file in manifest.files:
        path = directory.root / file.path
        rows = None
        if file.path.startswith("shards/") and path.suffix == ".arrow":
            rows = _count_shard(path, tally, problems)
        elif file.path.startswith("removed/"):
            rows = _count_removed(path, tally)
        elif file.path.startswith("filtered/"):
            rows = _count_filtered(path, tally, problems)
        elif file.path.startswith("unselected/"):
            rows = _count_unselected(path, tally, problems)
        elif file.path.startswith("quarantined/"):
            rows = _count_quarantined(path, tally, problems)
        if rows is not None and rows != file.rows:
            problems.append(f"{file.path}: holds {rows} rows, the manifest says {file.rows}")
    return tally


def _count_shard(path: Path, tally: Tally, problems: list[str]) -> int:
    rows, is_held = 0, group_of(path.name) == VALIDATION
    schema, batches = shard_batches(path)
    if schema != DOCUMENT_SCHEMA:
        problems.append(f"shards/{path.name}: not the DOCUMENT schema")
        return -1
    for batch in batches:
        batch.validate(full=True)
        rows += batch.num_rows
        columns = batch.select(["document_id", "source", "tokens"]).to_pydict()
        for name, source_name, tokens in zip(*columns.values(), strict=True):
            if is_held:
                tally.held[source_name] += 1
                tally.held_tokens[source_name] += tokens
                tally.held_ids.add(name)
                continue
            tally.written[source_name] += 1
            tally.written_tokens[source_name] += tokens
            tally.kept.setdefault(source_name, set()).add(name)
    return rows


def _count_removed(path: Path, tally: Tally) -> int:
    table = read_parquet(path)
    for source, reason, tokens in zip(
        *(table[name].to_pylist() for name in ("source", "reason", "text_tokens")), strict=True
    ):
        tally.removed[source, reason] += 1
        tally.removed_tokens[source] += tokens
    tally.removed_ids.update(table["document_id"].to_pylist())
    tally.representatives.update(table["kept_id"].to_pylist())
    return int(table.num_rows)


def _count_filtered(path: Path, tally: Tally, problems: list[str]) -> int:
    table = read_parquet(path)
    if table.schema != FILTERED_SCHEMA:
        problems.append(f"filtered/{path.name}: not the FILTERED schema")
        return -1
    columns = (table[name].to_pylist() for name in ("source", "reason", "text_tokens"))
    for source, reason, tokens in zip(*columns, strict=True):
        tally.filtered[source, reason] += 1
        tally.filtered_tokens[source, reason] += tokens
    tally.filtered_ids.update(table["document_id"].to_pylist())
    return int(table.num_rows)


def _count_unselected(path: Path, tally: Tally, problems: list[str]) -> int:
    table = read_parquet(path)
    if table.schema != UNSELECTED_SCHEMA:
        problems.append(f"unselected/{path.name}: not the UNSELECTED schema")
        return -1
    tally.unselected.update(table["source"].to_pylist())
    tally.unselected_ids.update(table["document_id"].to_pylist())
    return int(table.num_rows)


def _count_quarantined(path: Path, tally: Tally, problems: list[str]) -> int:
    table = read_parquet(path)
    known = set(QuarantineReason)
    for source, reason in zip(table["source"].to_pylist(), table["reason"].to_pylist(), strict=True):
        tally.quarantined[source, reason] += 1
        if reason not in known:
            problems.append(f"quarantined/{path.name}: unknown reason {reason!r}")
    return int(table.num_rows)
