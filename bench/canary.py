"""Share of healthy runs that fail their canary: `python -m bench.canary`.

The canary is measured with 2,000 choices of its probes. A run passes if all 40 intervals of 99.99 % hold the truth.
"""

import sys
from collections import Counter
from dataclasses import replace

import numpy as np

from polyculture.canary.examine import CONFIDENCE, probes_of
from polyculture.canary.layout import HEAVY_ABOVE
from polyculture.canary.truth import LENSES, METRICS, Truth, truths
from polyculture.measure.probes.estimators import Scope, scope_of
from polyculture.measure.probes.metrics import METRICS as ESTIMATORS
from polyculture.measure.probes.probe_matrix import ProbeMatrix, SourceProbes
from schemas.measures import Lens, Metric, Weighting

LEAST_PASSED = 0.99
CHOICES = 2_000
SEED, THRESHOLD, TRIAL = 20_261_122, 0.8, 0.01


def scope(truth: Truth, chosen: np.ndarray, weighting: Weighting, has_heavy: bool) -> Scope:
    """The canary as an estimator sees it from these probes: heavy species of one size stand together."""
    above = HEAVY_ABOVE if has_heavy else len(truth.tokens)
    is_heavy = truth.multiplicity > above
    weight = truth.tokens if weighting is Weighting.TOKENS else np.ones(len(truth.tokens), np.int64)
    total = int(weight[truth.multiplicity > 0].sum())
    sizes = np.unique(truth.multiplicity[is_heavy])
    heavy = int(is_heavy.sum())
    probes = SourceProbes.of_species(
        truth.multiplicity[chosen[~is_heavy[chosen]]][:, None],
        sizes[:, None],
        np.array([weight[truth.multiplicity == size].sum() / total for size in sizes]),
        (truth.documents - heavy, heavy),
        float(HEAVY_ABOVE) if has_heavy else None,
    )
    matrix = ProbeMatrix((probes,), np.array([truth.documents]), np.array([total]), weighting, has_heavy)
    return replace(scope_of(matrix, [0]), confidence=CONFIDENCE)


def misses(choice: int, known: dict[Lens, Truth]) -> list[tuple[Lens, Weighting, Metric]]:
    """The numbers whose interval does not hold the truth, with one choice of probes."""
    found = []
    for lens, truth in known.items():
        for weighting, chosen in probes_of(truth, SEED, choice).items():
            measured = scope(truth, chosen, weighting, lens is not Lens.NEAR)
            for metric in METRICS:
                estimate = ESTIMATORS[metric](measured, TRIAL)
                if not estimate.low <= truth.number(metric, weighting) <= estimate.high:
                    found.append((lens, weighting, metric))
    return found


def main() -> int:
    """Print what missed how often, and the share of choices with which nothing did."""
    known = truths(THRESHOLD)
    every = [misses(choice, known) for choice in range(CHOICES)]
    missed = Counter(key for keys in every for key in keys)
    cells = [(lens, weighting, metric) for lens in LENSES for weighting in Weighting for metric in METRICS]
    print("| lens | weighting | number | misses |\n|---|---|---|---|")
    for lens, weighting, metric in cells:
        print(f"| {lens} | {weighting} | {metric} | {missed[lens, weighting, metric]} |")
    passed = sum(not keys for keys in every) / CHOICES
    print(f"{CHOICES:,} choices of probes, {len(cells)} numbers each; canary passes: {passed:.4f}")
    return 0 if passed >= LEAST_PASSED else 1


if __name__ == "__main__":
    sys.exit(main())
