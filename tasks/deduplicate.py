"""Find duplicates over the union of all sources, and write what leaves."""

import numpy as np
import pyarrow.compute as pc
from prefect import task
from prefect.cache_policies import NO_CACHE

from polyculture.corpus.corpus import Corpus
from polyculture.dedupe.damage import summarise_removal
from polyculture.dedupe.removal import group_leaders, preference_order, remove_duplicates, removed_rows
from polyculture.dedupe.search import Workplace
from polyculture.job import Job
from polyculture.storage.commit import writing
from polyculture.storage.files import write_bytes, write_parquet
from polyculture.storage.hashing import signature_seed
from polyculture.text.shingles import shingle_sets
from tasks.canary import has_canary, open_planted
from tasks.progress import Stopwatch, log, report
from tasks.store import open_corpus, open_decision, shingle_paths, write_decision, write_removal_summary

GROUPS_PER_BLOCK = 10_000


@task(cache_policy=NO_CACHE)
def shingle(job: Job) -> None:
    """Write the shingle sets of the groups of equal texts, block by block."""
    corpus = open_corpus(job)
    shingle_corpus(job, open_planted(job, corpus).corpus if has_canary(job) else corpus)


def shingle_corpus(job: Job, corpus: Corpus) -> None:
    """Write the shingle sets of the groups of a corpus into the job's folder, block by block."""
    watch = Stopwatch()
    leaders = group_leaders(corpus, preference_order(corpus, job.config.dedupe))
    hashes, offsets = shingle_paths(job.directory)
    sizes = [np.zeros(1, np.int64)]
    with writing(hashes) as stream:
        for start in range(0, len(leaders), GROUPS_PER_BLOCK):
            block = shingle_sets(corpus.canonical(leaders[start : start + GROUPS_PER_BLOCK]))
            stream.write(block.hashes.tobytes())
            sizes.append(np.diff(block.offsets))
            report("shingles", min(start + GROUPS_PER_BLOCK, len(leaders)), len(leaders))
    write_bytes(offsets, np.cumsum(np.concatenate(sizes)).tobytes())
    log(f"{len(leaders):,} different texts shingled, {watch.seconds:.1f} s")


@task(cache_policy=NO_CACHE)
def deduplicate(job: Job, threads: int) -> None:
    """Decide what leaves through the exact and the near lens."""
    watch = Stopwatch()
    corpus = open_corpus(job)
    workplace = Workplace(job.directory.work / "near", threads, report)
    removal = remove_duplicates(corpus, job.config.dedupe, signature_seed(job.config.seed), workplace)
    write_decision(job, removal)
    write_removal_summary(job, summarise_removal(corpus, removal, job.config.dedupe.near.threshold))
    log(f"{int((~removal.is_kept).sum()):,} of {len(corpus):,} documents are duplicates, {watch.seconds:.1f} s")


@task(cache_policy=NO_CACHE)
def write_removed(job: Job) -> None:
    """Write `removed/`: every document that leaves, with its representative."""
    corpus = open_corpus(job)
    rows = removed_rows(corpus, open_decision(job))
    for name in corpus.sources:
        write_parquet(job.directory.removed / f"{name}.parquet", rows.filter(pc.equal(rows["source"], name)))
