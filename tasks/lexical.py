"""Count words, compression and openings in blocks of fixed size."""

import numpy as np
from prefect import task
from prefect.cache_policies import NO_CACHE

from polyculture.job import Job
from polyculture.measure.lexical.profile import LEXICAL_FILE
from polyculture.measure.lexical.rows import measure_lexical
from polyculture.measure.probes.probes import StageCopies
from polyculture.storage.files import write_parquet
from schemas.measures import Stage
from tasks.hold_out import open_distinct
from tasks.progress import Stopwatch, log, report
from tasks.store import open_corpus


@task(cache_policy=NO_CACHE)
def measure_words(job: Job) -> None:
    """Measure the lexical variety of the input and of what is distinct, and write it into `ledger/`."""
    watch = Stopwatch()
    corpus = open_corpus(job)
    report("lexical blocks", 0, 1)
    stages = [
        StageCopies(Stage.INPUT.value, np.ones(len(corpus), np.int64)),
        StageCopies(Stage.DISTINCT.value, open_distinct(job, len(corpus)).astype(np.int64)),
    ]
    rows = measure_lexical(corpus, stages, job.config.seed)
    write_parquet(job.directory.ledger / LEXICAL_FILE, rows)
    report("lexical blocks", 1, 1)
    log(f"{rows.num_rows:,} lexical blocks, {watch.seconds:.1f} s")
