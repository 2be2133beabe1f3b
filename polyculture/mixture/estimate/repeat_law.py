"""The law of repetition as a function of copies: what one token is worth whose text the mixture holds c times."""

import numpy as np
from numpy.typing import NDArray

DECAY_EPOCHS = 15.387756  # R*, Muennighoff et al. 2023, arXiv:2305.16264
_TOUCHES = 7.559213174  # copies at which the chord from one copy touches the law

Floats = NDArray[np.float64]


def worth_of_copy(copies: Floats) -> Floats:
    """h(c) = (1 + R* (1 - exp(-(c - 1)/R*))) / c: fresh tokens that one of c equal tokens is worth.

    Its mean over the tokens of a mixture, times the tokens, is what the mixture is worth: c may come from epochs, from
    copies within a source, or from another source. It falls from 1 at one copy; .93 at 4, .66 at 16, .25 at 64.

    Args:
        copies: c, 1 or more.
    """
    return (1.0 - DECAY_EPOCHS * np.expm1(-(copies - 1.0) / DECAY_EPOCHS)) / copies


def least_worth(mean: float) -> float:
    """The least that E[h(c)] can be where E[c] is known: the largest convex function below h (Jensen's inequality).

    The law is concave up to some five copies, where its chord takes its place, and convex beyond.

    Args:
        mean: E[c], 1 or more.
    """
    if mean >= _TOUCHES:
        return float(worth_of_copy(np.asarray(mean)))
    lowest = float(worth_of_copy(np.asarray(_TOUCHES)))
    return 1.0 - (1.0 - lowest) * (mean - 1.0) / (_TOUCHES - 1.0)
