"""The main job."""

from polyculture.mixture.plan.check import needs_ledger
from polyculture.steps.deduplicate import write_removed
from polyculture.steps.finish import write_manifest
from polyculture.steps.hold_out import hold_out
from polyculture.steps.jobs.parts import close, find_twins, read
from polyculture.steps.measure import measure, measure_words
from polyculture.steps.mix import plan_mixture, write_mixture
from polyculture.steps.open import clear_outputs, is_written
from polyculture.steps.session import Session
from schemas.measures import Stage
from schemas.verdict import Verdict


def curate(session: Session) -> Verdict:
    """Corpora in; one deduplicated, measured, mixed and judged set of shards out. What is done already stands."""
    if not is_written(session.job):
        clear_outputs(session.job)
        accounts = read(session)
        find_twins(session)
        session.run(write_removed)
        session.run(hold_out)
        if needs_ledger(session.job.config.mixture):
            session.run(measure, (Stage.INPUT, Stage.DISTINCT))
            session.run(plan_mixture, from_ledger=True)
            session.run(measure, (Stage.MIXTURE,), extend=True)
        else:
            session.run(plan_mixture)
            session.run(measure, (Stage.INPUT, Stage.DISTINCT, Stage.MIXTURE))
        session.run(measure_words)
        session.run(write_manifest, accounts, session.run(write_mixture))
    return close(session)
