"""Hold documents out of training, and their twins with them."""

import numpy as np
from numpy.typing import NDArray

from polyculture.deduplication.removal import read_removal
from polyculture.job import Job
from polyculture.mixture.plan.held_out import TRAINING, hold_out_documents
from polyculture.steps.canary import open_planted
from polyculture.steps.session import Session
from polyculture.storage.files import write_bytes


def hold_out(session: Session) -> None:
    """Choose the validation split among the distinct documents, if the configuration asks for one."""
    watch, workspace, config = session.timed(), session.workspace, session.job.config
    if config.validation is None:
        return
    corpus = workspace.open_corpus()
    planted = open_planted(workspace, corpus)  # whose groups the shingle sets are of
    groups = planted.corpus.group[~planted.is_canary]
    is_kept = read_removal(workspace.removal_path).is_kept
    fate, account = hold_out_documents(corpus, is_kept, groups, workspace.open_shingles(), config)
    write_bytes(workspace.held_out_path, fate.tobytes())
    workspace.write_account(account)
    watch.log(
        f"{account.documents:,} documents held out, {account.tokens:,} tokens; "
        f"{account.twins:,} twins of theirs left out of training"
    )


def open_fate(job: Job, documents: int) -> NDArray[np.int8]:
    """(documents,) TRAINING, HELD_OUT or TWIN; only a run holds documents out."""
    if job.config.validation is None or job.command != "run":
        return np.zeros(documents, np.int8)
    return np.fromfile(job.workspace.held_out_path, np.int8)


def open_distinct(job: Job, documents: int) -> NDArray[np.bool_]:
    """(documents,) whether each is what mixtures are made from: it was kept, and not held out or left out as a twin."""
    is_kept = read_removal(job.workspace.removal_path).is_kept
    distinct: NDArray[np.bool_] = is_kept & (open_fate(job, documents) == TRAINING)
    return distinct
