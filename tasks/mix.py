"""Plan the mixture, and write its shards."""

from pathlib import Path

import numpy as np
from prefect import task
from prefect.cache_policies import NO_CACHE

from polyculture.executor import Local
from polyculture.job import Job
from polyculture.mixture.rates import Supply, scale_rates
from polyculture.mixture.selection import copies, inclusion, make_plan, mixture_order
from polyculture.shards.dataset_files import write_dataset_files
from polyculture.shards.group import Place, remove_others, write_shards
from schemas.manifest import FileDigest
from schemas.plan import MixturePlan
from tasks.progress import Stopwatch, log, report
from tasks.store import open_copies, open_corpus, open_decision, write_copies, write_order, write_plan

STEM = "train"


@task(cache_policy=NO_CACHE)
def plan_mixture(job: Job) -> MixturePlan:
    """Scale the rates to the budget, and decide how often each distinct document is written."""
    corpus, config = open_corpus(job), job.config.mixture
    distinct = np.flatnonzero(open_decision(job).is_kept)
    source, tokens = corpus.source[distinct], corpus.tokens[distinct]
    supply = np.bincount(source, tokens, len(corpus.sources)).astype(np.int64)
    supplies = [
        Supply(name, corpus.kinds[number], int(supply[number]), config.rates.get(name, 1.0))
        for number, name in enumerate(corpus.sources)
    ]
    position = inclusion(corpus.id_hash[distinct], job.config.seed)
    plan = make_plan(supplies, scale_rates(supplies, config), (source, tokens, position), config.tokens)
    chosen = np.zeros(len(corpus), np.int64)
    chosen[distinct] = copies(plan, source, position)
    write_copies(job, chosen)
    write_plan(job, plan)
    lacking = f"; the budget lacks {plan.lacking_tokens:,}" if plan.lacking_tokens else ""
    log(f"mixture of {plan.tokens:,} tokens, all rates scaled by {plan.scale:.4g}{lacking}")
    return plan


@task(cache_policy=NO_CACHE)
def write_mixture(job: Job, workers: int) -> list[FileDigest]:
    """Write the shards that are not already whole, and the files beside them; returns the digests of all."""
    watch = Stopwatch()
    corpus, count = open_corpus(job), open_copies(job)
    position = inclusion(corpus.id_hash, job.config.seed)
    order = mixture_order(corpus.source, position, count, corpus.id_hash)
    origin = write_order(job, STEM, order)
    with Local(workers) as executor:
        place = Place(job.directory, job.identity, executor)
        written = write_shards(origin, STEM, job.config.shards, place, lambda *rows: report("shards", *rows))
    files = [digest for digest, _ in written]
    files += write_dataset_files(written, job.config.shards, job.directory.root)
    remove_others(job.directory, {Path(file.path).name for file in files})
    log(f"{len(order):,} documents in {len(written)} shards, {watch.seconds:.1f} s")
    return files
