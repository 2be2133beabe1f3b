"""A trial run's view of the corpus, beside what the full mixture holds."""

from typing import Literal

from pydantic import Field

from schemas.measures import Lens
from schemas.profile import Estimate
from schemas.strict import Strict
from schemas.verdict import Outcome


class Seen(Strict):
    """Numbers of some documents: those that the trial trained on, or the full mixture.

    Attributes:
        documents: occurrences.
        distinct_fraction: species per occurrence.
        duplicate_fraction: share of occurrences that have a twin.
        hill_1, hill_2: effective numbers of species.
    """

    documents: int
    distinct_fraction: Estimate
    duplicate_fraction: Estimate
    hill_1: Estimate
    hill_2: Estimate


class TrialComparison(Strict):
    """A trial against the full mixture, through one lens, in one scope.

    Attributes:
        lens: the lens.
        scope: all, or a source.
        trial, mixture: their numbers.
        fraction: documents of the trial per document of the mixture.
        uniform_distinct_fraction: value that a uniform trial of that fraction would have seen, by the ledger; None of a
            trial that is larger than the mixture.
        is_as_uniform: whether the trial saw what a uniform one would have seen.
        gap: distinct fraction of the trial less that of the mixture.
        outcome: fail if the whole gap is above the limit, unknown if its interval straddles it; of lenses that do not
            alarm it is shown only.
        alarms: whether the outcome counts.
    """

    lens: Lens
    scope: str
    trial: Seen
    mixture: Seen
    fraction: float
    uniform_distinct_fraction: Estimate | None
    is_as_uniform: bool
    gap: Estimate
    outcome: Outcome
    alarms: bool


class TrialReport(Strict):
    """All that `polyculture trial` says.

    Attributes:
        name: name of the run.
        manifest_sha256: digest of the run that the trial is compared with.
        listed: ids that were given, repeats included.
        unknown: those that no shard of the run holds.
        unknown_examples: the first few of them.
        trial_documents: number of documents that the trial read of this mixture.
        mixture_documents: number of documents in the shards.
        most_gap: the limit.
        is_uniform: whether the trial looks like a uniform sample of the mixture.
        departures: reasons why it does not, in sentences.
        alarms: sentences on what is above the limit.
        unsettled: sentences on where the interval of the gap straddles the limit.
        notes: sentences on gaps above the limit in what the gate binds nothing on.
        outcome: fail with an alarm, else unknown if something is unsettled, else pass.
        comparisons: every lens and scope.
    """

    format: Literal["polyculture-trial-1"] = "polyculture-trial-1"
    name: str
    manifest_sha256: str
    listed: int
    unknown: int
    unknown_examples: list[str]
    trial_documents: int
    mixture_documents: int
    most_gap: float
    is_uniform: bool
    departures: list[str]
    alarms: list[str]
    unsettled: list[str]
    notes: list[str] = Field(default_factory=list)
    outcome: Outcome
    comparisons: list[TrialComparison]
