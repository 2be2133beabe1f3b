"""A number and its interval: what everything measured is made of."""

from schemas.strict import Strict


class Estimate(Strict):
    """A value and its 95 % interval; equal ends mean that it was counted, not estimated."""

    value: float
    low: float
    high: float

    @property
    def says_something(self) -> bool:
        """True if half of the interval is at most the number; where it is not, the number is shown as unknown."""
        return self.high - self.low <= 2 * abs(self.value)


class Diversity(Strict):
    """The diversity of some documents, through one lens.

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
