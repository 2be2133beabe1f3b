"""The probe matrix: what every estimator reads, whatever lens, stage and weighting it was counted for."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.ledger import Weighting

__all__ = ["ProbeMatrix", "SourceProbes", "Weighting"]


@dataclass(frozen=True, slots=True)
class SourceProbes:
    """Multiplicities of the probes of one source: documents of every source in each probe's species.

    A source is cut in two. Its heavy species are counted whole, so that they add no sampling error; the light probes
    are a sample of the rest.

    Attributes:
        light: (probes, sources) multiplicities of the probes whose species is not heavy; its own source's is at least
            1. Of a partition lens, or of a neighbourhood, the probe itself included.
        heavy: (species, sources) multiplicities of the heavy species that have a document in this source.
        heavy_share: (species,) share of this source's weight that lies in each, 0..1.
        population: documents of the source at the stage, whatever the weighting.
        light_population: documents of the source that are in no heavy species. Probes by documents were drawn from
            these without replacement; probes by tokens with replacement, in proportion to tokens.
    """

    light: NDArray[np.int64]
    heavy: NDArray[np.int64]
    heavy_share: NDArray[np.float64]
    population: int
    light_population: int

    @property
    def light_share(self) -> float:
        """Share of the source's weight that the light probes stand for; 0 where every document is counted whole."""
        return max(0.0, 1.0 - float(self.heavy_share.sum())) if self.light_population else 0.0


@dataclass(frozen=True, slots=True)
class ProbeMatrix:
    """The probes of all sources through one lens, at one stage, by one weighting.

    Attributes:
        probes: of each source, in source order.
        documents: (sources,) documents of each source at the stage.
        weight: (sources,) what the sources weigh: documents, or tokens.
        weighting: which of the two.
        is_partition: whether the lens's species are a partition (exact, template, seed) or neighbourhoods (near,
            semantic).
        heavy_above: species of more documents than this, all sources together, are heavy: the most that a light probe
            can have. None if no species were set apart, or the lens has none; then any size is possible.
    """

    probes: tuple[SourceProbes, ...]
    documents: NDArray[np.int64]
    weight: NDArray[np.int64]
    weighting: Weighting
    is_partition: bool
    heavy_above: float | None = None
