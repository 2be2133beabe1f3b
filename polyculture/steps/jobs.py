"""The jobs: which steps each takes, and in which order. How a step is run is for the host of the session to say."""

from polyculture.measure.lenses.lenses import LENS_SIGNALS
from polyculture.mixture.plan.check import needs_ledger
from polyculture.steps.attributes import add_attributes
from polyculture.steps.canary import write_canary
from polyculture.steps.deduplicate import deduplicate, shingle, write_removed
from polyculture.steps.finish import give_verdict, write_manifest, write_report
from polyculture.steps.hold_out import hold_out
from polyculture.steps.ingest import Accounts, count_documents, ingest_source, settle_documents
from polyculture.steps.measure import measure, measure_words
from polyculture.steps.mix import plan_mixture, write_mixture
from polyculture.steps.open import clear_outputs, is_written
from polyculture.steps.pilot import forecast
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
from schemas.accounts import FileAccount
from schemas.measures import Stage
from schemas.pilot import PilotReport
from schemas.verdict import Verdict


def curate(session: Session) -> Verdict:
    """Corpora in; one deduplicated, measured, mixed and judged set of shards out. What is done already stands."""
    if not is_written(session.job):
        clear_outputs(session.job)
        accounts = _read(session)
        _deduplicate(session)
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
    return _close(session)


def audit(session: Session) -> Verdict:
    """Measure and judge a corpus as it was delivered; no shards."""
    if not is_written(session.job):
        clear_outputs(session.job)
        accounts = _read(session)
        _deduplicate(session)
        session.run(measure, (Stage.INPUT, Stage.DISTINCT))
        session.run(measure_words)
        session.run(write_manifest, accounts, [])
    return _close(session)


def pilot(session: Session, target_documents: int, largest_species: int | None) -> PilotReport:
    """Read a pilot as an audit does, and forecast the corpus of `target_documents` that it is a sample of."""
    _read(session)
    session.run(add_attributes, LENS_SIGNALS)
    session.run(shingle)
    found = session.run(forecast, target_documents, largest_species)
    session.job.directory.discard_work()
    return found


def top_up(session: Session, work: TopUpJob) -> Verdict:
    """Candidates in; continuation shards for a run that is under way, and an account of what they add, out."""
    if not is_written(session.job):
        clear_outputs(session.job)
        session.run(index_parent, work, _read_sources(session.of(work.reading)))
        session.run(add_parent_attributes, work)
        accounts = session.run(leave_out_known, work, _read(session))
        _deduplicate(session)
        session.run(write_removed)
        session.run(choose, work)
        session.run(measure, (Stage.INPUT, Stage.DISTINCT, Stage.MIXTURE))
        session.run(measure_words)
        session.run(compare, work)
        session.run(write_manifest, accounts, session.run(write_continuation), work.parent.run)
    return _close(session)


def _read_sources(session: Session) -> list[tuple[str, list[FileAccount]]]:
    """Read all sources, several at a time."""
    names = sorted(session.job.inputs)
    with session.polling("documents", lambda: count_documents(session.workspace)):
        return list(zip(names, session.run_each(ingest_source, names), strict=True))


def _read(session: Session) -> Accounts:
    """Read all sources and settle their ids."""
    return session.run(settle_documents, _read_sources(session))


def _deduplicate(session: Session) -> None:
    """Work out what is known of each document, plant the canary, and find what leaves for a twin."""
    session.run(add_attributes)
    session.run(write_canary)
    session.run(shingle)
    session.run(deduplicate)


def _close(session: Session) -> Verdict:
    """Judge a run that is written, and report it."""
    verdict = session.run(give_verdict)
    session.run(write_report)
    session.job.directory.discard_work()
    return verdict
