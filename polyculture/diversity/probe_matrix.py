"""The probe matrix: what every estimator reads, whatever lens, stage and weighting it was counted for."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


class Weighting(StrEnum):
    """What probes were drawn in proportion to, and what a mean over them is a mean of."""

    DOCUMENTS = "documents"
    TOKENS = "tokens"


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
        population: documents of the source at the stage, from which the light probes were drawn; for probes drawn by
            tokens too.
        light_population: documents of the source that are in no heavy species.
    """

    light: NDArray[np.int64]
    heavy: NDArray[np.int64]
    heavy_share: NDArray[np.float64]
    population: int
    light_population: int

    @property
    def light_share(self) -> float:
        """Share of the source's weight that the light probes stand for."""
        return max(0.0, 1.0 - float(self.heavy_share.sum()))


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
    """

    probes: tuple[SourceProbes, ...]
    documents: NDArray[np.int64]
    weight: NDArray[np.int64]
    weighting: Weighting
    is_partition: bool
