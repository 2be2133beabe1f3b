"""The ratio of two estimates."""

import math

from schemas.profile import Estimate


def ratio(value: Estimate, base: Estimate) -> Estimate | None:
    """The ratio of two independent estimates, with a 95 % interval.

    On the log scale, where a ratio is a difference: the distance to each end is the root of the summed squares of what
    the two intervals contribute to it (the method of variance estimates recovery; Zou & Donner, Statistics in Medicine
    2008, 27:1693), so intervals that are not symmetric stay so. Where the two share documents their errors have the
    same sign as a rule, and the interval is wider than it need be.

    Args:
        value: numerator.
        base: denominator.

    Returns:
        The ratio; None where a value or an end of an interval is not positive, as nothing is then known of it.
    """
    if min(value.value, value.low, value.high, base.value, base.low, base.high) <= 0:
        return None
    below = math.hypot(_distance(value.low, value.value), _distance(base.value, base.high))
    above = math.hypot(_distance(value.value, value.high), _distance(base.low, base.value))
    quotient = value.value / base.value
    return Estimate(value=quotient, low=quotient * math.exp(-below), high=quotient * math.exp(above))


def _distance(lower: float, upper: float) -> float:
    """Distance of two positive numbers on the log scale, at least 0."""
    return max(0.0, math.log(upper / lower))
