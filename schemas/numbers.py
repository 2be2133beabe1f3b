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
