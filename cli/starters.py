"""Where the job of a command runs: always in this process; a Prefect server that the settings name is told of it."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar
from uuid import uuid4

from cli.prefect_settings import is_server_configured, quiet_prefect
from cli.terminal import note
from polyculture.compute.executor import local_workers
from polyculture.errors import ConfigError
from polyculture.given import Given
from polyculture.job import Job
from polyculture.steps.journal import JOURNAL, Journal, Outcome
from polyculture.steps.open import opened
from polyculture.steps.session import Listener
from polyculture.storage.messages import legible
from polyculture.storage.run_directory import RunDirectory
from schemas.journal import JobRun
from schemas.pilot import PilotReport
from schemas.publication import Publication
from schemas.verdict import Verdict

if TYPE_CHECKING:
    from polyculture.publish.run import Answers
    from polyculture.steps.top_up import TopUpRequest
    from tasks.history import Follower

Found = TypeVar("Found")
Made = Callable[[Job], Journal]


OPENING = "digests of the input"


def make_starter() -> "Starter":
    """The starter for this process.

    Raises:
        PolycultureError: a Prefect server is configured, and cannot be used; the message says why.
    """
    if not is_server_configured():
        return Starter(None)
    quiet_prefect(os.environ)
    from tasks.history import Follower
    from tasks.server import check_server

    return Starter(Follower(check_server()))


class Starter:
    """Runs jobs in this process, keeps a journal in the run directory, and has a server follow it if there is one.

    Every method raises what its job raises; a server that fails while it runs is noted at the end.
    """

    def __init__(self, follower: "Follower | None") -> None:
        """Start jobs for a follower to tell of, if there is one."""
        self._follower = follower

    def run(self, command: Literal["run", "audit"], given: Given, workers: int | None, listener: Listener) -> Verdict:
        """Curate or audit a corpus."""
        from polyculture.steps.jobs.audit import audit
        from polyculture.steps.jobs.curate import curate

        job = {"run": curate, "audit": audit}[command]
        journals = _Journals(listener)
        with opened(command, given, None, local_workers(workers), journals.make) as session:
            run = _job_of({"run": "curate", "audit": "audit"}[command], given)
            return self._do(journals, session.job.directory, run, lambda: job(session), _verdict)

    def pilot(
        self, given: Given, corpus: tuple[int, int | None], workers: int | None, listener: Listener
    ) -> PilotReport:
        """Forecast a corpus of so many documents, no species of which is larger than the second number."""
        from polyculture.steps.jobs.pilot import pilot

        journals = _Journals(listener)
        with opened("pilot", given, None, local_workers(workers), journals.make) as session:
            run = _job_of("pilot", given, documents=corpus[0])
            return self._do(journals, session.job.directory, run, lambda: pilot(session, *corpus), _forecast)

    def top_up(self, asked: "TopUpRequest", workers: int | None, listener: Listener) -> Verdict:
        """Top up a run."""
        from polyculture.steps.jobs.top_up import top_up
        from polyculture.steps.top_up import opened_top_up

        name = f"{asked.run.name} from {asked.candidates.stem}"
        run = _job_run(
            "top-up", name, f"run:{asked.run.name}", run=asked.run, candidates=asked.candidates, tokens=asked.tokens
        )
        journals = _Journals(listener)
        with opened_top_up(asked, local_workers(workers), journals.make) as (session, work):
            return self._do(journals, session.job.directory, run, lambda: top_up(session, work), _verdict)

    def publish(
        self, run: Path, url: str, answers: "Answers", credentials_block: str | None, listener: Listener
    ) -> Publication:
        """Publish a run with the environment's credentials, or with those of a block; the URL holds no secrets.

        Raises:
            ConfigError: there is no server that could have the block, or no such block.
        """
        from polyculture.publish.run import open_target
        from polyculture.steps.publish import publish_run

        target = open_target(url, self._options(credentials_block), os.environ)
        directory = RunDirectory(run.absolute())
        journal = Journal(directory.state / JOURNAL, listener)
        started = _job_run("publish", run.name, f"run:{run.name}", run=run, url=url)

        def job() -> Publication:
            return journal.run(publish_run, directory.root, target, answers, journal)

        with self._followed(directory):
            return journal.run_job(started, job, lambda done: ("PUBLISHED", f"published to {done.url}"))

    def _do(
        self,
        journals: "_Journals",
        directory: RunDirectory,
        run: JobRun,
        job: Callable[[], Found],
        outcome: Callable[[Found], Outcome],
    ) -> Found:
        with self._followed(directory):
            return journals.made[-1].run_job(run, job, outcome)

    @contextmanager
    def _followed(self, directory: RunDirectory) -> Iterator[None]:
        follower = self._follower
        try:
            with follower.following(directory) if follower else nullcontext():
                yield
        finally:
            if follower and follower.problem:
                note(
                    f"history: {follower.address} {follower.problem}; what is not sent goes with the next command on "
                    f"{directory.root}, or with: polyculture history {directory.root}"
                )

    def _options(self, block: str | None) -> dict[str, str]:
        if block is None:
            return {}
        if self._follower is None:
            raise ConfigError(
                "--credentials-block: a Prefect server has blocks, and none is configured; set PREFECT_API_URL, or "
                "give the credentials in the environment"
            )
        from tasks.credentials import load_options
        from tasks.server import ask

        return ask(self._follower.address, lambda: load_options(block))


class _Journals:
    """Makes the journal of a job, and remembers it; until then every byte of the input is read for its digest."""

    def __init__(self, listener: Listener) -> None:
        self.made: list[Journal] = []
        self._listener = listener
        listener(OPENING, 0, 1)

    def make(self, job: Job) -> Journal:
        self._listener(OPENING, 1, 1)
        self.made.append(Journal(job.directory.state / JOURNAL, self._listener))
        return self.made[-1]


def _job_of(job: str, given: Given, **parameters: object) -> JobRun:
    name = Path(given.called).stem
    return _job_run(job, name, f"config:{name}", config=given.called, out=given.directory.root, **parameters)


def _job_run(job: str, what: str, tag: str, **parameters: object) -> JobRun:
    given = {name: legible(str(value)) for name, value in parameters.items()}
    return JobRun(id=uuid4().hex, job=job, name=legible(f"{job} {what}"), tags=(legible(tag),), parameters=given)


def _verdict(verdict: Verdict) -> Outcome:
    return verdict.verdict.value, verdict.headline or verdict.verdict.value


def _forecast(report: PilotReport) -> Outcome:
    return report.outcome.name, report.outcome.name
