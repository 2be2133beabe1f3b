"""Deduplication of files, without a configuration: what `polyculture dedupe` does."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from polyculture.compute.executor import Executor
from polyculture.deduplication.engine import (
    KnownDocuments,
    Sketched,
    find_near_duplicates,
    join_sketched,
    sketch_documents,
)
from polyculture.deduplication.index import find_settled, index_scheme, write_part
from polyculture.deduplication.outcome import Decision, write_outcome
from polyculture.deduplication.request import INDEX_MARK, DedupeJob, is_index
from polyculture.deduplication.search import Workplace
from polyculture.deduplication.spool import PART_BYTES, Spooled, spool_files
from polyculture.deduplication.verify import have_equal_texts
from polyculture.sources.columns import check_columns
from polyculture.sources.files import Found, find_inputs, gather_files
from polyculture.sources.record import InputFile
from polyculture.storage.files import map_arrow_file
from polyculture.text.texts import map_texts
from schemas.accounts import LeftOut
from schemas.dedupe import DedupeSummary, FileReading
from schemas.survivor import Survivor

SEED = 1


def dedupe_files(job: DedupeJob, executor: Executor, workplace: Workplace) -> DedupeSummary:
    """Remove exact and near-duplicates over all files together.

    The longer document is preferred, then the smaller id. Every removed document has a kept twin, and both are named.
    A document of the input is compared with all others; those of `against` are compared with the input only. What it
    is removed for has the same canonical text if possible, else it is the most preferred kept near-duplicate.

    Returns:
        The summary that `dedupe.json` holds. The output depends neither on the order of the files nor on the workers.

    Raises:
        ConfigError: there is no input, it has no column for the text, or an index has another scheme.
    """
    found = find_inputs(job.source, job.folder)
    check_columns(job.source, found.files, job.limits)
    spooled = _spool(found.files, job, executor, workplace)
    scheme = index_scheme(job.near, SEED)
    sketched = sketch_documents(map_texts([part.path for part in spooled]), job.near, SEED, workplace)
    indexes, others, beside = _indexes(job, executor, workplace)
    settled = find_settled(indexes, scheme, sketched) if indexes else None
    identity = pa.concat_tables([map_arrow_file(part.path) for part in spooled])
    decision = replace(
        _decide(sketched, identity, settled, job, workplace),
        settled_files=others,
        left_out=found.left_out,
        settled_left_out=beside,
    )
    if job.index is not None:
        write_part(job.index, scheme, sketched, identity, decision.is_kept, workplace.folder / INDEX_MARK)
    summary = write_outcome(spooled, decision, job.near, job.out, job.is_measured_only)
    sketched.discard()
    for part in spooled:
        part.path.unlink()
    return summary


def _spool(files: Sequence[InputFile], job: DedupeJob, executor: Executor, workplace: Workplace) -> list[Spooled]:
    workplace.folder.mkdir(parents=True, exist_ok=True)
    calls = [
        (group, job.source, job.limits, workplace.folder / f"{number:05d}.spool")
        for number, group in enumerate(gather_files(files, PART_BYTES))
    ]
    spooled, done = [], 0
    for part in executor.run(spool_files, calls):
        spooled.append(part)
        done += len(part.files)
        workplace.report("files", done, len(files))
    return spooled


def _indexes(
    job: DedupeJob, executor: Executor, workplace: Workplace
) -> tuple[list[Path], tuple[FileReading, ...], tuple[LeftOut, ...]]:
    """The indexes that the input is compared with; accounts of the files that one is built of, and what lay beside."""
    read: tuple[FileReading, ...] = ()
    found = Found((), ())
    indexes = [path for path in (job.folder / name for name in job.against) if is_index(path)]
    others = tuple(name for name in job.against if not is_index(job.folder / name))
    if others:
        inner = Workplace(workplace.folder / "against", workplace.threads, workplace.report)
        source = job.source.model_copy(update={"paths": others})
        found = find_inputs(source, job.folder)
        spooled = _spool(found.files, job, executor, inner)
        read = tuple(file.reading for part in spooled for file in part.files)
        sketched = sketch_documents(map_texts([part.path for part in spooled]), job.near, SEED, inner)
        every = pa.concat_tables([map_arrow_file(part.path) for part in spooled])
        index = workplace.folder / "against-index"
        write_part(index, index_scheme(job.near, SEED), sketched, every, np.ones(len(sketched), np.bool_))
        sketched.discard()
        indexes.append(index)
    return indexes, read, found.left_out


def _decide(
    sketched: Sketched, identity: pa.Table, settled: KnownDocuments | None, job: DedupeJob, workplace: Workplace
) -> Decision:
    names = [identity.select(["id", "file", "position"])] + ([settled.identity] if settled else [])
    every = join_sketched([sketched, settled.sketched]) if settled else sketched
    is_settled = np.arange(len(every)) >= len(sketched)
    order = _preference(every, pa.concat_tables(names), is_settled, job.survivor)
    leader = _leaders(every, order)
    own = np.arange(len(every))
    found = find_near_duplicates(sketched, order[leader[order] == order], job.near.threshold, workplace, settled)
    kept = found.kept[leader]
    # A text without words has no near-duplicate, but exact ones; settled documents do not replace each other.
    kept = np.where(is_settled & is_settled[kept], own, kept)
    is_exact = (leader != own) & (kept == leader)
    similarity = np.where(kept == own, 1.0, found.similarity[leader])
    return Decision(identity, kept, similarity, is_exact, found, settled)


def _preference(
    sketched: Sketched, identity: pa.Table, is_settled: NDArray[np.bool_], survivor: Survivor
) -> NDArray[np.int64]:
    frame = pl.DataFrame(pl.from_arrow(identity)).with_columns(
        characters=sketched.characters,
        side={
            Survivor.AGAINST: ~is_settled,
            Survivor.INPUT: is_settled,
            Survivor.LONGER: np.zeros(len(sketched), np.bool_),
        }[survivor],
        at=pl.int_range(pl.len()),
    )
    by = ["side", "characters", "id", "file", "position"]
    order: NDArray[np.int64] = frame.sort(by, descending=[False, True, False, False, False])["at"].to_numpy()
    return order


def _leaders(sketched: Sketched, order: NDArray[np.int64]) -> NDArray[np.int64]:
    """The most preferred document of equal canonical text and layout of each document, compared on the texts."""
    frame = pl.DataFrame({"left": sketched.keys[:, 0], "right": sketched.keys[:, 1]})
    group = frame.select(pl.struct("left", "right").rank("dense")).to_series().to_numpy().astype(np.int64) - 1
    first = np.zeros(len(frame), np.int64)
    first[group[order[::-1]]] = order[::-1]  # the last write wins: the most preferred
    leader: NDArray[np.int64] = first[group]
    members = np.flatnonzero(leader != np.arange(len(leader)))
    is_equal = have_equal_texts(leader[members], members, sketched.texts)
    is_equal &= sketched.layout[leader[members]] == sketched.layout[members]
    leader[members[~is_equal]] = members[~is_equal]
    return leader
