"""Build the profile: from the ledger to the numbers of every stage, lens and scope."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from polyculture.measure.ledger.ledger import Ledger
from polyculture.measure.probes.estimators import scope_of
from polyculture.measure.probes.ledger_file import matrix_of
from polyculture.measure.probes.metrics import METRICS, containments, distinct_fraction, scale_curve
from polyculture.measure.probes.probe_matrix import ProbeMatrix
from polyculture.measure.vectors.vector_profile import vector_profiles
from schemas.documents import Kind
from schemas.ledger import Population, Weighting
from schemas.measures import TRIAL_FRACTIONS, Lens, Stage
from schemas.profile import Containment, Estimate, HeavySpecies, Profile, ScopeProfile, Trial
from schemas.vectors import VectorProfile

SHOWN_SPECIES = 20  # of each stage and lens
_LOOKED_AT = 2000  # probes with the largest neighbourhoods, many of which are one
LARGE_DOCUMENTS = 50  # what the gate asks about
# The trials that a person asks about, and the curve between them.
CURVE_FRACTIONS = tuple(float(f"{f:.4g}") for f in np.geomspace(1e-4, 1, 41))


def build_profile(ledger: Ledger, trial_fraction: float, reference: Sequence[str] = ()) -> Profile:
    """Estimate every number of every stage, lens and scope in the ledger.

    A scope's species are those within the scope: a source is measured against itself, a kind against its sources, `all`
    against the union.

    Args:
        ledger: probe counts.
        trial_fraction: the trial that scale_surprise compares with, in (0, 1).
        reference: sources that are pooled as the reference.

    Returns:
        The profile; scopes without documents are left out.
    """
    scopes: list[ScopeProfile] = []
    references: list[ScopeProfile] = []
    containments: list[Containment] = []
    for population in ledger.header.populations:
        for weighting in Weighting:
            matrix = ledger.matrix(population.stage, population.lens, weighting)
            if matrix is None:
                continue
            for scope in _scopes(ledger, population):
                scopes.append(_scope_profile(population, scope, matrix, trial_fraction))
            for pooled in _reference(ledger, population, reference):
                references.append(_scope_profile(population, pooled, matrix, trial_fraction))
            if weighting is Weighting.DOCUMENTS:
                containments.extend(_containments(ledger, population, matrix))
    vectors, vector_references = _vectors(ledger, trial_fraction, reference)
    return Profile(
        trial_fraction=trial_fraction,
        threshold=ledger.header.threshold,
        scopes=scopes,
        containments=containments,
        heavy=heaviest_species(ledger),
        references=references,
        vectors=vectors,
        vector_references=vector_references,
        encoder=ledger.header.encoder,
    )


def weighed_fraction(
    ledger: Ledger, stage: Stage, lens: Lens, weighting: Weighting, held: Mapping[str, int]
) -> Estimate | None:
    """Distinct fraction of all sources at a stage, each weighed by what a mixture holds of it.

    Args:
        ledger: probe counts.
        stage: stage of the multiplicities.
        lens: lens of the species.
        weighting: of the probes, and of what is held.
        held: documents or tokens of each source in the mixture; a source that has none is in no number.

    Returns:
        None if it was not measured, or nothing is held.
    """
    matrix = ledger.matrix(stage, lens, weighting)
    if matrix is None:
        return None
    weight = np.array([held.get(name, 0) for name in ledger.header.sources], np.int64)
    weight[matrix.documents == 0] = 0
    if not weight.any():
        return None
    counted = scope_of(replace(matrix, weight=weight), range(len(weight)))
    return distinct_fraction(counted, 1.0)


def _vectors(
    ledger: Ledger, trial_fraction: float, reference: Sequence[str]
) -> tuple[list[VectorProfile], list[VectorProfile]]:
    """Profile the embeddings of every scope, and of the reference; nothing if there are none."""
    if ledger.vectors is None:
        return [], []
    kinds = dict(zip(ledger.header.sources, ledger.header.kinds, strict=True))
    return vector_profiles(ledger.vectors, kinds, trial_fraction, reference)


@dataclass(frozen=True, slots=True)
class _Members:
    """A scope: its name, its kind if it has one, and the numbers of its sources."""

    name: str
    kind: Kind | None
    sources: list[int]


def _scopes(ledger: Ledger, population: Population) -> Iterator[_Members]:
    """Each scope that holds documents."""
    present = [number for number, documents in enumerate(population.documents) if documents]
    if present:
        yield _Members("all", None, present)
    for kind in Kind:
        members = [number for number in present if ledger.header.kinds[number] is kind]
        if members:
            yield _Members(kind.value, kind, members)
    for number in present:
        yield _Members(ledger.header.sources[number], ledger.header.kinds[number], [number])


def _reference(ledger: Ledger, population: Population, reference: Sequence[str]) -> Iterator[_Members]:
    """The pooled reference sources that hold documents, as one scope; none if none does."""
    names = ledger.header.sources
    members = [number for number, name in enumerate(names) if name in reference and population.documents[number]]
    if members:
        yield _Members("reference", None, members)


def _scope_profile(population: Population, scope: _Members, matrix: ProbeMatrix, trial_fraction: float) -> ScopeProfile:
    members = scope.sources
    counted = scope_of(matrix, members)
    fractions = sorted({*CURVE_FRACTIONS, *TRIAL_FRACTIONS, trial_fraction})
    return ScopeProfile(
        stage=population.stage,
        lens=population.lens,
        weighting=matrix.weighting,
        scope=scope.name,
        kind=scope.kind,
        documents=sum(population.documents[number] for number in members),
        tokens=sum(population.tokens[number] for number in members),
        probes=sum(
            len(stratum.multiplicity)
            for stratum in counted.strata
            if stratum.row_share is None or not matrix.is_partition  # a row of a whole partition is a species
        ),
        **{metric.value: estimate(counted, trial_fraction) for metric, estimate in METRICS.items()},
        trials=[
            Trial(fraction=f, distinct_fraction=seen)
            for f, seen in zip(fractions, scale_curve(counted, fractions), strict=True)
        ],
    )


def _containments(ledger: Ledger, population: Population, matrix: ProbeMatrix) -> Iterator[Containment]:
    """Every ordered pair of sources that hold documents."""
    present = [number for number, documents in enumerate(population.documents) if documents]
    for of in present:
        others = [within for within in present if within != of]
        for within, found in zip(others, containments(matrix, of, others), strict=True):
            yield Containment(
                stage=population.stage,
                lens=population.lens,
                of=ledger.header.sources[of],
                within=ledger.header.sources[within],
                containment=found,
            )


def heaviest_species(ledger: Ledger) -> list[HeavySpecies]:
    """The largest species of every stage and lens, and the one with most tokens among those of 50 documents or more.

    A document that has no twin is no large species, however small the corpus.
    """
    found: list[HeavySpecies] = []
    shown: Counter[tuple[str, str]] = Counter()
    most_tokens: dict[tuple[str, str], HeavySpecies] = {}
    documents = matrix_of(ledger.heavy["documents"], len(ledger.header.sources)).sum(axis=1)
    for row in ledger.heavy.filter(pa.array(documents > 1)).to_pylist():  # by falling size within a stage and lens
        key = (row["stage"], row["lens"])
        species = _heavy_species(ledger, row)
        shown[key] += 1
        if shown[key] <= SHOWN_SPECIES:
            found.append(species)
        elif species.documents >= LARGE_DOCUMENTS and (
            key not in most_tokens or species.tokens > most_tokens[key].tokens
        ):
            most_tokens[key] = species
    return [*found, *most_tokens.values(), *_neighbourhoods(ledger)]


def _neighbourhoods(ledger: Ledger) -> Iterator[HeavySpecies]:
    """The largest neighbourhoods that the near lens's probes of crowded documents have, one for each row of counts.

    They are found by a sample where there are more crowded documents than probes. Neighbours are about as long as the
    probe, so that they have about as many tokens each.
    """
    for population in ledger.header.populations:
        if population.crowded is None:
            continue
        chosen = (pc.field("stage") == population.stage.value) & (pc.field("lens") == population.lens.value)
        rows = ledger.rows.filter(chosen & pc.field("is_crowded"))
        size = matrix_of(rows["multiplicity"], len(ledger.header.sources)).sum(axis=1)
        rows = rows.take(np.argsort(-size, kind="stable")[:_LOOKED_AT])
        names = ("document_id", "tokens", "multiplicity")
        columns = zip(*(rows[name].to_pylist() for name in names), strict=True)
        largest = {tuple(counts): (example, tokens) for example, tokens, counts in sorted(columns, reverse=True)}
        for counts in sorted(largest, key=lambda row: (-sum(row), largest[row]))[:SHOWN_SPECIES]:
            example, tokens = largest[counts]
            if sum(counts) < 2:
                continue
            yield HeavySpecies(
                stage=population.stage,
                lens=population.lens,
                example=example,
                documents=sum(counts),
                tokens=sum(counts) * tokens,
                sources={name: count for name, count in zip(ledger.header.sources, counts, strict=True) if count},
            )


def _heavy_species(ledger: Ledger, row: dict[str, Any]) -> HeavySpecies:
    counts = zip(ledger.header.sources, row["documents"], strict=True)
    return HeavySpecies(
        stage=Stage(row["stage"]),
        lens=Lens(row["lens"]),
        example=row["example"],
        documents=sum(row["documents"]),
        tokens=sum(row["tokens"]),
        sources={name: count for name, count in counts if count},
    )
