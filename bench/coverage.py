"""Do the 95 % intervals hold the truth? `python -m bench.coverage [--repetitions 2000] [--write docs/coverage.md]`.

Target: the intervals of every reported quantity, by documents and by tokens, and of the shares that close the gate,
cover 93 to 98 % on populations of known truth, or more where the rare rule is at work or a repetition draws everything.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from bench.coverage_page import Cell, Errors, Results, page, plot, tables
from bench.coverage_truth import DUPLICATES, TRIAL, classical_errors, plain_coverage, truths
from bench.decided_coverage import measure_decided
from bench.decided_coverage import populations as twinned
from bench.neighbourhoods import Neighbourhoods, neighbourhoods
from bench.populations import Drawing, Known, Population, hidden, populations
from polyculture.measure.probes.estimators import Scope, Stratum, scope_of
from polyculture.measure.probes.metrics import METRICS, EstimateMetric, containment, scale_curve
from polyculture.measure.probes.probe_matrix import ProbeMatrix, Weighting
from polyculture.mixture.estimate.mixture import collapse, estimate_mixture, mixture_values
from polyculture.statistics.intervals import FEW_HITS, RARE_UNITS
from schemas.profile import Estimate

LEAST, MOST = 0.93, 0.98
RATES = (0.4, 1.7)  # of the first source; the second has a third of it
MIXED = ("distinct_fraction", "duplicate_fraction", "duplicate_pairs", "hill_1", "hill_2")
PROBES, MANY_PROBES, SEED = (500, 2_000), 20_000, 20261122


def _metric(metric: EstimateMetric, scope: Scope) -> Estimate:
    return metric(scope, TRIAL)


# hill_0 is distinct_fraction x documents: the same intervals
QUANTITIES: dict[str, Callable[[Scope], Estimate]] = {
    **{name: partial(_metric, metric) for name, metric in METRICS.items() if name != "hill_0"},
    "trial .01": lambda scope: scale_curve(scope, [TRIAL])[0],
    "trial .001": lambda scope: scale_curve(scope, [0.001])[0],
}


def _uses_rare_rule(stratum: Stratum, name: str) -> bool:
    n = len(stratum.multiplicity)
    if stratum.row_share is not None or n == stratum.population:
        return False
    if name == DUPLICATES:
        hits = int((stratum.multiplicity > 1).sum())
        return min(hits, n - hits) < FEW_HITS
    counts = stratum.levels[1]
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


def _scopes(population: Known) -> dict[str, list[int]]:
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
        tallies[f"{of} in {within}", "containment"] = _Tally(population.contained(of, within, weighting))
    counts = drawing.counts(probes, repetitions, generator)
    for repetition in range(repetitions):
        matrix = drawing.matrix([part[repetition] for part in counts], probes)
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
    hits = [(part.rows[:, within] > 0, part.population) for part in matrix.probes[of].sampled]
    return any(min(hit.sum(), (~hit).sum()) < FEW_HITS for hit, population in hits if len(hit) < population)


def measure_mixtures(drawing: Drawing, probes: int, repetitions: int, generator: np.random.Generator) -> Iterator[Cell]:
    """Coverage of every number of mixtures at rates below and above 1; the truth is the same sum over everything."""
    population, sources = drawing.population, len(drawing.levels)
    whole, counts = collapse(drawing.truth), drawing.counts(probes, repetitions, generator)
    for base in RATES:
        rates = np.array([base, base / 3][:sources])
        truth = mixture_values(whole, rates[None])
        tallies = {name: _Tally(float(getattr(truth, name)[0])) for name in MIXED}
        for repetition in range(repetitions):
            matrix = drawing.matrix([part[repetition] for part in counts], probes)
            found, scope = estimate_mixture(collapse(matrix), rates), scope_of(matrix, range(sources))
            is_rare = any(_uses_rare_rule(stratum, "") for stratum in scope.strata)
            for name, tally in tallies.items():
                tally.add(getattr(found, name), is_rare)
        for name, tally in tallies.items():
            where = f"rates {', '.join(f'{rate:.2g}' for rate in rates)}"
            yield tally.cell((population.name, where, drawing.weighting, probes), name)


def is_fine(cell: Cell) -> bool:
    """True if a cell meets the target."""
    return cell.coverage >= LEAST and (cell.coverage <= MOST or cell.is_marked)


def main() -> int:
    """Measure, print and judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=2_000)
    parser.add_argument("--only", default="", help="populations whose names hold this")
    parser.add_argument("--write", type=Path)
    arguments = parser.parse_args()
    repetitions, generator = arguments.repetitions, np.random.default_rng(SEED)
    results = Results([], {}, {}, [], [], [])
    known: list[Known] = [*populations(SEED), *neighbourhoods(SEED)]
    for population in [one for one in known if arguments.only in one.name]:
        for weighting in Weighting:
            drawing = Drawing(population, weighting)
            for probes in PROBES:
                results.cells.extend(measure(drawing, probes, repetitions, generator))
                if isinstance(population, Neighbourhoods):
                    results.cells.extend(measure_mixtures(drawing, probes, repetitions // 2, generator))
                if len(population.documents) == 1:
                    key = (population.name, weighting, probes)
                    results.plain[key] = plain_coverage(drawing, probes, repetitions, generator)
        if isinstance(population, Population) and len(population.documents) == 1 and population.has_heavy:
            many = measure(Drawing(population, Weighting.DOCUMENTS), MANY_PROBES, repetitions // 20, generator)
            found = [cell for cell in (*results.cells, *many) if cell.population == population.name]
            results.errors[population.name] = classical_errors(population, generator) | _probe_errors(found)
        print(f"{population.name}: done", file=sys.stderr, flush=True)
    for population in [one for one in hidden(SEED) if arguments.only in one.name]:
        for weighting in Weighting:
            for probes in (*PROBES, MANY_PROBES):
                drawing, count = (
                    Drawing(population, weighting),
                    repetitions if probes < MANY_PROBES else repetitions // 5,
                )
                results.hidden.extend(measure(drawing, probes, count, generator))
    for decided in [one for one in twinned(SEED) if arguments.only in one.name]:
        results.decided.extend(measure_decided(decided, repetitions, generator))
    results.missed.extend(cell for cell in (*results.cells, *results.decided) if not is_fine(cell))
    text = tables(results)
    print(text)
    if arguments.write:
        plot(results, arguments.write.parent / "images" / "coverage.png")
        arguments.write.write_text(page(text, repetitions), encoding="utf-8")
    count = len(results.cells) + len(results.decided)
    print(f"{1 - len(results.missed) / count:.4f} of {count:,} cells within target")
    return int(bool(results.missed))


def _probe_errors(cells: list[Cell]) -> Errors:
    names = {"distinct_fraction": "df", "hill_1": "H1", "hill_2": "H2"}
    return {
        f"{names[cell.quantity]} {cell.probes:,}": cell.relative_error
        for cell in cells
        if cell.weighting is Weighting.DOCUMENTS and cell.probes > PROBES[0] and cell.quantity in names
    }


if __name__ == "__main__":
    sys.exit(main())
