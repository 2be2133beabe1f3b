"""Plan the mixture, and write its shards."""

from collections.abc import Iterator

from polyculture.job import Job
from polyculture.measure.ledger.ledger import read_ledger
from polyculture.mixture.plan.documents import PlanInputs, even_order, phase_order, plan_documents, rank_corpus
from polyculture.mixture.plan.held_out import HELD_OUT
from polyculture.shards.dataset import write_dataset
from polyculture.shards.group import Place
from polyculture.shards.write import Origin
from polyculture.steps.hold_out import open_distinct, open_fate
from polyculture.steps.session import Session
from polyculture.storage.files import write_text
from schemas.accounts import FileDigest
from schemas.mixture_config import VALIDATION
from schemas.plan import MixturePlan


def plan_mixture(session: Session, *, from_ledger: bool = False) -> MixturePlan:
    """Decide how often each distinct document is written, and say what the budget needs and lacks.

    With `from_ledger` its stage `distinct` is measured already: rates may be `auto`, and phases are foreseen.
    """
    job, workspace = session.job, session.workspace
    corpus = workspace.open_corpus()
    ledger = read_ledger(job.directory.ledger) if from_ledger else None
    is_distinct = open_distinct(job, len(corpus))
    inputs = PlanInputs(job.digests["data"], job.weights, ledger)
    plan, copies = plan_documents(corpus, is_distinct, job.config, inputs)
    workspace.write_copies(copies)
    write_text(job.directory.plan, plan.model_dump_json(indent=1) + "\n")
    lacking = f"; the budget lacks {plan.lacking_tokens:,}" if plan.lacking_tokens else ""
    for sentence in (f"mixture of {plan.tokens:,} tokens{lacking}", *plan.warnings, *plan.notes):
        session.host.log(sentence)
    return plan


def open_plan(job: Job) -> MixturePlan:
    """The plan of the mixture."""
    return MixturePlan.model_validate_json(job.directory.plan.read_bytes())


def write_mixture(session: Session) -> list[FileDigest]:
    """Write the shards that are not already whole, phase by phase, and the files beside them; returns all digests."""
    watch, job = session.timed(), session.job
    plan = open_plan(job)
    total = sum(phase.rows for phase in plan.phases)
    place = Place(job.directory, job.identity, session.executor)
    files = write_dataset(
        _groups(job, plan), job.config.shards, place, lambda rows: session.host.report("shards", rows, total)
    )
    watch.log(f"{total:,} documents in {sum(file.path.endswith('.arrow') for file in files)} shards")
    return files


def _groups(job: Job, plan: MixturePlan) -> Iterator[tuple[str, Origin]]:
    """Name and origin of each group of shards; each order is made when it is asked for."""
    workspace, seed = job.workspace, job.config.seed
    corpus = workspace.open_corpus()
    streams = rank_corpus(corpus, open_distinct(job, len(corpus)), seed)
    for phase in plan.phases:
        yield phase.name, workspace.write_order(phase.name, phase_order(streams, phase))
    if job.config.validation is not None:
        held = rank_corpus(corpus, open_fate(job, len(corpus)) == HELD_OUT, seed)
        yield VALIDATION, workspace.write_order(VALIDATION, even_order(held))
