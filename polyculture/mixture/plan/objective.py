"""The objective protocol: a function of document shares, with its gradient."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from polyculture.mixture.plan.constraints import MixtureProblem

Floats = NDArray[np.float64]
Valued = tuple[float, Floats]  # a value, and its gradient by the document shares, (sources,)


class Objective(Protocol):
    """A function of the document shares w of a mixture that meets its budget.

    Attributes:
        name: the maximised quantity, in words.
        is_concave: whether it is concave in w, whatever the probes.
        most: it cannot be more, or infinity.
    """

    name: str
    is_concave: bool
    most: float

    def evaluate(self, shares: Floats, problem: MixtureProblem) -> Valued:
        """The value and its gradient."""
        ...

    def relaxed(self, problem: MixtureProblem) -> "Objective":
        """A concave function that is nowhere smaller; itself if it is concave."""
        ...


class Concave:
    """The common part of concave objectives."""

    is_concave = True
    most = np.inf

    def relaxed(self, problem: MixtureProblem) -> Objective:
        """Itself."""
        del problem
        return self  # type: ignore[return-value]  # every subclass has a name and evaluates
