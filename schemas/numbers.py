"""A number and its interval: what everything measured is made of."""

from pydantic import BaseModel, ConfigDict


class Numbers(BaseModel):
    """Frozen numbers; NaN and infinity are refused, so that they cannot pass a gate."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Estimate(Numbers):
    """A value and its 95 % interval; equal ends mean that it was counted, not estimated."""

    value: float
    low: float
    high: float


class Diversity(Numbers):
    """How varied some documents are, through one lens.

    Attributes:
        distinct_fraction: species per occurrence at full scale.
        duplicate_fraction: share of occurrences that have a twin.
        duplicate_pairs: unordered pairs of occurrences of one species.
        hill_0, hill_1, hill_2: effective numbers of species (Hill 1973).
    """

    distinct_fraction: Estimate
    duplicate_fraction: Estimate
    duplicate_pairs: Estimate
    hill_0: Estimate
    hill_1: Estimate
    hill_2: Estimate
