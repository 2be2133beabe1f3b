"""Probe the full corpus at every stage, and write the ledger."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from prefect import task
from prefect.cache_policies import NO_CACHE

from polyculture.canary.plant import split_measured
from polyculture.corpus import Corpus
from polyculture.diversity.corpus_skeletons import corpus_template_keys
from polyculture.diversity.ledger import Ledger, measure_stages, write_ledger
from polyculture.diversity.lenses import Indexes
from polyculture.diversity.multiplicity import NearIndex
from polyculture.diversity.probes import Stage
from polyculture.diversity.semantic_rows import measure_embeddings
from polyculture.diversity.species import seed_species, species_numbers
from polyculture.hashing import signature_seed
from polyculture.job import Job
from schemas.documents import Kind
from schemas.ledger import LedgerHeader
from schemas.measures import Stage as StageName
from tasks.canary import open_planted, write_canary_ledger
from tasks.progress import Stopwatch, log, report
from tasks.store import open_copies, open_corpus, open_decision, open_embeddings, open_shingles


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
    weighted = [Stage(stage.value, copies[stage]) for stage in stages]
    report("probes", 0, 1)
    planted = open_planted(job, corpus)
    indexes = build_indexes(job, planted.corpus, threads)
    stages_of_all = planted.stages(weighted)
    measured = measure_stages(planted.corpus, indexes, stages_of_all, config.measure.probes, config.seed)
    (rows, heavy, populations), canary = split_measured(measured)
    write_canary_ledger(job, canary)
    encoder, embeddings = None, open_embeddings(job, corpus)
    if embeddings is not None and config.measure.semantic is not None:
        number = config.measure.semantic.probes
        tables, more, encoder = measure_embeddings(corpus, embeddings, weighted, number, config.seed)
        rows, populations = pa.concat_tables([rows, *tables]), populations + more
    report("probes", 1, 1)
    header = LedgerHeader(
        seed=config.seed,
        threshold=config.dedupe.near.threshold,
        probes_per_source=config.measure.probes,
        sources=list(corpus.sources),
        kinds=list(corpus.kinds),
        populations=populations,
        encoder=encoder,
    )
    write_ledger(Ledger(header, rows, heavy), job.directory.ledger)
    log(f"{rows.num_rows:,} probe counts over {len(corpus):,} documents, {watch.seconds:.1f} s")


def build_indexes(job: Job, corpus: Corpus, threads: int) -> Indexes:
    """What the lenses count in."""
    watch = Stopwatch()
    near = NearIndex(open_shingles(job), job.config.dedupe.near.threshold, signature_seed(job.config.seed), threads)
    keys = corpus_template_keys(corpus)
    log(f"skeletons of {int(corpus.text_bytes.sum()):,} bytes, {watch.seconds:.1f} s")
    is_synthetic = np.array([kind is Kind.SYNTHETIC for kind in corpus.kinds], np.bool_)[corpus.source]
    seeds = corpus.take(np.arange(len(corpus)), ["seed"])["seed"]
    return Indexes(
        groups=corpus.group,
        near=near,
        template=species_numbers(keys.whole),
        opening=species_numbers(keys.opening),
        seed=seed_species(seeds, is_synthetic),
    )
