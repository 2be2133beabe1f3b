"""The metrics: numbers of a scope that follow from its probes' multiplicities."""

from collections.abc import Callable, Sequence

from polyculture.diversity.estimators import Stratum, inverse_multiplicity, pooled_mean, pooled_share, surprise
from schemas.config import Metric
from schemas.profile import Estimate

# (the probes of each source in the scope, size of the gate's trial) -> estimate
EstimateMetric = Callable[[Sequence[Stratum], float], Estimate]


def distinct_fraction(strata: Sequence[Stratum], trial_fraction: float) -> Estimate:
    """Species per occurrence, E[1/m], in (0, 1]. Leinster & Cobbold 2012 for neighbourhoods."""
    del trial_fraction
    return as_fraction(pooled_mean(strata, inverse_multiplicity))


def duplicate_fraction(strata: Sequence[Stratum], trial_fraction: float) -> Estimate:
    """Share of occurrences that have a twin, P(m > 1), in [0, 1]."""
    del trial_fraction
    return pooled_share(strata)


def scale_surprise(strata: Sequence[Stratum], trial_fraction: float) -> Estimate:
    """Distinct fraction that the trial would have seen, less that of the full corpus, in [0, 1)."""
    return pooled_mean(strata, surprise(trial_fraction))


METRICS: dict[Metric, EstimateMetric] = {
    Metric.DISTINCT_FRACTION: distinct_fraction,
    Metric.DUPLICATE_FRACTION: duplicate_fraction,
    Metric.SCALE_SURPRISE: scale_surprise,
}


def as_fraction(estimate: Estimate) -> Estimate:
    """The same estimate with the part of its interval that no fraction can have cut off."""
    return Estimate(value=estimate.value, low=max(0.0, estimate.low), high=min(1.0, estimate.high))
