"""Check that a trial saw what a uniform sample of the mixture would have seen."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from polyculture.measure.probes.estimators import Scope, pooled_mean
from schemas.profile import Estimate

SIGMAS = 4.0  # a uniform trial departs by more in none of the dozens of numbers that are looked at, nearly always


def unseen_variance(m: NDArray[np.float64], fraction: float) -> NDArray[np.float64]:
    """Variance of max(X - 1, 0), X binomial (m, fraction): the repeats that a uniform trial sees of one species.

    Args:
        m: (levels,) documents of a species.
        fraction: fraction of the trial, in (0, 1].

    Returns:
        (levels,), 0 or more. From E[X**2] and the probability p of X > 0: max(X - 1, 0) = X - 1 + [X = 0].
    """
    mean = m * fraction
    with np.errstate(divide="ignore"):
        seen = -np.expm1(m * np.log1p(-fraction))  # p; 1 of the whole mixture
    square = mean * (1 - fraction) + (mean - 1) ** 2 - (1 - seen)
    variance: NDArray[np.float64] = np.maximum(square - (mean - seen) ** 2, 0.0)
    return variance


def looks_uniform(observed: Estimate, uniform: Estimate, mixture: Scope, fraction: float) -> bool:
    """True if an observed distinct fraction is one that a uniform trial of this fraction may have.

    Within the interval that the probes give, widened by SIGMAS standard errors of the trial itself: of the repeats of
    independent species, with one repeat added for what the probes have missed.

    Args:
        observed: distinct fraction of the trial.
        uniform: prediction of the ledger.
        mixture: its probes.
        fraction: fraction of the trial, in (0, 1].
    """
    if fraction >= 1:
        return bool(uniform.low - 1e-9 <= observed.high and observed.low <= uniform.high + 1e-9)
    n = fraction * mixture.documents
    per_document = pooled_mean(mixture, lambda m: unseen_variance(m, fraction) / m)
    variance = mixture.documents * max(0.0, float(per_document.high)) + 1
    error = SIGMAS * np.sqrt(variance) / n
    return bool(uniform.low - error <= observed.high and observed.low <= uniform.high + error)


def share_departures(sources: Sequence[str], trial: NDArray[np.int64], mixture: NDArray[np.int64]) -> Iterator[str]:
    """Sources whose share of the trial is not that of the mixture, in sentences: hypergeometric, SIGMAS away.

    Args:
        sources: names.
        trial: (sources,) documents of the trial, at least one in all.
        mixture: (sources,) documents of the mixture.
    """
    n, size = int(trial.sum()), int(mixture.sum())
    for name, drawn, share in zip(sources, trial / n, mixture / size, strict=True):
        spread = np.sqrt(share * (1 - share) / n * max(0.0, (size - n) / max(1, size - 1)))
        if abs(drawn - share) > SIGMAS * spread + 1 / n:
            yield f"{name} is {100 * drawn:.1f} % of the trial and {100 * share:.1f} % of the mixture"
