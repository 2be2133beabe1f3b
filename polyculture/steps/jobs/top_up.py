"""Broader data for a run that is under way."""

from polyculture.steps.deduplicate import write_removed
from polyculture.steps.finish import write_manifest
from polyculture.steps.jobs.parts import close, find_twins, read, read_sources
from polyculture.steps.measure import measure, measure_words
from polyculture.steps.open import clear_outputs, is_written
from polyculture.steps.session import Session
from polyculture.steps.top_up import (
    add_parent_attributes,
    choose,
    compare,
    index_parent,
    leave_out_known,
    write_continuation,
)
from polyculture.top_up.job import TopUpJob
from schemas.measures import Stage
from schemas.verdict import Verdict


def top_up(session: Session, work: TopUpJob) -> Verdict:
    """Candidates in; continuation shards for a run that is under way, and an account of what they add, out."""
    if not is_written(session.job):
        clear_outputs(session.job)
        session.run(index_parent, work, read_sources(session.of(work.reading)))
        session.run(add_parent_attributes, work)
        accounts = session.run(leave_out_known, work, read(session))
        find_twins(session)
        session.run(write_removed)
        session.run(choose, work)
        session.run(measure, (Stage.INPUT, Stage.DISTINCT, Stage.MIXTURE))
        session.run(measure_words)
        session.run(compare, work)
        session.run(write_manifest, accounts, session.run(write_continuation), work.parent.run)
    return close(session)
