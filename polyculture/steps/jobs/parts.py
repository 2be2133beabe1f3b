"""The parts that several jobs have in common."""

from polyculture.steps.attributes import add_attributes
from polyculture.steps.canary import write_canary
from polyculture.steps.deduplicate import deduplicate, shingle
from polyculture.steps.finish import give_verdict, write_report
from polyculture.steps.ingest import Accounts, count_documents, ingest_source, settle_documents
from polyculture.steps.session import Session
from schemas.accounts import FileAccount
from schemas.verdict import Verdict


def read_sources(session: Session) -> list[tuple[str, list[FileAccount]]]:
    """Read all sources, several at a time."""
    names = sorted(session.job.inputs)
    with session.polling("documents", lambda: count_documents(session.workspace)):
        return list(zip(names, session.run_each(ingest_source, names), strict=True))


def read(session: Session) -> Accounts:
    """Read all sources and settle their ids."""
    return session.run(settle_documents, read_sources(session))


def find_twins(session: Session) -> None:
    """Work out what is known of each document, plant the canary, and find what leaves for a twin."""
    session.run(add_attributes)
    session.run(write_canary)
    session.run(shingle)
    session.run(deduplicate)


def close(session: Session) -> Verdict:
    """Judge a run that is written, and report it."""
    verdict = session.run(give_verdict)
    session.run(write_report)
    session.job.directory.discard_work()
    return verdict
