"""Forecast a corpus from its pilot, lens by lens and scope by scope."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyculture.errors import ConfigError
from polyculture.measure.lenses.lens import PartitionLens
from polyculture.measure.lenses.lenses import LENSES, Indexes
from polyculture.measure.lenses.subset import Counted, count_documents
from polyculture.measure.probes.heavy import Documents
from polyculture.pilot.classical import frequency_counts
from polyculture.pilot.forecast import forecast, forecast_neighbours
from polyculture.pilot.judge import judge_pilot
from polyculture.pilot.near import near_bounds
from polyculture.pilot.sample import PilotSample
from schemas.config import CurationConfig
from schemas.documents import Kind
from schemas.measures import Lens
from schemas.pilot import PilotCheck, PilotForecast, PilotReport, Range
from schemas.verdict import Outcome


@dataclass(frozen=True, slots=True)
class Pilot:
    """The documents that exist.

    Attributes:
        documents: each once.
        indexes: indexes that lenses count in.
        sources, kinds: name and kind of each source number.
    """

    documents: Documents
    indexes: Indexes
    sources: tuple[str, ...]
    kinds: tuple[Kind, ...]


def forecast_pilot(
    pilot: Pilot, config: CurationConfig, target_documents: int, largest_species: int | None, identity: str
) -> PilotReport:
    """Forecast the corpus, and judge it by the configuration's expectations.

    Args:
        pilot: a uniform sample of the corpus that is planned, source by source in its proportions.
        config: expectations and seed.
        target_documents: N of all sources together.
        largest_species: documents that no species of the corpus exceeds, if known.
        identity: digest of what the pilot was read from.

    Returns:
        The report; every document is counted, but of more than 200,000 the neighbours are counted at so many. About .2
        seconds for each lens and scope, 2 for an expectation that stays unknown.

    Raises:
        ConfigError: the corpus is smaller than the pilot, or the pilot has fewer than two documents.
    """
    n = len(pilot.documents.source)
    if not 2 <= n <= target_documents:
        raise ConfigError(
            f"--target-documents: the pilot has {n:,} documents and the corpus {target_documents:,}; a pilot needs "
            "two, and the corpus as many as its pilot"
        )
    if largest_species is not None and not 1 <= largest_species <= target_documents:
        raise ConfigError(f"--largest-species: {largest_species:,} is not in 1..{target_documents:,}")
    samples = list(_samples(pilot, config.seed, target_documents, largest_species))
    checks, unjudged = judge_pilot(config, samples)
    return PilotReport(
        name=config.name,
        identity_sha256=identity,
        documents=n,
        target_documents=target_documents,
        largest_species=largest_species,
        forecasts=[forecast_sample(sample) for sample in samples],
        checks=checks,
        unjudged=unjudged,
        outcome=_outcome(checks),
    )


def _outcome(checks: Sequence[PilotCheck]) -> Outcome:
    """FAIL before UNKNOWN before PASS; nothing judged is UNKNOWN."""
    found = {check.outcome for check in checks if check.severity == "fail"}
    if Outcome.FAIL in found:
        return Outcome.FAIL
    return Outcome.PASS if found == {Outcome.PASS} else Outcome.UNKNOWN


def _samples(pilot: Pilot, seed: int, target_documents: int, largest_species: int | None) -> Iterator[PilotSample]:
    """Every lens and scope of two documents and more."""
    growth = target_documents / len(pilot.documents.source)
    for lens in Lens:
        counted = count_documents(pilot.documents, pilot.indexes, lens, seed)
        if counted is None:
            continue
        for scope, members in _scopes(pilot):
            documents = int(counted.documents[members].sum())
            data, counted_documents = _data(pilot, lens, counted, members)
            if documents >= 2 and counted_documents >= 2:
                target = max(documents, round(documents * growth))
                is_partition = isinstance(LENSES[lens], PartitionLens)
                yield PilotSample(lens, scope, data, is_partition, counted_documents, target, largest_species)


def _scopes(pilot: Pilot) -> Iterator[tuple[str, list[int]]]:
    """Names and source numbers: all, kinds, sources."""
    yield "all", list(range(len(pilot.sources)))
    for kind in Kind:
        members = [number for number, found in enumerate(pilot.kinds) if found is kind]
        if members:
            yield kind.value, members
    for number, name in enumerate(pilot.sources):
        yield name, [number]


def _data(pilot: Pilot, lens: Lens, counted: Counted, members: list[int]) -> tuple[NDArray[np.int64], int]:
    """Frequency counts of the species in a scope, or neighbours of each document; and how many were counted."""
    definition = LENSES[lens]
    rows = np.flatnonzero(np.isin(pilot.documents.source[counted.rows], members))
    if isinstance(definition, PartitionLens):
        species = pilot.indexes.species(lens).species[counted.rows[rows]]
        return frequency_counts(np.unique(species, return_counts=True)[1]), len(rows)
    neighbours = counted.multiplicity[rows][:, members].sum(axis=1) - 1
    documents = int(counted.documents[members].sum())
    # Neighbours counted at some stand for all: their rows are repeated to as many as there are documents.
    return (np.resize(neighbours, documents) if len(rows) else neighbours), len(rows)


def forecast_sample(sample: PilotSample) -> PilotForecast:
    """The numbers of one lens and scope."""
    n = sample.documents
    if sample.is_partition:
        found = forecast(sample.data, sample.target_documents, largest_species=sample.largest_species)
        naive = float(sample.data.sum() / n)
        interval = found.distinct_fraction
        bounds = Range(low=interval.low, high=interval.high) if interval else Range(low=0.0, high=1.0)
        words = list(found.words)
    else:
        found = forecast_neighbours(sample.data, sample.target_documents)
        near = near_bounds(sample.data, sample.target_documents)
        naive, bounds = near.naive, Range(low=near.low, high=near.high)
        words = [
            f"The pilot of {n:,} documents is {naive:.3f} distinct; at {sample.target_documents / n:,.3g} times its "
            f"size anything from {near.low:.3f} to {near.high:.3f} is compatible with it.",
            *found.words,
        ]
        if sample.counted_documents < n:
            words.append(f"Neighbours were counted at {sample.counted_documents:,} of {n:,} documents.")
    return PilotForecast(
        lens=sample.lens,
        scope=sample.scope,
        documents=n,
        counted_documents=sample.counted_documents,
        target_documents=sample.target_documents,
        naive_distinct_fraction=naive,
        distinct_fraction=bounds,
        extrapolated=found.extrapolated,
        duplicate_pairs=found.pairs,
        hill_2=found.hill_2,
        words=words,
    )
