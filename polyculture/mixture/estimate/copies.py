"""Copies of a document in a mixture, c, with the means of 1/c, ln c and their worth from its generating function."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from polyculture.mixture.estimate.repeat_law import worth_of_copy

Floats = NDArray[np.float64]

SMALLEST_RULE = 64  # a rule for copies up to this many has about 30 nodes; each doubling adds two or three


@dataclass(frozen=True, slots=True)
class Copies:
    """X_j, the copies that a mixture holds of one document of source j, at the nodes s of a rule.

    Attributes:
        base: (..., sources, nodes) E[s**X], the generating function.
        slope: (..., sources, nodes) its derivative E[X s**(X-1)]: divided by the mean, that of the other copies of an
            occurrence's own document (X is size-biased there).
        mean: (..., sources) E[X].
        variance: (..., sources) Var[X].
        most: (..., sources) X is never, or for Poisson hardly ever, larger.
    """

    base: Floats
    slope: Floats
    mean: Floats
    variance: Floats
    most: Floats


# (rates (..., sources), nodes (k,)) -> the law of copies
CopyLaw = Callable[[Floats, Floats], Copies]


def mixed_afresh(rates: Floats, nodes: Floats) -> Copies:
    """The law of our own mixtures: every document floor(r) times, plus once more with probability r - floor(r)."""
    return thinned(rates, nodes, 1.0)


def thinned(rates: Floats, nodes: Floats, fraction: float) -> Copies:
    """A uniform fraction f of the stream of a mixture at these rates, drawn with its repeats.

    Bin(a, f) + Bern(f q) copies, a = floor(r), q = r - a. It is not a mixture made afresh at rates f r.
    """
    whole, s = np.floor(rates)[..., None], nodes
    rest = fraction * (rates[..., None] - whole)
    stays = 1.0 - fraction + fraction * s
    once = 1.0 - rest + rest * s
    lower = np.where(whole > 0, stays ** np.maximum(whole - 1.0, 0.0), 0.0)  # 0**-1 at s = 0 must not arise
    power = stays**whole
    a, p = whole[..., 0], rest[..., 0]
    return Copies(
        base=power * once,
        slope=whole * fraction * lower * once + rest * power,
        mean=fraction * rates,
        variance=a * fraction * (1.0 - fraction) + p * (1.0 - p),
        most=np.ceil(rates),
    )


def with_replacement(rates: Floats, nodes: Floats) -> Copies:
    """A loader that draws r_j N_j documents of source j with replacement: Poisson(r) copies."""
    r = rates[..., None]
    base = np.exp(-r * (1.0 - nodes))
    most = np.where(rates > 0, np.ceil(rates + 8.0 * np.sqrt(rates) + 8.0), 0.0)
    return Copies(base=base, slope=r * base, mean=rates, variance=rates, most=most)


def thinned_to(fraction: float) -> CopyLaw:
    """The law of a uniform fraction, in (0, 1], of the stream.

    Raises:
        ValueError: the fraction is not in (0, 1].
    """
    if not 0.0 < fraction <= 1.0:
        raise ValueError(f"a fraction of a stream is in (0, 1], got {fraction}")
    return partial(thinned, fraction=fraction)


def marginal_copies(rates: Floats, nodes: Floats) -> tuple[Floats, Floats]:
    """Derivatives by the rate of `mixed_afresh`: of base relative to it, and of slope; (sources, nodes) each.

    At an integer rate they are those from the right.
    """
    whole, s = np.floor(rates)[:, None], nodes
    rest = rates[:, None] - whole
    relative = (s - 1.0) / (1.0 - rest + rest * s)
    lower = np.where(whole > 0, s ** np.maximum(whole - 1.0, 0.0), 0.0)
    return relative, whole * lower * (s - 1.0) + s**whole


@dataclass(frozen=True, slots=True)
class Rule:
    """A sum over nodes s_k in [0, 1] that gives 1/c, ln c and h(c) of every integer c in [1, largest].

    1/c = sum inverse_k s_k**(c-1), ln c = sum logarithm_k (1 - s_k**(c-1)) and h(c), the worth of one of c copies, is
    sum worth_k s_k**(c-1); so their means over any law of c are the same sums over G(s_k) = E[s_k**(c-1)]. Node 0 is
    s = 0, of weight 0 in all: G(0) = P(c = 1).

    Attributes:
        nodes: (k,) nodes in [0, 1), the first of them 0.
        inverse: (k,) weights for 1/c.
        logarithm: (k,) weights for ln c.
        worth: (k,) weights for h(c).
    """

    nodes: Floats
    inverse: Floats
    logarithm: Floats
    worth: Floats


def copy_rule(largest: float) -> Rule:
    """The rule for copies up to `largest`: to a million, error below 1e-9 in ln c, and relative to 1/c and to h(c).

    1/c is the integral of s**(c-1) over [0, 1], and ln c that of (1 - s**(c-1)) / (-ln s) (Frullani). With s = exp(-t)
    and the trapezoid rule in ln t, whose error falls exponentially, a few hundred nodes would do; the interpolative
    decomposition (Cheng, Gimbutas, Martinsson & Rokhlin 2005) keeps those that span the others. With x = exp(-1/R*)
    h(c) is (1 + R*) times the integral of s**(c-1) over [0, 1] less R*/x times that over [0, x]: the same span.

    Args:
        largest: largest value, at least 1; rounded up to a power of two times 64.
    """
    return _rule(SMALLEST_RULE << max(0, int(np.ceil(np.log2(largest / SMALLEST_RULE)))))


@lru_cache(maxsize=64)
def _rule(largest: int) -> Rule:
    small = np.arange(1.0, SMALLEST_RULE + 1)
    c = np.unique(np.concatenate([small, np.geomspace(1, largest, 400).round()]))
    t = np.exp(np.arange(np.log(1e-9 / largest), np.log(45.0), 0.2))
    falling = np.exp(-np.outer(c - 1, t))
    rising = -np.expm1(-np.outer(c - 1, t))
    # Both integrands, at every c, each relative to what it is to give: 1/c, and 1.
    together = np.concatenate([falling * c[:, None] * t * np.exp(-t), rising * np.exp(-t)])
    triangle, pivots = linalg.qr(together, mode="r", pivoting=True)
    size = np.abs(np.diag(triangle))
    chosen = np.sort(pivots[: int((size > 1e-12 * size[0]).sum())])
    inverse = np.linalg.lstsq(falling[:, chosen] * c[:, None], np.ones(len(c)), rcond=1e-15)[0]
    logarithm = np.linalg.lstsq(rising[:, chosen], np.log(c), rcond=1e-15)[0]
    relative = worth_of_copy(c) * c
    worth = np.linalg.lstsq(falling[:, chosen] * (c / relative)[:, None], np.ones(len(c)), rcond=1e-15)[0]
    return Rule(*(np.concatenate([[0.0], part]) for part in (np.exp(-t[chosen]), inverse, logarithm, worth)))
