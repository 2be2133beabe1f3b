"""Forecast the corpus that is planned from the documents that were read."""

import numpy as np
from prefect import task
from prefect.cache_policies import NO_CACHE

from polyculture.job import Job
from polyculture.measure.probes.heavy import Documents
from polyculture.pilot import Pilot, forecast_pilot
from polyculture.storage.files import write_text
from schemas.pilot import PilotReport
from tasks.measure import build_indexes
from tasks.progress import Stopwatch, log, report
from tasks.store import open_corpus

PILOT_FILE = "pilot.json"


@task(cache_policy=NO_CACHE)
def forecast(job: Job, target_documents: int, largest_species: int | None, threads: int) -> PilotReport:
    """Count the pilot, forecast the corpus, and write `pilot.json`."""
    watch = Stopwatch()
    corpus = open_corpus(job)
    copies = np.ones(len(corpus), np.int64)
    documents = Documents(corpus.source, copies, corpus.tokens, corpus.id_hash, len(corpus.sources))
    report("forecast", 0, 1)
    pilot = Pilot(documents, build_indexes(job, corpus, threads), corpus.sources, corpus.kinds)
    found = forecast_pilot(pilot, job.config, target_documents, largest_species, job.identity)
    write_text(job.directory.root / PILOT_FILE, found.model_dump_json(indent=1) + "\n")
    report("forecast", 1, 1)
    log(f"{len(corpus):,} documents forecast to {target_documents:,}, {watch.seconds:.1f} s")
    return found
