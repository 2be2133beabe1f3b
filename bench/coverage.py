"""Do the 95 % intervals hold the truth? `python -m bench.coverage [--repetitions 2000] [--write docs/coverage.md]`.

Target: the intervals of every reported quantity, by documents and by tokens, cover 93 to 98 % on populations of known
truth, or more where the rare rule is at work or a repetition draws everything.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.coverage_page import Cell, Errors, page, plot, tables
from bench.populations import Drawing, Population, populations
from polyculture.diversity.classical import RICHNESS, asymptotic_shannon, frequency_counts
from polyculture.diversity.estimators import Scope, Stratum, scope_of
from polyculture.diversity.intervals import FEW_HITS, RARE_UNITS, Z95
from polyculture.diversity.metrics import METRIC_FUNCTIONS, containment, scale_curve
from polyculture.diversity.probe_matrix import ProbeMatrix, Weighting
from schemas.profile import Estimate

LEAST, MOST = 0.93, 0.98
PROBES, MANY_PROBES, SEED, TRIAL, TRIAL_SAMPLES = (500, 2_000), 20_000, 20261122, 0.01, 30
DUPLICATES = "duplicate_fraction"  # the one that is a share and not a mean
# hill_0 is distinct_fraction x documents: the same intervals
QUANTITIES: dict[str, Callable[[Scope], Estimate]] = {
    **{name: partial(lambda f, scope: f(scope, TRIAL), f) for name, f in METRIC_FUNCTIONS.items() if name != "hill_0"},
    "trial .01": lambda scope: scale_curve(scope, [TRIAL])[0],
    "trial .001": lambda scope: scale_curve(scope, [0.001])[0],
}
PLAIN = ("distinct_fraction", "duplicate_pairs", "hill_1", "hill_2")


def truths(population: Population, members: Sequence[int], weighting: Weighting) -> dict[str, float]:
    """Every quantity, from the whole population."""
    size = int(population.documents[list(members)].sum())
    mean = partial(population.mean, list(members), weighting)
    distinct = mean(lambda m: 1 / m)
    trial = {f: mean(lambda m, f=f: (1 - (1 - f) ** m) / (m * f)) for f in (TRIAL, 0.001)}
    return {
        "distinct_fraction": distinct,
        DUPLICATES: mean(lambda m: (m > 1).astype(float)),
        "duplicate_pairs": size * mean(lambda m: m - 1) / 2,
        "hill_1": float(np.exp(mean(lambda m: np.log(size / m)))),
        "hill_2": size / mean(lambda m: m),
        "scale_surprise": trial[TRIAL] - distinct,
        "trial .01": trial[TRIAL],
        "trial .001": trial[0.001],
    }


def _uses_rare_rule(stratum: Stratum, name: str) -> bool:
    n = len(stratum.multiplicity)
    if stratum.light_share <= 0 or n == stratum.population:
        return False
    if name == DUPLICATES:
        hits = int((stratum.multiplicity > 1).sum())
        return min(hits, n - hits) < FEW_HITS
    counts = stratum.light_levels[1]
    return n - int(counts.max(initial=0)) < RARE_UNITS


class _Tally:
    """Coverage and errors of one cell."""

    def __init__(self, truth: float) -> None:
        self.truth, self.covered, self.rare, self.counted, self.squares, self.repetitions = truth, 0, 0, 0, 0.0, 0

    def add(self, estimate: Estimate, is_rare: bool) -> None:
        slack = 1e-9 * max(abs(self.truth), 1e-3)
        self.covered += estimate.low - slack <= self.truth <= estimate.high + slack
        self.rare += is_rare
        self.counted += estimate.high - estimate.low <= slack
        self.squares += (estimate.value / self.truth - 1) ** 2 if self.truth else 0.0
        self.repetitions += 1

    def cell(self, where: tuple[str, str, Weighting, int], quantity: str) -> Cell:
        n = self.repetitions
        return Cell(*where, quantity, self.covered / n, self.rare / n, self.counted / n, (self.squares / n) ** 0.5)


def _scopes(population: Population) -> dict[str, list[int]]:
    sources = list(range(len(population.documents)))
    single = {f"source {number}": [number] for number in sources}
    return {"all": sources} | (single if len(sources) > 1 else {})


def measure(drawing: Drawing, probes: int, repetitions: int, generator: np.random.Generator) -> Iterator[Cell]:
    """Coverage of every quantity of every scope of a population."""
    population, weighting = drawing.population, drawing.weighting
    scopes = _scopes(population)
    tallies = {
        (scope, name): _Tally(truth)
        for scope, members in scopes.items()
        for name, truth in truths(population, members, weighting).items()
    }
    pairs = [(of, within) for of in scopes["all"] for within in scopes["all"] if of != within]
    for of, within in pairs:
        weight = population.weights(weighting)[:, of]
        share = weight[population.sizes[:, within] > 0].sum() / weight.sum()
        tallies[f"{of} in {within}", "containment"] = _Tally(float(share))
    counts = drawing.counts(probes, repetitions, generator)
    for repetition in range(repetitions):
        matrix = drawing.matrix([part[repetition] for part in counts])
        for scope, members in scopes.items():
            _add_scope(scope_of(matrix, members), partial(_tally_of, tallies, scope))
        for of, within in pairs:
            tallies[f"{of} in {within}", "containment"].add(
                containment(matrix, of, within), _is_few(matrix, of, within)
            )
    for (scope, name), tally in tallies.items():
        yield tally.cell((population.name, scope, weighting, probes), name)


def _tally_of(tallies: dict[tuple[str, str], _Tally], scope: str, name: str) -> _Tally:
    return tallies[scope, name]


def _add_scope(scope: Scope, tally_of: Callable[[str], _Tally]) -> None:
    rare = {name: any(_uses_rare_rule(stratum, name) for stratum in scope.strata) for name in (DUPLICATES, "")}
    for name, estimate in QUANTITIES.items():
        tally_of(name).add(estimate(scope), rare[name if name == DUPLICATES else ""])


def _is_few(matrix: ProbeMatrix, of: int, within: int) -> bool:
    light = matrix.probes[of].light
    hits = int((light[:, within] > 0).sum())
    return min(hits, len(light) - hits) < FEW_HITS


def plain_coverage(drawing: Drawing, probes: int, repetitions: int, generator: np.random.Generator) -> dict[str, float]:
    """Coverage of mean +- 1.96 sd / sqrt(probes), no heavy species, no rare rule; populations of one source."""
    levels, truth = drawing.levels[0], truths(drawing.population, [0], drawing.weighting)
    m, size = levels.rows[:, 0].astype(float), int(levels.documents.sum())
    counts = drawing.counts(probes, repetitions, generator)[0] / probes
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
    shannon = truths(population, [0], Weighting.DOCUMENTS)["hill_1"]
    errors: dict[str, list[float]] = {name: [] for name in (*RICHNESS, "naive H1", "Chao-Wang-Jost H1")}
    for _ in range(TRIAL_SAMPLES):
        f = frequency_counts(generator.binomial(sizes, TRIAL))
        n, j = int(np.arange(len(f)) @ f), np.arange(1, len(f))
        for name, estimate in RICHNESS.items():
            # the distinct fraction: a sample's own is what naive reads, against species / documents at full scale
            errors[name].append(estimate(f, size) / len(sizes) - 1)
        naive = float(np.exp(-(j * f[1:] / n) @ np.log(j / n)))
        errors["naive H1"].append(naive / shannon - 1)
        errors["Chao-Wang-Jost H1"].append(asymptotic_shannon(f) / shannon - 1)
    return {name: float(np.sqrt(np.mean(np.square(found)))) for name, found in errors.items()}


def is_fine(cell: Cell) -> bool:
    """Whether a cell meets the target."""
    excused = cell.rare_share > 0.01 or cell.counted_share > 0.01
    return cell.coverage >= LEAST and (cell.coverage <= MOST or excused)


def main() -> int:
    """Measure, print and judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=2_000)
    parser.add_argument("--write", type=Path)
    arguments = parser.parse_args()
    generator = np.random.default_rng(SEED)
    cells: list[Cell] = []
    plain: dict[tuple[str, Weighting, int], dict[str, float]] = {}
    errors: dict[str, Errors] = {}
    for population in populations(SEED):
        is_single = len(population.documents) == 1
        for weighting in Weighting:
            drawing = Drawing(population, weighting)
            for probes in PROBES:
                cells += measure(drawing, probes, arguments.repetitions, generator)
                if is_single:
                    key = (population.name, weighting, probes)
                    plain[key] = plain_coverage(drawing, probes, arguments.repetitions, generator)
        if is_single:
            many = measure(
                Drawing(population, Weighting.DOCUMENTS), MANY_PROBES, arguments.repetitions // 20, generator
            )
            errors[population.name] = classical_errors(population, generator) | _probe_errors(
                [*cells, *many], population
            )
        print(f"{population.name}: done", file=sys.stderr, flush=True)
    missed = [cell for cell in cells if not is_fine(cell)]
    text = tables(cells, plain, errors, missed)
    print(text)
    if arguments.write:
        plot(cells, plain, arguments.write.parent / "images" / "coverage.png")
        arguments.write.write_text(page(text, arguments.repetitions), encoding="utf-8")
    print(f"{1 - len(missed) / len(cells):.4f} of {len(cells):,} cells within target")
    return int(bool(missed))


def _probe_errors(cells: list[Cell], population: Population) -> Errors:
    return {
        f"{cell.quantity} {cell.probes}": cell.relative_error
        for cell in cells
        if cell.population == population.name
        and cell.weighting is Weighting.DOCUMENTS
        and cell.quantity in {"distinct_fraction", "hill_1", "hill_2"}
    }


if __name__ == "__main__":
    sys.exit(main())
