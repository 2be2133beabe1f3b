"""The semantic lenses' part of the ledger: probes against all embeddings, by brute force, at several tau at once."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from polyculture.corpus import Corpus
from polyculture.diversity.ledger import choose, ledger_rows, population_of
from polyculture.diversity.lenses import LENSES, EmbeddingLens
from polyculture.diversity.probes import Stage
from polyculture.semantic.embeddings import Embeddings
from polyculture.semantic.encoder import Reading
from polyculture.semantic.neighbours import NOT_RANKED, OUTSIDE, Block, Question, count_neighbours
from polyculture.semantic.self_check import Fitness, check_languages
from schemas.ledger import EncoderUsed, Population
from schemas.measures import Lens

CHECKED_DOCUMENTS = 2000  # of each source, for the check of languages
GATE_TAU = 0.9
SEMANTIC: dict[Lens, float] = {lens: d.tau for lens, d in LENSES.items() if isinstance(d, EmbeddingLens)}


def measure_embeddings(
    corpus: Corpus,
    embeddings: Embeddings,
    stages: Sequence[Stage],
    probes: int,
    seed: int,
    unfit: set[str] | None = None,
) -> tuple[list[pa.Table], list[Population], EncoderUsed]:
    """Count the neighbours of every source's probes among all embeddings, at each stage.

    A document without embedding, or of a language in which unrelated documents look alike, is not measured: it is in
    no population, and so is never taken for varied.

    Args:
        corpus: n documents.
        embeddings: of them.
        stages: how often each document occurs at each stage.
        probes: per source, stage and weighting.
        seed: of the choice of probes.
        unfit: languages that are not measured, where the sources are related by design, so that they cannot tell; found
            from the corpus if None.

    Returns:
        LEDGER rows, the population of each stage and lens, and what the embeddings were made with. Time
        O(probes * documents * dimensions), about 35 GFLOP a second.
    """
    unfit = unfit_languages(corpus, embeddings) if unfit is None else unfit
    applies = (embeddings.reading == Reading.MEASURED) & ~np.isin(np.array(embeddings.languages), sorted(unfit))
    weighed = [Stage(stage.name, np.where(applies, stage.copies, 0)) for stage in stages]
    chosen = [
        (i, w, rows) for i, stage in enumerate(weighed) for w, rows in choose(corpus, stage, probes, seed).items()
    ]
    every = np.unique(np.concatenate([rows for _, _, rows in chosen]))
    copies = np.stack([stage.copies for stage in weighed], axis=1)
    taus = sorted(SEMANTIC.values())
    question = Question(taus, len(corpus.sources), [2])  # no curve
    unranked = np.full(len(every), OUTSIDE, np.int64)
    blocks = _blocks(corpus, embeddings, copies)
    found = count_neighbours(embeddings.take(every), unranked, blocks, question).multiplicity
    tables, populations = [], []
    for lens, tau in SEMANTIC.items():
        for number, weighting, rows in chosen:
            block = found[np.searchsorted(every, rows), :, taus.index(tau), number]
            tables.append(ledger_rows(corpus, (weighed[number].name, lens, weighting), rows, block))
        populations += [population_of(corpus, lens, stage, has_species=False) for stage in weighed]
    return tables, populations, _used(corpus, embeddings, applies, probes, unfit)


def _used(
    corpus: Corpus, embeddings: Embeddings, applies: NDArray[np.bool_], probes: int, unfit: set[str]
) -> EncoderUsed:
    encoder = embeddings.encoder
    return EncoderUsed(
        name=encoder.name,
        revision=encoder.revision,
        background=encoder.background,
        dimensions=encoder.dimensions,
        probes_per_source=probes,
        unmeasured=np.bincount(corpus.source[~applies], minlength=len(corpus.sources)).tolist(),
        unfit_languages=sorted(unfit),
    )


def unfit_languages(corpus: Corpus, embeddings: Embeddings) -> set[str]:
    """Codes of languages whose unrelated documents look alike, judged on the first documents of each source by hash."""
    order = np.lexsort((corpus.id_hash, corpus.source))
    source = corpus.source[order]
    place = np.arange(len(order)) - np.searchsorted(source, source)
    rows = order[place < CHECKED_DOCUMENTS]
    rows = rows[np.argsort(corpus.id_hash[rows], kind="stable")]
    languages = np.array(embeddings.languages)[rows].tolist()
    checks = check_languages(embeddings.take(rows), languages, corpus.source[rows], GATE_TAU)
    return {check.language for check in checks if check.fitness is Fitness.UNFIT}


def _blocks(corpus: Corpus, embeddings: Embeddings, copies: NDArray[np.int64]) -> Iterator[Block]:
    for documents, vectors in embeddings.blocks():
        unranked = np.full(len(documents), NOT_RANKED, np.int64)
        yield Block(vectors, corpus.source[documents], copies[documents], unranked)
