"""Probe the full corpus at every stage, and write the ledger."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from prefect import task
from prefect.cache_policies import NO_CACHE

from polyculture.canary.plant import split_measured
from polyculture.corpus.corpus import Corpus
from polyculture.job import Job
from polyculture.measure.ledger.count import Survey, measure_stages
from polyculture.measure.ledger.examples import write_examples
from polyculture.measure.ledger.extend import extended
from polyculture.measure.ledger.ledger import Ledger, read_ledger, write_ledger
from polyculture.measure.lenses.corpus_skeletons import corpus_template_keys
from polyculture.measure.lenses.lenses import Indexes
from polyculture.measure.lenses.near_index import NearIndex
from polyculture.measure.lenses.near_join import MOST_CANDIDATES
from polyculture.measure.probes.probes import StageCopies
from polyculture.measure.probes.species import seed_species, species_numbers
from polyculture.measure.vectors.semantic_rows import SemanticMeasured, SemanticSettings, measure_embeddings
from polyculture.storage.hashing import signature_seed
from schemas.documents import Kind
from schemas.ledger import LedgerHeader, Population
from schemas.measures import Stage
from tasks.canary import open_planted, write_canary_ledger
from tasks.hold_out import open_distinct
from tasks.progress import Stopwatch, log, report
from tasks.store import open_copies, open_corpus, open_embeddings, open_shingles


class Costs:
    """Logs what each step of the measurement costs, beside the whole corpus."""

    def __init__(self, corpus: Corpus) -> None:
        """Start."""
        self._documents, self._megabytes = len(corpus), int(corpus.text_bytes.sum()) / 1e6
        self._watch, self._before = Stopwatch(), 0.0

    def __call__(self, what: str) -> None:
        """Say that a step is done."""
        now = self._watch.seconds
        seconds, self._before = now - self._before, now
        rate = max(seconds, 1e-3)
        speed = f"{self._megabytes / rate:,.0f} MB/s, {self._documents / rate:,.0f} documents/s"
        log(f"measured {what}: {seconds:.2f} s, {speed}")


@task(cache_policy=NO_CACHE)
def measure(job: Job, stages: Sequence[Stage], threads: int, *, extend: bool = False) -> None:
    """Count the multiplicities of every source's probes at each stage, and write `ledger/`.

    With `extend` the stages are added to those that are written already.
    """
    watch = Stopwatch()
    corpus, config = open_corpus(job), job.config
    if extend and config.measure.semantic is not None:  # moments are of all stages together, so all are counted again
        stages, extend = (Stage.INPUT, Stage.DISTINCT, *stages), False
    copies = {Stage.INPUT: np.ones(len(corpus), np.int64)}
    if Stage.DISTINCT in stages:
        copies[Stage.DISTINCT] = open_distinct(job, len(corpus)).astype(np.int64)
    if Stage.MIXTURE in stages:
        copies[Stage.MIXTURE] = open_copies(job)
    weighted = [StageCopies(stage.value, copies[stage]) for stage in stages]
    report("probes", 0, 1)
    planted = open_planted(job, corpus)
    indexes = build_indexes(job, planted.corpus, threads)
    survey = Survey(planted.corpus, indexes, planted.stages(weighted), config.measure.probes, config.seed)
    (rows, heavy, populations), canary = split_measured(measure_stages(survey, after=Costs(corpus)))
    write_canary_ledger(job, canary)
    log_scaled(populations)
    semantic = _semantic(job, corpus, weighted)
    if semantic is not None:
        rows, populations = pa.concat_tables([rows, *semantic.rows]), populations + semantic.populations
    report("probes", 1, 1)
    header = LedgerHeader(
        seed=config.seed,
        threshold=config.dedupe.near.threshold,
        probes_per_source=config.measure.probes,
        sources=list(corpus.sources),
        kinds=list(corpus.kinds),
        populations=populations,
        encoder=semantic.encoder if semantic else None,
    )
    ledger = Ledger(header, rows, heavy, semantic.vectors if semantic else None)
    ledger = extended(read_ledger(job.directory.ledger), ledger) if extend else ledger
    write_ledger(ledger, job.directory.ledger)
    write_examples(ledger, corpus, job.directory.ledger)
    log(f"{rows.num_rows:,} probe counts over {len(corpus):,} documents, {watch.seconds:.1f} s")


def log_scaled(populations: Sequence[Population]) -> None:
    """Say how many probes had more candidates than are verified."""
    for population in populations:
        scaled = sum(population.crowded.scaled) if population.crowded else 0
        if scaled:
            log(
                f"{scaled:,} probes of the {population.lens.value} lens at stage {population.stage.value} have more "
                f"than {MOST_CANDIDATES:,} candidates; a part of them is verified and the counts are scaled"
            )


def _semantic(job: Job, corpus: Corpus, stages: Sequence[StageCopies]) -> SemanticMeasured | None:
    """What embeddings tell; None if the configuration asks for none, or there is no document."""
    config, embeddings = job.config.measure.semantic, open_embeddings(job, corpus)
    if embeddings is None or config is None or not len(corpus):
        return None
    watch = Stopwatch()
    settings = SemanticSettings(config.probes, job.config.seed, job.config.gate.trial_fraction, job.config.reference)
    found = measure_embeddings(corpus, embeddings, stages, settings)
    log(f"neighbours and moments of {len(corpus):,} embeddings, {watch.seconds:.1f} s")
    return found


def build_indexes(job: Job, corpus: Corpus, threads: int) -> Indexes:
    """What the lenses count in."""
    costs = Costs(corpus)
    near = NearIndex(open_shingles(job), job.config.dedupe.near.threshold, signature_seed(job.config.seed), threads)
    costs("signatures of probes and groups")
    keys = corpus_template_keys(corpus)
    costs("skeletons")
    is_synthetic = np.array([kind is Kind.SYNTHETIC for kind in corpus.kinds], np.bool_)[corpus.source]
    seeds = corpus.take(np.arange(len(corpus)), ["seed"])["seed"]
    return Indexes(
        groups=corpus.group,
        near=near,
        template=species_numbers(keys.whole),
        opening=species_numbers(keys.opening),
        seed=seed_species(seeds, is_synthetic),
    )
