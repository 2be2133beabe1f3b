"""The configuration: one YAML file becomes one frozen `CurationConfig`. Unknown keys are refused."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.documents import MAPPABLE_FIELDS, Kind

NAME_PATTERN = r"^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}$"
Name = Annotated[str, Field(pattern=NAME_PATTERN)]
Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Bound = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Rate = Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
RESERVED_SCOPES = frozenset({"all", "each_source", "each_kind", *Kind})
Severity = Literal["fail", "warn"]


class Strict(BaseModel):
    """Frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class LimitsConfig(Strict):
    """Bounds on untrusted input. What is over a bound is quarantined; the run goes on."""

    max_document_bytes: int = Field(10 * 2**20, gt=0, description="UTF-8 bytes of one document's text.")
    max_line_bytes: int = Field(32 * 2**20, gt=0, description="Bytes of one line of a JSON Lines file.")
    max_expansion: int = Field(
        200, gt=1, description="Decompressed bytes per compressed byte of a file, applied after the first 64 MiB."
    )
    max_file_bytes: int = Field(64 * 2**30, gt=0, description="Decompressed bytes of one file.")
    max_json_depth: int = Field(64, gt=0, description="Nesting depth of a JSON record.")
    max_json_keys: int = Field(256, gt=0, description="Keys of one JSON object.")
    max_warc_record_bytes: int = Field(64 * 2**20, gt=0, description="Payload bytes of one WARC record.")
    max_parser_bytes: int = Field(
        4 * 2**30, gt=0, description="Address space of the child process that parses a Parquet or Arrow file."
    )
    max_parser_seconds: int = Field(
        600, gt=0, description="Seconds that the child may be silent between two batches before it is ended."
    )


class SourceConfig(Strict):
    """One named corpus."""

    name: Name = Field(description="Unique name; used in every table and report.")
    kind: Kind = Field(description="Who wrote it: web, expert or synthetic. Records cannot override it.")
    paths: tuple[str, ...] = Field(
        min_length=1, description="Files, folders or glob patterns, relative to the configuration file."
    )
    license: str | None = Field(None, max_length=200, description="Licence of records that state none.")
    language: str | None = Field(
        None,
        pattern=r"^[A-Za-z]{2,3}([_-][A-Za-z0-9]+)*$",
        description="Language of records that state none; identified if absent.",
    )
    fields: dict[str, str] = Field(
        default_factory=dict,
        description="Our field name -> the corpus's column; dots reach into objects and JSON strings (`meta.author`).",
    )
    answers_per_prompt: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="Documents made of each prompt at most, as the source's owner declares; a warning if more.",
    )
    max_quarantined_fraction: Fraction | None = Field(
        None,
        description="Share of record slots that may be quarantined, else NO-GO; 0.05 for web, else 0.01.",
    )
    accept_truncated: tuple[Sha256, ...] = Field(
        (), description="SHA-256 of files known to be cut short: their lost tail does not make the verdict NO-GO."
    )

    @property
    def quarantine_limit(self) -> float:
        """The limit in force, as a fraction of record slots."""
        if self.max_quarantined_fraction is not None:
            return self.max_quarantined_fraction
        return 0.05 if self.kind is Kind.WEB else 0.01

    @model_validator(mode="after")
    def _check(self) -> "SourceConfig":
        if self.name in RESERVED_SCOPES:
            raise ValueError(f"the name {self.name!r} is a scope of expectations; choose another")
        unknown = sorted(set(self.fields) - set(MAPPABLE_FIELDS))
        if unknown:
            raise ValueError(f"fields: unknown field {unknown[0]!r}; known: {', '.join(MAPPABLE_FIELDS)}")
        if self.answers_per_prompt is not None and self.kind is not Kind.SYNTHETIC:
            raise ValueError("answers_per_prompt: only a synthetic source has prompts")
        return self


class TokenizerConfig(Strict):
    """The tokenizer of budgets and weights."""

    path: str | None = Field(
        None, description="A Hugging Face `tokenizer.json`; the embedded Llama 2 tokenizer if absent."
    )


class Action(StrEnum):
    """What a lens does to the documents that it finds."""

    REMOVE = "remove"
    MEASURE = "measure"


class ExactConfig(Strict):
    """Equal canonical text."""

    action: Action = Field(Action.REMOVE, description="remove, or measure only.")


class NearConfig(Strict):
    """Jaccard similarity of 5-word shingles at or above the threshold, verified on the text."""

    action: Action = Field(Action.REMOVE, description="remove, or measure only.")
    threshold: float = Field(0.8, ge=0.5, le=1, description="Least Jaccard similarity of two near-duplicates.")
    bands: int = Field(21, ge=1, le=256, description="Bands of the signature; more find more.")
    rows: int = Field(6, ge=1, le=64, description="Signature values per band; more propose fewer.")


class RemovalLimits(Strict):
    """How much deduplication may take; more is NO-GO. Nothing is ever kept or split to stay within."""

    max_removed_fraction: Fraction | None = Field(None, description="Of the documents of any source; null: no limit.")
    sources: dict[str, Fraction] = Field(default_factory=dict, description="The same for single sources, by name.")
    max_cluster_documents: int | None = Field(
        None, ge=1, description="Documents that one kept document may stand for; null: no limit."
    )
    max_component_documents: int = Field(
        100_000, ge=2, description="Connected components of verified pairs above this are reported."
    )
    min_precision: Fraction = Field(
        0.9, description="Share of sampled removals that must be confirmed; NO-GO if the interval is below."
    )


class DedupeConfig(Strict):
    """Which duplicates leave, and who survives."""

    exact: ExactConfig = Field(default_factory=ExactConfig, description="The exact lens.")
    near: NearConfig = Field(default_factory=NearConfig, description="The near lens.")
    limits: RemovalLimits = Field(default_factory=RemovalLimits, description="How much may be removed.")
    survivors: tuple[Kind, ...] = Field(
        (Kind.EXPERT, Kind.WEB, Kind.SYNTHETIC),
        description="Kinds, most preferred first; then the longer, then the smaller id.",
    )

    @model_validator(mode="after")
    def _check(self) -> "DedupeConfig":
        if sorted(self.survivors) != sorted(Kind):
            raise ValueError("survivors: name each of expert, web, synthetic once")
        return self


class SemanticConfig(Strict):
    """The semantic lens: every document is embedded, and probes are compared with all of them."""

    encoder: Literal["embedded", "sentence_transformers"] = Field(
        "embedded", description="The table inside wordllama, corrected by language, or a local model."
    )
    path: str | None = Field(
        None, description="Folder of the model; for `embedded` a background other than the one that ships."
    )
    languages: tuple[str, ...] = Field((), description="Codes that a local model covers; `*` for all.")
    probes: int = Field(500, ge=1, le=100_000, description="Probes per source, stage and weighting.")


class MeasureConfig(Strict):
    """How the full corpus is probed."""

    probes: int = Field(
        2000, ge=1, le=1_000_000, description="Probes per source, stage and weighting; half-widths fall with its root."
    )
    semantic: SemanticConfig | None = Field(None, description="The semantic lens; absent: not measured.")


class KindLimit(Strict):
    """Limits on one kind in the mixture."""

    max_fraction: Fraction = Field(1.0, description="Share of the mixture's tokens at most.")


class MixtureConfig(Strict):
    """How much of each source the shards hold. Without it every rate is 1 and there is no budget."""

    tokens: int | None = Field(None, gt=0, description="Token budget; rates are scaled to it by one factor.")
    rates: dict[str, Rate] = Field(
        default_factory=dict, description="Epochs of each source's distinct documents before scaling; 1 where absent."
    )
    max_epochs: float | None = Field(
        None,
        gt=0,
        le=1000,
        allow_inf_nan=False,
        description="Epochs at most, for every source; without it scaling never goes past max(1, the source's rate).",
    )
    kinds: dict[Kind, KindLimit] = Field(default_factory=dict, description="Limits per kind.")


class ShardConfig(Strict):
    """The files that a trainer reads."""

    max_shard_bytes: int = Field(400 * 10**6, ge=10_000, description="Bytes of Arrow data per shard, about.")
    batch_rows: int = Field(1000, ge=1, le=100_000, description="Rows per record batch at most.")
    max_batch_bytes: int = Field(64 * 2**20, ge=1000, description="Text bytes per record batch, about.")


class Stage(StrEnum):
    """What a number is about: the corpus as read, after removal, or as written to the shards."""

    INPUT = "input"
    DISTINCT = "distinct"
    MIXTURE = "mixture"


class Lens(StrEnum):
    """When two documents are one species.

    exact: equal canonical texts. near: enough shingles in common. template: equal skeletons, numbers and names masked;
    opening: skeletons that begin alike. seed: synthetic documents made from the same prompt or seed document.
    semantic_80, _90, _95: embeddings with a cosine of at least .80, .90, .95, if `measure.semantic` is there.
    """

    EXACT = "exact"
    NEAR = "near"
    TEMPLATE = "template"
    OPENING = "opening"
    SEED = "seed"
    SEMANTIC_80 = "semantic_80"
    SEMANTIC_90 = "semantic_90"
    SEMANTIC_95 = "semantic_95"


class Weighting(StrEnum):
    """What probes were drawn in proportion to, and what a mean over them is a mean of."""

    DOCUMENTS = "documents"
    TOKENS = "tokens"


class Metric(StrEnum):
    """What an expectation may bound."""

    DISTINCT_FRACTION = "distinct_fraction"
    DUPLICATE_FRACTION = "duplicate_fraction"
    DUPLICATE_PAIRS = "duplicate_pairs"
    HILL_0 = "hill_0"
    HILL_1 = "hill_1"
    HILL_2 = "hill_2"
    SCALE_SURPRISE = "scale_surprise"
    CONTAINMENT = "containment"


COUNTS = frozenset({Metric.DUPLICATE_PAIRS, Metric.HILL_0, Metric.HILL_1, Metric.HILL_2})  # the others are fractions


class RelativeTo(StrEnum):
    """What a bound is a multiple of: the same number of the pooled reference, or of the last run that was GO."""

    REFERENCE = "reference"
    LAST_GO = "last_go"


class Expectation(Strict):
    """A bound that the evidence must satisfy."""

    lens: Lens = Field(description="When two documents are one species.")
    metric: Metric = Field(description="Which number is bounded.")
    weighting: Weighting = Field(Weighting.DOCUMENTS, description="Every document counts the same, or by its tokens.")
    stage: Stage | None = Field(
        None,
        description="input, distinct or mixture; absent: what the command judges (audit the input, run the mixture).",
    )
    scope: str = Field("all", description="all, each_source, each_kind, or the name of a kind or source.")
    relative_to: RelativeTo | None = Field(
        None,
        description="reference or last_go: the bounds are of the ratio to that; counts are per document for reference.",
    )
    at_least: Bound | None = Field(None, description="Lower bound; a fraction, or a number of documents or pairs.")
    at_most: Bound | None = Field(None, description="Upper bound.")
    severity: Severity = Field("fail", description="fail decides the verdict; warn is only shown.")

    @model_validator(mode="after")
    def _check(self) -> "Expectation":
        if self.at_least is None and self.at_most is None:
            raise ValueError("an expectation needs at_least or at_most")
        is_fraction = self.metric not in COUNTS and self.relative_to is None
        if is_fraction and max(self.at_least or 0, self.at_most or 0) > 1:
            raise ValueError(f"{self.metric.value} is a fraction: its bounds lie in 0..1")
        if self.metric is Metric.CONTAINMENT and self.weighting is not Weighting.DOCUMENTS:
            raise ValueError("containment is measured by documents; leave weighting out")
        if self.metric is Metric.CONTAINMENT and self.relative_to is RelativeTo.REFERENCE:
            raise ValueError("containment is of a pair of sources; it cannot be relative to the reference")
        return self


DEFAULT_EXPECTATIONS: tuple[Expectation, ...] = (
    Expectation(lens=Lens.NEAR, metric=Metric.DISTINCT_FRACTION, scope="each_source", at_least=0.8),
    Expectation(lens=Lens.NEAR, metric=Metric.DISTINCT_FRACTION, scope="all", at_least=0.8),
    Expectation(lens=Lens.NEAR, metric=Metric.SCALE_SURPRISE, scope="each_source", at_most=0.1),
    Expectation(lens=Lens.NEAR, metric=Metric.SCALE_SURPRISE, scope="all", at_most=0.1),
)


def _beside_reference(lens: Lens, least: float, severity: Severity) -> Expectation:
    return Expectation(
        lens=lens,
        metric=Metric.HILL_1,
        scope="each_source",
        relative_to=RelativeTo.REFERENCE,
        at_least=least,
        severity=severity,
    )


# What the defaults ask for beside DEFAULT_EXPECTATIONS where a reference is named.
REFERENCE_EXPECTATIONS: tuple[Expectation, ...] = (
    _beside_reference(Lens.NEAR, 0.6, "fail"),
    _beside_reference(Lens.NEAR, 0.8, "warn"),
    _beside_reference(Lens.TEMPLATE, 0.8, "warn"),
    _beside_reference(Lens.OPENING, 0.8, "warn"),
)

# The gate's own conditions that a person may waive. Evidence that is missing or does not balance cannot be waived.
WAIVABLE = frozenset(
    {
        "expectation", "quarantine", "truncated_input", "unreadable_input", "removed_fraction", "cluster_size",
        "component_size", "removal_precision", "heavy_species", "seed_fan_out", "lineage",
    }
)  # fmt: skip


class Waiver(Strict):
    """A failing check that somebody answers for until a day; it is printed and does not decide."""

    check: str = Field(
        max_length=200,
        description="Name of a check (`quarantine`), or lens/metric or lens/metric/scope; `*` stands for any part.",
    )
    scope: str = Field("*", max_length=200, description="Scope of the check as printed; `*`: any.")
    reason: str = Field(min_length=1, max_length=500, description="Why.")
    by: str = Field(min_length=1, max_length=200, description="Who answers for it.")
    until: date = Field(description="Last day on which it holds, YYYY-MM-DD.")

    @property
    def parts(self) -> tuple[str, str, str] | None:
        """Lens, metric and scope of a pattern; None of a name."""
        if "/" not in self.check:
            return None
        lens, metric, *rest = self.check.split("/", 2)
        return lens, metric, rest[0] if rest else "*"

    @model_validator(mode="after")
    def _check(self) -> "Waiver":
        if self.parts is None:
            if self.check not in WAIVABLE:
                raise ValueError(f"check: unknown {self.check!r}; known: {', '.join(sorted(WAIVABLE))}, or lens/metric")
            return self
        lens, metric, scope = self.parts
        for part, known in ((lens, Lens), (metric, Metric)):
            if part != "*" and part not in list(known):
                raise ValueError(f"check: unknown {part!r} in {self.check!r}; known: {', '.join(known)}, or *")
        if {lens, metric, scope, self.scope} == {"*"}:
            raise ValueError("check: this would waive everything; name a lens, a metric or a scope")
        return self


class GateConfig(Strict):
    """What the verdict asks of the evidence."""

    trial_fraction: float = Field(
        0.01, gt=0, lt=1, description="Size of the trial run that scale_surprise compares with."
    )
    expectations: tuple[Expectation, ...] = Field(
        DEFAULT_EXPECTATIONS,
        min_length=1,
        description="Bounds; the defaults if absent, and those relative to the reference if there is one.",
    )
    last_go: str | None = Field(
        None,
        min_length=1,
        description="Run directory of the last run that was GO, relative to the configuration file.",
    )
    waivers: tuple[Waiver, ...] = Field((), description="Failing checks that somebody answers for.")


class CurationConfig(Strict):
    """The whole run."""

    name: Name = Field(description="Name of the run; the default run directory is `runs/<name>`.")
    seed: int = Field(20261122, ge=0, lt=2**63, description="Seeds every hash that samples or orders documents.")
    sources: tuple[SourceConfig, ...] = Field(min_length=1, description="The corpora.")
    tokenizer: TokenizerConfig = Field(default_factory=TokenizerConfig, description="Counts tokens.")
    limits: LimitsConfig = Field(default_factory=LimitsConfig, description="Bounds on untrusted input.")
    dedupe: DedupeConfig = Field(default_factory=DedupeConfig, description="Deduplication.")
    reference: tuple[str, ...] = Field(
        (), description="Names of the sources that others are compared with, pooled; trusted for their variety."
    )
    measure: MeasureConfig = Field(default_factory=MeasureConfig, description="Measurement.")
    mixture: MixtureConfig = Field(default_factory=MixtureConfig, description="The mixture.")
    shards: ShardConfig = Field(default_factory=ShardConfig, description="The shards.")
    gate: GateConfig = Field(default_factory=GateConfig, description="The gate.")

    @model_validator(mode="after")
    def _check(self) -> "CurationConfig":
        names = [source.name for source in self.sources]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"sources: the name {twice[0]!r} is used twice")
        folded = [name.casefold() for name in names]
        if len(set(folded)) < len(folded):
            raise ValueError("sources: two names differ only in case")
        for name, rate in self.mixture.rates.items():
            if name not in names:
                raise ValueError(f"mixture.rates: unknown source {name!r}; known: {', '.join(names)}")
            if self.mixture.max_epochs is not None and rate > self.mixture.max_epochs:
                raise ValueError(f"mixture.rates: {name} is {rate:g}, above max_epochs {self.mixture.max_epochs:g}")
        if all(self.mixture.rates.get(name, 1.0) == 0 for name in names):
            raise ValueError("mixture.rates: every rate is 0, so the mixture would be empty")
        for name in self.dedupe.limits.sources:
            if name not in names:
                raise ValueError(f"dedupe.limits.sources: unknown source {name!r}; known: {', '.join(names)}")
        self._check_gate(names)
        return self

    def _check_gate(self, names: list[str]) -> None:
        for name in self.reference:
            if name not in names:
                raise ValueError(f"reference: unknown source {name!r}; known: {', '.join(names)}")
        if len(set(self.reference)) < len(self.reference):
            raise ValueError("reference: a source is named twice")
        scopes = RESERVED_SCOPES | set(names)
        for number, expectation in enumerate(self.gate.expectations):
            place = f"gate.expectations.{number}"
            if expectation.scope not in scopes:
                known = ", ".join(sorted(scopes))
                raise ValueError(f"{place}.scope: unknown {expectation.scope!r}; known: {known}")
            if expectation.relative_to is RelativeTo.REFERENCE and not self.reference:
                raise ValueError(f"{place}.relative_to: there is no reference; name its sources under `reference:`")
