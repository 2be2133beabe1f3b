"""Probe the full corpus at every stage, and write the ledger."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from prefect import task
from prefect.cache_policies import NO_CACHE

from polyculture.diversity.ledger import Ledger, measure_stages, write_ledger
from polyculture.diversity.lenses import Indexes
from polyculture.diversity.multiplicity import NearIndex
from polyculture.diversity.probes import Stage
from polyculture.hashing import signature_seed
from polyculture.job import Job
from schemas.config import Stage as StageName
from schemas.ledger import LedgerHeader
from tasks.progress import Stopwatch, log, report
from tasks.store import open_copies, open_corpus, open_decision, open_shingles


@task(cache_policy=NO_CACHE)
def measure(job: Job, stages: Sequence[StageName], threads: int) -> None:
    """Count the multiplicities of every source's probes at each stage, and write `ledger/`."""
    watch = Stopwatch()
    corpus, config = open_corpus(job), job.config
    copies = {StageName.INPUT: np.ones(len(corpus), np.int64)}
    if StageName.DISTINCT in stages:
        copies[StageName.DISTINCT] = open_decision(job).is_kept.astype(np.int64)
    if StageName.MIXTURE in stages:
        copies[StageName.MIXTURE] = open_copies(job)
    near = NearIndex(open_shingles(job), config.dedupe.near.threshold, signature_seed(config.seed), threads)
    weighted = [Stage(stage.value, copies[stage]) for stage in stages]
    report("probes", 0, 1)
    rows, populations = measure_stages(corpus, Indexes(near), weighted, config.measure.probes, config.seed)
    report("probes", 1, 1)
    header = LedgerHeader(
        seed=config.seed,
        threshold=config.dedupe.near.threshold,
        probes_per_source=config.measure.probes,
        sources=list(corpus.sources),
        kinds=list(corpus.kinds),
        populations=populations,
    )
    write_ledger(Ledger(header, pa.table(rows)), job.directory.ledger)
    log(f"{rows.num_rows:,} probe counts over {len(corpus):,} documents, {watch.seconds:.1f} s")
