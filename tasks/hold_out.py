"""Hold documents out of training, and their twins with them."""

import numpy as np
from numpy.typing import NDArray
from prefect import task
from prefect.cache_policies import NO_CACHE

from polyculture.job import Job
from polyculture.mixture.plan.held_out import Documents, account_held_out, choose_held_out, find_twins
from polyculture.storage.files import write_bytes
from schemas.manifest import ValidationAccount
from tasks.canary import open_planted
from tasks.progress import Stopwatch, log
from tasks.store import held_out_path, open_corpus, open_decision, open_shingles, write_validation

TRAINING, HELD_OUT, TWIN = 0, 1, 2


@task(cache_policy=NO_CACHE)
def hold_out(job: Job) -> None:
    """Choose the validation split among the distinct documents, if the configuration asks for one."""
    config = job.config.validation
    if config is None:
        return
    watch = Stopwatch()
    corpus, rows = open_corpus(job), np.flatnonzero(open_decision(job).is_kept)
    planted = open_planted(job, corpus)  # whose groups the shingle sets are of
    groups = planted.corpus.group[~planted.is_canary]
    documents = Documents(corpus.source[rows], corpus.tokens[rows], corpus.id_hash[rows], groups[rows])
    threshold = job.config.dedupe.near.threshold
    held = choose_held_out(documents, corpus.sources, config.tokens, job.config.seed)
    twins = find_twins(documents, held, open_shingles(job), threshold)
    fate = np.zeros(len(corpus), np.int8)
    fate[rows[held]], fate[rows[twins]] = HELD_OUT, TWIN
    write_bytes(held_out_path(job), fate.tobytes())
    account = ValidationAccount(
        budget_tokens=config.tokens,
        threshold=threshold,
        sources=account_held_out(documents, held, twins, corpus.sources),
    )
    write_validation(job, account)
    log(
        f"{account.documents:,} documents held out, {account.tokens:,} tokens; "
        f"{account.twins:,} twins of theirs left out of training, {watch.seconds:.1f} s"
    )


def open_distinct(job: Job, documents: int) -> NDArray[np.bool_]:
    """(documents,) whether each is what mixtures are made from: it was kept, and not held out or left out as a twin."""
    distinct: NDArray[np.bool_] = open_decision(job).is_kept & (open_fate(job, documents) == TRAINING)
    return distinct


def open_fate(job: Job, documents: int) -> NDArray[np.int8]:
    """(documents,) TRAINING, HELD_OUT or TWIN; only a run holds documents out."""
    if job.config.validation is None or job.command != "run":
        return np.zeros(documents, np.int8)
    return np.fromfile(held_out_path(job), np.int8)
