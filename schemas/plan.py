"""The mixture plan: how much of each source the shards hold, and what the budget lacks."""

from pydantic import BaseModel, ConfigDict, Field

from schemas.documents import Kind


class SourcePlan(BaseModel):
    """One source's part of the mixture.

    Attributes:
        asked_rate: epochs that the configuration asks for, before scaling.
        rate: epochs after scaling and limits.
        whole_copies: times that every document is written.
        threshold: a document whose inclusion hash, in [0, 1), is below it is written once more.
        available_documents: distinct documents that the source has.
        available_tokens: their tokens.
        tokens: tokens that the shards will hold, repeats included; never over the plan's target for the source.
        limit: what kept the rate below what scaling asked for, if anything did: `max_epochs` or `max_fraction`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: str
    kind: Kind
    asked_rate: float = Field(ge=0)
    rate: float = Field(ge=0)
    whole_copies: int = Field(ge=0)
    threshold: float = Field(ge=0, le=1)
    available_documents: int = Field(ge=0)
    available_tokens: int = Field(ge=0)
    tokens: int = Field(ge=0)
    limit: str | None


class MixturePlan(BaseModel):
    """The mixture.

    Attributes:
        budget_tokens: the configured budget, or None.
        scale: the one factor that all rates were multiplied by.
        tokens: tokens that the shards will hold.
        lacking_tokens: budget less what the limits and the supply let the mixture reach; 0 without a budget. What is
            merely rounded off because documents are not cut is not lacking.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    budget_tokens: int | None
    scale: float = Field(ge=0)
    tokens: int = Field(ge=0)
    lacking_tokens: int = Field(ge=0)
    sources: list[SourcePlan]
