"""From the ledger to the numbers of every stage, lens and scope."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from polyculture.diversity.estimators import Scope, Stratum
from polyculture.diversity.intervals import share_interval
from polyculture.diversity.ledger import Ledger
from polyculture.diversity.metrics import METRICS, scale_curve
from schemas.config import Lens
from schemas.documents import Kind
from schemas.ledger import StagePopulation
from schemas.profile import Containment, Profile, ScopeProfile, Trial

# The trials that a person asks about, and the curve between them.
TRIAL_FRACTIONS = (0.001, 0.01, 0.1)
CURVE_FRACTIONS = tuple(float(f"{f:.4g}") for f in np.geomspace(1e-4, 1, 41))


def build_profile(ledger: Ledger, trial_fraction: float) -> Profile:
    """Estimate every number of every stage, lens and scope in the ledger.

    A scope's species are those within the scope: a source is measured against itself, a kind against its sources, `all`
    against the union.

    Args:
        ledger: probe counts.
        trial_fraction: the trial that scale_surprise compares with, in (0, 1).

    Returns:
        The profile; scopes without documents are left out.
    """
    scopes: list[ScopeProfile] = []
    containments: list[Containment] = []
    for population in ledger.header.populations:
        for lens in Lens:
            source, multiplicity = ledger.multiplicities(population.stage, lens)
            for name, kind, members in _scopes(ledger, population):
                scopes.append(
                    _scope_profile((population, lens), (name, kind, members), source, multiplicity, trial_fraction)
                )
            containments.extend(_containments(ledger, population, lens, source, multiplicity))
    return Profile(
        trial_fraction=trial_fraction, threshold=ledger.header.threshold, scopes=scopes, containments=containments
    )


def _scopes(ledger: Ledger, population: StagePopulation) -> Iterator[tuple[str, Kind | None, list[int]]]:
    """Name, kind and source numbers of each scope that holds documents."""
    present = [number for number, documents in enumerate(population.documents) if documents]
    if present:
        yield "all", None, present
    for kind in Kind:
        members = [number for number in present if ledger.header.kinds[number] is kind]
        if members:
            yield kind.value, kind, members
    for number in present:
        yield ledger.header.sources[number], ledger.header.kinds[number], [number]


def _scope_profile(
    what: tuple[StagePopulation, Lens],
    scope: tuple[str, Kind | None, list[int]],
    source: NDArray[np.int64],
    multiplicity: NDArray[np.int64],
    trial_fraction: float,
) -> ScopeProfile:
    population, lens = what
    name, kind, members = scope
    within = multiplicity[:, members].sum(axis=1)
    strata = [Stratum.of_light(within[source == number], population.documents[number]) for number in members]
    counted = Scope.of_light(strata)
    fractions = sorted({*CURVE_FRACTIONS, *TRIAL_FRACTIONS, trial_fraction})
    return ScopeProfile(
        stage=population.stage,
        lens=lens,
        scope=name,
        kind=kind,
        documents=sum(population.documents[number] for number in members),
        tokens=sum(population.tokens[number] for number in members),
        probes=sum(len(stratum.multiplicity) for stratum in strata),
        **{metric.value: estimate(counted, trial_fraction) for metric, estimate in METRICS.items()},
        trials=[
            Trial(fraction=f, distinct_fraction=seen)
            for f, seen in zip(fractions, scale_curve(counted, fractions), strict=True)
        ],
    )


def _containments(
    ledger: Ledger,
    population: StagePopulation,
    lens: Lens,
    source: NDArray[np.int64],
    multiplicity: NDArray[np.int64],
) -> Iterator[Containment]:
    """Every ordered pair of sources that hold documents."""
    present = [number for number, documents in enumerate(population.documents) if documents]
    for of in present:
        mine = multiplicity[source == of]
        for within in present:
            if of != within:
                hits = int((mine[:, within] > 0).sum())
                yield Containment(
                    stage=population.stage,
                    lens=lens,
                    of=ledger.header.sources[of],
                    within=ledger.header.sources[within],
                    containment=share_interval(hits, len(mine), population.documents[of]).estimate(),
                )
