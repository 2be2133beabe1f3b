"""A number says something where half of its interval is at most the number."""

import pytest

from schemas.numbers import Estimate


@pytest.mark.parametrize(
    ("value", "low", "high", "says"),
    [
        (10, 10, 10, True),
        (0, 0, 0, True),
        (10, 0, 20, True),
        (10, 0, 20.1, False),
        (0, 0, 5, False),
        (-2, -3, -1, True),
    ],
)
def test_an_interval_wider_than_its_number_says_nothing(value: float, low: float, high: float, says: bool) -> None:
    assert Estimate(value=value, low=low, high=high).says_something is says
