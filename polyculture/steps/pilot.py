"""Forecast the corpus that is planned from the documents that were read."""

import numpy as np

from polyculture.measure.lenses.lenses import build_indexes
from polyculture.measure.probes.heavy import Documents
from polyculture.pilot import Pilot, forecast_pilot
from polyculture.steps.attributes import open_attributes
from polyculture.steps.measure import open_material
from polyculture.steps.session import Session
from polyculture.storage.files import write_text
from schemas.pilot import PilotReport

PILOT_FILE = "pilot.json"


def forecast(session: Session, target_documents: int, largest_species: int | None) -> PilotReport:
    """Count the pilot, forecast the corpus, and write `pilot.json`."""
    watch, job = session.timed(), session.job
    corpus = session.workspace.open_corpus()
    copies = np.ones(len(corpus), np.int64)
    documents = Documents(corpus.source, copies, corpus.tokens, corpus.id_hash, len(corpus.sources))
    session.host.report("forecast", 0, 1)
    indexes = build_indexes(open_material(session, corpus, open_attributes(job, corpus)))
    pilot = Pilot(documents, indexes, corpus.sources, corpus.kinds)
    found = forecast_pilot(pilot, job.config, target_documents, largest_species, job.identity)
    write_text(job.directory.root / PILOT_FILE, found.model_dump_json(indent=1) + "\n")
    session.host.report("forecast", 1, 1)
    watch.log(f"{len(corpus):,} documents forecast to {target_documents:,}")
    return found
