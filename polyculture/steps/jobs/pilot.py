"""A sample of a corpus that is planned."""

from polyculture.measure.lenses.lenses import LENS_SIGNALS
from polyculture.steps.attributes import add_attributes
from polyculture.steps.deduplicate import shingle
from polyculture.steps.jobs.parts import read
from polyculture.steps.pilot import forecast
from polyculture.steps.session import Session
from schemas.pilot import PilotReport


def pilot(session: Session, target_documents: int, largest_species: int | None) -> PilotReport:
    """Read a pilot as an audit does, and forecast the corpus of `target_documents` that it is a sample of."""
    read(session)
    session.run(add_attributes, LENS_SIGNALS)
    session.run(shingle)
    found = session.run(forecast, target_documents, largest_species)
    session.job.directory.discard_work()
    return found
