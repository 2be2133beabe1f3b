"""Compare mixtures of one joint corpus: the parent as it was, what was read of it, and ways to go on."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from polyculture.compute.executor import Executor
from polyculture.corpus.corpus import Corpus
from polyculture.encoders.embeddings import Embeddings
from polyculture.measure.ledger.count import Survey, count_part, measure_stages
from polyculture.measure.ledger.ledger import Ledger
from polyculture.measure.ledger.profile import build_profile
from polyculture.measure.lenses.lenses import Indexes
from polyculture.measure.probes.multiplicity import count_groups
from polyculture.measure.probes.probes import StageCopies, choose_probes
from polyculture.measure.vectors.coverage import LEAST_POINTS, Covered, Points, reference_coverage
from polyculture.measure.vectors.rke import exact_rke
from polyculture.measure.vectors.semantic_rows import SemanticSettings, measure_embeddings
from polyculture.measure.vectors.vendi import spectrum, vendi_score
from polyculture.statistics.intervals import share_interval
from polyculture.top_up.mixture_state import MOST_POINTS, first_points, moment_of, points_of
from schemas.config import CurationConfig
from schemas.ledger import LedgerHeader
from schemas.measures import Lens, Stage
from schemas.profile import Profile
from schemas.top_up import (
    COMPARED_LENSES,
    CoveredShare,
    LensNumbers,
    MixtureMeasured,
    MixtureName,
    ReferenceCovered,
    RestForecast,
)

Copies = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Joint:
    """The parent's rows and the candidates that some way on adds, as one corpus of n documents.

    Attributes:
        corpus: corpus of both; a document that the parent repeats is there as often.
        indexes: indexes that lenses count in.
        embeddings: embeddings of the documents.
        reference: points of the reference; empty without one.
        unfit: languages that are not measured, the same for every mixture.
        config: of the candidates: probes, seed, threshold.
        executor: runs the part of each partition.
    """

    corpus: Corpus
    indexes: Indexes
    embeddings: Embeddings
    reference: Points
    unfit: frozenset[str]
    config: CurationConfig
    executor: Executor


def compare_mixtures(joint: Joint, mixtures: Mapping[MixtureName, Copies]) -> list[MixtureMeasured]:
    """Measure mixtures of one corpus with the same probes, lenses and reference points.

    Args:
        joint: n documents.
        mixtures: (n,) occurrences of each document in each mixture.

    Returns:
        One account a mixture. Time as of a ledger for each (`measure_stages`, `measure_embeddings`).
    """
    covered = _covered(joint, mixtures)
    return [_measured(joint, name, copies, covered.get(name)) for name, copies in mixtures.items()]


def forecast_rest(joint: Joint, consumed: Copies, remaining: Copies) -> RestForecast:
    """Forecast what remains if nothing is done: how much of it was consumed already, exactly or nearly.

    Args:
        joint: n documents.
        consumed: (n,) occurrences of each that were read.
        remaining: (n,) occurrences that were not.
    """
    corpus, rest = joint.corpus, StageCopies(Stage.MIXTURE.value, remaining)
    documents, tokens = int(remaining.sum()), int((remaining * corpus.tokens).sum())
    if not documents:
        return RestForecast(documents=0, tokens=0, repeated_fraction=None, near_twin_fraction=None)
    group = joint.indexes.groups
    is_read = np.bincount(group, consumed, int(group.max()) + 1) > 0
    probes = choose_probes(
        rest, np.zeros_like(corpus.source), corpus.id_hash, joint.config.measure.probes, joint.config.seed
    )
    counts = count_groups(group, corpus.source, consumed[:, None], len(corpus.sources))
    found = joint.indexes.neighbours(Lens.NEAR).join(group[probes], counts).multiplicity[:, :, 0].sum(axis=1)
    return RestForecast(
        documents=documents,
        tokens=tokens,
        repeated_fraction=float(remaining[is_read[group]].sum()) / documents,
        near_twin_fraction=share_interval(int((found > 0).sum()), len(probes), documents).estimate(),
    )


def _measured(joint: Joint, name: MixtureName, copies: Copies, covered: ReferenceCovered | None) -> MixtureMeasured:
    profile = _profile(joint, copies)
    scopes = {lens: profile.scope(Stage.MIXTURE, lens, "all") for lens in COMPARED_LENSES}
    moment = moment_of(joint.embeddings, copies)
    return MixtureMeasured(
        name=name,
        documents=int(copies.sum()),
        tokens=int((copies * joint.corpus.tokens).sum()),
        measured_documents=moment.documents,
        lenses=[
            LensNumbers(lens=lens, distinct_fraction=scope.distinct_fraction, hill_1=scope.hill_1)
            for lens, scope in scopes.items()
            if scope is not None
        ],
        vendi_score=vendi_score(spectrum(moment.density())) if moment.documents else None,
        rke=exact_rke(moment) if moment.documents else None,
        reference=covered,
    )


def _profile(joint: Joint, copies: Copies) -> Profile:
    """The numbers of one mixture, from a ledger of its own."""
    corpus, config, stages = joint.corpus, joint.config, [StageCopies(Stage.MIXTURE.value, copies)]
    survey = Survey(corpus, joint.indexes, stages, config.measure.probes, config.seed)
    rows, heavy, populations = measure_stages(survey, count_part(survey.sheet))
    if config.measure.semantic is not None:
        number, trial = config.measure.semantic.probes, config.gate.trial_fraction
        settings = SemanticSettings(number, config.seed, trial, unfit=joint.unfit)
        found = measure_embeddings(corpus, joint.embeddings, stages, settings, joint.executor)
        rows, populations = pa.concat_tables([rows, *found.rows]), populations + found.populations
    header = LedgerHeader(
        seed=config.seed,
        threshold=config.dedupe.near.threshold,
        probes_per_source=config.measure.probes,
        sources=list(corpus.sources),
        kinds=list(corpus.kinds),
        populations=populations,
    )
    return build_profile(Ledger(header, rows, heavy), config.gate.trial_fraction)


def _covered(joint: Joint, mixtures: Mapping[MixtureName, Copies]) -> dict[MixtureName, ReferenceCovered]:
    """Every mixture against the reference, at one number of points: shares grow with it."""
    reference = joint.reference
    foreign: dict[MixtureName, Points] = {}
    for name, copies in mixtures.items():
        points = points_of(joint.corpus, joint.embeddings, np.flatnonzero(copies))
        others = ~np.isin(points.id_hash, reference.id_hash)
        foreign[name] = Points(points.vectors[others], points.id_hash[others])
    # what little was consumed shall not make the others be compared at few points
    held = [len(points.id_hash) for name, points in foreign.items() if name != "consumed"]
    most = min([len(reference.id_hash) // 2, MOST_POINTS // 2, *held])
    if most < LEAST_POINTS:
        return {}
    half = first_points(reference, 2 * most)
    found = {
        name: reference_coverage(half, first_points(points, most))
        for name, points in foreign.items()
        if len(points.id_hash) >= most
    }
    return {
        name: ReferenceCovered(
            points=c.points, coverage=_share(c.coverage), rare_cell_recall=_share(c.rare_cell_recall)
        )
        for name, c in found.items()
    }


def _share(covered: Covered) -> CoveredShare:
    return CoveredShare(share=covered.share, ceiling=covered.ceiling, relative=covered.relative)
