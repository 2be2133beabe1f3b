"""The profile: what the probes say about a corpus at a stage, through a lens, for a scope."""

from pydantic import BaseModel, ConfigDict

from schemas.documents import Kind
from schemas.measures import Lens, Metric, Stage, Weighting


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
        weighting: by documents, or by tokens: then every number is the token-weighted mean of the same quantity of a
            document.
        distinct_fraction: species per occurrence at full scale.
        duplicate_fraction: share of occurrences that have a twin.
        duplicate_pairs: unordered pairs of occurrences of one species.
        hill_0, hill_1, hill_2: effective numbers of species (Hill 1973).
        scale_surprise: distinct fraction of the gate's trial less the full one.
        trials: distinct fraction that smaller runs would have seen, by fraction; the last is the full corpus.
    """

    stage: Stage
    lens: Lens
    weighting: Weighting
    scope: str
    kind: Kind | None
    documents: int
    tokens: int
    probes: int
    distinct_fraction: Estimate
    duplicate_fraction: Estimate
    duplicate_pairs: Estimate
    hill_0: Estimate
    hill_1: Estimate
    hill_2: Estimate
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


class HeavySpecies(Numbers):
    """A species that is so large that it is counted whole.

    Attributes:
        example: document_id of one member.
        documents, tokens: of all sources.
        sources: documents of each source that has any.
    """

    stage: Stage
    lens: Lens
    example: str
    documents: int
    tokens: int
    sources: dict[str, int]


class CanaryNumber(Numbers):
    """An estimate of a number of the canary, with its 99.99 % interval."""

    lens: Lens
    weighting: Weighting
    metric: Metric
    estimate: Estimate


class CanaryNumbers(Numbers):
    """What a run measured of its canary.

    Attributes:
        identity_sha256, seed, threshold, recipe: what the counts say that they belong to.
        numbers: the estimates.
        counts: multiplicities of probes, sizes of heavy species and populations that were looked at one by one.
        wrong: how many of them are missing, too many, or not as planted.
    """

    identity_sha256: str
    seed: int
    threshold: float
    recipe: int
    numbers: list[CanaryNumber]
    counts: int
    wrong: int


class Profile(Numbers):
    """All numbers of a run.

    Attributes:
        references: the pooled reference sources, as a scope called `reference`; empty if there is no reference.
        canary: what the run measured of its canary, which is in no other number; None if there is nothing to read.
    """

    trial_fraction: float
    threshold: float  # of the near lens
    scopes: list[ScopeProfile]
    containments: list[Containment]
    heavy: list[HeavySpecies]
    references: list[ScopeProfile] = []
    canary: CanaryNumbers | None = None

    def reference(self, stage: Stage, lens: Lens, weighting: Weighting) -> ScopeProfile | None:
        """The numbers of the pooled reference, or None if there is none at the stage."""
        wanted = (stage, lens, weighting)
        return next((s for s in self.references if (s.stage, s.lens, s.weighting) == wanted), None)

    def scope(
        self, stage: Stage, lens: Lens, scope: str, weighting: Weighting = Weighting.DOCUMENTS
    ) -> ScopeProfile | None:
        """The numbers of one scope, or None if they were not measured."""
        key = (stage, lens, scope, weighting)
        return next((s for s in self.scopes if (s.stage, s.lens, s.scope, s.weighting) == key), None)


class LastGo(Numbers):
    """The numbers of the last run that was GO, as far as bounds may be relative to them.

    Attributes:
        name: of the run.
        manifest_sha256: of the run.
        trial_fraction: that scale_surprise was worked out for.
        threshold: of the near lens.
        scopes: without their scale curves.
    """

    name: str
    manifest_sha256: str
    trial_fraction: float
    threshold: float
    scopes: list[ScopeProfile]
    containments: list[Containment]

    def scope(self, stage: Stage, lens: Lens, scope: str, weighting: Weighting) -> ScopeProfile | None:
        """The numbers of one scope, or None if they were not measured."""
        wanted = (stage, lens, scope, weighting)
        return next((s for s in self.scopes if (s.stage, s.lens, s.scope, s.weighting) == wanted), None)

    def containment(self, pair: Containment) -> Estimate | None:
        """The same containment as `pair` in this run, or None if it was not measured."""
        wanted = (pair.stage, pair.lens, pair.of, pair.within)
        same = (c.containment for c in self.containments if (c.stage, c.lens, c.of, c.within) == wanted)
        return next(same, None)
