"""Tokens per source within limits on sources and kinds: the most that is feasible, and the nearest to what is asked."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyculture.errors import ConfigError
from schemas.documents import Kind
from schemas.mixture_config import KindLimit

Floats = NDArray[np.float64]
ROUNDING = 1e-12  # relative; sums of shares that are 1 in decimals are not in binary
_HALVINGS = 200  # of an interval of doubles; it ends after some 60, unless at 0


@dataclass(frozen=True, slots=True)
class Supply:
    """The supply of a source for a phase, and the demand on it.

    Attributes:
        name, kind: name and kind of the source.
        tokens: tokens of its distinct documents.
        rate: epochs asked for, before scaling.
        max_epochs: epochs at most, after what earlier phases took.
        min_fraction, max_fraction: share of the phase's tokens.
    """

    name: str
    kind: Kind
    tokens: int
    rate: float
    max_epochs: float
    min_fraction: float = 0.0
    max_fraction: float = 1.0


@dataclass(frozen=True)
class Room:
    """Limits as arrays: tokens y of the sources of a mixture of T tokens.

    min_fraction T <= y <= min(cap, max_fraction T), for each kind least T <= sum y <= most T, and sum y = T. Kinds
    divide the sources, so that sums of bounds decide what is feasible, and a mixture of fewer tokens is if one of more
    is.

    Attributes:
        cap: (sources,) tokens at most.
        min_fraction, max_fraction: (sources,).
        kind: (sources,) number of the kind.
        least, most: (kinds,) shares.
    """

    cap: Floats
    min_fraction: Floats
    max_fraction: Floats
    kind: NDArray[np.int64]
    least: Floats
    most: Floats

    def of_sources(self, total: float) -> tuple[Floats, Floats]:
        """Least and most tokens of each source."""
        low, high = self.min_fraction * total, np.minimum(self.max_fraction * total, self.cap)
        return low, high

    def of_kinds(self, total: float) -> tuple[Floats, Floats]:
        """Least and most tokens of each kind, by its own limits and those of its sources."""
        low, high = (self.by_kind(bound) for bound in self.of_sources(total))
        return np.maximum(low, self.least * total), np.minimum(high, self.most * total)

    def by_kind(self, tokens: Floats) -> Floats:
        """Sums over the sources of each kind."""
        return np.bincount(self.kind, tokens, len(self.least)).astype(np.float64)

    def is_feasible(self, total: float) -> bool:
        """True if there are tokens within all limits."""
        slack = ROUNDING * total
        source_low, source_high = self.of_sources(total)
        low, high = self.of_kinds(total)
        fits = (source_low <= source_high + slack).all() and (low <= high + slack).all()
        return bool(fits and low.sum() <= total + slack and high.sum() >= total - slack)

    def largest_total(self, budget: float) -> float:
        """Most tokens, at most the budget; 0 if the shares contradict each other."""
        if self.is_feasible(budget):
            return budget
        return _largest(self.is_feasible, budget)

    def nearest(self, asked: Floats, total: float) -> tuple[float, Floats, Floats]:
        """The tokens that are nearest to what is asked, by relative entropy.

        Sources that no limit holds have factor x asked; those of a kind at its limit have a factor of the kind's own.

        Args:
            asked: (sources,) tokens at the asked rates.
            total: tokens of the mixture; feasible.

        Returns:
            The factor, the tokens, and the factor of each source's kind.
        """
        low, high = self.of_sources(total)
        kind_low, kind_high = self.of_kinds(total)
        highest = float(np.divide(high, asked, out=np.zeros_like(high), where=asked > 0).max(initial=0.0))

        def sums(factor: float) -> Floats:
            return np.clip(self.by_kind(np.clip(factor * asked, low, high)), kind_low, kind_high)

        factor = _smallest(lambda f: float(sums(f).sum()) >= total * (1 - ROUNDING), highest)
        wanted, factors = sums(factor), np.full(len(self.least), factor)
        for number, amount in enumerate(wanted.tolist()):
            mine = self.kind == number
            factors[number] = self._factor_of_kind((asked[mine], low[mine], high[mine]), amount, (factor, highest))
        return factor, np.clip(factors[self.kind] * asked, low, high), factors[self.kind]

    @staticmethod
    def _factor_of_kind(bounds: tuple[Floats, Floats, Floats], amount: float, factors: tuple[float, float]) -> float:
        """The common factor if a kind's sources have the amount by it, else the one by which they have."""
        asked, low, high = bounds
        factor, highest = factors

        def total(found: float) -> float:
            return float(np.clip(found * asked, low, high).sum())

        if abs(total(factor) - amount) <= ROUNDING * max(amount, 1.0):
            return factor
        return _smallest(lambda found: total(found) >= amount * (1 - ROUNDING), highest)


def _largest(holds: Callable[[float], bool], highest: float) -> float:
    """Largest number in [0, highest] at which a falling condition holds."""
    low, high = 0.0, highest
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if not low < middle < high:
            break
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def _smallest(holds: Callable[[float], bool], highest: float) -> float:
    """Smallest number in [0, highest] at which a rising condition holds; `highest` if it holds nowhere before."""
    if holds(1.0) and not holds(1.0 - 1e-9):
        return 1.0  # rates that stand as asked are to be so exactly
    low, high = 0.0, highest
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if not low < middle < high:
            break
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def room_for(supplies: Sequence[Supply], kinds: Mapping[Kind, KindLimit], caps: Floats) -> Room:
    """The limits of a phase; `caps` in tokens."""
    known = list(Kind)
    limits = [kinds.get(kind, KindLimit()) for kind in known]
    return Room(
        cap=caps,
        min_fraction=np.array([supply.min_fraction for supply in supplies], np.float64),
        max_fraction=np.array([supply.max_fraction for supply in supplies], np.float64),
        kind=np.array([known.index(supply.kind) for supply in supplies], np.int64),
        least=np.array([limit.min_fraction for limit in limits]),
        most=np.array([limit.max_fraction for limit in limits]),
    )


def refuse_clash(where: str, supplies: Sequence[Supply], kinds: Mapping[Kind, KindLimit]) -> None:
    """Refuse shares that no mixture has, however small.

    Args:
        where: owner of the limits, for the message.
        supplies: a source whose rate or tokens are 0 can give nothing; one that is used up lacks, and is no clash.
        kinds: limits of kinds.

    Raises:
        ConfigError: it names the limits that contradict each other.
    """
    if not any(supply.tokens for supply in supplies):  # no document at all is no clash: the gate has to say it
        return
    is_there = np.array([s.tokens > 0 and s.rate > 0 for s in supplies], np.bool_)
    room = room_for(supplies, kinds, np.where(is_there, np.inf, 0.0))
    if not is_there.any():
        raise ConfigError(f"{where}: the mixture would be empty: no source has documents and a rate above 0")
    if not room.is_feasible(1.0):
        raise ConfigError(f"{where}: no mixture keeps within these limits together: {_clash(supplies, kinds, room)}")


def _clash(supplies: Sequence[Supply], kinds: Mapping[Kind, KindLimit], room: Room) -> str:
    """The limits that contradict each other, in words."""
    for supply, cap in zip(supplies, room.cap, strict=True):
        if supply.min_fraction > 0 and cap == 0:
            return f"{supply.name}: min_fraction {supply.min_fraction:g}, but it has nothing to give or a rate of 0"
    low, high = room.of_sources(1.0)
    names: dict[bool, list[str]] = {False: [], True: []}  # by whether it is a floor
    for number, kind in enumerate(Kind):
        mine = np.flatnonzero(room.kind == number).tolist()
        floor, ceiling = float(low[mine].sum()), float(high[mine].sum())
        floors = [f"{supplies[n].name}: min_fraction {low[n]:g}" for n in mine if low[n] > 0]
        ceilings = [
            f"{supplies[n].name}: " + (f"max_fraction {high[n]:g}" if room.cap[n] else "nothing to give") for n in mine
        ]
        limit = kinds.get(kind)
        least, most = (limit.min_fraction, limit.max_fraction) if limit is not None else (0.0, 1.0)
        if floor > most + ROUNDING:
            return f"kind {kind.value}: max_fraction {most:g}; " + "; ".join(floors)
        if least > ceiling + ROUNDING:
            return f"kind {kind.value}: min_fraction {least:g}; " + ("; ".join(ceilings) or "it has no source")
        names[True] += [f"kind {kind.value}: min_fraction {least:g}"] if least > floor else floors
        if len(mine):
            names[False] += [f"kind {kind.value}: max_fraction {most:g}"] if most < ceiling else ceilings
    kind_low, _ = room.of_kinds(1.0)
    return "; ".join(names[bool(kind_low.sum() > 1)])
