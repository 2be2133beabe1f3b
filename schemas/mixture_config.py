"""The configuration of the mixture and its shards."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter, WrapValidator, model_validator

from schemas.counts import Count
from schemas.documents import Kind
from schemas.strict import Bound, Fraction, Name, Rate, Sha256, Strict

VALIDATION = "validation"  # group of the shards that are held out of training
Epochs = Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)]
# METRIC[@LENS][=WEIGHT], as `polyculture plan --objective` has it
Objective = Annotated[str, Field(pattern=r"^[a-z0-9_]+(@[a-z0-9_]+)?(=[0-9.eE+-]+)?$", max_length=80)]


class MixtureLimit(Strict):
    """Limits on a kind or a source in the mixture."""

    max_epochs: Epochs | None = Field(None, description="Most epochs; `mixture.max_epochs` if absent.")
    min_fraction: Fraction = Field(0.0, description="Least share of the mixture's tokens.")
    max_fraction: Fraction = Field(1.0, description="Largest share of the mixture's tokens.")

    @model_validator(mode="after")
    def _check(self) -> "MixtureLimit":
        if self.min_fraction > self.max_fraction:
            raise ValueError(f"min_fraction {self.min_fraction:g} is above max_fraction {self.max_fraction:g}")
        return self


class KindLimit(MixtureLimit):
    """Limits on one kind in the mixture."""


class SourceLimit(MixtureLimit):
    """Limits on one source in the mixture; its max_epochs takes precedence over that of its kind."""


class RatesFile(Strict):
    """Rates from a file: what `polyculture plan --out` or a run wrote, or learned weights as {source: weight}."""

    file: str = Field(min_length=1, description="JSON or YAML, relative to the configuration file.")
    holds: Literal["token_fractions", "rates"] = Field(
        "token_fractions", description="Meaning of the weights in a plain {source: weight} file."
    )
    data_sha256: Sha256 | None = Field(
        None, description="Digest of the data that weights were learned on, if the file does not state it."
    )


_RATES, _FILE = TypeAdapter(dict[str, Rate]), TypeAdapter(RatesFile)


def _choose_rates(value: Any, _: Any) -> Any:
    """One of the three forms, so that an error names the key and not the form."""
    if value == "auto" or isinstance(value, RatesFile):
        return value
    if not isinstance(value, dict):
        raise ValueError("write `auto`, {source: rate}, or {file: NAME}")
    return (_FILE if isinstance(value.get("file"), str) else _RATES).validate_python(value)


Rates = Annotated[dict[str, Rate] | RatesFile | Literal["auto"], WrapValidator(_choose_rates)]


SHARES_WITHIN = 1e-3  # that shares may be off a sum of 1: three times .333 is a third each
DEFAULT_OBJECTIVE = ("hill_1@near",)


def _as_shares(value: Any) -> Any:
    if not isinstance(value, dict):
        raise ValueError("write {source: share}, every source by name, such as {web: 0.7, books: 0.3}")
    return value


def _sum_to_1(shares: dict[str, float]) -> dict[str, float]:
    total = sum(shares.values())
    if abs(total - 1) > SHARES_WITHIN * (1 + 1e-9):
        percent = "; write 70 % as 0.7" if abs(total - 100) <= 100 * SHARES_WITHIN else ""
        raise ValueError(
            f"wanted fractions of the tokens that sum to 1, give or take {SHARES_WITHIN:g}; these sum to {total:.6g}"
            + percent
        )
    return shares


Shares = Annotated[dict[str, Bound], BeforeValidator(_as_shares), AfterValidator(_sum_to_1)]


class MixtureTerms(Strict):
    """A budget, and the rates or shares, and the limits, of what is mixed to fill it."""

    tokens: Count | None = Field(
        None, description="Token budget (`2B`); rates are scaled to it by one factor, shares are fractions of it."
    )
    rates: Rates = Field(
        default_factory=dict,
        description="Epochs of each source's distinct documents before scaling, 1 where absent; or `auto`: those that "
        "are best at `objective`; or {file: NAME}.",
    )
    shares: Shares | None = Field(
        None,
        description="In place of `rates`: each source's fraction of the mixture's tokens, every source named, summing "
        "to 1. The mixture is as large as the budget and the epochs of the scarcest source let the shares hold.",
    )
    objective: tuple[Objective, ...] = Field(
        DEFAULT_OBJECTIVE,
        min_length=1,
        description="Terms that `auto` maximises the sum of, each METRIC[@LENS][=WEIGHT].",
    )
    kinds: dict[Kind, KindLimit] = Field(default_factory=dict, description="Limits per kind.")
    sources: dict[Name, SourceLimit] = Field(default_factory=dict, description="Limits per source.")

    @property
    def fixed_rates(self) -> dict[str, float]:
        """The rates that the configuration itself states."""
        return self.rates if isinstance(self.rates, dict) else {}

    def asks_for(self, name: str) -> bool:
        """False if the shares, or the rates that the configuration itself states, leave a source out."""
        if self.shares is not None:
            return self.shares.get(name, 0.0) > 0
        return self.fixed_rates.get(name, 1.0) > 0

    @model_validator(mode="after")
    def _check_shares(self) -> "MixtureTerms":
        if self.shares is None:
            return self
        if self.rates != {}:
            raise ValueError(
                "`shares` and `rates` are both given; keep `shares` for fractions of the mixture's tokens, or `rates` "
                "for epochs of each source"
            )
        if self.objective != DEFAULT_OBJECTIVE:
            raise ValueError(
                "`objective` is what `rates: auto` maximises, and `shares` leave nothing to choose; keep one"
            )
        return self


class PhaseConfig(MixtureTerms):
    """One phase of training, with its own rates or shares, budget and limits; its max_epochs count within the phase."""

    name: Name = Field(description="Name of the phase, and of its shards.")


class MixtureConfig(MixtureTerms):
    """The share of each source in the shards. Without this section every rate is 1 and there is no budget."""

    max_epochs: Epochs | None = Field(
        None,
        description="Most epochs of any source over all phases; without it scaling never goes past max(1, "
        "the source's rate), `shares` never past 1, and `auto` never past 4.",
    )
    model_parameters: Count | None = Field(
        None, description="Parameters of the model to be trained; the plan then states tokens per parameter."
    )
    phases: tuple[PhaseConfig, ...] = Field(
        (),
        max_length=99,
        description="Phases of training, in order; in place of `tokens`, `rates` and `shares`. Limits here hold in "
        "each phase.",
    )

    @model_validator(mode="before")
    @classmethod
    def _read_older_key(cls, values: Any) -> Any:
        """Take `stages`, which configurations and manifests of earlier versions have, for `phases`."""
        if not isinstance(values, dict) or "stages" not in values:
            return values
        if "phases" in values:
            raise ValueError("`stages` is the older name of `phases`; write `phases` alone")
        return {"phases" if key == "stages" else key: value for key, value in values.items()}

    @property
    def terms(self) -> tuple[MixtureTerms, ...]:
        """The terms of every phase; these, if there is but one."""
        return self.phases or (self,)

    def leaves_out(self, name: str, kind: Kind) -> bool:
        """True if rates, shares or limits keep a source out of every phase."""
        return all(
            not terms.asks_for(name)
            or (kind in found.kinds and found.kinds[kind].max_fraction == 0)
            or (name in found.sources and found.sources[name].max_fraction == 0)
            for terms in self.terms
            for found in (self.limits_of(terms),)
        )

    def limits_of(self, terms: MixtureTerms) -> MixtureTerms:
        """Terms with the limits that stand beside `phases`, where they have none of their own."""
        return terms.model_copy(update={"kinds": self.kinds | terms.kinds, "sources": self.sources | terms.sources})

    @model_validator(mode="after")
    def _check_phases(self) -> "MixtureConfig":
        names = [phase.name.casefold() for phase in self.phases]
        if len({name.replace("-", "_").replace(".", "_") for name in names}) < len(names):
            raise ValueError("phases: two have the same name, or names that differ in `-`, `.` and `_` alone")
        if self.phases and (self.tokens is not None or self.rates != {} or self.shares is not None):
            raise ValueError("phases: each has its own `tokens`, and `rates` or `shares`; remove those beside `phases`")
        if VALIDATION in names:
            raise ValueError(f"phases: {VALIDATION!r} is the name of the documents held out; choose another")
        for phase in self.phases:
            if phase.tokens is None:
                raise ValueError(f"phases: {phase.name} has no budget; give it `tokens`")
        return self


class ValidationConfig(Strict):
    """Documents held out of training: of every source, none with an exact or near twin in the training shards."""

    tokens: Count = Field(description="Approximate number of tokens, shared by the sources in proportion to theirs.")


class ShardConfig(Strict):
    """The files that a trainer reads."""

    max_shard_bytes: int = Field(400 * 10**6, ge=10_000, description="Approximate bytes of Arrow data per shard.")
    batch_rows: int = Field(1000, ge=1, le=100_000, description="Most rows per record batch.")
    max_batch_bytes: int = Field(64 * 2**20, ge=1000, le=2**30, description="Approximate bytes per record batch.")
    format: Literal["stream", "file"] = Field(
        "stream",
        description="Arrow IPC format. A `stream` opens in Hugging Face datasets; a `file` ends with an index of its "
        "batches.",
    )
    compression: Literal["none", "lz4", "zstd"] = Field(
        "none", description="Compression of the buffers in each batch. With `none`, readers map them without a copy."
    )
