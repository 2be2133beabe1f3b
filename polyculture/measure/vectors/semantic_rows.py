"""The semantic lenses' part of the ledger: probes against all embeddings, by brute force, at several tau at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from polyculture.compute.executor import Executor
from polyculture.corpus.corpus import Corpus
from polyculture.encoders.embeddings import Embeddings
from polyculture.measure.lenses.lens import EmbeddingLens
from polyculture.measure.lenses.lenses import LENSES
from polyculture.measure.probes.ledger_rows import choose, ledger_rows, population_of
from polyculture.measure.probes.probes import StageCopies
from polyculture.measure.vectors.curve import FRACTIONS, nested_samples
from polyculture.measure.vectors.measure_vectors import ProbeNeighbours, Vectors, measure_vectors
from polyculture.measure.vectors.neighbours import Block, Neighbours, Probes, Question, count_neighbours
from polyculture.measure.vectors.reading import is_readable, tokens_read, unfit_languages, weighed_by, why_unread
from polyculture.measure.vectors.vector_ledger import VectorLedger
from schemas.documents import Kind
from schemas.ledger import EncoderUsed, Population, Weighting
from schemas.measures import Lens

SEMANTIC: dict[Lens, float] = {lens: d.tau for lens, d in LENSES.items() if isinstance(d, EmbeddingLens)}


@dataclass(frozen=True, slots=True)
class SemanticSettings:
    """Settings of the semantic measurement.

    Attributes:
        probes: per source, stage and weighting.
        seed: seed of the choice of probes, and of samples.
        trial_fraction: fraction of the gate's trial.
        reference: sources that are pooled as the reference.
        unfit: languages that are not measured; found from background and reference if None.
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
    no population, and so is never taken for varied. One that was read in part weighs the tokens that were read. A
    document that is a probe of several stages or weightings is compared with the corpus once.

    Args:
        corpus: n documents.
        embeddings: embeddings of the documents.
        stages: occurrences of each document at each stage.
        settings: probes, seed, trial and reference.
        executor: runs the part of each file of embeddings.

    Returns:
        The measurements. Time O(probes * documents * dimensions), about 35 GFLOP a second.
    """
    found_unfit = unfit_languages(corpus, embeddings, settings.reference) if settings.unfit is None else settings.unfit
    unfit = set(found_unfit)
    applies = is_readable(embeddings, unfit)
    weighing = weighed_by(corpus, np.where(applies, tokens_read(corpus, embeddings, applies), corpus.tokens))
    weighed = [StageCopies(stage.name, np.where(applies, stage.copies, 0)) for stage in stages]
    chosen = [
        (i, w, rows)
        for i, stage in enumerate(weighed)
        for w, rows in choose(weighing, stage, settings.probes, settings.seed).items()
    ]
    every = np.unique(np.concatenate([rows for _, _, rows in chosen]))
    vectors = Vectors(corpus, embeddings, weighed, stages, settings.seed, executor)
    taus = sorted(SEMANTIC.values())
    found = _neighbours(vectors, every, taus)
    tables, populations = [], []
    for lens, tau in SEMANTIC.items():
        for number, weighting, rows in chosen:
            block = found.multiplicity[np.searchsorted(every, rows), :, taus.index(tau), number]
            tables.append(ledger_rows(weighing, (weighed[number].name, lens, weighting), rows, block))
        populations += [population_of(weighing, lens, stage, has_species=False) for stage in weighed]
    probed = [(number, rows) for number, weighting, rows in chosen if weighting is Weighting.DOCUMENTS]
    near = ProbeNeighbours(every, found, taus)
    return SemanticMeasured(
        tables,
        populations,
        _used(corpus, embeddings, applies, settings.probes, unfit),
        measure_vectors(vectors, probed, near, settings.trial_fraction, settings.reference),
    )


def _neighbours(vectors: Vectors, documents: NDArray[np.int64], taus: Sequence[float]) -> Neighbours:
    """The neighbours of some documents."""
    corpus, copies = vectors.corpus, vectors.copies
    kinds = [list(Kind).index(kind) for kind in corpus.kinds]
    sample = nested_samples(corpus.id_hash, vectors.seed)
    blocks = (Block(rows, corpus.source[at], copies[at], at, sample[at]) for at, rows in vectors.embeddings.blocks())
    probes = Probes(vectors.embeddings.take(documents), documents, corpus.source[documents])
    return count_neighbours(probes, blocks, Question(taus, kinds, len(FRACTIONS)))


def _used(
    corpus: Corpus, embeddings: Embeddings, readable: NDArray[np.bool_], probes: int, unfit: set[str]
) -> EncoderUsed:
    encoder, sources = embeddings.encoder, len(corpus.sources)
    read = tokens_read(corpus, embeddings, readable)
    lost = corpus.tokens - read

    def count(which: NDArray[np.bool_] | NDArray[np.int64]) -> list[int]:
        return [int(number) for number in np.bincount(corpus.source, which, sources)]

    whole = np.bincount(corpus.source, corpus.tokens, sources)
    return EncoderUsed(
        name=encoder.name,
        revision=encoder.revision,
        background=encoder.background,
        dimensions=encoder.dimensions,
        taus=sorted(SEMANTIC.values()),
        probes_per_source=probes,
        unmeasured=count(~readable),
        unfit_languages=sorted(unfit),
        reasons=why_unread(embeddings, unfit, corpus.source, sources, None),
        unread_tokens=count(lost),
        unread_reasons=why_unread(embeddings, unfit, corpus.source, sources, lost),
        read_share=np.divide(
            np.bincount(corpus.source, read, sources), whole, out=np.ones(sources), where=whole > 0
        ).tolist(),
        languages_disagree=count(embeddings.disagrees),
    )
