"""Comparisons of `bench.coverage`: the truth, plain intervals, and estimators from a sample alone."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from bench.coverage_page import Errors
from bench.populations import Drawing, Known, Population
from polyculture.measure.probes.probe_matrix import Weighting
from polyculture.pilot.classical import RICHNESS, asymptotic_shannon, asymptotic_simpson, frequency_counts
from polyculture.statistics.intervals import Z95

TRIAL, TRIAL_SAMPLES = 0.01, 30
DUPLICATES = "duplicate_fraction"  # the one that is a share and not a mean


def truths(population: Known, members: Sequence[int], weighting: Weighting) -> dict[str, float]:
    """Every quantity, from the whole population."""
    size = int(population.documents[list(members)].sum())
    mean = partial(population.mean, list(members), weighting)
    distinct = mean(lambda m: 1 / m)
    trials = [mean(partial(_seen, fraction)) for fraction in (TRIAL, 0.001)]
    return {
        "distinct_fraction": distinct,
        DUPLICATES: mean(lambda m: (m > 1).astype(float)),
        "duplicate_pairs": size * mean(lambda m: m - 1) / 2,
        "hill_1": float(np.exp(mean(lambda m: np.log(size / m)))),
        "hill_2": size / mean(lambda m: m),
        "scale_surprise": trials[0] - distinct,
        "trial .01": trials[0],
        "trial .001": trials[1],
    }


def _seen(fraction: float, m: NDArray[np.float64]) -> NDArray[np.float64]:
    return (1 - (1 - fraction) ** m) / (m * fraction)


def plain_coverage(drawing: Drawing, probes: int, repetitions: int, generator: np.random.Generator) -> dict[str, float]:
    """Coverage of mean +- 1.96 sd / sqrt(probes), no heavy species, no rare rule; populations of one source."""
    levels, truth = drawing.levels[0], truths(drawing.population, [0], drawing.weighting)
    m, size = levels.rows[:, 0].astype(float), int(levels.documents.sum())
    counts = drawing.plain_counts(probes, repetitions, generator) / probes
    functions: dict[str, tuple[NDArray[np.float64], float]] = {
        "distinct_fraction": (1 / m, truth["distinct_fraction"]),
        "duplicate_pairs": (size * (m - 1) / 2, truth["duplicate_pairs"]),
        "hill_1": (np.log(size / m), float(np.log(truth["hill_1"]))),
        "hill_2": (m / size, 1 / truth["hill_2"]),
    }
    covered = {}
    for name, (values, target) in functions.items():
        mean = counts @ values
        half = Z95 * np.sqrt(np.maximum(counts @ values**2 - mean**2, 0) / (probes - 1))
        covered[name] = float((np.abs(mean - target) <= half + 1e-9 * abs(target)).mean())
    return covered


def classical_errors(population: Population, generator: np.random.Generator) -> Errors:
    """RMSE of the relative error of what is estimated from a uniform sample of 1 % alone."""
    sizes, size = population.sizes[:, 0], int(population.documents[0])
    truth = truths(population, [0], Weighting.DOCUMENTS)
    names = (*RICHNESS, "naive H1", "Chao-Wang-Jost H1", "naive H2", "Simpson H2")
    errors: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(TRIAL_SAMPLES):
        f = frequency_counts(generator.binomial(sizes, TRIAL))
        n, j = int(np.arange(len(f)) @ f), np.arange(1, len(f))
        for name, estimate in RICHNESS.items():
            # the distinct fraction: a sample's own is what naive reads, against species / documents at full scale
            errors[name].append(estimate(f, size) / len(sizes) - 1)
        shannon, simpson = float(np.exp(-(j * f[1:] / n) @ np.log(j / n))), n**2 / float(j**2 @ f[1:])
        errors["naive H1"].append(shannon / truth["hill_1"] - 1)
        errors["Chao-Wang-Jost H1"].append(asymptotic_shannon(f) / truth["hill_1"] - 1)
        errors["naive H2"].append(simpson / truth["hill_2"] - 1)
        errors["Simpson H2"].append(asymptotic_simpson(f) / truth["hill_2"] - 1)
    return {name: float(np.sqrt(np.mean(np.square(found)))) for name, found in errors.items()}
