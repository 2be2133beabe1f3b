"""Who stays of a pair of the input and what it is compared with."""

from enum import StrEnum


class Survivor(StrEnum):
    """Who stays of a pair of the input and what it is compared with."""

    AGAINST = "against"
    INPUT = "input"
    LONGER = "longer"
