"""Deduplication of files, without a configuration: what `polyculture dedupe` does."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet
from numpy.typing import NDArray

from polyculture.dedupe.engine import Sketched, find_near_duplicates, sketch_documents
from polyculture.dedupe.search import NearDuplicates, Workplace
from polyculture.dedupe.texts import map_texts
from polyculture.dedupe.verify import have_equal_texts
from polyculture.executor import Executor
from polyculture.files import map_arrow_file, whole_file, write_parquet, write_text
from polyculture.ingest import quarantine_row
from polyculture.sources.documents import Document
from polyculture.sources.read import read_file
from polyculture.sources.record import FileNotes, Filtered, InputFile, Rejection, safe_detail
from schemas.config import LimitsConfig, NearConfig, SourceConfig
from schemas.dedupe import KEPT_SCHEMA, REMOVED_FILE_SCHEMA, Cluster, DedupeSummary, FileLosses
from schemas.quarantined import QUARANTINED_SCHEMA

SEED = 1
BATCH_DOCUMENTS, BATCH_CHARACTERS = 1000, 16 * 2**20
SHOWN_CLUSTERS, SHOWN_CHARACTERS = 10, 300


@dataclass(frozen=True, slots=True)
class Spooled:
    """One file, read."""

    file: InputFile
    path: Path
    documents: int
    quarantined: list[dict[str, object]]
    filtered: int
    is_tail_lost: bool


def spool_file(file: InputFile, source: SourceConfig, limits: LimitsConfig, path: Path) -> Spooled:
    """Read a file of any known format into an Arrow file of KEPT_SCHEMA. Memory is bounded by a batch."""
    notes = FileNotes()
    quarantined: list[dict[str, object]] = []
    filtered = documents = 0
    with whole_file(path) as temporary, pa.ipc.new_file(temporary, KEPT_SCHEMA) as writer:
        batch: list[Document] = []
        characters = 0
        for slot in read_file(file, source, limits, notes):
            if isinstance(slot, Rejection):
                quarantined.append(quarantine_row(source.name, file.name, slot))
            elif isinstance(slot, Filtered):
                filtered += 1
            else:
                batch.append(slot)
                documents += 1
                characters += len(str(slot.values["text"]))
                if len(batch) >= BATCH_DOCUMENTS or characters >= BATCH_CHARACTERS:
                    writer.write_batch(_batch(batch, file))
                    batch, characters = [], 0
        if batch:
            writer.write_batch(_batch(batch, file))
    return Spooled(file, path, documents, quarantined, filtered, notes.is_tail_lost)


def _batch(documents: Sequence[Document], file: InputFile) -> pa.RecordBatch:
    own = [document.values.get("id") for document in documents]
    columns = [
        [f"{file.sha256[:32]}:{d.position}" if i is None else str(i) for i, d in zip(own, documents, strict=True)],
        [document.values["text"] for document in documents],
        [file.name] * len(documents),
        [document.position for document in documents],
    ]
    arrays = [pa.array(values, field.type) for values, field in zip(columns, KEPT_SCHEMA, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=KEPT_SCHEMA)


def dedupe_files(
    files: Sequence[InputFile], source: SourceConfig, near: NearConfig, out: Path, means: tuple[Executor, Workplace]
) -> DedupeSummary:
    """Remove exact and near-duplicates over all files together.

    The longer document is preferred, then the smaller id. Every removed document has a kept twin, and both are named.

    Args:
        files: from `find_files`.
        source: its `fields` say where id and text are.
        near: threshold and banding.
        out: gets `kept/`, `removed/`, `quarantined/` (Parquet, a file for each input) and `dedupe.json`, written last.
        means: what reads the files, and where and how the engine works.

    Returns:
        The summary that `dedupe.json` holds. The output depends neither on the order of the files nor on the workers.
    """
    executor, workplace = means
    workplace.folder.mkdir(parents=True, exist_ok=True)
    calls = [
        (file, source, LimitsConfig(), workplace.folder / f"{number:05d}.spool") for number, file in enumerate(files)
    ]
    spooled = []
    for done, part in enumerate(executor.run(spool_file, calls), 1):
        spooled.append(part)
        workplace.report("files", done, len(files))
    decision = _decide([part.path for part in spooled], near, workplace)
    summary = _write(spooled, decision, near, out)
    for part in spooled:
        part.path.unlink()
    write_text(out / "dedupe.json", summary.model_dump_json(indent=1))
    return summary


@dataclass(frozen=True, slots=True)
class _Decision:
    """What became of each of n documents: `kept` is the representative, or the document itself."""

    kept: NDArray[np.int64]
    similarity: NDArray[np.float64]
    is_exact: NDArray[np.bool_]
    near: NearDuplicates


def _decide(paths: Sequence[Path], near: NearConfig, workplace: Workplace) -> _Decision:
    texts = map_texts(paths)
    sketched = sketch_documents(texts, near, SEED, workplace)
    identity = pl.concat(
        [pl.DataFrame(pl.from_arrow(map_arrow_file(path).select(["id", "file", "position"]))) for path in paths]
    )
    order = _preference(sketched, identity)
    leader = _leaders(sketched, order)
    own = np.arange(len(texts))
    found = find_near_duplicates(sketched, order[leader[order] == order], near.threshold, workplace)
    kept = found.kept[leader]
    is_exact = (leader != own) & (found.kept[leader] == leader)
    return _Decision(kept, np.where(kept == own, 1.0, found.similarity[leader]), is_exact, found)


def _preference(sketched: Sketched, identity: pl.DataFrame) -> NDArray[np.int64]:
    frame = identity.with_columns(characters=sketched.characters, at=pl.int_range(pl.len()))
    ordered = frame.sort(["characters", "id", "file", "position"], descending=[True, False, False, False])
    order: NDArray[np.int64] = ordered["at"].to_numpy()
    return order


def _leaders(sketched: Sketched, order: NDArray[np.int64]) -> NDArray[np.int64]:
    """The most preferred document of equal canonical text of each document, compared on the texts."""
    frame = pl.DataFrame({"left": sketched.keys[:, 0], "right": sketched.keys[:, 1]})
    group = frame.select(pl.struct("left", "right").rank("dense")).to_series().to_numpy().astype(np.int64) - 1
    first = np.zeros(len(frame), np.int64)
    first[group[order[::-1]]] = order[::-1]  # the last write wins: the most preferred
    leader: NDArray[np.int64] = first[group]
    members = np.flatnonzero(leader != np.arange(len(leader)))
    is_equal = have_equal_texts(leader[members], members, sketched.texts)
    leader[members[~is_equal]] = members[~is_equal]
    return leader


def _write(spooled: Sequence[Spooled], decision: _Decision, near: NearConfig, out: Path) -> DedupeSummary:
    tables = [map_arrow_file(part.path) for part in spooled]
    every = pa.concat_tables(tables)
    is_kept = decision.kept == np.arange(len(decision.kept))
    losses, start = [], 0
    for number, (part, table) in enumerate(zip(spooled, tables, strict=True)):
        mine = slice(start, start + table.num_rows)
        start += table.num_rows
        name = f"part-{number:05d}.parquet"
        _write_kept(out / "kept" / name, table, is_kept[mine])
        gone = np.flatnonzero(~is_kept[mine]) + mine.start
        write_parquet(out / "removed" / name, _removed(every, gone, decision))
        write_parquet(out / "quarantined" / name, pa.Table.from_pylist(part.quarantined, QUARANTINED_SCHEMA))
        losses.append(_losses(part, gone, decision))
    sizes = np.bincount(decision.kept, minlength=len(is_kept))[is_kept] if len(is_kept) else np.empty(0, np.int64)
    exact = int(decision.is_exact.sum())
    removed = int((~is_kept).sum())
    return DedupeSummary(
        threshold=near.threshold,
        bands=near.bands,
        rows=near.rows,
        documents=len(is_kept),
        kept=len(is_kept) - removed,
        exact=exact,
        near=removed - exact,
        removed_fraction=removed / max(1, len(is_kept)),
        files=tuple(losses),
        cluster_sizes=dict(sorted(Counter(sizes.tolist()).items())),
        largest_clusters=tuple(_largest(every, decision)),
        proposed=decision.near.proposed,
        compared=decision.near.compared,
        rounds=decision.near.rounds,
    )


def _write_kept(path: Path, table: pa.Table, is_kept: NDArray[np.bool_]) -> None:
    """The kept rows of one file, batch by batch."""
    options = {"compression": "zstd", "store_schema": False, "write_page_checksum": True}
    with whole_file(path) as temporary, pa.parquet.ParquetWriter(temporary, KEPT_SCHEMA, **options) as writer:
        start = 0
        for batch in table.to_batches():
            writer.write_batch(batch.filter(pa.array(is_kept[start : start + batch.num_rows])))
            start += batch.num_rows


def _removed(every: pa.Table, gone: NDArray[np.int64], decision: _Decision) -> pa.Table:
    mine = every.select(["id", "file", "position"]).take(pa.array(gone))
    kept = every.select(["id", "file", "position"]).take(pa.array(decision.kept[gone]))
    reasons = np.where(decision.is_exact[gone], "exact", "near").tolist()
    columns = [mine["id"], mine["file"], mine["position"], reasons, kept["id"], kept["file"], kept["position"]]
    arrays = [*columns, decision.similarity[gone]]
    pairs = zip(arrays, REMOVED_FILE_SCHEMA, strict=True)
    chunked = [a.cast(f.type) if isinstance(a, pa.ChunkedArray) else pa.array(a, f.type) for a, f in pairs]
    return pa.Table.from_arrays(chunked, schema=REMOVED_FILE_SCHEMA)


def _losses(part: Spooled, gone: NDArray[np.int64], decision: _Decision) -> FileLosses:
    exact = int(decision.is_exact[gone].sum())
    return FileLosses(
        file=part.file.name,
        sha256=part.file.sha256,
        documents=part.documents,
        quarantined=len(part.quarantined),
        filtered=part.filtered,
        exact=exact,
        near=len(gone) - exact,
        kept=part.documents - len(gone),
        removed_fraction=len(gone) / max(1, part.documents),
        is_tail_lost=part.is_tail_lost,
    )


def _largest(every: pa.Table, decision: _Decision) -> Iterator[Cluster]:
    own = np.arange(len(decision.kept))
    sizes = np.bincount(decision.kept, minlength=len(own))
    for leader in np.argsort(-sizes, kind="stable")[:SHOWN_CLUSTERS].tolist():
        if sizes[leader] < 2:
            return
        members = np.flatnonzero((decision.kept == leader) & (own != leader))
        farthest = int(members[np.argmin(decision.similarity[members])])
        texts = every["text"].take(pa.array([leader, farthest])).to_pylist()
        yield Cluster(
            kept_id=every["id"][leader].as_py(),
            documents=int(sizes[leader]),
            least_similarity=float(decision.similarity[farthest]),
            examples=tuple(safe_detail(text, SHOWN_CHARACTERS) for text in texts),
        )
