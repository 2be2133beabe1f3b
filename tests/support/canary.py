"""What a healthy canary measures, for gates that are tested without a run."""

from polyculture.canary.layout import RECIPE
from polyculture.canary.truth import LENSES, METRICS, truths
from schemas.manifest import Manifest
from schemas.measures import Weighting
from schemas.profile import CanaryNumber, CanaryNumbers, Estimate


def healthy_canary(manifest: Manifest) -> CanaryNumbers:
    """Every number within one per cent of the truth, every count as planted."""
    threshold = manifest.config.dedupe.near.threshold
    numbers = []
    for lens, truth in truths(threshold).items():
        for weighting in Weighting:
            for metric in METRICS:
                value = truth.number(metric, weighting) * 1.004
                estimate = Estimate(value=value, low=0.99 * value, high=1.01 * value)
                numbers.append(CanaryNumber(lens=lens, weighting=weighting, metric=metric, estimate=estimate))
    assert len(numbers) == 8 * len(LENSES)
    return CanaryNumbers(
        identity_sha256=manifest.identity_sha256,
        seed=manifest.config.seed,
        threshold=threshold,
        recipe=RECIPE,
        numbers=numbers,
        counts=7_000,
        wrong=0,
    )
