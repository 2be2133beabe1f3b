"""Plan the mixture, and write its shards."""

from pathlib import Path

import numpy as np
from prefect import task
from prefect.cache_policies import NO_CACHE

from polyculture.compute.local import Local
from polyculture.corpus.corpus import Corpus
from polyculture.job import Job
from polyculture.measure.ledger.ledger import read_ledger
from polyculture.mixture.plan.order import mixture_order
from polyculture.mixture.plan.phases import Distinct, plan_phases
from polyculture.mixture.plan.selection import Streams, copies_of, rank_documents
from polyculture.mixture.plan.weights import ask_known
from polyculture.shards.dataset_files import write_dataset_files
from polyculture.shards.group import Place, remove_others, write_shards
from polyculture.storage.hashing import inclusion_hash, unit_interval
from schemas.manifest import FileDigest
from schemas.mixture_config import VALIDATION
from schemas.plan import MixturePlan, PhasePlan
from tasks.hold_out import HELD_OUT, open_distinct, open_fate
from tasks.progress import Stopwatch, log, report
from tasks.store import open_corpus, open_plan, write_copies, write_order, write_plan


@task(cache_policy=NO_CACHE)
def plan_mixture(job: Job, *, from_ledger: bool = False) -> MixturePlan:
    """Decide how often each distinct document is written, and say what the budget needs and lacks.

    With `from_ledger` its stage `distinct` is measured already: rates may be `auto`, and phases are foreseen.
    """
    corpus, config = open_corpus(job), job.config.mixture
    hashes = inclusion_hash(corpus.id_hash, job.config.seed)
    streams = _streams(job, corpus)
    ledger = read_ledger(job.directory.ledger) if from_ledger else None
    distinct = Distinct(corpus.sources, corpus.kinds, streams, corpus.tokens, unit_interval(hashes))
    if ledger is not None:
        from polyculture.mixture.plan.auto import ask_best, foresee  # noqa: PLC0415 -- solvers, which few runs need
    asks = (
        lambda terms, supplies: ask_known(terms, supplies, job.weights),
        lambda terms, supplies: ask_best(terms, supplies, ledger, job.config.seed % 2**32) if ledger else None,
    )
    plan = plan_phases(distinct, config, asks, job.digests["data"])
    plan = foresee(plan, ledger) if ledger is not None else plan
    copies = sum((_copies(streams, phase, len(corpus)) for phase in plan.phases), np.zeros(len(corpus), np.int64))
    write_copies(job, copies)
    write_plan(job, plan)
    lacking = f"; the budget lacks {plan.lacking_tokens:,}" if plan.lacking_tokens else ""
    log(f"mixture of {plan.tokens:,} tokens{lacking}")
    for sentence in (*plan.warnings, *plan.notes):
        log(sentence)
    return plan


@task(cache_policy=NO_CACHE)
def write_mixture(job: Job, workers: int) -> list[FileDigest]:
    """Write the shards that are not already whole, phase by phase, and the files beside them; returns all digests."""
    watch = Stopwatch()
    corpus, plan = open_corpus(job), open_plan(job)
    streams = _streams(job, corpus)
    total, written, done = sum(phase.rows for phase in plan.phases), [], 0
    with Local(workers) as executor:
        place = Place(job.directory, job.identity, executor)
        for phase in plan.phases:
            origin = write_order(job, phase.name, mixture_order(streams, *_stretch(phase)))

            def progress(rows: int, _: int, before: int = done) -> None:
                report("shards", before + rows, total)

            written += write_shards(origin, phase.name, job.config.shards, place, progress)
            done += phase.rows
        held = []
        if job.config.validation is not None:
            origin = write_order(job, VALIDATION, _held_out(job, corpus))
            held = write_shards(origin, VALIDATION, job.config.shards, place, lambda *_: None)
    files = [digest for digest, _ in written + held]
    files += write_dataset_files(written, held, job.config.shards, job.directory.root)
    remove_others(job.directory, {Path(file.path).name for file in files})
    log(f"{total:,} documents in {len(written)} shards, {watch.seconds:.1f} s")
    return files


def _streams(job: Job, corpus: Corpus) -> Streams:
    """The distinct documents, ranked."""
    return _ranked(job, corpus, open_distinct(job, len(corpus)))


def _held_out(job: Job, corpus: Corpus) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The documents held out, each once, the sources spread evenly."""
    streams = _ranked(job, corpus, open_fate(job, len(corpus)) == HELD_OUT)
    return mixture_order(streams, np.zeros(len(corpus.sources), np.int64), streams.documents)


def _ranked(job: Job, corpus: Corpus, is_member: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Streams:
    hashes = inclusion_hash(corpus.id_hash, job.config.seed)
    return rank_documents(corpus.source, hashes, np.flatnonzero(is_member), len(corpus.sources))


def _stretch(phase: PhasePlan) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], ...]:
    """First row and rows of each source's stream in a phase."""
    return (
        np.array([source.first_row for source in phase.sources], np.int64),
        np.array([source.rows for source in phase.sources], np.int64),
    )


def _copies(streams: Streams, phase: PhasePlan, documents: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    first_rows, rows = _stretch(phase)
    return copies_of(streams, first_rows, rows, documents)
