"""Shares of a mixture's tokens as epochs of its sources: the shares hold, and the size of the mixture gives way."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from polyculture.errors import ConfigError
from polyculture.mixture.plan.limits import Supply
from polyculture.mixture.plan.rates import MAX_EPOCHS, ScaledRates

UNNOTICED = 1e-6  # that shares may be off a sum of 1
_ROUNDING = 1e-9  # relative


def whole_shares(shares: Mapping[str, float], supplies: Sequence[Supply]) -> tuple[dict[str, float], list[str]]:
    """Shares that sum to 1, and what has to be said of them.

    Args:
        shares: share of every source, 0 or more, not all 0.
        supplies: supplies of the sources.

    Raises:
        ConfigError: a source has a share and no distinct documents, though another has some.
    """
    total = sum(shares.values())
    empty = [supply.name for supply in supplies if supply.tokens == 0 and shares[supply.name] > 0]
    if empty and any(supply.tokens for supply in supplies):  # without any document the gate has to say it
        raise ConfigError(
            f"mixture.shares: {empty[0]} has the share {shares[empty[0]]:g}, but no distinct documents; give it 0, and "
            "its share to the others"
        )
    notes = []
    if abs(total - 1) > UNNOTICED:
        notes.append(f"The shares sum to {total:.6g}, not 1: all were divided by it.")
    return {name: share / total for name, share in shares.items()}, notes


def hold_shares(
    supplies: Sequence[Supply], shares: Mapping[str, float], budget_tokens: int | None
) -> tuple[list[Supply], ScaledRates]:
    """Take of each source its share of the largest mixture, at most the budget, in which all shares hold.

    Nothing is given to another source where one is used up: the scarcest source, by tokens at its last epoch over its
    share, decides the size of the mixture.

    Args:
        supplies: the sources, with the epochs that they may be taken for.
        shares: share of every source, summing to 1.
        budget_tokens: the budget; without one the mixture is as large as the epochs allow.

    Returns:
        The supplies with the rates that the budget asks of them, and the rates that are held. O(sources).
    """
    share = np.array([shares[supply.name] for supply in supplies], np.float64)
    tokens = np.array([supply.tokens for supply in supplies], np.float64)
    most = np.array([supply.max_epochs for supply in supplies], np.float64)
    there = (share > 0) & (tokens > 0)
    with np.errstate(over="ignore", invalid="ignore"):  # a share that rounds to none limits nothing, nor do no tokens
        reach = np.where(there, most * tokens / np.where(there, share, 1.0), np.inf)
    largest = float(reach.min(initial=np.inf)) if there.any() else 0.0
    wanted = float(budget_tokens) if budget_tokens is not None else largest
    total = min(largest, wanted)
    is_binding = there & (reach <= total * (1 + _ROUNDING))
    per_token = np.divide(share, tokens, out=np.zeros_like(share), where=there)
    rates = np.where(is_binding, most, np.minimum(per_token * total, most))
    is_short = total < wanted * (1 - _ROUNDING)
    limits = tuple(MAX_EPOCHS if is_short and binds else None for binds in is_binding.tolist())
    asked = [replace(s, rate=rate) for s, rate in zip(supplies, (per_token * wanted).tolist(), strict=True)]
    scale = total / wanted if wanted else 0.0
    return asked, ScaledRates(scale, tuple(rates.tolist()), limits, float((rates * tokens).sum()))
