"""The configuration: one YAML file becomes one frozen `CurationConfig`. Unknown keys are refused."""

from typing import Annotated

from pydantic import BeforeValidator, Field, JsonValue, model_validator

from schemas.dedupe_config import DedupeConfig
from schemas.documents import EMBEDDING
from schemas.gate_config import GateConfig
from schemas.measure_config import MeasureConfig
from schemas.measures import OF_A_REFERENCE, RelativeTo, Space
from schemas.mixture_config import MixtureConfig, ShardConfig, ValidationConfig
from schemas.source_config import RESERVED_SCOPES, LimitsConfig, SourceConfig, TokenizerConfig
from schemas.strict import Name, Strict


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


class CurationConfig(Strict):
    """The whole run."""

    name: Name = Field(description="Name of the run; the default run directory is `runs/<name>`.")
    seed: int = Field(20261122, ge=0, lt=2**63, description="Seeds every hash that samples or orders documents.")
    sources: tuple[SourceConfig, ...] = Field(min_length=1, description="The corpora.")
    exclude: Annotated[tuple[str, ...], BeforeValidator(_as_list)] = Field(
        (),
        description="Takedown lists, relative to the configuration file: lines `id ID`, `url URL`, `host HOST` or "
        "`sha256 DIGEST`. Documents that they name leave before anything is compared.",
    )
    licenses: tuple[Annotated[str, Field(min_length=1, max_length=200)], ...] | None = Field(
        None,
        min_length=1,
        description="The only licences allowed, as records or sources state them; a document that states another, or "
        "none, is filtered. Absent: all.",
    )
    filters: dict[str, dict[str, JsonValue]] = Field(
        default_factory=dict,
        description="Further filters by name, each with its settings (docs/extending.md). What they take out is "
        "filtered before anything is compared.",
    )
    tokenizer: TokenizerConfig = Field(default_factory=TokenizerConfig, description="Counts tokens.")
    limits: LimitsConfig = Field(default_factory=LimitsConfig, description="Bounds on untrusted input.")
    dedupe: DedupeConfig = Field(default_factory=DedupeConfig, description="Deduplication.")
    reference: tuple[str, ...] = Field(
        (), description="Names of the sources that others are compared with, pooled; trusted for their variety."
    )
    measure: MeasureConfig = Field(default_factory=MeasureConfig, description="Measurement.")
    mixture: MixtureConfig = Field(default_factory=MixtureConfig, description="The mixture.")
    validation: ValidationConfig | None = Field(None, description="Held-out documents; absent: none.")
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
        self._check_mixture(names)
        for name in self.dedupe.limits.sources:
            if name not in names:
                raise ValueError(f"dedupe.limits.sources: unknown source {name!r}; known: {', '.join(names)}")
        self._check_gate(names)
        self._check_embeddings()
        return self

    def _check_mixture(self, names: list[str]) -> None:
        mixture = self.mixture
        for number, terms in enumerate(mixture.terms):
            place = f"mixture.phases.{number}" if mixture.phases else "mixture"
            for key, known in (("rates", terms.fixed_rates), ("sources", terms.sources), ("sources", mixture.sources)):
                for name in known:
                    if name not in names:
                        raise ValueError(f"{place}.{key}: unknown source {name!r}; known: {', '.join(names)}")
            self._check_shares(place, terms.shares, names)
            if isinstance(terms.rates, dict) and all(terms.rates.get(name, 1.0) == 0 for name in names):
                raise ValueError(f"{place}.rates: every rate is 0, so the mixture would be empty")
            for name, rate in terms.fixed_rates.items():
                is_over = mixture.max_epochs is not None and rate > mixture.max_epochs
                if is_over and not mixture.phases and name not in mixture.sources:  # of phases, rates are proportions
                    raise ValueError(f"{place}.rates: {name} is {rate:g}, above max_epochs {mixture.max_epochs:g}")

    @staticmethod
    def _check_shares(place: str, shares: dict[str, float] | None, names: list[str]) -> None:
        if shares is None:
            return
        unknown = [name for name in shares if name not in names]
        if unknown:
            raise ValueError(f"{place}.shares: unknown source {unknown[0]!r}; known: {', '.join(names)}")
        absent = [name for name in names if name not in shares]
        if absent:
            raise ValueError(f"{place}.shares: no share for {', '.join(absent)}; name every source, 0 leaves one out")

    def _check_embeddings(self) -> None:
        mapped = [source.name for source in self.sources if EMBEDDING in source.fields]
        is_read = self.measure.semantic is not None and self.measure.semantic.encoder == "column"
        if is_read and not mapped:
            raise ValueError("measure.semantic.encoder: column: no source maps `embedding`; add it under its `fields`")
        if mapped and not is_read:
            raise ValueError(
                f"sources: {mapped[0]} maps `embedding`, which only measure.semantic.encoder `column` reads"
            )

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
            if expectation.metric in OF_A_REFERENCE and not self.reference:
                raise ValueError(f"{place}.metric: there is no reference to cover; name its sources under `reference:`")
            if expectation.lens.value.startswith(Space.SEMANTIC.value) and self.measure.semantic is None:
                raise ValueError(
                    f"{place}.lens: embeddings are not measured; write `measure: {{semantic: {{}}}}`, or leave it out"
                )
