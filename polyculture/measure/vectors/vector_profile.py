"""Turn the ledger's evidence about embeddings into the numbers of every stage and scope."""

from collections.abc import Iterator, Sequence

import numpy as np

from polyculture.measure.vectors.curve import CurveStratum, nearest_neighbour_curve
from polyculture.measure.vectors.moment_table import COSINE, FEATURES
from polyculture.measure.vectors.rke import rke_from_strata
from polyculture.measure.vectors.vector_ledger import VectorLedger
from polyculture.measure.vectors.vendi import vendi_score
from schemas.documents import Kind
from schemas.measures import Metric, Stage
from schemas.numbers import Estimate
from schemas.vectors import LEAST_ROWS, SourceVectors, VectorCurvePoint, VectorProfile, VectorScores

GATE_TAU = 0.9
LEAST_MEASURED = 0.5  # share of a scope's occurrences, without which it is unmeasured
Scope = tuple[str, Kind | None, list[str]]  # name, kind, sources


def vector_profiles(
    vectors: VectorLedger, kinds: dict[str, Kind], trial_fraction: float, reference: Sequence[str]
) -> tuple[list[VectorProfile], list[VectorProfile]]:
    """Every number of every stage and scope.

    Args:
        vectors: the vector part of a ledger.
        kinds: kind of every source, in the ledger's order.
        trial_fraction: fraction of the gate's trial.
        reference: sources that are pooled as the reference.

    Returns:
        The scopes, and the pooled reference as a scope called `reference`, one for each stage that has it. About 10 ms
        a scope and stage.
    """
    scopes, references = [], []
    for stage in vectors.header.stages:
        for scope in _scopes(vectors, stage, kinds):
            scopes.append(_profile(vectors, stage, scope, trial_fraction))
        pooled = [name for name in kinds if name in reference and vectors.source(stage, name)]
        if pooled:
            references.append(_profile(vectors, stage, ("reference", None, pooled), trial_fraction))
    return scopes, references


def _scopes(vectors: VectorLedger, stage: Stage, kinds: dict[str, Kind]) -> Iterator[Scope]:
    present = [name for name in kinds if vectors.source(stage, name)]
    if present:
        yield "all", None, present
    for kind in Kind:
        members = [name for name in present if kinds[name] is kind]
        if members:
            yield kind.value, kind, members
    for name in present:
        yield name, kinds[name], [name]


def _profile(vectors: VectorLedger, stage: Stage, scope: Scope, trial_fraction: float) -> VectorProfile:
    name, kind, members = scope
    sources = [found for member in members if (found := vectors.source(stage, member)) is not None]
    documents, unmeasured = sum(s.documents for s in sources), sum(s.unmeasured for s in sources)
    profile = VectorProfile(stage=stage, scope=name, kind=kind, documents=documents, unmeasured=unmeasured)
    why = _why_unmeasured(documents, unmeasured)
    if why:
        return profile.model_copy(update={"why_unmeasured": why})
    there = [s for s in sources if s.documents]
    covered = (c for c in vectors.header.coverage if (c.stage, c.scope) == (stage, name))
    cells = np.sum([s.cells for s in sources], axis=0) if vectors.header.reference_cells else None
    return profile.model_copy(
        update={
            "scores": _scores(vectors, profile, there, trial_fraction),
            "coverage": next(covered, None),
            "empty_cells": int((cells == 0).sum()) if cells is not None else None,
            "curve": _curve(vectors, profile, there),
        }
    )


def _why_unmeasured(documents: int, unmeasured: int) -> str:
    total = documents + unmeasured
    if documents < LEAST_MEASURED * total:
        return f"{unmeasured:,} of {total:,} documents have no letters, or no language that the encoder can measure"
    return f"{documents:,} documents are too few; {LEAST_ROWS} are needed" if documents < LEAST_ROWS else ""


def _scores(
    vectors: VectorLedger, scope: VectorProfile, sources: list[SourceVectors], trial_fraction: float
) -> VectorScores:
    names = [source.source for source in sources]
    number = vectors.header.stages.index(scope.stage)
    cosine, features = (vectors.moments.spectrum(number, names, column) for column in (COSINE, FEATURES))
    rke = vendi_score(cosine, 2)
    mean_kernel = (1 / rke - 1 / scope.documents) / (1 - 1 / scope.documents)
    trial = max(2.0, trial_fraction * scope.documents)
    shown = next((t for t in vectors.header.trials if (t.stage, t.scope) == (scope.stage, scope.scope)), None)
    probed = _rke_of_probes(vectors, scope, sources)
    return VectorScores(
        rke=_counted(rke),
        rke_of_trial=1 / (1 / trial + (1 - 1 / trial) * max(0.0, mean_kernel)),
        rke_of_probes=probed[0] if probed else None,
        rows_of_half=probed[1] if probed else None,
        vendi_score=_counted(vendi_score(cosine, 1)),
        vendi_score_inf=vendi_score(cosine, np.inf),
        vendi_score_of_trial=shown.vendi_score if shown else None,
        rbf_vendi_score=vendi_score(features, 1),
        rbf_vendi_score_2=vendi_score(features, 2),
        rbf_vendi_score_inf=vendi_score(features, np.inf),
        rbf_vendi_score_of_trial=shown.rbf_vendi_score if shown else None,
    )


def _counted(value: float) -> Estimate:
    return Estimate(value=value, low=value, high=value)


def _rke_of_probes(
    vectors: VectorLedger, scope: VectorProfile, sources: list[SourceVectors]
) -> tuple[Estimate, int] | None:
    """RKE by the probes, and how many of them carry half of the mean kernel."""
    known = vectors.header.names
    sizes = {source.source: source.documents for source in sources}
    means = []
    for source in sources:
        probes = vectors.probes(scope.stage, source.source)
        if len(probes.kernel_means) < 2:
            return None
        others = np.array([sizes.get(name, 0) - (name == source.source) for name in known], np.float64)
        means.append(probes.kernel_means @ others / (scope.documents - 1))
    found = rke_from_strata(means, [source.documents for source in sources])
    return found.score, found.rows_of_half


def _curve(vectors: VectorLedger, scope: VectorProfile, sources: list[SourceVectors]) -> list[VectorCurvePoint]:
    ring = 2 if scope.scope == "all" else 1 if scope.kind and scope.scope == scope.kind.value else 0
    if len(sources) > 1 and scope.scope == "reference":
        return []  # probes look around in their source, their kind and everything
    tau = vectors.header.taus.index(GATE_TAU)
    strata = []
    for source in sources:
        probes = vectors.probes(scope.stage, source.source)
        if not len(probes.nearest):
            return []
        strata.append(
            CurveStratum(
                probes.pairs[:, ring, :, tau], probes.nearest[:, ring], source.documents / max(1, scope.documents)
            )
        )
    sizes = np.sum([source.sampled for source in sources], axis=0).tolist()
    return [
        VectorCurvePoint(
            documents=point.documents,
            observed=point.observed,
            isotropic=point.isotropic,
            nearest=point.nearest,
            alarm=point.alarm,
        )
        for point in nearest_neighbour_curve(strata, sizes)
    ]


def numbers_of(vector: VectorProfile) -> dict[Metric, Estimate]:
    """The numbers of a scope that an expectation may bound, as far as they are measured."""
    found: dict[Metric, Estimate] = {}
    if vector.scores is not None:
        found |= {Metric.RKE: vector.scores.rke, Metric.VENDI_SCORE: vector.scores.vendi_score}
    if vector.coverage is not None:
        found[Metric.COVERAGE] = vector.coverage.coverage.share
        found[Metric.RARE_CELL_RECALL] = vector.coverage.rare_cell_recall.share
    return found
