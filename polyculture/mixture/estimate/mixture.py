"""Diversity of any mixture, at any scale, from the multiplicity matrix: no data is touched.

A mixture takes source j at rate r_j: every document floor(r_j) times, plus once more with probability r_j - floor(r_j).
For an occurrence, c is the copies of its species that the mixture holds, itself included; its law is exact, so that
neighbourhoods are as right as partitions, and rates above 1 as right as those below.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyculture.mixture.estimate.copies import CopyLaw, marginal_copies, mixed_afresh, thinned_to, with_replacement
from polyculture.mixture.estimate.mixture_intervals import estimate_mixture
from polyculture.mixture.estimate.mixture_rows import (
    MixtureRows,
    check_rates,
    collapse,
    row_blocks,
    row_powers,
    sum_powers,
)
from schemas.what_if import MixtureEstimate

__all__ = [
    "Marginals",
    "MixtureValues",
    "collapse",
    "estimate_mixture",
    "marginal_values",
    "mixture_values",
    "replacement_curve",
    "scale_curve",
    "thinned_curve",
]

Floats = NDArray[np.float64]
_AT_ONCE = 512  # mixtures per block, so that the sums of a block stay small


@dataclass(frozen=True, slots=True)
class MixtureValues:
    """Numbers of many mixtures, without intervals; (mixtures,) each.

    Means are over the mixture's documents, or over its tokens if the probes were drawn by tokens.

    Attributes:
        documents: N_mix, expected.
        distinct_fraction: E[1/c], in (0, 1].
        duplicate_fraction: P(c > 1), in [0, 1].
        duplicate_pairs: N_mix E[c - 1] / 2.
        hill_0: N_mix E[1/c].
        hill_1: exp E[ln(N_mix / c)].
        hill_2: N_mix / E[c].
    """

    documents: Floats
    distinct_fraction: Floats
    duplicate_fraction: Floats
    duplicate_pairs: Floats
    hill_0: Floats
    hill_1: Floats
    hill_2: Floats


def mixture_values(rows: MixtureRows, rates: Floats, law: CopyLaw = mixed_afresh) -> MixtureValues:
    """Evaluate many mixtures.

    Args:
        rows: the collapsed matrix.
        rates: (mixtures, sources), each 0 or more.
        law: the law by which rates become copies.

    Returns:
        Values; a few microseconds to a few hundred per mixture, by the number of different rows.

    Raises:
        ValueError: see `check_rates`.
    """
    checked = check_rates(rows, rates)
    parts = [_means(rows, checked[at : at + _AT_ONCE], law) for at in range(0, len(checked), _AT_ONCE)]
    size, inverse, logarithm, single, mean = np.concatenate(parts, axis=1) if parts else np.empty((5, 0))
    return MixtureValues(
        documents=size,
        distinct_fraction=inverse,
        duplicate_fraction=1.0 - single,
        duplicate_pairs=size * (mean - 1.0) / 2.0,
        hill_0=size * inverse,
        hill_1=size * np.exp(-logarithm),
        hill_2=size / mean,
    )


def _means(rows: MixtureRows, rates: Floats, law: CopyLaw) -> Floats:
    """N_mix, E[1/c], E[ln c], P(c = 1), E[c] of each mixture, (5, mixtures).

    An occurrence of source i is drawn with probability r_i W_i / Z and its own document's other copies have the
    generating function slope_i / r_i, so that the rates cancel: E[s**(c-1)] = sum_i W_i slope_i (...) / Z.
    """
    weight = rows.matrix.weight.astype(np.float64)
    inverse, logarithm, single = np.zeros((3, len(rates)))
    for block in row_blocks(rows, rates, law):
        law_here = block.copies
        total = law_here.mean @ weight
        mixed = np.einsum("i,xik,xik->xk", weight, law_here.slope, sum_powers(rows, block)) / total[:, None]
        mass = (law_here.mean * weight) @ rows.share[block.rows].sum(axis=0) / total
        inverse += mixed @ block.rule.inverse
        logarithm += mass * block.rule.logarithm.sum() - mixed @ block.rule.logarithm
        single += mixed[:, 0]
    copies = law(rates, np.zeros(1))
    expected = np.einsum("i,xi,xi->x", weight, copies.mean, copies.mean @ rows.mean_multiplicity.T)
    mean = (expected + copies.variance @ weight) / (copies.mean @ weight)
    return np.stack([copies.mean @ rows.matrix.documents, inverse, logarithm, np.clip(single, 0.0, 1.0), mean])


@dataclass(frozen=True, slots=True)
class Marginals:
    """Marginal gain of one more epoch of each source: derivatives by its rate, (sources,) each.

    Attributes:
        documents: derivative of N_mix.
        distinct_fraction: derivative of E[1/c].
        hill_0: derivative of N_mix E[1/c].
        hill_1: derivative of exp E[ln(N_mix / c)].
        hill_2: derivative of N_mix / E[c].
        values: the numbers that these are the derivatives of.
    """

    documents: Floats
    distinct_fraction: Floats
    hill_0: Floats
    hill_1: Floats
    hill_2: Floats
    values: MixtureValues


def marginal_values(rows: MixtureRows, rates: Floats) -> Marginals:
    """Marginal value of each source: the gradient by the rates, at an integer rate that from the right.

    Args:
        rows: the collapsed matrix.
        rates: (sources,), of a mixture made afresh.

    Raises:
        ValueError: see `check_rates`.
    """
    checked = check_rates(rows, rates)
    values = mixture_values(rows, checked[None])
    weight = rows.matrix.weight.astype(np.float64)
    total = float(checked @ weight)
    d_inverse, d_logarithm = np.zeros((2, len(checked)))
    for block in row_blocks(rows, checked, mixed_afresh):
        others, share = rows.others[block.rows], rows.share[block.rows]
        powers = row_powers(rows, block)
        relative, slope = marginal_copies(checked, block.rule.nodes)
        own = block.copies.slope * weight[:, None]  # (sources, nodes)
        sums = share.T @ powers
        change = weight[:, None] * slope * sums + relative * (others.T @ ((share @ own) * powers))
        mixed = (own * sums).sum(axis=0) / total
        d_mixed = (change - weight[:, None] * mixed) / total
        mass = share.sum(axis=0)
        d_mass = weight * (mass - (checked * weight) @ mass / total) / total
        d_inverse += d_mixed @ block.rule.inverse
        d_logarithm += d_mass * block.rule.logarithm.sum() - d_mixed @ block.rule.logarithm
    rest = checked - np.floor(checked)
    mean_m = rows.mean_multiplicity
    mean = (values.documents / values.hill_2)[0]
    d_mean = (weight * (mean_m @ checked + 1.0 - 2.0 * rest - mean) + (weight * checked) @ mean_m) / total
    size, d_size = values.documents[0], rows.matrix.documents.astype(np.float64)
    return Marginals(
        documents=d_size,
        distinct_fraction=d_inverse,
        hill_0=d_size * values.distinct_fraction[0] + size * d_inverse,
        hill_1=values.hill_1[0] * (d_size / size - d_logarithm),
        hill_2=(d_size - values.hill_2[0] * d_mean) / mean,
        values=values,
    )


def scale_curve(rows: MixtureRows, rates: Floats, fractions: Sequence[float]) -> list[MixtureEstimate]:
    """Numbers that trials mixed afresh at f times the rates would see. f = 1 is the mixture itself.

    Args:
        rows: the collapsed matrix.
        rates: (sources,) rates of the whole mixture.
        fractions: each above 0.
    """
    return [estimate_mixture(rows, np.asarray(rates) * fraction) for fraction in fractions]


def thinned_curve(rows: MixtureRows, rates: Floats, fractions: Sequence[float]) -> list[MixtureEstimate]:
    """Numbers of trials on a uniform part of the mixture's stream, with its repeats; fractions in (0, 1]."""
    return [estimate_mixture(rows, np.asarray(rates), thinned_to(fraction)) for fraction in fractions]


def replacement_curve(rows: MixtureRows, rates: Floats, fractions: Sequence[float]) -> list[MixtureEstimate]:
    """Numbers of trials whose loader draws f r_j N_j documents of source j with replacement."""
    return [estimate_mixture(rows, np.asarray(rates) * fraction, with_replacement) for fraction in fractions]
