"""Tokens, or documents, of a mixture by repeat count: P(c <= k) for an occurrence, from the exact law of copies."""

import math

import numpy as np
from numpy.typing import NDArray

from polyculture.compute.compiled import compiled
from polyculture.mixture.estimate.copies import mixed_afresh
from polyculture.mixture.estimate.mixture_intervals import RowValues, stratum_mean
from polyculture.mixture.estimate.mixture_rows import MixtureRows, check_rates, row_blocks, sparse_rows, sum_powers
from polyculture.mixture.estimate.repeat_law import worth_of_copy
from polyculture.statistics.intervals import Interval, combine
from schemas.numbers import Estimate
from schemas.worth import OFTEN, REPEAT_ENDS

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
MOST = REPEAT_ENDS[-1]  # copies that are told apart
_FEW = REPEAT_ENDS.index(OFTEN - 1)


def effective_weight(rows: MixtureRows, rates: Floats) -> Floats:
    """T E[h(c)] of many mixtures by source: occurrences of each source, each counted by what it is worth.

    Args:
        rows: the collapsed matrix, by tokens for tokens.
        rates: (mixtures, sources), each 0 or more; a mixture may be empty.

    Returns:
        (mixtures, sources). A few microseconds to a few hundred per mixture, by the number of different rows.
    """
    found = np.zeros(rates.shape)
    for block in row_blocks(rows, rates, mixed_afresh):
        means = block.copies.slope * sum_powers(rows, block)
        found += (means @ block.rule.worth) * rows.matrix.weight
    return found


def repeat_shares(rows: MixtureRows, rates: Floats) -> tuple[list[Estimate], Estimate]:
    """Shares of a mixture made afresh by how often it holds what an occurrence says, itself included.

    Args:
        rows: the collapsed matrix.
        rates: (sources,), each 0 or more.

    Returns:
        The share of each repeat count of `schemas.worth`, and the share from 17 on; 95 % intervals. Some microseconds a
        row where few of its copies are left to chance, tenths of a millisecond where many are.

    Raises:
        ValueError: see `check_rates`.
    """
    checked = check_rates(rows, rates)
    weight = checked * rows.matrix.weight
    parts: list[list[Interval]] = [[] for _ in range(len(REPEAT_ENDS) + 2)]
    weights: list[float] = []
    for source in np.flatnonzero(weight > 0).tolist():
        columns = [column for column, (of, part) in enumerate(rows.strata) if of == source and part.share > 0]
        mine = np.flatnonzero(rows.drawn[:, columns].any(axis=1))
        nobody = np.zeros((1, rows.others.shape[1]), np.int64)
        shares = _shares(_within(np.concatenate([nobody, rows.others[mine]]), source, checked))
        for column in columns:
            weights.append(float(weight[source] / weight.sum()) * rows.strata[column][1].share)
            for part, values in zip(parts, shares.T, strict=True):
                part.append(stratum_mean(rows, column, RowValues(mine, values[1:], float(values[0]), 0.0, 1.0)))
    *found, often = [combine(part, weights).within(0, 1).estimate() for part in parts]
    return found, often


def repeats_of(copies: Floats) -> Floats:
    """(n, 9) what occurrences with so many copies count for: 1/c, h(c), their repeat count, and 17 or more.

    Args:
        copies: (n,) copies, 1 or more; what lies between two repeat counts belongs to the nearer.
    """
    within = (np.rint(copies)[:, None] <= np.array(REPEAT_ENDS)).astype(np.float64)
    return np.column_stack([1.0 / copies, worth_of_copy(copies), _shares(within)])


def _shares(within: Floats) -> Floats:
    """(n, 7) shares by repeat count, and from 17 on, from (n, 5) those within each end."""
    return np.column_stack([np.diff(within, axis=1, prepend=0.0, append=1.0), 1.0 - within[:, _FEW]])


def _within(others: Integers, source: int, rates: Floats) -> Floats:
    """(n, 5) probability that an occurrence of a source has at most so many copies."""
    whole = np.floor(rates)
    rest = rates - whole
    once_more = rest[source] * (whole[source] + 1.0) / rates[source]  # an occurrence meets its own document so often
    own = int(min(whole[source], MOST + 1)), float(once_more)
    out = np.empty((len(others), len(REPEAT_ENDS)))
    _count_within(sparse_rows(others), (whole.astype(np.int64), rest), own, np.array(REPEAT_ENDS), out)
    return out


@compiled()
def _count_within(
    rows: tuple[Integers, Integers, Integers],
    rates: tuple[Integers, Floats],
    own: tuple[int, float],
    ends: Integers,
    out: Floats,
) -> None:
    offsets, source, documents = rows
    whole, rest = rates
    law, taken, sums = np.empty(MOST + 1), np.empty(MOST + 1), np.empty(MOST + 1)
    for row in range(len(out)):
        law[:] = 0.0
        law[0] = 1.0
        sure, top = 0, 0  # copies that are certain, and the most of those that chance adds
        for entry in range(offsets[row], offsets[row + 1]):
            sure += documents[entry] * whole[source[entry]]
            chance = rest[source[entry]]
            if sure > MOST or chance <= 0.0:
                continue
            most = min(documents[entry], MOST)
            _binomial(documents[entry], chance, most, taken)
            reach = min(top + most, MOST)
            for copies in range(reach + 1):
                total = 0.0
                for k in range(max(0, copies - top), min(copies, most) + 1):
                    total += law[copies - k] * taken[k]
                sums[copies] = total
            law[: reach + 1] = sums[: reach + 1]
            top = reach
        for number in range(len(ends)):
            left = ends[number] - sure - own[0]
            few = law[: max(0, left)].sum()  # one copy more of its own document
            out[row, number] = min(1.0, few + (1.0 - own[1]) * (law[left] if left >= 0 else 0.0))


@compiled()
def _binomial(trials: int, chance: float, most: int, out: Floats) -> None:
    """Binomial probabilities of 0 to `most` successes."""
    size = math.lgamma(trials + 1.0)
    yes, no = math.log(chance), math.log1p(-chance)
    for k in range(most + 1):
        ways = size - math.lgamma(k + 1.0) - math.lgamma(trials - k + 1.0)
        out[k] = math.exp(ways + k * yes + (trials - k) * no)
