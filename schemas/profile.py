"""The profile: what the probes say about a corpus at a stage, through a lens, for a scope."""

from pydantic import BaseModel, ConfigDict

from schemas.config import Lens, Stage
from schemas.documents import Kind


class Numbers(BaseModel):
    """Frozen numbers; NaN and infinity are refused, so that they cannot pass a gate."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Estimate(Numbers):
    """A value and its 95 % interval; equal ends mean that it was counted, not estimated."""

    value: float
    low: float
    high: float


class Trial(Numbers):
    """What a trial run of a fraction of the corpus would have seen."""

    fraction: float
    distinct_fraction: Estimate


class ScopeProfile(Numbers):
    """Numbers of one scope (all, a kind, or a source) at one stage through one lens.

    Attributes:
        documents: occurrences; at the stage `mixture` a document written twice counts twice.
        probes: how many of them were probed.
        distinct_fraction: species per occurrence at full scale.
        duplicate_fraction: share of occurrences that have a twin.
        scale_surprise: distinct fraction of the gate's trial less the full one.
        trials: distinct fraction that smaller runs would have seen, by fraction; the last is the full corpus.
    """

    stage: Stage
    lens: Lens
    scope: str
    kind: Kind | None
    documents: int
    tokens: int
    probes: int
    distinct_fraction: Estimate
    duplicate_fraction: Estimate
    scale_surprise: Estimate
    trials: list[Trial]

    def trial(self, fraction: float) -> Estimate:
        """The distinct fraction that a trial of this fraction, one of `trials`, would have seen."""
        return next(t.distinct_fraction for t in self.trials if abs(t.fraction - fraction) < 1e-12)


class Containment(Numbers):
    """Share of the documents of source `of` that have a twin in source `within`, at a stage, through a lens."""

    stage: Stage
    lens: Lens
    of: str
    within: str
    containment: Estimate


class Profile(Numbers):
    """All numbers of a run."""

    trial_fraction: float
    threshold: float  # of the near lens
    scopes: list[ScopeProfile]
    containments: list[Containment]

    def scope(self, stage: Stage, lens: Lens, scope: str) -> ScopeProfile | None:
        """The numbers of one scope, or None if they were not measured."""
        return next((s for s in self.scopes if (s.stage, s.lens, s.scope) == (stage, lens, scope)), None)
