"""The intermediate files of a run: where each stage leaves its result for the next one."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from polyculture.corpus.corpus import Corpus, source_order
from polyculture.corpus.filtered import Filtering
from polyculture.corpus.ingest import Partition
from polyculture.dedupe.removal import Removal
from polyculture.encoders.embeddings import Embeddings, make_encoder
from polyculture.job import Job
from polyculture.shards.write import Origin
from polyculture.storage.files import (
    map_arrow_file,
    parquet_rows_to,
    read_parquet_parts,
    write_arrow_file,
    write_bytes,
    write_text,
)
from polyculture.storage.run_directory import RunDirectory
from polyculture.text.shingles import ShingleSets
from schemas.filtered import FILTERED_SCHEMA
from schemas.manifest import ExclusionAccount, ValidationAccount
from schemas.plan import MixturePlan
from schemas.quarantined import QUARANTINED_SCHEMA
from schemas.removals import RemovalSummary


def all_partitions(job: Job) -> list[tuple[int, Partition]]:
    """Every partition with its source's number, in index order."""
    names, _ = source_order(job.config)
    return [(number, partition) for number, name in enumerate(names) for partition in job.partitions(name)]


def documents_folder(directory: RunDirectory) -> Path:
    """Folder of the partitions."""
    return directory.work / "documents"


def documents_path(job: Job, partition: Partition) -> Path:
    """Documents of one partition."""
    return documents_folder(job.directory) / f"{partition.name}.arrow"


def embeddings_path(job: Job, partition: Partition) -> Path:
    """Embeddings of one partition."""
    return job.directory.work / "embeddings" / f"{partition.name}.arrow"


def open_embeddings(job: Job, corpus: Corpus) -> Embeddings | None:
    """Embeddings of all documents, or None if the configuration asks for none."""
    config = job.config.measure.semantic
    if config is None:
        return None
    paths = [embeddings_path(job, partition) for _, partition in all_partitions(job)]
    partition, row = (corpus.column(name).astype(np.int64) for name in ("partition", "row"))
    return Embeddings(paths, partition, row, make_encoder(config, job.encoder_path))


def read_quarantined(job: Job, partition: Partition) -> Iterator[pa.Table]:
    """What was set aside in one partition, row group by row group."""
    path = documents_folder(job.directory) / f"{partition.name}.quarantined.parquet"
    for table in read_parquet_parts(path):
        yield table.cast(QUARANTINED_SCHEMA)


def write_index(job: Job, index: pa.Table) -> Path:
    """Write the index; returns its file."""
    path = job.directory.work / "index.arrow"
    write_arrow_file(path, index.combine_chunks())  # in one piece, so that worker processes only map it
    return path


def filtered_path(job: Job, source: str) -> Path:
    """Documents of a source that filters took out."""
    return job.directory.filtered / f"{source}.parquet"


def filtering(job: Job) -> Filtering:
    """The filters of a run, and where what they take out is written."""
    names, _ = source_order(job.config)
    return Filtering(job.filters, lambda number: parquet_rows_to(filtered_path(job, names[number]), FILTERED_SCHEMA))


def _exclusions_path(job: Job) -> Path:
    return job.directory.work / "exclusions.json"


def write_exclusions(job: Job, account: ExclusionAccount) -> None:
    """Write what was kept out, in numbers."""
    write_text(_exclusions_path(job), account.model_dump_json())


def open_exclusions(job: Job) -> ExclusionAccount | None:
    """What was kept out, in numbers; None if nothing was to be."""
    if not job.filters:
        return None
    return ExclusionAccount.model_validate_json(_exclusions_path(job).read_bytes())


def held_out_path(job: Job) -> Path:
    """One byte a document: whether it is trained on, held out, or the twin of one that is."""
    return job.directory.work / "held_out.i8"


def write_validation(job: Job, account: ValidationAccount) -> None:
    """Write what is held out, in numbers."""
    write_text(job.directory.work / "validation.json", account.model_dump_json())


def open_validation(job: Job) -> ValidationAccount | None:
    """What is held out, in numbers; None if nothing is."""
    if job.config.validation is None:
        return None
    return ValidationAccount.model_validate_json((job.directory.work / "validation.json").read_bytes())


def open_corpus(job: Job) -> Corpus:
    """The documents of a run whose index is written."""
    names, kinds = source_order(job.config)
    paths = tuple(documents_path(job, partition) for _, partition in all_partitions(job))
    return Corpus(map_arrow_file(job.directory.work / "index.arrow"), paths, names, kinds)


def shingle_paths(directory: RunDirectory) -> tuple[Path, Path]:
    """Hashes and offsets of the shingle sets of the groups of equal texts."""
    return directory.work / "shingles" / "hashes.u64", directory.work / "shingles" / "offsets.i64"


def open_shingles(job: Job) -> ShingleSets:
    """The shingle sets, memory-mapped."""
    hashes, offsets_path = shingle_paths(job.directory)
    offsets = np.fromfile(offsets_path, np.int64)
    if offsets[-1] == 0:
        return ShingleSets(np.empty(0, np.uint64), offsets)
    # copy-on-write: a read-only array would have every kernel compiled a second time
    return ShingleSets(np.asarray(np.memmap(hashes, np.uint64, "c")), offsets)


def write_decision(job: Job, removal: Removal) -> Path:
    """Write what became of each document; returns the file."""
    path = job.directory.work / "removal.arrow"
    table = pa.table({"reason": removal.reason, "kept": removal.kept, "similarity": removal.similarity})
    write_arrow_file(path, table)
    return path


def open_decision(job: Job) -> Removal:
    """What became of each document."""
    table = map_arrow_file(job.directory.work / "removal.arrow").combine_chunks()
    return Removal(*(np.array(table[name].to_numpy()) for name in ("reason", "kept", "similarity")))


def write_removal_summary(job: Job, summary: RemovalSummary) -> Path:
    """Write what was removed, in numbers; returns the file."""
    path = job.directory.work / "removal.json"
    write_text(path, summary.model_dump_json())
    return path


def open_removal_summary(job: Job) -> RemovalSummary:
    """What was removed, in numbers."""
    return RemovalSummary.model_validate_json((job.directory.work / "removal.json").read_bytes())


def write_copies(job: Job, copies: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Path:
    """Write how often each document goes into the shards; returns the file."""
    path = job.directory.work / "copies.i64"
    write_bytes(path, copies.astype(np.int64).tobytes())
    return path


def open_copies(job: Job) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """How often each document goes into the shards."""
    return np.fromfile(job.directory.work / "copies.i64", np.int64)


def order_path(directory: RunDirectory, stem: str) -> Path:
    """Document numbers in the order of a group of shards."""
    return directory.work / f"order-{stem}.i64"


def write_order(job: Job, stem: str, order: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Origin:
    """Write the order of a group of shards; returns what its shards are made from."""
    path = order_path(job.directory, stem)
    write_bytes(path, np.ascontiguousarray(order, np.int64).data)
    names, _ = source_order(job.config)
    partitions = tuple(documents_path(job, partition) for _, partition in all_partitions(job))
    return Origin(job.directory.work / "index.arrow", partitions, names, path)


def write_plan(job: Job, plan: MixturePlan) -> Path:
    """Write the plan; returns its file."""
    write_text(job.directory.plan, plan.model_dump_json(indent=1) + "\n")
    return job.directory.plan


def open_plan(job: Job) -> MixturePlan:
    """The plan."""
    return MixturePlan.model_validate_json(job.directory.plan.read_bytes())
