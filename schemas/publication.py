"""Files beside a published run: the claim of its place, and who approved it against the verdict."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import StringConstraints

from schemas.strict import Sha256, Strict
from schemas.verdict import VerdictValue

Sentence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]


class Approval(Strict):
    """Somebody answers for publishing a run that is not GO. It is void for any other manifest or verdict.

    Attributes:
        name: the person who approved.
        reason: the reason that was given.
        at: the time, in UTC.
    """

    format: Literal["polyculture-approval-1"] = "polyculture-approval-1"
    name: Sentence
    reason: Sentence
    verdict: VerdictValue
    manifest_sha256: Sha256
    verdict_sha256: Sha256
    at: datetime


class Claim(Strict):
    """Written first, and only where nothing is: from then on the place is for this run alone."""

    format: Literal["polyculture-publication-1"] = "polyculture-publication-1"
    manifest_sha256: Sha256


class Publication(Strict):
    """A run that was published.

    Attributes:
        url: the destination.
        copied: files that were written now; the others were there already, and were read back.
        files: all files.
        bytes: bytes of all files.
    """

    url: str
    manifest_sha256: Sha256
    verdict: VerdictValue
    approved_by: str | None
    copied: int
    files: int
    bytes: int
