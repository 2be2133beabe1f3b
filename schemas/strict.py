"""The base of every model, and the fields that several of them share."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

NAME_PATTERN = r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$"


Name = Annotated[str, Field(pattern=NAME_PATTERN)]


Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


Bound = Annotated[float, Field(ge=0, allow_inf_nan=False)]


Rate = Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]


Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


Severity = Literal["fail", "warn"]


class Strict(BaseModel):
    """A frozen model: unknown keys are refused, and so are NaN and infinity, which would pass a gate unseen."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
