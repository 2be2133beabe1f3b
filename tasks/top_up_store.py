"""What the stages of a top-up leave for each other, and the joint corpus of parent and candidates."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from polyculture.corpus.corpus import Corpus, build_index, source_order
from polyculture.dedupe.search import Workplace
from polyculture.encoders.embeddings import Embeddings, make_encoder
from polyculture.errors import PolycultureError
from polyculture.job import Job
from polyculture.measure.vectors.coverage import Points
from polyculture.storage.files import map_arrow_file
from polyculture.top_up.compare import Joint
from polyculture.top_up.job import TopUpJob
from polyculture.top_up.joint import found_again, rows_read_from
from polyculture.top_up.leave_out import without
from polyculture.top_up.mixture_state import points_of
from polyculture.top_up.pool import Pool, make_pool
from schemas.top_up import MixtureName
from tasks.deduplicate import shingle_corpus
from tasks.measure import build_indexes
from tasks.progress import report
from tasks.store import (
    all_partitions,
    documents_path,
    embeddings_path,
    open_corpus,
    open_decision,
    open_embeddings,
)

Copies = NDArray[np.int64]


def open_joint(
    top_up: TopUpJob, pool: Pool, choices: tuple[NDArray[np.bool_], NDArray[np.bool_]], threads: int
) -> tuple[Joint, dict[MixtureName, Copies], Copies]:
    """The joint corpus, how often each document occurs in each mixture, and in what remains of the parent."""
    job, both = top_up.job, top_up.joint
    partitions = all_partitions(both)
    paths = [documents_path(job, partition) for _, partition in partitions]
    names, kinds = source_order(both.config)
    index = build_index([(number, path) for (number, _), path in zip(partitions, paths, strict=True)]).index
    whole = Corpus(index, tuple(paths), names, kinds)
    of = [p.name for _, p in partitions], [p.name for _, p in all_partitions(job)]
    is_parent = np.isin(whole.source, [names.index(name) for name in top_up.parent_sources])
    is_parent[is_parent] = top_up.parent.is_trained_on(rows_read_from(whole, np.flatnonzero(is_parent))[0])
    is_best, is_random = (found_again(whole, pool.corpus, chosen, of) for chosen in choices)
    stays = is_parent | is_best | is_random
    joint = Corpus(without(index, ~stays), tuple(paths), names, kinds)
    is_parent, is_best, is_random = (flags[stays] for flags in (is_parent, is_best, is_random))
    is_read = np.zeros(len(joint), np.bool_)
    is_read[is_parent] = top_up.parent.is_consumed(*rows_read_from(joint, np.flatnonzero(is_parent)))
    shingle_corpus(both, joint)
    embeddings = embeddings_of(job, [embeddings_path(job, partition) for _, partition in partitions], joint)
    indexes = build_indexes(both, joint, threads)
    flags: dict[MixtureName, NDArray[np.bool_]] = {
        "before": is_parent,
        "consumed": is_read,
        "after": is_parent | is_best,
        "random": is_parent | is_random,
    }
    mixtures = {name: chosen.astype(np.int64) for name, chosen in flags.items()}
    found = Joint(joint, indexes, embeddings, open_reference(job), pool.unfit, job.config)
    return found, mixtures, (is_parent & ~is_read).astype(np.int64)


def open_pool(job: Job) -> tuple[Pool, Embeddings]:
    """What may be chosen from, and the embeddings of all candidates that the parent does not hold."""
    corpus = open_corpus(job)
    embeddings = open_embeddings(job, corpus)
    if embeddings is None:
        raise PolycultureError("a top-up needs measure.semantic")
    return make_pool(corpus, open_decision(job), embeddings, job.config), embeddings


def open_reference(job: Job) -> Points:
    """Points of the reference, those that the parent holds included; none without a reference."""
    names, kinds = source_order(job.config)
    paths = tuple(documents_path(job, partition) for _, partition in all_partitions(job))
    corpus = Corpus(map_arrow_file(settled_path(job)), paths, names, kinds)
    embeddings = embeddings_of(job, [embeddings_path(job, partition) for _, partition in all_partitions(job)], corpus)
    numbers = [names.index(name) for name in job.config.reference]
    return points_of(corpus, embeddings, np.flatnonzero(np.isin(corpus.source, numbers)))


def trained_on(top_up: TopUpJob) -> NDArray[np.bool_]:
    """Which rows of the parent's shards are trained on, as `parent_embeddings` has them."""
    paths = [documents_path(top_up.job, partition) for _, partition in all_partitions(top_up.reading)]
    return top_up.parent.is_trained_on([name for path in paths for name in map_arrow_file(path)["file"].to_pylist()])


def parent_embeddings(top_up: TopUpJob) -> Embeddings:
    """Embeddings of all rows of the parent's shards."""
    paths = [embeddings_path(top_up.job, partition) for _, partition in all_partitions(top_up.reading)]
    sizes = [len(map_arrow_file(path)) for path in paths]
    partition, row = np.repeat(np.arange(len(paths)), sizes), np.concatenate([np.arange(size) for size in sizes])
    config = top_up.job.config.measure.semantic
    if config is None:
        raise PolycultureError("a top-up needs measure.semantic")
    return Embeddings(paths, partition, row, make_encoder(config, top_up.job.encoder_path))


def embeddings_of(job: Job, paths: list[Path], corpus: Corpus) -> Embeddings:
    """Embeddings of a corpus whose partitions were embedded into these files."""
    config = job.config.measure.semantic
    if config is None:
        raise PolycultureError("a top-up needs measure.semantic")
    partition, row = (corpus.column(name).astype(np.int64) for name in ("partition", "row"))
    return Embeddings(paths, partition, row, make_encoder(config, job.encoder_path))


def spread(pool: Pool, chosen: NDArray[np.bool_]) -> Copies:
    """(candidates,) how often each is written, from what of the pool was chosen."""
    copies = np.zeros(len(pool.corpus), np.int64)
    copies[pool.rows[chosen]] = 1
    return copies


def open_chosen(job: Job) -> NDArray[np.bool_]:
    """(candidates,) which are chosen, as `write_copies` has written it."""
    return np.fromfile(job.directory.work / "copies.i64", np.int64) > 0


def workplace(job: Job, threads: int) -> Workplace:
    """Where near-duplicates are looked for."""
    return Workplace(job.directory.work / "near", threads, report)


def parent_index_path(job: Job) -> Path:
    """Index of the documents that the parent holds."""
    return job.directory.work / "parent_index"


def settled_path(job: Job) -> Path:
    """Index of the candidates before those left that the parent holds."""
    return job.directory.work / "settled.arrow"


def lacking_path(job: Job) -> Path:
    """Tokens that the budget lacks."""
    return job.directory.work / "lacking"
