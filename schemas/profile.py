"""The profile: what the probes say about a corpus at a stage, through a lens, for a scope."""

from pydantic import Field

from schemas.documents import Kind
from schemas.ledger import EncoderUsed
from schemas.lexical import LexicalScope
from schemas.measures import Lens, Metric, Stage, Weighting
from schemas.numbers import Diversity, Estimate
from schemas.strict import Strict
from schemas.vectors import VectorProfile
from schemas.worth import Worth

__all__ = ["Containment", "Estimate", "HeavySpecies", "LastGo", "Profile", "ScopeProfile", "Trial"]


class Trial(Strict):
    """The distinct fraction that a trial run on a fraction of the corpus would have seen."""

    fraction: float
    distinct_fraction: Estimate


class ScopeProfile(Diversity):
    """Diversity of one scope (all, a kind, or a source) at one stage through one lens.

    Attributes:
        documents: occurrences; at the stage `mixture` a document written twice counts twice.
        probes: number of them that were probed.
        weighting: weighting by documents, or by tokens: then every number is the token-weighted mean of the same
            quantity of a document.
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
    scale_surprise: Estimate
    trials: list[Trial]

    def trial(self, fraction: float) -> Estimate:
        """The distinct fraction that a trial of this fraction, one of `trials`, would have seen."""
        return next(t.distinct_fraction for t in self.trials if abs(t.fraction - fraction) < 1e-12)


class Containment(Strict):
    """Share of the documents of source `of` that have a twin in source `within`, at a stage, through a lens."""

    stage: Stage
    lens: Lens
    of: str
    within: str
    containment: Estimate


class HeavySpecies(Strict):
    """A species that is so large that it is counted whole.

    Attributes:
        example: document_id of one member.
        snippet: beginning of that member's text, at most 200 characters; None if the ledger keeps none.
        documents, tokens: counts of all sources.
        sources: documents of each source that has any.
    """

    stage: Stage
    lens: Lens
    example: str
    documents: int
    tokens: int
    sources: dict[str, int]
    snippet: str | None = None


class CanaryNumber(Strict):
    """An estimate of a number of the canary, with its 99.99 % interval."""

    lens: Lens
    weighting: Weighting
    metric: Metric
    estimate: Estimate


class CanaryNumbers(Strict):
    """Measurements of a run's canary.

    Attributes:
        identity_sha256, seed, threshold, recipe: those that the counts say they belong to.
        numbers: the estimates.
        counts: multiplicities of probes, sizes of heavy species and populations that were looked at one by one.
        wrong: number of them that are missing, too many, or not as planted.
    """

    identity_sha256: str
    seed: int
    threshold: float
    recipe: int
    numbers: list[CanaryNumber]
    counts: int
    wrong: int


class Profile(Strict):
    """All numbers of a run.

    Attributes:
        references: the pooled reference sources, as a scope called `reference`; empty if there is no reference.
        lexical: lexical measures of the input and of what is distinct; empty if the ledger holds none.
        vectors: vector profile of every scope; empty if embeddings were not measured.
        vector_references: the same of the pooled reference.
        encoder: the encoder that made the embeddings.
        canary: measurements of the run's canary, which is in no other number; None if there is nothing to read.
        weighed: near distinct fraction of all that is distinct (of all that was read, in an audit), each source weighed
            by what the mixture holds of it: planned epochs are no duplicates.
        worth: what the mixture (in an audit, what was read) is worth beside fresh text, epochs and copies alike.
    """

    trial_fraction: float
    threshold: float  # of the near lens
    scopes: list[ScopeProfile]
    containments: list[Containment]
    heavy: list[HeavySpecies]
    references: list[ScopeProfile] = Field(default_factory=list)
    lexical: list[LexicalScope] = Field(default_factory=list)
    vectors: list[VectorProfile] = Field(default_factory=list)
    vector_references: list[VectorProfile] = Field(default_factory=list)
    encoder: EncoderUsed | None = None
    canary: CanaryNumbers | None = None
    weighed: dict[Weighting, Estimate] = Field(default_factory=dict)
    worth: Worth | None = None

    def vector(self, stage: Stage, scope: str) -> VectorProfile | None:
        """The vector profile of one scope; None if nothing of it is there, or embeddings were not measured."""
        return next((v for v in self.vectors if (v.stage, v.scope) == (stage, scope)), None)

    def vector_reference(self, stage: Stage) -> VectorProfile | None:
        """The vector profile of the pooled reference."""
        return next((v for v in self.vector_references if v.stage is stage), None)

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


class LastGo(Strict):
    """The numbers of the last run that was GO, as far as bounds may be relative to them.

    Attributes:
        name: name of the run.
        manifest_sha256: digest of the run's manifest.
        trial_fraction: the fraction that scale_surprise was worked out for.
        threshold: threshold of the near lens.
        scopes: without their scale curves.
        vectors: without their curves.
        encoder: the encoder that made the embeddings.
    """

    name: str
    manifest_sha256: str
    trial_fraction: float
    threshold: float
    scopes: list[ScopeProfile]
    containments: list[Containment]
    vectors: list[VectorProfile] = Field(default_factory=list)
    encoder: EncoderUsed | None = None

    def vector(self, stage: Stage, scope: str) -> VectorProfile | None:
        """The vector profile of one scope, or None if embeddings were not measured."""
        return next((v for v in self.vectors if (v.stage, v.scope) == (stage, scope)), None)

    def scope(self, stage: Stage, lens: Lens, scope: str, weighting: Weighting) -> ScopeProfile | None:
        """The numbers of one scope, or None if they were not measured."""
        wanted = (stage, lens, scope, weighting)
        return next((s for s in self.scopes if (s.stage, s.lens, s.scope, s.weighting) == wanted), None)

    def containment(self, pair: Containment) -> Estimate | None:
        """The same containment as `pair` in this run, or None if it was not measured."""
        wanted = (pair.stage, pair.lens, pair.of, pair.within)
        same = (c.containment for c in self.containments if (c.stage, c.lens, c.of, c.within) == wanted)
        return next(same, None)
