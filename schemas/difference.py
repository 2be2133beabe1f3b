"""The difference of two runs: every number of both, and every key of the configuration that is not the same."""

from typing import Any

from schemas.profile import Estimate
from schemas.strict import Strict


class NumberDifference(Strict):
    """One number in both runs, each at the stage that its run is judged by.

    Attributes:
        scope: a scope, or `a in b` of a containment.
        before, after: value in the first and the second run; None where it was not measured.
        change: relative change, (after - before) / the larger of their absolute values, in [-2, 2]; None where one of
            them was not measured.
        is_apart: the intervals do not overlap.
    """

    lens: str
    weighting: str
    scope: str
    metric: str
    before: Estimate | None
    after: Estimate | None
    change: float | None
    is_apart: bool


class KeyDifference(Strict):
    """A key of the configuration with another value; null stands for an absent one too."""

    key: str
    before: Any
    after: Any


class RunDifference(Strict):
    """Two runs side by side; numbers most changed first.

    Attributes:
        names, verdicts, stages: those of the first and the second run; a verdict is None if there is none.
    """

    names: tuple[str, str]
    verdicts: tuple[str | None, str | None]
    stages: tuple[str, str]
    numbers: list[NumberDifference]
    config: list[KeyDifference]
