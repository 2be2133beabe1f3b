"""The main job: corpora in; one deduplicated, measured, mixed and gated set of shards out."""

import os
from pathlib import Path
from typing import Any

from prefect import flow, runtime
from prefect.client.schemas.objects import State
from prefect.states import Completed
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from polyculture.compute.local import Local
from polyculture.job import Job
from polyculture.mixture.plan.check import needs_ledger
from schemas.manifest import FileAccount
from schemas.measures import Stage
from schemas.verdict import Verdict
from tasks.canary import write_canary
from tasks.deduplicate import deduplicate, shingle, write_removed
from tasks.embed import embed
from tasks.finish import give_verdict, write_manifest, write_report
from tasks.hold_out import hold_out
from tasks.ingest import Accounts, count_documents, ingest_source, settle_documents
from tasks.lexical import measure_words
from tasks.measure import measure
from tasks.mix import plan_mixture, write_mixture
from tasks.open import claimed, clear_outputs, is_written
from tasks.progress import polling
from tasks.publish import show_verdict

# Threads only wait here: the work is done in the executor's processes.
RUNNER: TaskRunner[Any] = ThreadPoolTaskRunner(max_workers=4)


def run_name() -> str:
    """`curate <config>`, so that a person finds the run again."""
    return f"{runtime.flow_run.flow_name} {Path(runtime.flow_run.parameters['config']).stem}"


def ingest(job: Job, workers: int) -> Accounts:
    """Read all sources, several at a time, and settle their ids."""
    return settle_documents(job, read_sources(job, workers))


def read_sources(job: Job, workers: int) -> list[tuple[str, list[FileAccount]]]:
    """Read all sources, several at a time."""
    with Local(workers) as executor, polling("documents", lambda: count_documents(job)):
        futures = {name: ingest_source.submit(job, name, executor) for name in sorted(job.inputs)}
        return [(name, future.result()) for name, future in futures.items()]


@flow(
    name="curate",
    flow_run_name=run_name,
    task_runner=RUNNER,
    persist_result=False,
)
def curate(config: str, out: str | None = None, workers: int | None = None) -> State[Verdict]:
    """Curate a corpus and judge it.

    Args:
        config: path of the configuration file.
        out: run directory; `runs/<name>` if absent.
        workers: worker processes; one per core if absent. They do not change the output.

    Returns:
        A completed state named after the verdict. The verdict itself is in the run directory.
    """
    count = workers or os.cpu_count() or 1
    with claimed("run", Path(config), Path(out) if out else None) as job:
        if not is_written(job):
            clear_outputs(job)
            accounts = ingest(job, count)
            embed(job, count)
            write_canary(job)
            shingle(job)
            deduplicate(job, count)
            write_removed(job)
            hold_out(job)
            if needs_ledger(job.config.mixture):
                measure(job, (Stage.INPUT, Stage.DISTINCT), count)
                plan_mixture(job, from_ledger=True)
                measure(job, (Stage.MIXTURE,), count, extend=True)
            else:
                plan_mixture(job)
                measure(job, (Stage.INPUT, Stage.DISTINCT, Stage.MIXTURE), count)
            measure_words(job)
            write_manifest(job, accounts, write_mixture(job, count))
        verdict = give_verdict(job.directory)
        write_report(job.directory)
        job.directory.discard_work()
        show_verdict(job.directory)
    return Completed(name=verdict.verdict.value, message=verdict.verdict.value, data=verdict)
