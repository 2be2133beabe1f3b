"""Output of deduplicating files: kept, removed and set-aside documents, and a summary."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
from numpy.typing import NDArray

from polyculture.deduplication.engine import KnownDocuments
from polyculture.deduplication.examples import passages
from polyculture.deduplication.request import SUMMARY
from polyculture.deduplication.search import NearDuplicates
from polyculture.deduplication.spool import Spooled, SpooledFile
from polyculture.sources.side_files import join_left_out
from polyculture.storage.commit import writing
from polyculture.storage.files import PARQUET, map_arrow_file, write_parquet, write_text
from schemas.accounts import LeftOut
from schemas.dedupe import KEPT_SCHEMA, REMOVED_FILE_SCHEMA, Cluster, DedupeSummary, FileLosses, FileReading
from schemas.dedupe_config import NearConfig
from schemas.quarantined import QUARANTINED_SCHEMA

SHOWN_CLUSTERS = 10


@dataclass(frozen=True)
class Decision:
    """The outcome for n documents of the input, and for m settled ones, numbered from n on.

    Attributes:
        identity: (n,) id, text, file and position.
        representative: (n + m,) the document itself, if it is kept.
        similarity: (n + m,) similarity to the representative, 0..1.
        is_exact: (n + m,) whether the representative has the same canonical text.
        near: findings of the near lens.
        settled: the documents compared with, if any.
        settled_files: files of them that were read for it.
        left_out, settled_left_out: side files found beside the input and beside those.
    """

    identity: pa.Table
    representative: NDArray[np.int64]
    similarity: NDArray[np.float64]
    is_exact: NDArray[np.bool_]
    near: NearDuplicates
    settled: KnownDocuments | None
    settled_files: tuple[FileReading, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    settled_left_out: tuple[LeftOut, ...] = ()

    def __len__(self) -> int:
        return int(self.identity.num_rows)

    @cached_property
    def is_kept(self) -> NDArray[np.bool_]:
        """(n,) whether a document of the input stays."""
        is_kept: NDArray[np.bool_] = self.representative[: len(self)] == np.arange(len(self))
        return is_kept

    @cached_property
    def names(self) -> pa.Table:
        """(n + m,) id, file and position, in one piece: rows are taken part by part."""
        mine = self.identity.select(["id", "file", "position"])
        return (mine if self.settled is None else pa.concat_tables([mine, self.settled.identity])).combine_chunks()


def write_outcome(
    spooled: Sequence[Spooled], decision: Decision, near: NearConfig, out: Path, is_measured_only: bool
) -> DedupeSummary:
    """Write the documents and the summary; see `DedupeJob`."""
    losses: list[FileLosses] = []
    start = 0
    removed = "matches" if is_measured_only else "removed"
    for number, part in enumerate(spooled):
        mine = slice(start, start + part.documents)
        start = mine.stop
        name = f"part-{number:05d}.parquet"
        if not is_measured_only:
            _write_kept(out / "kept" / name, map_arrow_file(part.path), decision.is_kept[mine])
        gone = np.flatnonzero(~decision.is_kept[mine]) + mine.start
        write_parquet(out / removed / name, _removed(gone, decision))
        quarantined = [row for file in part.files for row in file.quarantined]
        write_parquet(out / "quarantined" / name, pa.Table.from_pylist(quarantined, QUARANTINED_SCHEMA))
        losses += _losses(part, name, mine.start, decision)
    others = np.arange(len(decision), len(decision.representative))
    others = others[decision.representative[others] != others]
    if decision.settled is not None:
        write_parquet(out / f"{removed}-against" / "part-00000.parquet", _removed(others, decision))
    summary = _summary(losses, decision, near, len(others), is_measured_only)
    write_text(out / SUMMARY, summary.model_dump_json(indent=1))
    return summary


def _summary(
    losses: Sequence[FileLosses], decision: Decision, near: NearConfig, others: int, is_measured_only: bool
) -> DedupeSummary:
    sizes = np.bincount(decision.representative, minlength=len(decision.representative))
    is_kept = decision.representative == np.arange(len(sizes))
    is_kept[len(decision) :] &= sizes[len(decision) :] > 1  # settled ones that nothing matches are not shown
    removed = int((~decision.is_kept).sum())
    exact = int(decision.is_exact[: len(decision)].sum())
    return DedupeSummary(
        threshold=near.threshold,
        bands=near.bands,
        rows=near.rows,
        is_measured_only=is_measured_only,
        documents=len(decision),
        kept=len(decision) - removed,
        exact=exact,
        near=removed - exact,
        removed_fraction=removed / max(1, len(decision)),
        against_documents=decision.settled.documents if decision.settled else 0,
        removed_for_against=int((decision.representative[: len(decision)] >= len(decision)).sum()),
        removed_of_against=others,
        files=tuple(losses),
        against_files=decision.settled_files,
        cluster_sizes=dict(sorted(Counter(sizes[is_kept].tolist()).items())),
        largest_clusters=tuple(_largest(decision, sizes)),
        proposed=decision.near.proposed,
        compared=decision.near.compared,
        rounds=decision.near.rounds,
        left_out=_all_left_out(decision.left_out, losses),
        against_left_out=_all_left_out(decision.settled_left_out, decision.settled_files),
    )


def _all_left_out(found: Sequence[LeftOut], files: Sequence[FileReading]) -> tuple[LeftOut, ...]:
    """Side files beside the input, and inside its archives."""
    return tuple(join_left_out([*found, *(left for file in files for left in file.left_out)]))


def _write_kept(path: Path, table: pa.Table, is_kept: NDArray[np.bool_]) -> None:
    """The kept rows of one file, batch by batch."""
    with writing(path) as stream, pa.parquet.ParquetWriter(stream, KEPT_SCHEMA, **PARQUET) as writer:
        start = 0
        for batch in table.to_batches():
            writer.write_batch(batch.filter(pa.array(is_kept[start : start + batch.num_rows])))
            start += batch.num_rows


def _removed(gone: NDArray[np.int64], decision: Decision) -> pa.Table:
    representative = decision.representative[gone]
    mine = decision.names.take(pa.array(gone))
    kept = decision.names.take(pa.array(representative))
    columns = {
        **{name: mine[name] for name in ("id", "file", "position")},
        "reason": np.where(decision.is_exact[gone], "exact", "near").tolist(),
        **{f"kept_{name}": kept[name] for name in ("id", "file", "position")},
        "kept_in": np.where(representative >= len(decision), "against", "input").tolist(),
        "similarity": decision.similarity[gone],
    }
    arrays = [
        a.cast(field.type) if isinstance(a, pa.ChunkedArray) else pa.array(a, field.type)
        for a, field in ((columns[field.name], field) for field in REMOVED_FILE_SCHEMA)
    ]
    return pa.Table.from_arrays(arrays, schema=REMOVED_FILE_SCHEMA)


def _losses(part: Spooled, name: str, start: int, decision: Decision) -> Iterator[FileLosses]:
    """The losses of each file of a part, whose documents begin at number `start`."""
    for file in part.files:
        mine = slice(start, start + file.documents)
        start = mine.stop
        yield _losses_of(file, name, decision.is_exact[mine][~decision.is_kept[mine]])


def _losses_of(file: SpooledFile, part: str, is_exact: NDArray[np.bool_]) -> FileLosses:
    """The losses of a file, of whose removed documents some have an exact twin."""
    gone, exact = len(is_exact), int(is_exact.sum())
    return FileLosses(
        **dict(file.reading),
        part=part,
        exact=exact,
        near=gone - exact,
        kept=file.documents - gone,
        removed_fraction=gone / max(1, file.documents),
    )


def _largest(decision: Decision, sizes: NDArray[np.int64]) -> Iterator[Cluster]:
    own = np.arange(len(sizes))
    for leader in np.argsort(-sizes, kind="stable")[:SHOWN_CLUSTERS].tolist():
        if sizes[leader] < 2:
            return
        members = np.flatnonzero((decision.representative == leader) & (own != leader))
        farthest = int(members[np.argmin(decision.similarity[members])])
        yield Cluster(
            kept_id=decision.names["id"][leader].as_py(),
            documents=int(sizes[leader]),
            least_similarity=float(decision.similarity[farthest]),
            examples=passages(_text(decision, leader), _text(decision, farthest)),
        )


def _text(decision: Decision, number: int) -> str:
    if number < len(decision) or decision.settled is None:
        return str(decision.identity["text"][number].as_py())
    return decision.settled.sketched.texts.decode(number - len(decision))
