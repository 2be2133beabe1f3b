"""Limits of a mixture as named linear bounds on document shares; a feasible start, or why there is none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

Floats = NDArray[np.float64]
BINDING_SLACK = 1e-6  # of the largest share at stake
LEAST_RATE = 1e-3  # epochs of a source with a share that small


class InfeasibleError(ValueError):
    """No mixture keeps within all the limits."""


@dataclass(frozen=True, slots=True)
class MixtureSource:
    """One source that may be mixed.

    Attributes:
        name: name of the source.
        kind: kind of the source.
        documents: distinct documents that it has to give.
        tokens: theirs, together.
        prior_rate: the rate that it would have otherwise; what the frontier starts from.
        max_epochs: largest rate.
        min_fraction: least share of the mixture's tokens.
        max_fraction: largest share.
    """

    name: str
    kind: str
    documents: int
    tokens: int
    prior_rate: float = 1.0
    max_epochs: float = 1.0
    min_fraction: float = 0.0
    max_fraction: float = 1.0


@dataclass(frozen=True, slots=True)
class FractionLimits:
    """Least and largest share of the mixture's tokens."""

    min_fraction: float = 0.0
    max_fraction: float = 1.0


@dataclass(frozen=True)
class MixtureProblem:
    """Sources, a token budget that is met exactly, and limits per kind.

    Attributes:
        sources: sources, at least one, in the order of the ledger.
        budget_tokens: tokens of the mixture.
        kinds: limits by kind; a kind that is not named has none.
    """

    sources: tuple[MixtureSource, ...]
    budget_tokens: float
    kinds: Mapping[str, FractionLimits] = field(default_factory=dict)

    @property
    def documents(self) -> Floats:
        """(sources,) distinct documents."""
        return np.array([source.documents for source in self.sources], np.float64)

    @property
    def tokens(self) -> Floats:
        """(sources,) distinct tokens."""
        return np.array([source.tokens for source in self.sources], np.float64)

    def rates(self, shares: Floats) -> Floats:
        """Rates of the mixture that has these document shares and the budget's tokens."""
        per_document = self.tokens / self.documents
        size = self.budget_tokens / (shares @ per_document)  # documents
        rates: Floats = shares * size / self.documents
        return rates

    def shares(self, rates: Floats) -> Floats:
        """Document shares of a mixture at these rates, whatever its size."""
        documents = rates * self.documents
        shares: Floats = documents / documents.sum()
        return shares


@dataclass(frozen=True, slots=True)
class Bounds:
    """Shares w keep within matrix @ w <= 0, w >= 0, sum w = 1.

    A token fraction y_i = w_i t_i / sum_k w_k t_k, t tokens per document, is at most b where w_i t_i - b sum w t <= 0:
    linear in w, so that what is concave in document shares is maximised over a polytope.

    Attributes:
        names: meaning of each row, in words.
        matrix: (bounds, sources), rows scaled by the mean tokens per document.
    """

    names: tuple[str, ...]
    matrix: Floats


def bounds_of(problem: MixtureProblem) -> Bounds:
    """Every limit of a problem as one named row.

    Raises:
        ValueError: a source has no documents or tokens, or a number is not what it should be.
    """
    _check(problem)
    per_document = problem.tokens / problem.documents
    per_document = per_document / per_document.mean()
    names: list[str] = []
    rows: list[Floats] = []

    def limit(members: Sequence[int], fraction: float, sign: float, name: str) -> None:
        mine = np.isin(np.arange(len(per_document)), members)
        rows.append(sign * per_document * (mine - fraction))
        names.append(name)

    for number, source in enumerate(problem.sources):
        supply = source.max_epochs * source.tokens / problem.budget_tokens
        if supply < 1:
            limit([number], supply, 1.0, f"{source.name}: {source.tokens:,} tokens, max_epochs {source.max_epochs:g}")
        if source.max_fraction < 1:
            limit([number], source.max_fraction, 1.0, f"{source.name}: max_fraction {source.max_fraction:g}")
        if source.min_fraction > 0:
            limit([number], source.min_fraction, -1.0, f"{source.name}: min_fraction {source.min_fraction:g}")
    for kind, limits in sorted(problem.kinds.items()):
        members = [number for number, source in enumerate(problem.sources) if source.kind == kind]
        if limits.max_fraction < 1:
            limit(members, limits.max_fraction, 1.0, f"kind {kind}: max_fraction {limits.max_fraction:g}")
        if limits.min_fraction > 0:
            limit(members, limits.min_fraction, -1.0, f"kind {kind}: min_fraction {limits.min_fraction:g}")
    return Bounds(tuple(names), np.array(rows).reshape(-1, len(per_document)))


def _check(problem: MixtureProblem) -> None:
    if not problem.sources or not problem.budget_tokens > 0:
        raise ValueError(f"a mixture needs sources and a token budget above 0, got {problem.budget_tokens}")
    for source in problem.sources:
        if source.documents <= 0 or source.tokens <= 0:
            raise ValueError(f"source {source.name} has nothing to give; leave it out")
        if not (source.max_epochs > 0 and source.prior_rate >= 0):
            raise ValueError(f"source {source.name}: max_epochs must be above 0 and prior_rate not below 0")
    limits = [(source.name, source.min_fraction, source.max_fraction) for source in problem.sources]
    limits += [(f"kind {kind}", found.min_fraction, found.max_fraction) for kind, found in problem.kinds.items()]
    for name, least, most in limits:
        if not (0 <= least <= 1 and 0 <= most <= 1):
            raise ValueError(f"{name}: min_fraction and max_fraction are in [0, 1], got {least} and {most}")


def inner_point(bounds: Bounds) -> Floats:
    """Shares as far from every bound as can be (HiGHS), so that a solver starts inside.

    Raises:
        InfeasibleError: there is no mixture; its text names a smallest set of limits that contradict each other.
    """
    found = _most_slack(bounds.matrix)
    if found is None:
        raise InfeasibleError(_conflict(bounds))
    return found


def _most_slack(matrix: Floats) -> Floats | None:
    sources = matrix.shape[1]
    slack = np.ones((len(matrix), 1)) * 1e-3  # a share of 1e-3 is as far as a bound by a fraction of it
    above = np.column_stack([-np.eye(sources), np.ones(sources)])
    result = optimize.linprog(
        np.append(np.zeros(sources), -1.0),
        A_ub=np.concatenate([np.column_stack([matrix, slack]), above]),
        b_ub=np.zeros(len(matrix) + sources),
        A_eq=np.append(np.ones(sources), 0.0)[None],
        b_eq=[1.0],
        bounds=[(0, None)] * (sources + 1),
        method="highs",
    )
    if result.status != 0:
        return None
    shares: Floats = np.maximum(result.x[:-1], 0.0)
    total: float = shares.sum()
    inside: Floats = shares / total
    return inside


def _conflict(bounds: Bounds) -> str:
    """Drop every limit without which there still is no mixture: those that are left contradict each other."""
    kept = list(range(len(bounds.names)))
    for number in range(len(bounds.names)):
        rest = [row for row in kept if row != number]
        if _most_slack(bounds.matrix[rest]) is None:
            kept = rest
    listed = "; ".join(bounds.names[row] for row in kept)
    return f"no mixture meets the budget within these limits together: {listed}"


def binding(bounds: Bounds, sources: Sequence[MixtureSource], shares: Floats, rates: Floats) -> tuple[str, ...]:
    """The limits that hold the mixture where it is, in words; a source left out is one."""
    slack = bounds.matrix @ shares
    names = [name for name, value in zip(bounds.names, slack, strict=True) if value > -BINDING_SLACK]
    names += [
        f"{source.name}: left out" for source, out in zip(sources, is_left_out(shares, rates), strict=True) if out
    ]
    return tuple(names)


def is_left_out(shares: Floats, rates: Floats) -> NDArray[np.bool_]:
    """(sources,) whether a source's share is but the solver's rounding: such a source has the rate 0.

    A source that is tiny beside the others has a small share too; its rate tells it apart.
    """
    return np.asarray((shares < BINDING_SLACK) & (rates < LEAST_RATE))


def best_corner(bounds: Bounds, gradient: Floats) -> Floats:
    """The shares within bounds of the largest gradient @ shares (HiGHS).

    Raises:
        InfeasibleError: there are none.
    """
    sources = len(gradient)
    result = optimize.linprog(
        -gradient,
        A_ub=bounds.matrix if len(bounds.names) else None,
        b_ub=np.zeros(len(bounds.names)) if len(bounds.names) else None,
        A_eq=np.ones((1, sources)),
        b_eq=[1.0],
        bounds=[(0, None)] * sources,
        method="highs",
    )
    if result.status != 0:
        raise InfeasibleError(_conflict(bounds))
    corner: Floats = result.x
    return corner
