"""The survivor of a pair of the input and what it is compared with."""

from enum import StrEnum


class Survivor(StrEnum):
    """The survivor of a pair of the input and what it is compared with."""

    AGAINST = "against"
    INPUT = "input"
    LONGER = "longer"
