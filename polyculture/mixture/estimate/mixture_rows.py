"""The multiplicity matrix, its equal rows collapsed, and the generating functions of all its rows in one kernel."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from polyculture.compute.compiled import compiled
from polyculture.measure.probes.probe_matrix import ProbeMatrix, ProbeStratum, SourceProbes
from polyculture.mixture.estimate.copies import SMALLEST_RULE, Copies, CopyLaw, Rule, copy_rule

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
# offsets, columns, values: the non-zero entries of each row
SparseIntegers = tuple[Integers, Integers, Integers]
SparseFloats = tuple[Integers, Integers, Floats]
Number = TypeVar("Number", np.int64, np.float64)


@dataclass(frozen=True, slots=True)
class MixtureRows:
    """The different rows of a probe matrix, each less the probe itself, and what each stands for.

    Attributes:
        matrix: the matrix that they were made from.
        others: (rows, sources) other documents in the species.
        strata: source number and stratum of every part of a source, sources in order.
        drawn: (rows, strata) rows of each stratum that are this one.
        counted: (rows, strata) share of the source's weight that this row stands for in a stratum counted whole; 0
            elsewhere.
        share: (rows, sources) share of each source's weight that the row stands for; a column sums to 1, or to 0 where
            there are no probes.
        mean_multiplicity: (sources, sources) mean of m_j over the weight of source i, itself included.
    """

    matrix: ProbeMatrix
    others: Integers
    strata: tuple[tuple[int, ProbeStratum], ...]
    drawn: Integers
    counted: Floats
    share: Floats
    mean_multiplicity: Floats


def collapse(matrix: ProbeMatrix) -> MixtureRows:
    """Collapse equal rows, so that a mixture costs time per different row instead of per probe.

    Returns:
        Typically a few dozen to a few thousand rows. O(probes x sources), sorted.
    """
    sources = len(matrix.probes)
    own = np.eye(sources, dtype=np.int64)
    strata = tuple((number, part) for number, probes in enumerate(matrix.probes) for part in probes.strata)
    stacked = [part.rows - own[number] for number, part in strata]
    others, inverse = _different_rows(np.concatenate([np.empty((0, sources), np.int64), *stacked]))
    at = np.split(inverse, np.cumsum([len(rows) for rows in stacked])[:-1]) if stacked else []
    drawn = np.zeros((len(others), len(strata)), np.int64)
    counted, shares = np.zeros(drawn.shape), np.zeros((len(others), sources))
    for column, ((number, part), mine) in enumerate(zip(strata, at, strict=True)):
        drawn[:, column] = np.bincount(mine, minlength=len(others))
        added = np.bincount(mine, part.row_share, len(others))
        shares[:, number] += added
        if part.is_whole:
            counted[:, column] = added
    mean: Floats = shares.T @ others.astype(np.float64) + own * (shares.sum(axis=0) > 0)
    return MixtureRows(matrix, others, strata, drawn, counted, shares, mean)


def _different_rows(table: Integers) -> tuple[Integers, Integers]:
    """The different rows in ascending order, and which of them each row is: `np.unique`, some twenty times faster.

    One 64-bit key a row is sorted in place of the rows. Should two different rows have one key, the rows are sorted.
    """
    powers = np.cumprod(np.full(table.shape[1], 0x9E3779B97F4A7C15, np.uint64))
    key = (table.astype(np.uint64) * powers).sum(axis=1, dtype=np.uint64)
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    found = table[first]
    if not np.array_equal(found[inverse], table):
        found, inverse = np.unique(table, axis=0, return_inverse=True)
        return found, inverse.ravel()
    order = np.lexsort(found.T[::-1]) if table.shape[1] else np.arange(len(found))
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return found[order], place[inverse]


def select_sources(matrix: ProbeMatrix, members: Sequence[int]) -> ProbeMatrix:
    """The matrix of some sources alone, as if there were no others: for a mixture that never holds the others.

    Args:
        matrix: all sources.
        members: source numbers, in the order that they are to have.
    """
    chosen = list(members)
    probes = tuple(
        SourceProbes(tuple(replace(part, rows=part.rows[:, chosen]) for part in matrix.probes[number].strata))
        for number in chosen
    )
    return replace(matrix, probes=probes, documents=matrix.documents[chosen], weight=matrix.weight[chosen])


def check_rates(rows: MixtureRows, rates: Floats) -> Floats:
    """The rates as an array, if they are those of mixtures that the matrix can say something about.

    Raises:
        ValueError: there is not one finite rate of 0 or more per source, a mixture is empty, or a source in it has
            no probes.
    """
    sources = len(rows.matrix.probes)
    found = np.asarray(rates, np.float64)
    if found.shape[-1:] != (sources,) or not (np.isfinite(found) & (found >= 0)).all():
        raise ValueError(f"a mixture needs one finite rate of 0 or more for each of {sources} sources, got {rates}")
    if (found @ rows.matrix.weight <= 0).any():
        raise ValueError("the mixture is empty: every source that has documents is at rate 0")
    unknown = (rows.share.sum(axis=0) <= 0) & (rows.matrix.weight > 0) & (found.reshape(-1, sources) > 0).any(axis=0)
    if unknown.any():
        raise ValueError(f"source number {int(np.argmax(unknown))} is in the mixture, but has no probes")
    return found


@dataclass(frozen=True, slots=True)
class RowBlock:
    """Rows that one rule serves.

    Attributes:
        rows: (n,) their numbers in `MixtureRows`.
        rule: good for as many copies as any of them can have.
        copies: the law at the rule's nodes.
    """

    rows: Integers
    rule: Rule
    copies: Copies


def row_blocks(rows: MixtureRows, rates: Floats, law: CopyLaw) -> list[RowBlock]:
    """Rows with few copies apart from those with many: the rule of the few has half as many nodes.

    Args:
        rows: the matrix.
        rates: (mixtures, sources) or (sources,).
        law: law of copies.
    """
    top = rates if rates.ndim == 1 else rates.max(axis=0)
    most = law(top, np.zeros(1)).most
    largest = rows.others @ most + max(1.0, most.max())
    is_few = largest <= SMALLEST_RULE
    blocks = []
    for chosen in (is_few, ~is_few):
        if chosen.any():
            rule = copy_rule(float(largest[chosen].max()))
            blocks.append(RowBlock(np.flatnonzero(chosen), rule, law(rates, rule.nodes)))
    return blocks


def sum_powers(rows: MixtureRows, block: RowBlock) -> Floats:
    """Sum over a block's rows of share x E[s**(copies of the others)], (mixtures, sources, nodes).

    O(mixtures x rows x nodes x non-zero entries): some 90 ns per mixture and row.
    """
    base = np.ascontiguousarray(block.copies.base)
    out = np.zeros(base.shape)
    _sum_powers(sparse_rows(rows.others[block.rows]), sparse_rows(rows.share[block.rows]), base, out)
    return out


def row_powers(rows: MixtureRows, block: RowBlock) -> Floats:
    """E[s**(copies of the others)] of each row of a block, (rows, nodes), in one mixture."""
    out = np.empty((len(block.rows), len(block.rule.nodes)))
    _row_powers(sparse_rows(rows.others[block.rows]), np.ascontiguousarray(block.copies.base), out)
    return out


def sparse_rows(table: NDArray[Number]) -> tuple[Integers, Integers, NDArray[Number]]:
    """The non-zero entries of each row: offsets, columns and values."""
    row, column = np.nonzero(table)
    offsets = np.searchsorted(row, np.arange(len(table) + 1)).astype(np.int64)
    return offsets, column.astype(np.int64), np.ascontiguousarray(table[row, column])


@compiled()
def _squares(base: Floats, exponents: Integers) -> Floats:
    """base**(2**bit) for every bit of the exponents, (bits, sources, nodes)."""
    bits = 1
    for exponent in exponents:
        while exponent >> bits:
            bits += 1
    table = np.empty((bits, base.shape[0], base.shape[1]))
    table[0] = base
    for bit in range(1, bits):
        for source in range(base.shape[0]):
            for node in range(base.shape[1]):
                table[bit, source, node] = table[bit - 1, source, node] ** 2
    return table


@compiled()
def _power(rows: SparseIntegers, row: int, squares: Floats, product: Floats) -> None:
    """Product over sources of base**exponent, by the exponents' bits: no logarithm, and 0**0 is 1."""
    offsets, source, exponents = rows
    product[:] = 1.0
    for entry in range(offsets[row], offsets[row + 1]):
        left = exponents[entry]
        bit = 0
        while left:
            if left & 1:
                factor = squares[bit, source[entry]]
                for node in range(len(product)):
                    product[node] *= factor[node]
            left >>= 1
            bit += 1


@compiled()
def _sum_powers(rows: SparseIntegers, shares: SparseFloats, base: Floats, out: Floats) -> None:
    offsets, source, share = shares
    product = np.empty(base.shape[2])
    for mixture in range(len(base)):
        squares = _squares(base[mixture], rows[2])
        for row in range(len(offsets) - 1):
            _power(rows, row, squares, product)
            for entry in range(offsets[row], offsets[row + 1]):
                total, weight = out[mixture, source[entry]], share[entry]
                for node in range(len(product)):
                    total[node] += weight * product[node]


@compiled()
def _row_powers(rows: SparseIntegers, base: Floats, out: Floats) -> None:
    squares = _squares(base, rows[2])
    for row in range(len(out)):
        _power(rows, row, squares, out[row])
