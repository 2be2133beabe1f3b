"""Where the job of a command runs: in this process alone, or as a flow of the Prefect server that the settings name."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from cli.prefect_settings import is_server_configured, quiet_prefect
from polyculture.compute.executor import local_workers
from polyculture.errors import Stopped
from polyculture.job import Job
from polyculture.steps.journal import JOURNAL, Journal
from polyculture.steps.open import opened
from polyculture.steps.session import Host, Listener
from polyculture.storage.run_directory import RunDirectory
from schemas.pilot import PilotReport
from schemas.publication import Publication
from schemas.verdict import Verdict

if TYPE_CHECKING:
    from polyculture.publish.run import Answers
    from polyculture.steps.top_up import TopUpRequest


class Starter(Protocol):
    """Starts jobs, and tells a listener how far they are. Every method raises what its job raises."""

    def run(
        self, command: Literal["run", "audit"], config: Path, out: Path, workers: int | None, listener: Listener
    ) -> Verdict:
        """Curate or audit a corpus."""
        ...

    def pilot(
        self, config: Path, out: Path, corpus: tuple[int, int | None], workers: int | None, listener: Listener
    ) -> PilotReport:
        """Forecast a corpus of so many documents, no species of which is larger than the second number."""
        ...

    def top_up(self, asked: "TopUpRequest", workers: int | None, listener: Listener) -> Verdict:
        """Top up a run."""
        ...

    def publish(
        self, run: Path, url: str, answers: "Answers", credentials_block: str | None, listener: Listener
    ) -> Publication:
        """Publish a run; only a Prefect server has blocks."""
        ...


def make_starter(*, needs_prefect: bool = False) -> Starter:
    """The starter for this process.

    Args:
        needs_prefect: True for what only Prefect has; without a server it starts one for the time being.
    """
    if not needs_prefect and not is_server_configured():
        return Here()
    quiet_prefect(os.environ)
    from cli.flow_starter import Prefect

    return Prefect()


class Here:
    """Runs jobs in this process, without an orchestrator, and keeps a journal in the run directory."""

    def run(
        self, command: Literal["run", "audit"], config: Path, out: Path, workers: int | None, listener: Listener
    ) -> Verdict:
        """Curate or audit a corpus."""
        from polyculture.steps.jobs.audit import audit
        from polyculture.steps.jobs.curate import curate

        job = {"run": curate, "audit": audit}[command]
        with stoppable(), opened(command, config, out, local_workers(workers), _journal(listener)) as session:
            return job(session)

    def pilot(
        self, config: Path, out: Path, corpus: tuple[int, int | None], workers: int | None, listener: Listener
    ) -> PilotReport:
        """Forecast a corpus."""
        from polyculture.steps.jobs.pilot import pilot

        with stoppable(), opened("pilot", config, out, local_workers(workers), _journal(listener)) as session:
            return pilot(session, *corpus)

    def top_up(self, asked: "TopUpRequest", workers: int | None, listener: Listener) -> Verdict:
        """Top up a run."""
        from polyculture.steps.jobs.top_up import top_up
        from polyculture.steps.top_up import opened_top_up

        with stoppable(), opened_top_up(asked, local_workers(workers), _journal(listener)) as (session, work):
            return top_up(session, work)

    def publish(
        self, run: Path, url: str, answers: "Answers", credentials_block: str | None, listener: Listener
    ) -> Publication:
        """Publish a run with the environment's credentials."""
        if credentials_block is not None:
            raise ValueError("only a Prefect server has blocks")
        from polyculture.publish.run import open_target
        from polyculture.steps.publish import publish_run

        journal = Journal(RunDirectory(run).state / JOURNAL, listener)
        with stoppable():
            return journal.run(publish_run, run, open_target(url, {}, os.environ), answers, journal)


def _journal(listener: Listener) -> Callable[[Job], Host]:
    return lambda job: Journal(job.directory.state / JOURNAL, listener)


@contextmanager
def stoppable() -> Iterator[None]:
    """Inside the block Ctrl-C and SIGTERM raise Stopped, which ends the workers too."""
    before = {number: signal.signal(number, _stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(*_: object) -> None:
    raise Stopped
