"""Broader data for a run that is under way: candidates in; continuation shards and an account of what they add out."""

import os
from pathlib import Path

from prefect import flow, runtime
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.curate import RUNNER, ingest, read_sources
from schemas.measures import Stage
from schemas.verdict import Verdict
from tasks.canary import write_canary
from tasks.deduplicate import deduplicate, shingle, write_removed
from tasks.embed import embed
from tasks.finish import give_verdict, write_manifest, write_report
from tasks.lexical import measure_words
from tasks.measure import measure
from tasks.open import clear_outputs, is_written
from tasks.publish import show_verdict
from tasks.top_up import Asked, choose, claimed_top_up, compare, index_parent, leave_out_known, write_continuation


def run_name() -> str:
    """`top-up <run> from <config>`, so that a person finds the run again."""
    given = runtime.flow_run.parameters
    return f"{runtime.flow_run.flow_name} {Path(given['run']).name} from {Path(given['candidates']).stem}"


@flow(name="top-up", flow_run_name=run_name, task_runner=RUNNER, persist_result=False)
def top_up(  # noqa: PLR0913, PLR0917 -- one parameter each for whoever deploys it
    run: str,
    consumed: str,
    candidates: str,
    tokens: int,
    tokens_per_step: int | None = None,
    out: str | None = None,
    workers: int | None = None,
    earlier: list[str] | None = None,
) -> State[Verdict]:
    """Choose from new candidates what broadens a run most, and write it as shards to go on with.

    Args:
        run: run directory of the parent.
        consumed: names of the shards that were read, separated by commas, or a number of steps.
        candidates: path of the configuration of the candidates.
        tokens: to add, at most.
        tokens_per_step: of the whole training job, with a number of steps.
        out: run directory; `runs/<name of the candidates>` if absent.
        workers: worker processes; one per core if absent. They do not change the output.
        earlier: run directories of top-ups of the run that the training reads after it, in this order.

    Returns:
        A completed state named after the verdict. The verdict itself is in the run directory.
    """
    count = workers or os.cpu_count() or 1
    before = tuple(map(Path, earlier or ()))
    asked = Asked(Path(run), consumed, tokens_per_step, Path(candidates), tokens, Path(out) if out else None, before)
    with claimed_top_up(asked) as work:
        job = work.job
        if not is_written(job):
            clear_outputs(job)
            index_parent(work, read_sources(work.reading, count), count)
            embed(work.reading, count)
            accounts = leave_out_known(work, ingest(job, count), count)
            embed(job, count)
            write_canary(job)
            shingle(job)
            deduplicate(job, count)
            write_removed(job)
            choose(work)
            measure(job, (Stage.INPUT, Stage.DISTINCT, Stage.MIXTURE), count)
            measure_words(job)
            compare(work, count)
            write_manifest(job, accounts, write_continuation(job, count), work.parent.run)
        verdict = give_verdict(job.directory)
        write_report(job.directory)
        job.directory.discard_work()
        show_verdict(job.directory)
    return Completed(name=verdict.verdict.value, message=verdict.verdict.value, data=verdict)
