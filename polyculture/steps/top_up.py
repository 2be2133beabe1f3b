"""The steps that only a top-up has: what the parent holds, what to choose, and how broad each way on is."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from polyculture.compute.executor import Executor
from polyculture.corpus.filtered import extend_filtered
from polyculture.errors import PolycultureError
from polyculture.evidence.conservation import settle_filtered
from polyculture.job import Job
from polyculture.mixture.plan.documents import even_order, rank_corpus
from polyculture.shards.dataset import write_dataset
from polyculture.shards.group import Place
from polyculture.steps.attributes import add_attributes
from polyculture.steps.ingest import Accounts
from polyculture.steps.open import claimed
from polyculture.steps.session import Host, Session
from polyculture.steps.top_up_corpus import (
    JOINT_SIGNALS,
    lacking_path,
    open_joint,
    open_pool,
    open_reference,
    parent_embeddings,
    parent_index_path,
    settled_path,
    spread,
    trained_on,
)
from polyculture.storage.files import write_arrow_file, write_text
from polyculture.storage.hashing import signature_seed
from polyculture.top_up.candidates import check_candidates
from polyculture.top_up.choose import choose_for
from polyculture.top_up.compare import compare_mixtures, forecast_rest
from polyculture.top_up.job import TopUpJob, notes_of
from polyculture.top_up.known import find_known, index_run
from polyculture.top_up.leave_out import counted_by_file, in_parent_rows, without
from polyculture.top_up.mixture_state import moment_of, reference_cells
from polyculture.top_up.parent import open_parent
from polyculture.top_up.pool import account_sources, make_wish, why_nothing
from schemas.accounts import FileAccount, FileDigest
from schemas.top_up import TopUp

STEM = "train"


@dataclass(frozen=True, slots=True)
class TopUpRequest:
    """Request for a top-up, as the command line says it.

    Attributes:
        run: run directory of the parent.
        consumed: shards that were read, or a number of steps.
        tokens_per_step: of the whole training job, with a number of steps.
        candidates: configuration of the candidates.
        tokens: to add, at most.
        out: run directory; its default if None.
        earlier: top-ups that the training reads after the parent.
    """

    run: Path
    consumed: str
    tokens_per_step: int | None
    candidates: Path
    tokens: int
    out: Path | None
    earlier: tuple[Path, ...] = ()


@contextmanager
def claimed_top_up(asked: TopUpRequest) -> Iterator[TopUpJob]:
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


@contextmanager
def opened_top_up(
    asked: TopUpRequest, executor: Executor, make_host: Callable[[Job], Host]
) -> Iterator[tuple[Session, TopUpJob]]:
    """A checked top-up under way; arguments and errors as of `opened`, and a parent that is not fit."""
    with claimed_top_up(asked) as top_up, executor:
        yield Session(top_up.job, executor, make_host(top_up.job)), top_up


def add_parent_attributes(session: Session, top_up: TopUpJob) -> None:
    """Write the attributes of the documents that the parent holds."""
    add_attributes(session.of(top_up.reading), JOINT_SIGNALS)


def index_parent(session: Session, top_up: TopUpJob, accounts: list[tuple[str, list[FileAccount]]]) -> None:
    """Check that the parent was read whole, and put its documents into an index of their own."""
    watch, job = session.timed(), top_up.job
    found = sum(file.documents for _, files in accounts for file in files)
    rows = sum(held.rows for held in top_up.parent.held)
    if found != rows:
        roots = " and ".join(str(held.root) for held in top_up.parent.held)
        raise PolycultureError(f"{roots}: {found:,} documents were read of {rows:,}; make the run again")
    index = parent_index_path(job)
    index.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(index, ignore_errors=True)
    paths = top_up.reading.workspace.document_paths
    index_run(paths, index, job.config.dedupe.near, signature_seed(job.config.seed), session.workplace)
    watch.log(f"{rows:,} documents of the parent indexed")


def leave_out_known(session: Session, top_up: TopUpJob, accounts: Accounts) -> Accounts:
    """Take out the candidates that the parent holds, and add them to `filtered/`; returns the accounts without them."""
    watch, job, workspace = session.timed(), top_up.job, session.workspace
    corpus = workspace.open_corpus()
    write_arrow_file(settled_path(job), corpus.index)
    seed = signature_seed(job.config.seed)
    known = find_known(corpus.texts, parent_index_path(job), job.config.dedupe.near, seed, session.workplace)
    for number, name in enumerate(corpus.sources):
        path = workspace.filtered_path(name)
        extend_filtered(path, path, in_parent_rows(corpus, known, top_up.parent_sources, number))
    out = counted_by_file(corpus, known.is_known)
    workspace.write_index(without(corpus.index, known.is_known))
    watch.log(f"{int(known.is_known.sum()):,} of {len(corpus):,} candidates are in the parent already")
    return {name: settle_filtered(files, out[name]) for name, files in accounts.items()}


def choose(session: Session, top_up: TopUpJob) -> None:
    """Choose what broadens the parent most, and as much at random to compare with."""
    watch, job = session.timed(), top_up.job
    pool, embeddings = open_pool(job)
    held, once = parent_embeddings(top_up), trained_on(top_up).astype(np.int64)
    cells, mixture = reference_cells(open_reference(job), held, once), moment_of(held, once)
    if not mixture.documents:
        raise PolycultureError(
            f"{top_up.parent.held[0].root}: none of its documents has an embedding, so what is new cannot be told; "
            "name an encoder that covers its languages (measure.semantic)"
        )
    wish = make_wish(job.config, pool.corpus.sources, top_up.tokens)
    chosen = choose_for(pool.candidates(embeddings), mixture, cells, wish)
    if not chosen.tokens:
        raise PolycultureError(why_nothing(pool))
    session.workspace.write_copies(spread(pool, chosen.best))
    top_up.joint.workspace.write_copies(spread(pool, chosen.random))
    write_text(lacking_path(job), str(chosen.lacking_tokens))
    short = f"; {chosen.lacking_tokens:,} of {wish.budget_tokens:,} are lacking" if chosen.lacking_tokens else ""
    watch.log(f"{int(chosen.best.sum()):,} documents of {chosen.tokens:,} tokens chosen{short}")


def compare(session: Session, top_up: TopUpJob) -> TopUp:
    """Measure the parent before, as consumed, after, and after the random choice; write `top_up.json`."""
    watch, job = session.timed(), top_up.job
    pool, _ = open_pool(job)
    best, random = (place.workspace.open_copies() > 0 for place in (job, top_up.joint))
    session.host.report("comparing", 0, 1)
    joint, joined = open_joint(session, top_up, pool, best, random)
    consumed = joined.mixtures["consumed"]
    wanted = {name: copies for name, copies in joined.mixtures.items() if name != "consumed" or consumed.any()}
    sources = len(pool.corpus.sources)
    settled = session.workspace.open_corpus(settled_path(job))
    held = np.bincount(settled.source, minlength=sources) - np.bincount(pool.corpus.source, minlength=sources)
    encoder = joint.embeddings.encoder
    found = TopUp(
        parent=top_up.parent.run,
        wanted_tokens=top_up.tokens,
        chosen_tokens=int(pool.corpus.tokens[best].sum()),
        lacking_tokens=int(lacking_path(job).read_text()),
        reference=list(job.config.reference),
        encoder=f"{encoder.name} {encoder.revision[:12]}",
        forecast=forecast_rest(joint, consumed, joined.remaining),
        mixtures=compare_mixtures(joint, wanted),
        sources=account_sources(pool, held, best, random),
        notes=notes_of(job.config),
    )
    write_text(job.directory.top_up, found.model_dump_json(indent=1) + "\n")
    session.host.report("comparing", 1, 1)
    watch.log(f"{len(wanted)} mixtures compared")
    return found


def write_continuation(session: Session) -> list[FileDigest]:
    """Write what was chosen, each document once, in the order of every mixture; returns the digests of all files."""
    watch, job, workspace = session.timed(), session.job, session.workspace
    corpus, copies = workspace.open_corpus(), workspace.open_copies()
    origin = workspace.write_order(STEM, even_order(rank_corpus(corpus, copies > 0, job.config.seed)))
    place, total = Place(job.directory, job.identity, session.executor), int((copies > 0).sum())
    files = write_dataset(
        [(STEM, origin)], job.config.shards, place, lambda rows: session.host.report("shards", rows, total)
    )
    watch.log(f"{total:,} documents in {sum(file.path.endswith('.arrow') for file in files)} shards")
    return files
