"""The metrics: numbers of a scope that follow from its probes' multiplicities.

Each is a mean of a function of the multiplicity m over the scope's documents, or over their tokens if its probes were
drawn by tokens: then it is the token-weighted mean of the same quantity of a document. With species that are a
partition the Hill numbers are the ordinary ones (Hill 1973); with neighbourhoods they are the similarity-sensitive
ones of Leinster & Cobbold (Ecology 2012, 93:477) with similarity 1 between neighbours and 0 otherwise.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from polyculture.measure.probes.estimators import PerProbe, Scope, pooled_mean, pooled_share, scope_of, stratum_share
from polyculture.measure.probes.probe_matrix import ProbeMatrix
from polyculture.statistics.intervals import combine, exp_of, inverse_of, scaled
from schemas.measures import Metric
from schemas.profile import Estimate

# (scope, size of the gate's trial) -> estimate
EstimateMetric = Callable[[Scope, float], Estimate]


def inverse_multiplicity(m: NDArray[np.float64]) -> NDArray[np.float64]:
    """g(m) = 1/m: its mean over probes is the distinct fraction of the full corpus."""
    return 1.0 / m


def trial_distinct(*fractions: float) -> PerProbe:
    """G whose mean is the distinct fraction that a uniform trial of each fraction would have seen.

    (1 - (1 - f)**m) / (m f): a species of m documents is seen with probability 1 - (1 - f)**m, m f of it. The values
    are (levels,) of one fraction, (levels, fractions) of more. Fractions are in (0, 1].
    """
    with np.errstate(divide="ignore"):
        missed = np.log1p(-np.array(fractions))  # -inf of the full corpus, of which nothing is missed

    def g(m: NDArray[np.float64]) -> NDArray[np.float64]:
        seen: NDArray[np.float64] = -np.expm1(np.multiply.outer(m, missed)) / np.multiply.outer(m, fractions)
        return seen[:, 0] if len(fractions) == 1 else seen

    return g


def surprise(fraction: float) -> PerProbe:
    """G whose mean is what a trial of this fraction overstates: its distinct fraction less the full corpus's."""
    trial = trial_distinct(fraction)
    return lambda m: trial(m) - 1.0 / m


def distinct_fraction(scope: Scope, trial_fraction: float) -> Estimate:
    """Species per document, E[1/m], in (0, 1]."""
    del trial_fraction
    return pooled_mean(scope, inverse_multiplicity).within(0, 1).estimate()


def duplicate_fraction(scope: Scope, trial_fraction: float) -> Estimate:
    """Share of documents that have a twin, P(m > 1), in [0, 1]."""
    del trial_fraction
    return pooled_share(scope).estimate()


def duplicate_pairs(scope: Scope, trial_fraction: float) -> Estimate:
    """Unordered pairs of documents of one species, N E[m - 1] / 2, 0 or more."""
    del trial_fraction
    mean = pooled_mean(scope, lambda m: m - 1.0).within(0, scope.documents)
    return scaled(mean, scope.documents / 2).estimate()


def hill_0(scope: Scope, trial_fraction: float) -> Estimate:
    """Hill number of order 0, N E[1/m]: the number of species, in (0, documents]."""
    del trial_fraction
    mean = pooled_mean(scope, inverse_multiplicity).within(0, 1)
    return scaled(mean, scope.documents).estimate()


def hill_1(scope: Scope, trial_fraction: float) -> Estimate:
    """Hill number of order 1, exp E[ln(N/m)]: exp of Shannon's entropy, in [1, documents]."""
    del trial_fraction
    size = scope.documents
    return exp_of(pooled_mean(scope, lambda m: np.log(size / m)).within(0, np.log(size))).estimate()


def hill_2(scope: Scope, trial_fraction: float) -> Estimate:
    """Hill number of order 2, 1 / E[m/N]: the inverse of Simpson's index, in [1, documents]."""
    del trial_fraction
    size = scope.documents
    return inverse_of(pooled_mean(scope, lambda m: m / size).within(1 / size, 1)).estimate()


def scale_surprise(scope: Scope, trial_fraction: float) -> Estimate:
    """Distinct fraction that the trial would have seen, less that of the full corpus, in [0, 1)."""
    return pooled_mean(scope, surprise(trial_fraction)).within(0, 1).estimate()


METRICS: dict[Metric, EstimateMetric] = {
    Metric.DISTINCT_FRACTION: distinct_fraction,
    Metric.DUPLICATE_FRACTION: duplicate_fraction,
    Metric.DUPLICATE_PAIRS: duplicate_pairs,
    Metric.HILL_0: hill_0,
    Metric.HILL_1: hill_1,
    Metric.HILL_2: hill_2,
    Metric.SCALE_SURPRISE: scale_surprise,
}


def scale_curve(scope: Scope, fractions: Sequence[float]) -> list[Estimate]:
    """Distinct fraction that a uniform trial of each fraction would have seen, df(f), in (0, 1]; df(1) of the corpus.

    All fractions at once, over the different multiplicities: O(levels x fractions) for each source.
    """
    curve = pooled_mean(scope, trial_distinct(*fractions)).within(0, 1)
    return curve.estimates() if len(fractions) > 1 else [curve.estimate()]


def containment(matrix: ProbeMatrix, of: int, within: int) -> Estimate:
    """Share of the documents (or tokens) of source `of` that have a twin in source `within`; not symmetric.

    Raises:
        ValueError: the source has no probes at all.
    """
    return containments(matrix, of, [within])[0]


def containments(matrix: ProbeMatrix, of: int, within: Sequence[int]) -> list[Estimate]:
    """`containment` of one source in each of several. Sources that share nothing cost next to nothing.

    Raises:
        ValueError: the source has no probes at all.
    """
    scope = scope_of(matrix, [of])
    hits = [part.rows > 0 for part in matrix.probes[of].strata]
    is_shared = (
        np.any([found.any(axis=0) for found in hits], axis=0) if hits else np.zeros(len(matrix.probes), np.bool_)
    )

    def share(source: int) -> Estimate:
        parts = [stratum_share(stratum, found[:, source]) for stratum, found in zip(scope.strata, hits, strict=True)]
        return combine(parts, scope.shares).within(0, 1).estimate()

    nothing: Estimate | None = None
    found = []
    for source in within:
        if is_shared[source]:
            found.append(share(source))
        else:
            nothing = nothing or share(source)  # the same for all that share nothing
            found.append(nothing)
    return found
