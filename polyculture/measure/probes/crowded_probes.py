"""The strata of a neighbourhood lens, from the rows of a ledger."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyculture.measure.probes.probe_matrix import ProbeStratum, SourceProbes
from schemas.ledger import Crowded, Population, Weighting

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Drawn:
    """Probes of one stage, lens and weighting.

    Attributes:
        multiplicity: (n, sources).
        source, tokens: (n,) source number and tokens of each document.
        is_crowded: (n,) whether each is in the stratum of crowded documents.
    """

    multiplicity: Numbers
    source: Numbers
    tokens: Numbers
    is_crowded: NDArray[np.bool_]


def crowded_probes(
    drawn: Drawn, population: Population, crowded: Crowded, weighting: Weighting
) -> tuple[SourceProbes, ...]:
    """The strata of every source, from the rows of a ledger."""
    by_tokens = weighting is Weighting.TOKENS
    whole = np.array(population.tokens if by_tokens else population.documents, np.int64)
    within = np.array(crowded.tokens if by_tokens else crowded.documents, np.int64)
    sizes = np.array([population.documents, crowded.documents], np.int64)
    found = []
    for source, scaled in enumerate(crowded.scaled):
        light, many = ((drawn.source == source) & (drawn.is_crowded == is_crowded) for is_crowded in (False, True))
        weight, share = max(1, int(whole[source])), int(within[source]) / max(1, int(whole[source]))
        size, rows = int(sizes[1, source]), drawn.multiplicity[many]
        if crowded.is_whole[source]:
            part = ProbeStratum.whole(rows, (drawn.tokens[many] if by_tokens else np.ones(len(rows))) / weight, size)
        else:
            part = ProbeStratum.sample(rows, share, size, is_scaled=scaled > 0)
        rest = int(whole[source] - within[source]) / weight
        others = ProbeStratum.sample(
            drawn.multiplicity[light], rest, int(sizes[0, source]) - size, crowded.light_most, scaled > 0
        )
        found.append(SourceProbes(tuple(stratum for stratum in (others, part) if stratum.share > 0)))
    return tuple(found)
