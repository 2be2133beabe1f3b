"""The journal of a run directory, `state/journal.jsonl`: what was done in it, and when."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from schemas.strict import Strict

Event = Literal["opened", "begun", "done", "failed", "stopped", "said", "ended"]


class JobRun(Strict):
    """A job as a dashboard lists it.

    Attributes:
        id: 32 hexadecimal digits, anew for each start of the command.
        job: curate, audit, pilot, top-up or publish.
        name: what a person finds it by, such as `curate nightly`.
        tags: labels to filter by.
        parameters: what it was asked, without secrets.
    """

    id: str
    job: str
    name: str
    tags: tuple[str, ...] = ()
    parameters: dict[str, str] = Field(default_factory=dict)


class JournalEntry(Strict):
    """One line.

    Attributes:
        at: the time, in UTC.
        event: a job was opened or has ended; a step has begun or is done; either failed or was stopped; or something
            was said.
        step: name of the step, with the source where it is that of one; of an end, its outcome; else empty.
        message: what was said, what is to be said of the outcome, or why a step or the job failed.
        run: the job, where one is opened.
    """

    at: datetime
    event: Event
    step: str
    message: str
    run: JobRun | None = None


class Sent(Strict):
    """What a server has of a journal.

    Attributes:
        bytes: of the journal, from its beginning.
        flow_run: id of the flow run that is open there.
        begun: steps that are under way there, with the byte at which their line begins and when they began.
    """

    bytes: int = 0
    flow_run: str | None = None
    begun: dict[str, tuple[int, datetime]] = Field(default_factory=dict)


class History(Strict):
    """`state/history.json`: what each server has of the journal, by its address."""

    servers: dict[str, Sent] = Field(default_factory=dict)
