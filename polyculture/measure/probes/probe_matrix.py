"""The probe matrix: what every estimator reads, whatever lens, stage and weighting it was counted for."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.ledger import Weighting

__all__ = ["ProbeMatrix", "ProbeStratum", "SourceProbes", "Weighting"]


@dataclass(frozen=True, slots=True)
class ProbeStratum:
    """A part of a source: counted whole, so that it adds no sampling error, or known by a sample.

    Attributes:
        rows: (n, sources) documents of every source in the species, or neighbourhood, of each thing counted: the
            probe itself included, so that its own source's is at least 1.
        row_share: (n,) share of the source's weight that each row stands for, 0..1.
        share: share of the source's weight that lies in the stratum; the sum of `row_share` where there are rows.
        population: documents of the source in the stratum, whatever the weighting. A sample by documents was drawn
            from these without replacement, one by tokens with replacement and in proportion to tokens.
        is_whole: whether the rows are everything that the stratum holds.
        most: the most documents, of all sources together, that a row can have; None: any number.
        is_scaled: whether some rows were themselves counted from a part of their candidates.
    """

    rows: NDArray[np.int64]
    row_share: NDArray[np.float64]
    share: float
    population: int
    is_whole: bool = False
    most: float | None = None
    is_scaled: bool = False

    @classmethod
    def whole(cls, rows: NDArray[np.int64], row_share: NDArray[np.float64], population: int) -> "ProbeStratum":
        """All rows, each with its share of the source's weight."""
        return cls(rows, row_share, float(row_share.sum()), population, is_whole=True)

    @classmethod
    def sample(
        cls,
        rows: NDArray[np.int64],
        share: float,
        population: int,
        most: float | None = None,
        is_scaled: bool = False,
    ) -> "ProbeStratum":
        """Probes, all of one share."""
        equal = np.full(len(rows), share / max(1, len(rows)))
        return cls(rows, equal, share, population, most=most, is_scaled=is_scaled)

    def drawn_from(self, weighting: Weighting) -> int | None:
        """Population of the finite-population correction; None where it has no place.

        A probe whose neighbours were sampled has an error of its own, which drawing more probes does not end.
        """
        return self.population if weighting is Weighting.DOCUMENTS and not self.is_scaled else None


@dataclass(frozen=True, slots=True)
class SourceProbes:
    """One source: its strata, which share nothing and make up all of it.

    A partition lens has two: the heavy species, counted whole, and a sample of the light documents. The near lens has
    the documents that may have many neighbours, and the others. Empty strata are left out.
    """

    strata: tuple[ProbeStratum, ...]

    @classmethod
    def of_species(
        cls,
        light: NDArray[np.int64],
        heavy: NDArray[np.int64],
        heavy_share: NDArray[np.float64],
        populations: tuple[int, int],
        most: float | None = None,
    ) -> "SourceProbes":
        """Light probes, and heavy species counted whole.

        Args:
            light: (probes, sources) multiplicities of the probes whose species is not heavy.
            heavy: (species, sources) those of the heavy species that have a document in this source.
            heavy_share: (species,) share of the source's weight in each.
            populations: documents of the source that are in no heavy species, and in one.
            most: the most documents that a species can have and be light.
        """
        lies_light = max(0.0, 1.0 - float(heavy_share.sum())) if populations[0] else 0.0
        strata = [ProbeStratum.whole(heavy, heavy_share, populations[1])] if len(heavy) else []
        if lies_light > 0 or not strata:
            strata.append(ProbeStratum.sample(light, lies_light, populations[0], most))
        return cls(tuple(strata))

    @property
    def sampled(self) -> tuple[ProbeStratum, ...]:
        """The strata that are known by a sample."""
        return tuple(stratum for stratum in self.strata if not stratum.is_whole)

    @property
    def counted(self) -> tuple[ProbeStratum, ...]:
        """The strata that are counted whole."""
        return tuple(stratum for stratum in self.strata if stratum.is_whole)


@dataclass(frozen=True, slots=True)
class ProbeMatrix:
    """The probes of all sources through one lens, at one stage, by one weighting.

    Attributes:
        probes: probes of each source, in source order.
        documents: (sources,) documents of each source at the stage.
        weight: (sources,) weights of the sources: documents, or tokens.
        weighting: the weighting, by documents or by tokens.
        is_partition: whether the lens's species are a partition (exact, template, seed) or neighbourhoods (near,
            semantic).
    """

    probes: tuple[SourceProbes, ...]
    documents: NDArray[np.int64]
    weight: NDArray[np.int64]
    weighting: Weighting
    is_partition: bool
