"""Take documents out of a finished run: only the shards that hold them are written again."""

import hashlib
import os
import shutil
from collections import Counter
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc

from polyculture.corpus.filtered import extend_filtered
from polyculture.errors import ConfigError, PolycultureError
from polyculture.filters.entries import Exclusions
from polyculture.filters.lists import COLUMNS, match
from polyculture.measure.ledger.examples import EXAMPLES_FILE
from polyculture.measure.repetition.repetition_file import PASSAGES_FILE, without_passage_texts
from polyculture.shards.dataset_files import STATISTICS_FILE, Written, write_dataset_files
from polyculture.shards.describe import DESCRIPTION_FILES, write_descriptions
from polyculture.shards.listing import read_batches
from polyculture.storage.commit import sync, writing
from polyculture.storage.files import file_digest, parquet_rows, read_parquet, write_parquet
from polyculture.storage.hashing import file_sha256
from polyculture.storage.run_directory import RunDirectory, is_intact
from polyculture.takedown.account import (
    Taken,
    account_takedown,
    less_held,
    less_written,
    placed_again,
    taken_rows,
    without_texts,
)
from schemas.accounts import FileDigest
from schemas.documents import DOCUMENT_SCHEMA
from schemas.ledger import EXAMPLES_SCHEMA
from schemas.manifest import Manifest, TakedownAccount
from schemas.mixture_config import ShardConfig
from schemas.shards import MixtureStatistics, ShardStatistics, SourceRows


def take_down(run: RunDirectory, out: RunDirectory, exclusions: Exclusions) -> Manifest:
    """Make a run without some documents of another: its shards but for these rows, all else as it was.

    A shard that holds none of them is linked, or copied across file systems; one that does is written again without
    them, in its place and order. The evidence stays that of the run before, but for the passages of texts in it, of
    which none is kept. The gate says how much of what was measured is gone.

    Args:
        run: a finished run, of which every listed file is checked first.
        out: a directory without a manifest, held by the caller.
        exclusions: what to take out.

    Returns:
        The manifest of the new run, which names the old one. Time: every shard is read, and those that change written.

    Raises:
        ConfigError: the run is an audit.
        PolycultureError: a file of the run is not what its manifest lists, or no entry names a document of its shards.
    """
    raw = run.manifest.read_bytes()
    manifest = Manifest.model_validate_json(raw)
    if manifest.command == "audit":
        raise ConfigError(f"{run.root} is an audit: it has no shards; leave the documents out of its inputs")
    damaged = [file.path for file in manifest.files if not is_intact(run.root, file)]
    if damaged:
        raise PolycultureError(
            f"{damaged[0]} is not what the manifest lists; `polyculture verify {run.root}` says more"
        )
    before = MixtureStatistics.model_validate_json((run.shards / STATISTICS_FILE).read_bytes())
    listed = {file.path: file for file in manifest.files}
    parts: list[tuple[list[Written], Taken]] = []
    used = set[str]()
    for shards in (before.shards, before.validation):
        written, taken = [], Taken()
        for shard in shards:
            details, found = _match(run.root / shard.path, exclusions)
            used |= found
            if found:
                written.append(_without(run, out, shard, (details, taken, manifest.config.shards)))
            else:
                written.append((_adopt(run, out, listed[shard.path]), shard))
        parts.append((written, taken))
    if not used:
        raise PolycultureError(f"none of the {len(exclusions.entries):,} entries names a document in these shards")
    (trained, gone), (held, gone_held) = ((placed_again(written), taken) for written, taken in parts)
    digest = hashlib.sha256(raw).hexdigest()
    account = account_takedown((digest, manifest.takedown), exclusions, used, gone, gone_held)
    return _describe((run, out), manifest, (trained, held), (account, gone, gone_held))


def taken_down(run: RunDirectory, out: RunDirectory, exclusions: Exclusions) -> Manifest | None:
    """The manifest of a takedown that was sealed, of this run and by these lists; None if there is no other there."""
    if not out.manifest.is_file():
        return None
    manifest = Manifest.model_validate_json(out.manifest.read_bytes())
    found = manifest.takedown
    if found is None or found.parent_sha256 != file_sha256(run.manifest) or found.lists != list(exclusions.lists):
        return None
    return manifest


def _match(shard: Path, exclusions: Exclusions) -> tuple[pl.Series, set[str]]:
    """The entry that names each row of a shard, null for one that stays, and all entries that name any."""
    details, used = [pl.Series([], dtype=pl.String)], set[str]()
    for batch in read_batches(shard, COLUMNS):
        found = match(pa.Table.from_batches([batch]), exclusions)
        details.append(found.details)
        used |= found.used
    return pl.concat(details), used


def _without(
    run: RunDirectory,
    out: RunDirectory,
    shard: ShardStatistics,
    what: tuple[pl.Series, Taken, ShardConfig],
) -> Written:
    """Write a shard again without some rows."""
    details, taken, config = what
    rows, texts, first = Counter[str](), Counter[str](), 0
    tokens = Counter[str]()
    compression = None if config.compression == "none" else config.compression
    options = pa.ipc.IpcWriteOptions(use_threads=False, compression=compression)
    opened = pa.ipc.new_stream if config.format == "stream" else pa.ipc.new_file
    with writing(out.root / shard.path) as stream, opened(stream, DOCUMENT_SCHEMA, options=options) as writer:
        for batch in read_batches(run.root / shard.path):
            found = details.slice(first, len(batch))
            is_kept = pa.array(found.is_null().to_numpy())
            first += len(batch)
            table = pa.Table.from_batches([batch])
            taken.add(table.filter(pc.invert(is_kept)), found.drop_nulls().to_list())
            kept = table.filter(is_kept).combine_chunks()
            for part in kept.to_batches():
                writer.write_batch(part)
            sizes = pc.binary_length(kept["text"]).to_pylist()
            for source, count, size in zip(kept["source"].to_pylist(), kept["tokens"].to_pylist(), sizes, strict=True):
                rows[source] += 1
                tokens[source] += count
                texts[source] += size
    digest = stream.digest(out.root, rows=rows.total())
    sources = {name: SourceRows(rows=rows[name], tokens=tokens[name], text_bytes=texts[name]) for name in sorted(rows)}
    return digest, ShardStatistics(
        path=shard.path,
        rows=rows.total(),
        tokens=tokens.total(),
        text_bytes=texts.total(),
        first_position=shard.first_position,
        last_position=shard.last_position,
        sources=sources,
    )


def _adopt(run: RunDirectory, out: RunDirectory, file: FileDigest) -> FileDigest:
    """Have a file in the new run as it is: a second name for the same bytes where the file system can."""
    target = out.root / file.path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(run.root / file.path, target)
        sync(target.parent)
    except OSError:
        with writing(target) as stream, (run.root / file.path).open("rb") as source:
            shutil.copyfileobj(source, stream, 2**20)
    return file


def _write_filtered(
    run: RunDirectory, out: RunDirectory, manifest: Manifest, parts: tuple[Taken, Taken]
) -> list[FileDigest]:
    """Write `filtered/` of the sources that lost documents, with what it held before."""
    files = []
    for account in manifest.conservation:
        rows = taken_rows(account.name, parts)
        if rows.num_rows:
            path = out.filtered / f"{account.name}.parquet"
            extend_filtered(run.filtered / path.name, path, rows)
            files.append(file_digest(path, out.root, parquet_rows(path)))
    return files


def _describe(
    where: tuple[RunDirectory, RunDirectory],
    manifest: Manifest,
    written: tuple[list[Written], list[Written]],
    account: tuple[TakedownAccount, Taken, Taken],
) -> Manifest:
    """Write the files beside the shards; the manifest of all."""
    run, out = where
    takedown, trained, held = account
    new = [digest for shards in written for digest, _ in shards]
    rewritten = sorted(digest.path for digest in new if digest not in manifest.files)
    new += write_dataset_files(*written, manifest.config.shards, out.root)
    examples = out.ledger / EXAMPLES_FILE
    if examples.relative_to(out.root).as_posix() in {file.path for file in manifest.files}:
        write_parquet(examples, EXAMPLES_SCHEMA.empty_table())
        new.append(file_digest(examples, out.root, rows=0))
    passages = out.ledger / PASSAGES_FILE
    if passages.relative_to(out.root).as_posix() in {file.path for file in manifest.files}:
        table = without_passage_texts(read_parquet(run.ledger / PASSAGES_FILE))
        write_parquet(passages, table)
        new.append(file_digest(passages, out.root, rows=table.num_rows))
    new += _write_filtered(run, out, manifest, (trained, held))
    made = {file.path for file in new} | set(DESCRIPTION_FILES)
    new += [_adopt(run, out, file) for file in manifest.files if file.path not in made]
    validation = manifest.validation
    if validation is not None:
        sources = [less_held(source, held) for source in validation.sources]
        validation = validation.model_copy(update={"sources": sources})
    found = manifest.model_copy(
        update={
            "conservation": [less_written(one, trained, held) for one in manifest.conservation],
            "validation": validation,
            "removals": without_texts(manifest.removals),
            "takedown": takedown.model_copy(update={"rewritten": rewritten}),
            "files": sorted(new, key=lambda file: file.path),
        }
    )
    described = [*found.files, *write_descriptions(found, out.root)]
    return found.model_copy(update={"files": sorted(described, key=lambda file: file.path)})
