"""Supply of a ledger's sources at the stage that mixtures are made from, and rates for all of them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from polyculture.errors import ConfigError
from polyculture.measure.ledger.ledger import Ledger
from polyculture.mixture.plan.limits import Supply
from polyculture.mixture.plan.shares import hold_shares, whole_shares
from schemas.documents import Kind
from schemas.measures import Lens, Stage
from schemas.mixture_config import MixtureTerms

RATE_OF_THE_UNNAMED = 1.0  # as in a configuration
MOST_EPOCHS = 1000.0  # as in a configuration


@dataclass(frozen=True, slots=True)
class LedgerSupply:
    """Distinct documents and tokens of each source, in the ledger's order.

    Attributes:
        names, kinds: names and kinds of the sources.
        documents, tokens: (sources,) each; 0 where deduplication left nothing.
    """

    names: tuple[str, ...]
    kinds: tuple[Kind, ...]
    documents: NDArray[np.int64]
    tokens: NDArray[np.int64]

    @property
    def present(self) -> list[int]:
        """Numbers of the sources that have something to give."""
        return np.flatnonzero((self.documents > 0) & (self.tokens > 0)).tolist()


def stage_of(ledger: Ledger) -> Stage:
    """The stage that mixtures are made from: what is distinct, or what was read where nothing was removed, in an audit.

    Raises:
        ConfigError: the ledger has neither.
    """
    measured = {population.stage for population in ledger.header.populations}
    for stage in (Stage.DISTINCT, Stage.INPUT):
        if stage in measured:
            return stage
    raise ConfigError("the ledger holds no documents that a mixture could be made from; run again")


def ledger_supply(ledger: Ledger) -> LedgerSupply:
    """Read off the populations: the largest of any lens, since some lenses say nothing about some documents.

    Raises:
        ConfigError: the ledger has no stage that mixtures are made from.
    """
    stage = stage_of(ledger)
    populations = [p for p in ledger.header.populations if p.stage is stage]
    documents = np.max([p.documents for p in populations], axis=0).astype(np.int64)
    tokens = np.max([p.tokens for p in populations], axis=0).astype(np.int64)
    return LedgerSupply(tuple(ledger.header.sources), tuple(ledger.header.kinds), documents, tokens)


def measured_lenses(ledger: Ledger, wanted: Sequence[Lens] | None) -> list[Lens]:
    """The lenses asked for, or all that the ledger has at the stage.

    Raises:
        ConfigError: one of them was not measured.
    """
    stage = stage_of(ledger)
    known = [population.lens for population in ledger.header.populations if population.stage is stage]
    for lens in wanted or ():
        if lens not in known:
            raise ConfigError(f"lens {lens.value!r} was not measured; known here: {', '.join(known)}")
    return list(dict.fromkeys(wanted)) if wanted else known


def rates_of_shares(supply: LedgerSupply, given: Mapping[str, float], tokens: int | None) -> dict[str, float]:
    """Epochs of every source in a mixture of shares.

    Args:
        supply: supply of the sources.
        given: share of every source.
        tokens: tokens of the mixture; without it, as many as repeat nothing.

    Raises:
        ConfigError: a source is unknown, not named, or has a share and no documents, or the shares do not sum to 1.
    """
    unknown = [name for name in given if name not in supply.names]
    if unknown:
        raise ConfigError(f"shares: unknown source {unknown[0]!r}; known: {', '.join(supply.names)}")
    absent = [name for name in supply.names if name not in given]
    if absent:
        raise ConfigError(f"shares: no share for {', '.join(absent)}; name every source, 0 leaves one out")
    try:
        checked = MixtureTerms(shares=dict(given)).shares or {}
    except ValidationError as error:
        raise ConfigError(f"shares: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from error
    most = 1.0 if tokens is None else math.inf
    supplies = [
        Supply(name, kind, held, 1.0, most)
        for name, kind, held in zip(supply.names, supply.kinds, supply.tokens.tolist(), strict=True)
    ]
    shares, _ = whole_shares(checked, supplies)
    _, scaled = hold_shares(supplies, shares, tokens)
    return dict(zip(supply.names, scaled.rates, strict=True))


def rates_of_all(supply: LedgerSupply, given: Mapping[str, float]) -> NDArray[np.float64]:
    """(sources,) rates: as given, and 1 for a source that is not named.

    Raises:
        ConfigError: a name is unknown, a rate is not one, or the mixture would be empty.
    """
    for name, rate in given.items():
        if name not in supply.names:
            raise ConfigError(f"rates: unknown source {name!r}; known: {', '.join(supply.names)}")
        if not 0 <= rate <= MOST_EPOCHS:
            raise ConfigError(f"rates: {name}: {rate:g} is no rate; a rate is 0 to {MOST_EPOCHS:g} epochs")
    rates = np.array([given.get(name, RATE_OF_THE_UNNAMED) for name in supply.names], np.float64)
    if not (rates[supply.present] > 0).any():
        names = ", ".join(supply.names[number] for number in supply.present) or "none"
        raise ConfigError(
            f"rates: the mixture would be empty: give a rate above 0 to a source that has distinct documents: {names}"
        )
    return rates
