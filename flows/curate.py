"""The main job: corpora in; one deduplicated, measured, mixed and gated set of shards out."""

from pathlib import Path
from typing import Any

from prefect import flow, runtime
from prefect.client.schemas.objects import State
from prefect.states import Completed
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from polyculture.mixture.plan.check import needs_ledger
from polyculture.steps.open import clear_outputs, is_written
from polyculture.steps.session import Session
from schemas.accounts import FileAccount
from schemas.measures import Stage
from schemas.verdict import Verdict
from tasks.attributes import add_attributes
from tasks.canary import write_canary
from tasks.deduplicate import deduplicate, shingle, write_removed
from tasks.finish import give_verdict, write_manifest, write_report
from tasks.hold_out import hold_out
from tasks.ingest import Accounts, count_documents, ingest_source, settle_documents
from tasks.measure import measure, measure_words
from tasks.mix import plan_mixture, write_mixture
from tasks.open import opened
from tasks.publish import show_verdict

# Threads only wait here: the work is done in the executor's processes.
RUNNER: TaskRunner[Any] = ThreadPoolTaskRunner(max_workers=4)


def run_name() -> str:
    """`curate <config>`, so that a person finds the run again."""
    return f"{runtime.flow_run.flow_name} {Path(runtime.flow_run.parameters['config']).stem}"


def ingest(session: Session) -> Accounts:
    """Read all sources, several at a time, and settle their ids."""
    return settle_documents(session, read_sources(session))


def read_sources(session: Session) -> list[tuple[str, list[FileAccount]]]:
    """Read all sources, several at a time."""
    with session.polling("documents", lambda: count_documents(session.workspace)):
        futures = {name: ingest_source.submit(session, name) for name in sorted(session.job.inputs)}
        return [(name, future.result()) for name, future in futures.items()]


def close(session: Session) -> State[Verdict]:
    """Judge a run that is written, report it, and show it in the dashboard."""
    directory = session.job.directory
    verdict = give_verdict(session)
    write_report(directory)
    directory.discard_work()
    show_verdict(directory)
    return Completed(name=verdict.verdict.value, message=verdict.headline or verdict.verdict.value, data=verdict)


@flow(name="curate", flow_run_name=run_name, task_runner=RUNNER, persist_result=False)
def curate(config: str, out: str | None = None, workers: int | None = None) -> State[Verdict]:
    """Curate a corpus and judge it.

    Args:
        config: path of the configuration file.
        out: run directory; `runs/<name>` if absent.
        workers: worker processes; one per core if absent. They do not change the output.

    Returns:
        A completed state named after the verdict. The verdict itself is in the run directory.
    """
    with opened("run", config, out, workers) as session:
        if not is_written(session.job):
            clear_outputs(session.job)
            accounts = ingest(session)
            add_attributes(session)
            write_canary(session)
            shingle(session)
            deduplicate(session)
            write_removed(session)
            hold_out(session)
            if needs_ledger(session.job.config.mixture):
                measure(session, (Stage.INPUT, Stage.DISTINCT))
                plan_mixture(session, from_ledger=True)
                measure(session, (Stage.MIXTURE,), extend=True)
            else:
                plan_mixture(session)
                measure(session, (Stage.INPUT, Stage.DISTINCT, Stage.MIXTURE))
            measure_words(session)
            write_manifest(session, accounts, write_mixture(session))
        return close(session)
