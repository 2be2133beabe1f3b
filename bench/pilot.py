"""Forecasts from a pilot of a corpus of a million documents that does not exist yet, on populations of known truth.

Run as `python -m bench.pilot`. For each population and each pilot of N/10 and N/100 documents: the truth, the interval
of the linear program, the naive and the classical value, and how often the intervals hold the truth. Fails if an
interval of the linear program misses the truth, or if those of pairs cover less than LEAST_COVERAGE in any cell.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyculture.pilot.classical import RICHNESS, frequency_counts, naive_distinct_fraction
from polyculture.pilot.pairs import PilotPairs, hill_2_of_pairs, pairs_forecast
from polyculture.pilot.profile import distinct_interval

LEAST_COVERAGE = 0.93  # of 95 % intervals of pairs, in every cell
SIZE, FACTORS = 1_000_000, (10, 100)
REPETITIONS, PROGRAMS = 1_000, 20  # pilots of a cell; those of them whose linear program is solved
SEED = 20261122
Sizes = NDArray[np.int64]


@dataclass(frozen=True)
class Cell:
    """One population and one size of pilot.

    Attributes:
        truth: distinct fraction of the corpus.
        naive: of the pilots, on average.
        classical: the estimates of the first pilot.
        low: mean lower end of the program's interval.
        high: mean upper end.
        held: share of the program's intervals that hold the truth.
        hill_2: of the corpus.
        half_width: half of the interval of pairs, relative to the truth, on average.
        covered: share of the intervals of pairs (and so of Hill 2) that hold the truth.
    """

    name: str
    factor: int
    truth: float
    naive: float
    classical: list[float]
    low: float
    high: float
    held: float
    hill_2: float
    half_width: float
    covered: float


def populations() -> dict[str, Sizes]:
    """Sizes of the species; about a million documents each."""
    generator = np.random.default_rng(SEED)
    web = np.minimum(generator.pareto(1.1, SIZE) + 1, 20_000).astype(np.int64)
    copied = np.minimum(generator.zipf(1.8, SIZE), 50_000)
    return {
        "Pareto web": web[: np.searchsorted(np.cumsum(web), SIZE)],
        "Zipf": copied[: np.searchsorted(np.cumsum(copied), SIZE)],
        "97 % unique": np.concatenate([np.ones(970_000, np.int64), np.full(10_000, 3)]),
        "97 % unique, one of 1,000": np.concatenate([np.ones(969_000, np.int64), np.full(10_000, 3), [1_000]]),
        "99.9 % unique": np.concatenate([np.ones(999_000, np.int64), np.full(500, 2)]),
        "20,000 seeds": np.bincount(generator.integers(0, 20_000, SIZE)),
        "200,000 seeds": np.bincount(generator.integers(0, 200_000, SIZE)),
        "60/10/30 mix": np.concatenate([np.ones(600_000, np.int64), np.full(10_000, 10), np.full(100, 3_000)]),
        "all ten times": np.full(100_000, 10, np.int64),
    }


def pilots(sizes: Sizes, n: int, generator: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Frequency counts of pilots drawn without replacement."""
    documents = np.repeat(np.arange(len(sizes)), sizes)
    while True:
        yield frequency_counts(np.bincount(generator.choice(documents, n, replace=False, shuffle=False)))


def measure(name: str, sizes: Sizes, factor: int, repetitions: int) -> Cell:
    """One cell."""
    size = int(sizes.sum())
    truth, pairs = len(sizes) / size, float((sizes * (sizes - 1)).sum()) / 2
    drawn = pilots(sizes[sizes > 0], size // factor, np.random.default_rng([SEED, factor, len(sizes)]))
    intervals, naive, widths, covered = [], [], [], 0
    classical: list[float] = []
    for repetition in range(repetitions):
        f = next(drawn)
        naive.append(naive_distinct_fraction(f))
        classical = classical or [estimate(f, size) / size for estimate in RICHNESS.values()]
        if repetition < PROGRAMS:
            intervals.append(distinct_interval(f, size))
        estimate = pairs_forecast(PilotPairs.of_frequencies(f), size)
        covered += estimate.low <= pairs <= estimate.high
        widths.append((estimate.high - estimate.low) / 2 / pairs)
    return Cell(
        name=name,
        factor=factor,
        truth=truth,
        naive=float(np.mean(naive)),
        classical=classical,
        low=float(np.mean([found.low for found in intervals])),
        high=float(np.mean([found.high for found in intervals])),
        held=float(np.mean([found.low <= truth <= found.high for found in intervals])),
        hill_2=hill_2_of_pairs(pairs, size),
        half_width=float(np.mean(widths)),
        covered=covered / repetitions,
    )


def row(cell: Cell) -> str:
    """A row of the table."""
    classical = " | ".join(f"{value:.3f}" for value in cell.classical)
    interval = f"{cell.low:.3f} to {cell.high:.3f} | {cell.held:.0%}"
    pairs = f"{cell.hill_2:,.0f} | {cell.half_width:.1%} | {cell.covered:.3f}"
    return f"| {cell.name} | {cell.factor} | {cell.truth:.3f} | {interval} | {classical} | {pairs} |"


def main() -> int:
    """Print the table; 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=REPETITIONS)
    repetitions = parser.parse_args().repetitions
    head = ["population", "N/n", "distinct", "linear program", "holds", *RICHNESS, "Hill 2", "pairs +-", "covered"]
    print("| " + " | ".join(head) + " |\n|---|" + "--:|" * (len(head) - 1))
    cells = []
    for name, sizes in populations().items():
        for factor in FACTORS:
            cells.append(measure(name, sizes[sizes > 0], factor, repetitions))
            print(row(cells[-1]), flush=True)
    worst, held = min(cell.covered for cell in cells), min(cell.held for cell in cells)
    print(f"\nintervals of the linear program that hold the truth, worst cell: {held:.0%} (target: all)")
    print(f"coverage of the intervals of pairs, worst cell: {worst:.3f} (target: at least {LEAST_COVERAGE})")
    return int(worst < LEAST_COVERAGE or held < 1)


if __name__ == "__main__":
    sys.exit(main())
