"""The configuration of deduplication."""

from enum import StrEnum

from pydantic import Field, field_validator, model_validator

from schemas.documents import Kind
from schemas.strict import Fraction, Strict

THRESHOLD_DECIMALS = 6  # times the size of a set it fits into 64 bits


class Action(StrEnum):
    """The action of a lens on the documents that it finds."""

    REMOVE = "remove"
    MEASURE = "measure"


class ExactConfig(Strict):
    """Equal canonical text."""

    action: Action = Field(Action.REMOVE, description="`remove` duplicates, or only `measure` them.")


class NearConfig(Strict):
    """Jaccard similarity of 5-word shingles at or above the threshold, verified on the text."""

    action: Action = Field(Action.REMOVE, description="`remove` duplicates, or only `measure` them.")
    threshold: float = Field(
        0.8, ge=0.5, le=1, description="Least Jaccard similarity of two near-duplicates; at most 6 decimals."
    )
    bands: int = Field(21, ge=1, le=256, description="Bands of the signature; more bands find more pairs.")
    rows: int = Field(6, ge=1, le=64, description="Signature values per band; more values propose fewer pairs.")
    without_heads: bool = Field(
        False,
        description="Compare texts without a long head that many share, such as a licence, if 20 words or more follow.",
    )

    @field_validator("threshold")
    @classmethod
    def _is_exact(cls, threshold: float) -> float:
        if round(threshold, THRESHOLD_DECIMALS) != threshold:
            raise ValueError(f"more than {THRESHOLD_DECIMALS} decimals; sizes of sets are compared with it exactly")
        return threshold


class RemovalLimits(Strict):
    """Limits on what deduplication may take; more is NO-GO. Nothing is ever kept or split to stay within them."""

    max_removed_fraction: Fraction | None = Field(
        None, description="Largest share of a source's documents that may be removed; null: no limit."
    )
    sources: dict[str, Fraction] = Field(
        default_factory=dict, description="The same limit for single sources, by name."
    )
    max_cluster_documents: int | None = Field(
        None, ge=1, description="Most documents that one kept document may stand for; null: no limit."
    )
    max_component_documents: int = Field(
        100_000, ge=2, description="Connected components of verified pairs above this are reported."
    )
    min_precision: Fraction = Field(
        0.9,
        description="Share of sampled removals, by source and of all, to be confirmed; NO-GO if the interval is below.",
    )


class DedupeConfig(Strict):
    """Rules for which duplicates leave, and who survives."""

    exact: ExactConfig = Field(default_factory=ExactConfig, description="The exact lens.")
    near: NearConfig = Field(default_factory=NearConfig, description="The near lens.")
    limits: RemovalLimits = Field(default_factory=RemovalLimits, description="Limits on what may be removed.")
    survivors: tuple[Kind, ...] = Field(
        (Kind.EXPERT, Kind.WEB, Kind.SYNTHETIC),
        description="Kinds, most preferred first; then the longer, then the smaller id.",
    )

    @model_validator(mode="after")
    def _check(self) -> "DedupeConfig":
        if sorted(self.survivors) != sorted(Kind):
            raise ValueError("survivors: name each of expert, web, synthetic once")
        return self
