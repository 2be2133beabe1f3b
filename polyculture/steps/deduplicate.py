"""Find duplicates over the union of all sources, and write what leaves."""

import pyarrow.compute as pc

from polyculture.corpus.corpus import Corpus
from polyculture.corpus.shingled import write_shingles
from polyculture.deduplication.damage import summarise_removal
from polyculture.deduplication.removal import (
    group_leaders,
    preference_order,
    read_removal,
    remove_duplicates,
    removed_rows,
    write_removal,
)
from polyculture.steps.canary import canary_paths, open_planted
from polyculture.steps.session import Session
from polyculture.storage.files import write_parquet
from polyculture.storage.hashing import signature_seed
from schemas.removed import REMOVED_SCHEMA


def shingle(session: Session) -> None:
    """Write the shingle sets of the groups of equal texts, the canary's among them."""
    workspace = session.workspace
    corpus = workspace.open_corpus()
    shingle_corpus(session, open_planted(workspace, corpus).corpus if canary_paths(workspace) else corpus)


def shingle_corpus(session: Session, corpus: Corpus) -> None:
    """Write the shingle sets of the groups of a corpus into the session's workspace."""
    watch = session.timed()
    leaders = group_leaders(corpus, preference_order(corpus, session.job.config.dedupe))

    def progress(done: int, groups: int) -> None:
        session.host.report("shingles", done, groups)

    write_shingles(corpus, leaders, session.workspace.shingle_paths, session.executor, progress)
    watch.log(f"{len(leaders):,} different texts shingled")


def deduplicate(session: Session) -> None:
    """Decide what leaves through the exact and the near lens."""
    watch, workspace, config = session.timed(), session.workspace, session.job.config
    corpus = workspace.open_corpus()
    removal = remove_duplicates(corpus, config.dedupe, signature_seed(config.seed), session.workplace)
    write_removal(removal, workspace.removal_path)
    workspace.write_account(summarise_removal(corpus, removal, config.dedupe.near.threshold))
    watch.log(f"{int((~removal.is_kept).sum()):,} of {len(corpus):,} documents are duplicates")


def write_removed(session: Session) -> None:
    """Write `removed/`: every document that leaves, with its representative. From an audit none does."""
    corpus, is_audit = session.workspace.open_corpus(), session.job.command == "audit"
    removal_path = session.workspace.removal_path
    rows = REMOVED_SCHEMA.empty_table() if is_audit else removed_rows(corpus, read_removal(removal_path))
    for name in corpus.sources:
        write_parquet(session.job.directory.removed / f"{name}.parquet", rows.filter(pc.equal(rows["source"], name)))
