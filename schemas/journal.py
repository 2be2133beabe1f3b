"""The journal of a run directory, `state/journal.jsonl`: what was done in it, and when."""

from datetime import datetime
from typing import Literal

from schemas.strict import Strict

Event = Literal["begun", "done", "failed", "stopped", "said"]


class JournalEntry(Strict):
    """One line.

    Attributes:
        at: the time, in UTC.
        event: a step has begun, is done, failed or was stopped; or something was said.
        step: name of the step, with the source where it is that of one; empty for what was said.
        message: what was said, or why the step failed.
    """

    at: datetime
    event: Event
    step: str
    message: str
