"""The stages that only a top-up has: what the parent holds, what to choose, and how broad each way on is."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from prefect import task
from prefect.cache_policies import NO_CACHE

from polyculture.compute.local import Local
from polyculture.corpus.corpus import Corpus
from polyculture.corpus.filtered import extend_filtered
from polyculture.errors import PolycultureError
from polyculture.evidence.conservation import settle_filtered
from polyculture.job import Job
from polyculture.mixture.plan.order import mixture_order
from polyculture.mixture.plan.selection import rank_documents
from polyculture.shards.dataset_files import write_dataset_files
from polyculture.shards.group import Place, remove_others, write_shards
from polyculture.storage.files import map_arrow_file, write_arrow_file, write_text
from polyculture.storage.hashing import inclusion_hash, signature_seed
from polyculture.top_up.choose import choose_at_random, choose_broadest, lacking_tokens
from polyculture.top_up.compare import compare_mixtures, forecast_rest
from polyculture.top_up.job import TopUpJob, check_candidates, notes_of
from polyculture.top_up.known import find_known, index_run
from polyculture.top_up.leave_out import counted_by_file, in_parent_rows, without
from polyculture.top_up.mixture_state import moment_of, reference_cells
from polyculture.top_up.parent import open_parent
from polyculture.top_up.pool import Pool, account_sources, make_wish
from schemas.manifest import FileAccount, FileDigest
from schemas.top_up import TopUp
from tasks.ingest import Accounts
from tasks.open import claimed
from tasks.progress import Stopwatch, log, report
from tasks.store import (
    all_partitions,
    documents_path,
    filtered_path,
    open_copies,
    open_corpus,
    write_copies,
    write_index,
    write_order,
)
from tasks.top_up_store import (
    lacking_path,
    open_chosen,
    open_joint,
    open_pool,
    open_reference,
    parent_embeddings,
    parent_index_path,
    settled_path,
    spread,
    trained_on,
    workplace,
)

Copies = NDArray[np.int64]
STEM = "train"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a top-up is asked for, as the command line says it."""

    run: Path
    consumed: str
    tokens_per_step: int | None
    candidates: Path
    tokens: int
    out: Path | None
    earlier: tuple[Path, ...] = ()


@contextmanager
def claimed_top_up(asked: Asked) -> Iterator[TopUpJob]:
    """A checked top-up that holds its run directory until the end of the block.

    Raises:
        ConfigError: parent, configuration, an input or the run directory is not fit.
        PolycultureError: the parent is damaged.
        RunInUseError: another process holds the run directory.
    """
    parent = open_parent(asked.run, asked.consumed, asked.tokens_per_step, asked.earlier)
    check_candidates(asked.candidates, asked.run, parent.manifest, asked.out, asked.earlier)
    more = [parent.run.model_dump_json(), str(asked.tokens)]
    with claimed("top_up", asked.candidates, asked.out, more) as job:
        yield TopUpJob(job, parent, asked.tokens)


@task(cache_policy=NO_CACHE)
def index_parent(top_up: TopUpJob, accounts: list[tuple[str, list[FileAccount]]], threads: int) -> None:
    """Check that the parent was read whole, and put its documents into an index of their own."""
    watch, job = Stopwatch(), top_up.job
    found = sum(file.documents for _, files in accounts for file in files)
    rows = sum(held.rows for held in top_up.parent.held)
    if found != rows:
        roots = " and ".join(str(held.root) for held in top_up.parent.held)
        raise PolycultureError(f"{roots}: {found:,} documents were read of {rows:,}; make the run again")
    paths = [documents_path(job, partition) for _, partition in all_partitions(top_up.reading)]
    parent_index_path(job).parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(parent_index_path(job), ignore_errors=True)
    seed = signature_seed(job.config.seed)
    index_run(paths, parent_index_path(job), job.config.dedupe.near, seed, workplace(job, threads))
    log(f"{rows:,} documents of the parent indexed, {watch.seconds:.1f} s")


@task(cache_policy=NO_CACHE)
def leave_out_known(top_up: TopUpJob, accounts: Accounts, threads: int) -> Accounts:
    """Take out the candidates that the parent holds, and add them to `filtered/`; returns the accounts without them."""
    watch, job = Stopwatch(), top_up.job
    corpus = open_corpus(job)
    write_arrow_file(settled_path(job), corpus.index)
    seed = signature_seed(job.config.seed)
    known = find_known(corpus.texts, parent_index_path(job), job.config.dedupe.near, seed, workplace(job, threads))
    for number, name in enumerate(corpus.sources):
        path = filtered_path(job, name)
        extend_filtered(path, path, in_parent_rows(corpus, known, top_up.parent_sources, number))
    out = counted_by_file(corpus, known.is_known)
    write_index(job, without(corpus.index, known.is_known))
    log(f"{int(known.is_known.sum()):,} of {len(corpus):,} candidates are in the parent already, {watch.seconds:.1f} s")
    return {name: settle_filtered(files, out[name]) for name, files in accounts.items()}


@task(cache_policy=NO_CACHE)
def choose(top_up: TopUpJob) -> None:
    """Choose what broadens the parent most, and as much at random to compare with."""
    watch, job = Stopwatch(), top_up.job
    pool, embeddings = open_pool(job)
    candidates, wish = pool.candidates(embeddings), make_wish(job.config, pool.corpus.sources, top_up.tokens)
    held = parent_embeddings(top_up)
    once = trained_on(top_up).astype(np.int64)
    cells = reference_cells(open_reference(job), held, once)
    mixture = moment_of(held, once)
    if not mixture.documents:
        raise PolycultureError(
            f"{top_up.parent.held[0].root}: none of its documents has an embedding, so what is new cannot be told; "
            "name an encoder that covers its languages (measure.semantic)"
        )
    best = choose_broadest(candidates, mixture, cells, wish)
    tokens = int(candidates.tokens[best].sum())
    if not tokens:
        raise PolycultureError(_nothing(pool))
    random = choose_at_random(candidates, replace(wish, budget_tokens=tokens))
    write_copies(job, spread(pool, best))
    write_copies(replace(job, directory=top_up.joint.directory), spread(pool, random))
    lacking = lacking_tokens(candidates, wish)
    write_text(lacking_path(job), str(lacking))
    short = f"; {lacking:,} of {wish.budget_tokens:,} are lacking" if lacking else ""
    log(f"{int(best.sum()):,} documents of {tokens:,} tokens chosen{short}, {watch.seconds:.1f} s")


def _nothing(pool: Pool) -> str:
    corpus = pool.corpus
    return (
        f"nothing can be chosen: of {len(corpus):,} candidates that the parent does not hold "
        f"{int((~pool.is_distinct).sum()):,} are duplicates, {int(pool.is_left_out.sum()):,} are kept out by rates and "
        f"kinds, {int(pool.is_unmeasured.sum()):,} have no embedding, and {len(pool.rows):,} do not fit into --tokens; "
        "add candidates, or ask for more tokens"
    )


@task(cache_policy=NO_CACHE)
def compare(top_up: TopUpJob, threads: int) -> TopUp:
    """Measure the parent before, as consumed, after, and after the random choice; write `top_up.json`."""
    watch, job = Stopwatch(), top_up.job
    pool, _ = open_pool(job)
    best, random = (open_chosen(place) for place in (job, top_up.joint))
    report("comparing", 0, 1)
    joint, mixtures, remaining = open_joint(top_up, pool, (best, random), threads)
    read = int(mixtures["consumed"].sum())
    wanted = {name: copies for name, copies in mixtures.items() if name != "consumed" or read}
    settled = Corpus(map_arrow_file(settled_path(job)), pool.corpus.partitions, pool.corpus.sources, pool.corpus.kinds)
    held = np.bincount(settled.source, minlength=len(settled.sources)) - np.bincount(
        pool.corpus.source, minlength=len(settled.sources)
    )
    encoder = joint.embeddings.encoder
    found = TopUp(
        parent=top_up.parent.run,
        wanted_tokens=top_up.tokens,
        chosen_tokens=int(pool.corpus.tokens[best].sum()),
        lacking_tokens=int(lacking_path(job).read_text()),
        reference=list(job.config.reference),
        encoder=f"{encoder.name} {encoder.revision[:12]}",
        forecast=forecast_rest(joint, mixtures["consumed"], remaining),
        mixtures=compare_mixtures(joint, wanted),
        sources=account_sources(pool, held, best, random),
        notes=notes_of(job.config),
    )
    write_text(job.directory.top_up, found.model_dump_json(indent=1) + "\n")
    report("comparing", 1, 1)
    log(f"{len(wanted)} mixtures compared, {watch.seconds:.1f} s")
    return found


@task(cache_policy=NO_CACHE)
def write_continuation(job: Job, workers: int) -> list[FileDigest]:
    """Write what was chosen, each document once, in the order of every mixture; returns the digests of all files."""
    watch, corpus = Stopwatch(), open_corpus(job)
    hashes, members = inclusion_hash(corpus.id_hash, job.config.seed), np.flatnonzero(open_copies(job))
    streams = rank_documents(corpus.source, hashes, members, len(corpus.sources))
    origin = write_order(job, STEM, mixture_order(streams, np.zeros_like(streams.documents), streams.documents))
    with Local(workers) as executor:
        place = Place(job.directory, job.identity, executor)
        written = write_shards(origin, STEM, job.config.shards, place, lambda *rows: report("shards", *rows))
    files = [digest for digest, _ in written]
    files += write_dataset_files(written, [], job.config.shards, job.directory.root)
    remove_others(job.directory, {Path(file.path).name for file in files})
    log(f"{len(members):,} documents in {len(written)} shards, {watch.seconds:.1f} s")
    return files
