"""Vector measures of a mixture that nobody has made, from the second moments of its sources."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from polyculture.errors import ConfigError
from polyculture.measure.ledger.ledger import Ledger
from polyculture.measure.vectors.vendi import spectrum, vendi_score
from polyculture.mixture.plan.supply import LedgerSupply, stage_of
from schemas.what_if import VectorsWhatIf

Floats = NDArray[np.float64]
MEASURE = "write `measure: {semantic: {}}` into the configuration and run again"


def source_densities(ledger: Ledger, names: Sequence[str]) -> dict[str, Floats]:
    """(d, d) density of the distinct documents of each source that is measured: its second moment, of trace 1."""
    vectors = ledger.vectors
    if vectors is None or stage_of(ledger) not in vectors.header.stages:
        return {}
    stage = vectors.header.stages.index(stage_of(ledger))
    found = {name: vectors.moments.moment(stage, [name]) for name in names}
    return {name: moment.density() for name, moment in found.items() if moment is not None}


def planning_moments(ledger: Ledger, supply: LedgerSupply) -> Floats | None:
    """(sources, d, d) densities in the ledger's order, for the objective `spread`; None if none were measured.

    Raises:
        ConfigError: documents of a source that could be mixed are not measured: their share would count as nothing.
    """
    if ledger.vectors is None:
        return None
    densities = source_densities(ledger, supply.names)
    partly = []
    for number in supply.present:
        measured = ledger.vectors.source(stage_of(ledger), supply.names[number])
        if measured is None or supply.names[number] not in densities or measured.documents < measured.unmeasured:
            partly.append(supply.names[number])
    if partly:
        raise ConfigError(
            f"objective spread: most documents of {', '.join(partly)} have no embedding, as the encoder does not cover "
            "their language; leave the source out of the run, or choose an encoder that does"
        )
    width = next(iter(densities.values())).shape
    return np.stack([densities.get(name, np.eye(*width) / width[0]) for name in supply.names])


def vectors_what_if(ledger: Ledger, supply: LedgerSupply, rates: Floats) -> VectorsWhatIf | None:
    """RKE and Vendi score of a mixture at these rates; None if embeddings were not measured.

    With density sum w_i M_i, w_i the shares of documents: 1 / RKE is its squared norm, and what the draw of documents
    at fractional rates adds to it in the mean, sum N_i q_i (1 - q_i) / N**2. Milliseconds.
    """
    densities = source_densities(ledger, supply.names)
    if ledger.vectors is None:
        return None
    measured = {s.source: s.documents for s in ledger.vectors.header.sources if s.stage is stage_of(ledger)}
    sizes = np.array([measured.get(name, 0) if name in densities else 0 for name in supply.names], np.float64)
    held = rates * sizes
    total = float(held.sum())
    lacking = {s.source: s.unmeasured for s in ledger.vectors.header.sources if s.stage is stage_of(ledger)}
    unmeasured = float((rates * np.array([lacking.get(name, 0) for name in supply.names])).sum())
    if total < 1:
        return VectorsWhatIf(documents=0, unmeasured=unmeasured, rke=None, vendi_score=None)
    density = np.sum(
        [share * densities[name] for name, share in zip(supply.names, held / total, strict=True) if share > 0], axis=0
    )
    part = rates - np.floor(rates)
    drawn = float((sizes * part * (1 - part)).sum()) / total**2
    return VectorsWhatIf(
        documents=total,
        unmeasured=unmeasured,
        rke=1 / (float((density**2).sum()) + drawn),
        vendi_score=vendi_score(spectrum(density)),
    )
