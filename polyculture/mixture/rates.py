"""Rates under a token budget: one factor for all sources, within limits, and what is lacking said aloud."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from schemas.documents import Kind
from schemas.mixture_config import MixtureConfig

MAX_EPOCHS, MAX_FRACTION = "max_epochs", "max_fraction"


@dataclass(frozen=True, slots=True)
class Supply:
    """What a source has to give: its distinct tokens, and the rate asked of it."""

    name: str
    kind: Kind
    tokens: int
    rate: float


@dataclass(frozen=True, slots=True)
class ScaledRates:
    """Rates after scaling.

    Attributes:
        scale: the factor; where no limit bites, rate = scale * asked rate.
        rates: epochs per source.
        limits: what held a source below scale * asked rate, if anything.
        tokens: their total, before rounding to whole documents.
    """

    scale: float
    rates: tuple[float, ...]
    limits: tuple[str | None, ...]
    tokens: float


def scale_rates(supplies: Sequence[Supply], config: MixtureConfig) -> ScaledRates:
    """Scale all rates by one factor so that the mixture reaches its budget, or comes as near as the limits allow.

    A source is limited to max_epochs (without it, to max(1, its rate): scaling never repeats what nobody asked to
    repeat), a kind to its share of the mixture's tokens. Sources of a kind at its limit shrink in proportion. Without
    a budget the factor is 1.

    Args:
        supplies: the sources.
        config: budget and limits.

    Returns:
        The rates; `tokens` below the budget means that the limits and the supply allow no more.
    """
    caps = [config.max_epochs if config.max_epochs is not None else max(1.0, supply.rate) for supply in supplies]
    shares = {kind: limit.max_fraction for kind, limit in config.kinds.items()}
    if config.tokens is None:
        return _at_scale(1.0, supplies, caps, shares)
    highest = max((cap / s.rate for s, cap in zip(supplies, caps, strict=True) if s.rate > 0), default=1.0)
    best = _at_scale(highest, supplies, caps, shares)
    if best.tokens <= config.tokens:
        return best
    low, high = 0.0, highest
    for _ in range(200):  # halving an interval of doubles ends well before
        middle = (low + high) / 2
        if _at_scale(middle, supplies, caps, shares).tokens <= config.tokens:
            low = middle
        else:
            high = middle
    return _at_scale(low, supplies, caps, shares)


def _at_scale(
    scale: float, supplies: Sequence[Supply], caps: Sequence[float], shares: Mapping[Kind, float]
) -> ScaledRates:
    wanted = [min(scale * supply.rate, cap) for supply, cap in zip(supplies, caps, strict=True)]
    tokens = dict.fromkeys(Kind, 0.0)
    for supply, rate in zip(supplies, wanted, strict=True):
        tokens[supply.kind] += rate * supply.tokens
    total = limited_total(tokens, shares)
    rates, limits = [], []
    for supply, rate, cap in zip(supplies, wanted, caps, strict=True):
        allowed = shares.get(supply.kind, 1.0) * total
        is_over = tokens[supply.kind] > allowed * (1 + 1e-12)
        rates.append(rate * allowed / tokens[supply.kind] if is_over else rate)
        limits.append(MAX_FRACTION if is_over else MAX_EPOCHS if scale * supply.rate > cap * (1 + 1e-12) else None)
    return ScaledRates(scale, tuple(rates), tuple(limits), total)


def limited_total(tokens: Mapping[Kind, float], shares: Mapping[Kind, float]) -> float:
    """Largest total T with T = sum over kinds of min(tokens, share * T).

    With the set L of kinds at their limit known, T = (tokens of the others) / (1 - shares of L); the right L is the one
    that is consistent with its T. There are at most eight.

    Args:
        tokens: what each kind would contribute without limits.
        shares: largest share of each kind; 1 where absent.
    """
    limited = [kind for kind, share in shares.items() if share < 1]
    best = 0.0
    for size in range(len(limited) + 1):
        for at_limit in combinations(limited, size):
            left = 1 - sum(shares[kind] for kind in at_limit)
            rest = sum(amount for kind, amount in tokens.items() if kind not in at_limit)
            if left <= 0:  # the limits allow everything; the others then decide by themselves
                continue
            total = rest / left
            fits = all(tokens[kind] <= shares[kind] * total * (1 + 1e-9) for kind in limited if kind not in at_limit)
            binds = all(tokens[kind] >= shares[kind] * total * (1 - 1e-9) for kind in at_limit)
            if fits and binds:
                best = max(best, total)
    return best
