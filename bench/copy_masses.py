"""Expected content of a mixture, over all documents of the crawls, by convolving mass functions."""

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from bench.crawls import Crawls, Lens

Floats = NDArray[np.float64]


class Expectation:
    """Expected numbers of mixtures of crawls, through one lens, from who is like whom by brute force."""

    def __init__(self, crawls: Crawls, lens: Lens) -> None:
        table = np.zeros((len(crawls.texts), crawls.sources))
        np.add.at(table, (crawls.group, crawls.source), 1)
        rows = np.column_stack([(lens.similar @ table)[crawls.group], crawls.source]).astype(np.int64)
        self._rows, self._counts = np.unique(rows, axis=0, return_counts=True)

    def numbers(self, rates: Floats) -> dict[str, float]:
        """E[1/c], exp E[ln(N/c)] and N / E[c] of a mixture at these rates, N its expected documents."""
        whole = np.floor(rates).astype(int)
        rest = rates - whole
        masses: dict[tuple[int, int], Floats] = {}
        sums = np.zeros(4)
        for row, count in zip(self._rows, self._counts, strict=True):
            source = int(row[-1])
            if rates[source] == 0:
                continue
            others = row[:-1].copy()
            others[source] -= 1
            again = (whole[source] + 1) * rest[source] / rates[source]
            mass = np.array([1 - again, again])  # of one copy of the document itself more than `whole`
            for other in np.flatnonzero(others):
                key = (int(other), int(others[other]))
                if key not in masses:
                    masses[key] = stats.binom.pmf(np.arange(key[1] + 1), key[1], rest[other])
                mass = np.convolve(mass, masses[key])
            c = whole[source] + others @ whole + np.arange(len(mass))
            mass, c = mass[c > 0], c[c > 0]
            sums += count * rates[source] * np.array([1.0, mass @ (1 / c), mass @ np.log(c), mass @ c])
        size, inverse, logarithm, mean = sums / np.array([1.0, *[sums[0]] * 3])
        return {
            "distinct_fraction": float(inverse),
            "hill_1": float(size * np.exp(-logarithm)),
            "hill_2": float(size / mean),
        }
