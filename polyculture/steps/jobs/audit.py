"""Corpora as they were delivered."""

from polyculture.steps.deduplicate import write_removed
from polyculture.steps.finish import write_manifest
from polyculture.steps.jobs.parts import close, find_twins, read
from polyculture.steps.measure import measure, measure_words
from polyculture.steps.open import clear_outputs, is_written
from polyculture.steps.session import Session
from schemas.measures import Stage
from schemas.verdict import Verdict


def audit(session: Session) -> Verdict:
    """Measure and judge a corpus as it was delivered; no shards."""
    if not is_written(session.job):
        clear_outputs(session.job)
        accounts = read(session)
        find_twins(session)
        session.run(write_removed)
        session.run(measure, (Stage.INPUT, Stage.DISTINCT))
        session.run(measure_words)
        session.run(write_manifest, accounts, [])
    return close(session)
