"""The semantic lenses' part of the ledger: probes against all embeddings, by brute force, at several tau at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from polyculture.compute.executor import Executor
from polyculture.corpus.corpus import Corpus
from polyculture.encoders.embeddings import Embeddings
from polyculture.encoders.encoder import EncodingStatus
from polyculture.encoders.self_check import Fitness, check_languages
from polyculture.measure.lenses.lens import EmbeddingLens
from polyculture.measure.lenses.lenses import LENSES
from polyculture.measure.probes.ledger_rows import choose, ledger_rows, population_of
from polyculture.measure.probes.probes import StageCopies
from polyculture.measure.vectors.curve import FRACTIONS, nested_samples
from polyculture.measure.vectors.measure_vectors import ProbeNeighbours, Vectors, measure_vectors
from polyculture.measure.vectors.neighbours import Block, Neighbours, Probes, Question, count_neighbours
from polyculture.measure.vectors.vector_ledger import VectorLedger
from schemas.documents import Kind
from schemas.ledger import EncoderUsed, Population, Weighting
from schemas.measures import Lens

CHECKED_DOCUMENTS = 2000  # of each source, for the check of languages
GATE_TAU = 0.9
SEMANTIC: dict[Lens, float] = {lens: d.tau for lens, d in LENSES.items() if isinstance(d, EmbeddingLens)}


@dataclass(frozen=True, slots=True)
class SemanticSettings:
    """Settings of the semantic measurement.

    Attributes:
        probes: per source, stage and weighting.
        seed: seed of the choice of probes, and of samples.
        trial_fraction: fraction of the gate's trial.
        reference: sources that are pooled as the reference.
        unfit: languages that are not measured, where sources are related on purpose, so that they cannot tell; found
            from the corpus if None.
    """

    probes: int
    seed: int
    trial_fraction: float
    reference: Sequence[str] = ()
    unfit: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class SemanticMeasured:
    """The semantic part of a ledger: LEDGER rows, populations, what made the embeddings, and evidence about them."""

    rows: list[pa.Table]
    populations: list[Population]
    encoder: EncoderUsed
    vectors: VectorLedger


def measure_embeddings(
    corpus: Corpus,
    embeddings: Embeddings,
    stages: Sequence[StageCopies],
    settings: SemanticSettings,
    executor: Executor,
) -> SemanticMeasured:
    """Count the neighbours of every source's probes among all embeddings, at each stage, and what else embeddings tell.

    A document without embedding, or of a language in which unrelated documents look alike, is not measured: it is in
    no population, and so is never taken for varied. A document that is a probe of several stages or weightings is
    compared with the corpus once.

    Args:
        corpus: n documents.
        embeddings: embeddings of the documents.
        stages: occurrences of each document at each stage.
        settings: probes, seed, trial and reference.
        executor: runs the part of each file of embeddings.

    Returns:
        The measurements. Time O(probes * documents * dimensions), about 35 GFLOP a second.
    """
    unfit = unfit_languages(corpus, embeddings) if settings.unfit is None else set(settings.unfit)
    applies = measured_documents(embeddings, unfit)
    weighed = [StageCopies(stage.name, np.where(applies, stage.copies, 0)) for stage in stages]
    chosen = [
        (i, w, rows)
        for i, stage in enumerate(weighed)
        for w, rows in choose(corpus, stage, settings.probes, settings.seed).items()
    ]
    every = np.unique(np.concatenate([rows for _, _, rows in chosen]))
    vectors = Vectors(corpus, embeddings, weighed, stages, settings.seed, executor)
    taus = sorted(SEMANTIC.values())
    found = _neighbours(vectors, every, taus)
    tables, populations = [], []
    for lens, tau in SEMANTIC.items():
        for number, weighting, rows in chosen:
            block = found.multiplicity[np.searchsorted(every, rows), :, taus.index(tau), number]
            tables.append(ledger_rows(corpus, (weighed[number].name, lens, weighting), rows, block))
        populations += [population_of(corpus, lens, stage, has_species=False) for stage in weighed]
    probed = [(number, rows) for number, weighting, rows in chosen if weighting is Weighting.DOCUMENTS]
    near = ProbeNeighbours(every, found, taus)
    return SemanticMeasured(
        tables,
        populations,
        _used(corpus, embeddings, applies, settings.probes, unfit),
        measure_vectors(vectors, probed, near, settings.trial_fraction, settings.reference),
    )


def measured_documents(embeddings: Embeddings, unfit: Iterable[str]) -> NDArray[np.bool_]:
    """(n,) whose embeddings say something: they have one, and their language is none of those that are not measured."""
    is_unfit = np.isin(np.array(embeddings.languages), sorted(unfit))
    found: NDArray[np.bool_] = (embeddings.reading == EncodingStatus.MEASURED) & ~is_unfit
    return found


def _neighbours(vectors: Vectors, documents: NDArray[np.int64], taus: Sequence[float]) -> Neighbours:
    """The neighbours of some documents."""
    corpus, copies = vectors.corpus, vectors.copies
    kinds = [list(Kind).index(kind) for kind in corpus.kinds]
    sample = nested_samples(corpus.id_hash, vectors.seed)
    blocks = (Block(rows, corpus.source[at], copies[at], at, sample[at]) for at, rows in vectors.embeddings.blocks())
    probes = Probes(vectors.embeddings.take(documents), documents, corpus.source[documents])
    return count_neighbours(probes, blocks, Question(taus, kinds, len(FRACTIONS)))


def _used(
    corpus: Corpus, embeddings: Embeddings, applies: NDArray[np.bool_], probes: int, unfit: set[str]
) -> EncoderUsed:
    encoder = embeddings.encoder
    return EncoderUsed(
        name=encoder.name,
        revision=encoder.revision,
        background=encoder.background,
        dimensions=encoder.dimensions,
        taus=sorted(SEMANTIC.values()),
        probes_per_source=probes,
        unmeasured=np.bincount(corpus.source[~applies], minlength=len(corpus.sources)).tolist(),
        unfit_languages=sorted(unfit),
    )


def unfit_languages(corpus: Corpus, embeddings: Embeddings, apart: Sequence[str] = ()) -> set[str]:
    """Codes of languages whose unrelated documents look alike, judged on the first documents of each source by hash.

    Sources named in `apart`, which are related to others on purpose, are not looked at.
    """
    order = np.lexsort((corpus.id_hash, corpus.source))
    order = order[~np.isin(corpus.source[order], [corpus.sources.index(name) for name in apart])]
    source = corpus.source[order]
    place = np.arange(len(order)) - np.searchsorted(source, source)
    rows = order[place < CHECKED_DOCUMENTS]
    rows = rows[np.argsort(corpus.id_hash[rows], kind="stable")]
    languages = np.array(embeddings.languages)[rows].tolist()
    checks = check_languages(embeddings.take(rows), languages, corpus.source[rows], GATE_TAU)
    return {check.language for check in checks if check.fitness is Fitness.UNFIT}
