"""Measure and judge the input of a configuration; write no shards."""

import os
from pathlib import Path

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.curate import RUNNER, ingest, run_name
from schemas.measures import Stage
from schemas.verdict import Verdict
from tasks.canary import write_canary
from tasks.deduplicate import deduplicate, shingle
from tasks.embed import embed
from tasks.finish import give_verdict, write_manifest, write_report
from tasks.lexical import measure_words
from tasks.measure import measure
from tasks.open import claimed, clear_outputs, is_written
from tasks.publish import show_verdict


@flow(name="audit", flow_run_name=run_name, task_runner=RUNNER, persist_result=False)
def audit(config: str, out: str | None = None, workers: int | None = None) -> State[Verdict]:
    """Measure a corpus as it was delivered, and judge it.

    Args:
        config: path of the configuration file.
        out: run directory; `runs/<name>-audit` if absent.
        workers: worker processes; one per core if absent. They do not change the output.

    Returns:
        A completed state named after the verdict. The verdict itself is in the run directory.
    """
    count = workers or os.cpu_count() or 1
    with claimed("audit", Path(config), Path(out) if out else None) as job:
        if not is_written(job):
            clear_outputs(job)
            accounts = ingest(job, count)
            embed(job, count)
            write_canary(job)
            shingle(job)
            deduplicate(job, count)
            measure(job, (Stage.INPUT, Stage.DISTINCT), count)
            measure_words(job)
            write_manifest(job, accounts, [])
        verdict = give_verdict(job.directory)
        write_report(job.directory)
        job.directory.discard_work()
        show_verdict(job.directory)
    return Completed(name=verdict.verdict.value, message=verdict.verdict.value, data=verdict)
