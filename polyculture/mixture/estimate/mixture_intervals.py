"""One mixture with 95 % intervals."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyculture.mixture.estimate.copies import CopyLaw, Rule, mixed_afresh
from polyculture.mixture.estimate.mixture_rows import MixtureRows, check_rates, row_blocks, row_powers
from polyculture.mixture.estimate.repeat_law import least_worth
from polyculture.statistics.intervals import (
    Interval,
    Sample,
    between,
    combine,
    exact,
    exp_of,
    inverse_of,
    mean_interval,
    scaled,
)
from schemas.what_if import MixtureEstimate

Floats = NDArray[np.float64]
# The five functions of c whose means everything follows from.
INVERSE, SURPRISE, EXCESS, REPEATED, WORTH = FUNCTIONS = range(5)


@dataclass(frozen=True, slots=True)
class SourceValues:
    """Means over c for the rows of one source.

    Attributes:
        source: its number.
        rows: (n,) numbers of the rows that this source has.
        values: (n, 5) E[1/c], E[ln(N/c)], E[c - 1], P(c > 1) and E[h(c)] of an occurrence with that row.
        unique: (5,) the same of a document without others: the largest, largest, smallest, smallest and largest.
        own_mean: E of the copies of the occurrence's own document.
        log_size: ln N_mix.
    """

    source: int
    rows: NDArray[np.int64]
    values: Floats
    unique: Floats
    own_mean: float
    log_size: float

    def crowded(self, others: float) -> Floats:
        """(5,) bounds at the other end, where the mixture holds so many copies of others in the species."""
        crowd = self.own_mean + others
        return np.array([1 / crowd, self.log_size - np.log(crowd), crowd - 1.0, 1.0, least_worth(crowd)])


@dataclass(frozen=True, slots=True)
class RowValues:
    """One function of c for the rows of one source.

    Attributes:
        rows: (n,) numbers of the rows that this source has.
        values: (n,) its mean for an occurrence with that row.
        unique: the same of a document without others.
        least, most: ends of what an occurrence that no probe met can have.
    """

    rows: NDArray[np.int64]
    values: Floats
    unique: float
    least: float
    most: float


def estimate_mixture(rows: MixtureRows, rates: Floats, law: CopyLaw = mixed_afresh) -> MixtureEstimate:
    """Estimate one mixture: what is counted whole exactly, the rest from its probes.

    SE^2 = sum_i w_i^2 s_i^2 / P_i over per-probe means; H1, H2 and pairs on the log scale; the rare rule as for a
    corpus.

    Args:
        rows: the collapsed matrix.
        rates: (sources,), each 0 or more.
        law: the law by which rates become copies.

    Raises:
        ValueError: see `check_rates`.
    """
    checked = check_rates(rows, rates)
    mean = law(checked, np.zeros(1)).mean
    size = float(mean @ rows.matrix.documents)
    weight = mean * rows.matrix.weight
    total, crowding = weight.sum(), float(mean[rows.matrix.documents > 0].max())
    parts: list[list[Interval]] = [[] for _ in FUNCTIONS]
    weights: list[float] = []
    for found in _source_values(rows, checked, law):
        for column, (source, part) in enumerate(rows.strata):
            if source == found.source and part.share > 0:
                weights.append(float(weight[source] / total) * part.share)
                crowded = found.crowded((_most_documents(rows, column) - 1) * crowding)
                for function in FUNCTIONS:
                    parts[function].append(stratum_mean(rows, column, _of_function(found, crowded, function)))
    inverse, surprise, excess, repeated, worth = (combine(part, weights) for part in parts)
    inverse, surprise = inverse.within(0, 1), surprise.within(-np.inf, np.log(size))
    excess = excess.within(0, np.inf)
    concentration = Interval(1.0 + excess.value, excess.below, excess.above)
    return MixtureEstimate(
        documents=size,
        distinct_fraction=inverse.estimate(),
        duplicate_fraction=repeated.within(0, 1).estimate(),
        duplicate_pairs=scaled(excess, size / 2).estimate(),
        hill_0=scaled(inverse, size).estimate(),
        hill_1=exp_of(surprise).estimate(),
        hill_2=inverse_of(scaled(concentration, 1 / size)).estimate(),
        effective_fraction=worth.within(0, 1).estimate(),
    )


def _of_function(found: SourceValues, crowded: Floats, function: int) -> RowValues:
    ends = sorted([float(found.unique[function]), float(crowded[function])])
    return RowValues(found.rows, found.values[:, function], float(found.unique[function]), *ends)


def _source_values(rows: MixtureRows, rates: Floats, law: CopyLaw) -> list[SourceValues]:
    blocks = [(block, row_powers(rows, block)) for block in row_blocks(rows, rates, law)]
    copies = law(rates, np.zeros(1))
    log_size = float(np.log(copies.mean @ rows.matrix.documents))
    found = []
    for source in np.flatnonzero(copies.mean * rows.matrix.weight > 0).tolist():
        columns = [column for column, (of, _) in enumerate(rows.strata) if of == source]
        own_mean = copies.mean[source] + copies.variance[source] / copies.mean[source]
        chosen: list[NDArray[np.int64]] = []
        values: list[Floats] = []
        for block, powers in blocks:
            own = block.copies.slope[source] / copies.mean[source]
            is_mine = rows.drawn[block.rows][:, columns].any(axis=1)
            mine = block.rows[is_mine]
            lambda_others = rows.others[mine] @ copies.mean
            chosen.append(mine)
            values.append(_functions(block.rule, powers[is_mine] * own, log_size, lambda_others + own_mean))
            alone = _functions(block.rule, own[None], log_size, np.array([own_mean]))[0]
        found.append(
            SourceValues(source, np.concatenate(chosen), np.concatenate(values), alone, float(own_mean), log_size)
        )
    return found


def _functions(rule: Rule, generating: Floats, log_size: float, mean: Floats) -> Floats:
    """(n, 5) the five means, from E[s**(c-1)] at the rule's nodes, (n, nodes), and E[c], (n,)."""
    surprise = log_size - rule.logarithm.sum() + generating @ rule.logarithm
    inverse, worth = generating @ rule.inverse, generating @ rule.worth
    return np.stack([inverse, surprise, mean - 1.0, 1.0 - generating[:, 0], worth], axis=1)


def _most_documents(rows: MixtureRows, column: int) -> float:
    """Documents of the largest species that a document of a stratum can be in."""
    total, most = float(rows.matrix.documents.sum()), rows.strata[column][1].most
    seen = rows.others[rows.drawn[:, column] > 0].sum(axis=1).max(initial=0) + 1
    return max(total if most is None else min(total, most), float(seen))


def stratum_mean(rows: MixtureRows, column: int, of: RowValues) -> Interval:
    """The mean of one function over a stratum.

    Args:
        rows: the collapsed matrix.
        column: number of the stratum in it.
        of: the function for the rows of the stratum's source.
    """
    part = rows.strata[column][1]
    if part.is_whole:
        return exact(rows.counted[of.rows, column] @ of.values / part.share)
    counts = rows.drawn[of.rows, column]
    if not counts.any():
        return between(of.unique, of.least, of.most)
    # Rows of one value are one level: the rare rule asks how many probes have another.
    levels, inverse = np.unique(np.round(of.values[counts > 0], 12), return_inverse=True)
    by_level = np.bincount(inverse.ravel(), counts[counts > 0]).astype(np.int64)
    return mean_interval(Sample(levels, by_level, part.drawn_from(rows.matrix.weighting), of.least, of.most))
