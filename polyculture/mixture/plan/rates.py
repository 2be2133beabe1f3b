"""Rates under a token budget: one factor for all sources, within limits, and what is lacking said aloud."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from polyculture.mixture.plan.limits import ROUNDING, Room, Supply, refuse_clash, room_for
from schemas.documents import Kind
from schemas.mixture_config import KindLimit

MAX_EPOCHS, MAX_FRACTION, MIN_FRACTION = "max_epochs", "max_fraction", "min_fraction"

__all__ = ["MAX_EPOCHS", "MAX_FRACTION", "MIN_FRACTION", "ScaledRates", "Supply", "largest_mixture", "scale_rates"]


@dataclass(frozen=True, slots=True)
class ScaledRates:
    """Rates after scaling.

    Attributes:
        scale: the factor; where no limit bites, rate = scale * asked rate.
        rates: epochs per source.
        limits: limit that held each source below or above scale * asked rate, if any.
        tokens: their total, before rounding to whole documents.
    """

    scale: float
    rates: tuple[float, ...]
    limits: tuple[str | None, ...]
    tokens: float


def scale_rates(
    supplies: Sequence[Supply], kinds: Mapping[Kind, KindLimit], budget_tokens: int | None, where: str = "mixture"
) -> ScaledRates:
    """Scale all rates by one factor so that the mixture reaches its budget, or comes as near as the limits allow.

    Of all mixtures of as many tokens within the limits it is the nearest to the asked rates by relative entropy:
    sources that no limit holds share one factor. Without a budget the factor is at most 1, and the mixture as large as
    the limits allow.

    Args:
        supplies: the sources, with what is asked of them.
        kinds: limits of kinds.
        budget_tokens: the budget, or None.
        where: owner of the limits, for messages.

    Returns:
        The rates; `tokens` below the budget means that the limits and the supply allow no more. O(sources), some 400
        times.

    Raises:
        ConfigError: limits contradict each other, or there is nothing to mix.
    """
    refuse_clash(where, supplies, kinds)
    asked = np.array([supply.rate for supply in supplies], np.float64)
    tokens = np.array([supply.tokens for supply in supplies], np.float64)
    most = np.array([supply.max_epochs for supply in supplies], np.float64)
    epochs = np.where(asked > 0, most if budget_tokens is not None else np.minimum(most, asked), 0.0)
    room = room_for(supplies, kinds, epochs * tokens)
    total = room.largest_total(float(budget_tokens if budget_tokens is not None else room.cap.sum()))
    scale, held, factors = room.nearest(asked * tokens, total)
    at_cap = held >= room.cap * (1 - ROUNDING)
    rates = np.where(at_cap, epochs, np.divide(held, tokens, out=np.zeros_like(held), where=tokens > 0))
    rates = np.where(tokens > 0, rates, np.minimum(scale * asked, epochs))  # documents without tokens take no budget
    is_short = budget_tokens is not None and total < budget_tokens * (1 - ROUNDING)
    spent = [is_short and full for full in at_cap.tolist()]  # at their last epoch while the budget still lacks
    limits = [
        MAX_EPOCHS
        if spent[n] and asked[n] > 0
        else _limit(room, (scale, total), n, held[n], (asked[n] * tokens[n], factors[n]))
        for n in range(len(asked))
    ]
    named = [
        word.replace("KIND", supply.kind.value) if word else None for word, supply in zip(limits, supplies, strict=True)
    ]
    return ScaledRates(scale, tuple(rates.tolist()), tuple(named), float((rates * tokens).sum()))


def largest_mixture(supplies: Sequence[Supply], kinds: Mapping[Kind, KindLimit], budget_tokens: int) -> float:
    """Most tokens that supply and limits allow, whatever the rates, at most the budget."""
    caps = np.array([supply.max_epochs * supply.tokens for supply in supplies], np.float64)
    return room_for(supplies, kinds, caps).largest_total(float(budget_tokens))


def _limit(room: Room, whole: tuple[float, float], number: int, held: float, asked: tuple[float, float]) -> str | None:
    """The limit that holds a source off the common factor: its epochs, its own share, or that of its kind."""
    (scale, total), (tokens, factor) = whole, asked
    wanted = scale * tokens
    if room.cap[number] == 0 and tokens > 0:
        return MAX_EPOCHS
    if abs(held - wanted) <= 1e-9 * max(held, wanted) or tokens == 0:
        return None
    if held < wanted and held >= room.cap[number] * (1 - 1e-9):
        return MAX_EPOCHS
    if held < wanted and held >= room.max_fraction[number] * total * (1 - 1e-9):
        return MAX_FRACTION
    if held > wanted and held <= room.min_fraction[number] * total * (1 + 1e-9):
        return MIN_FRACTION
    return f"{MAX_FRACTION} of KIND" if factor < scale else f"{MIN_FRACTION} of KIND"
