"""The ledger of a corpus, with the canary planted in it: everything that is measured at some stages, in one call."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from polyculture.compute.executor import Executor
from polyculture.corpus.corpus import Corpus
from polyculture.encoders.embeddings import Embeddings
from polyculture.measure.ledger.count import Survey, count_partitions, measure_stages
from polyculture.measure.ledger.ledger import Ledger
from polyculture.measure.lenses.lenses import Indexes
from polyculture.measure.probes.probes import StageCopies
from polyculture.measure.vectors.semantic_rows import SemanticMeasured, SemanticSettings, measure_embeddings
from schemas.config import CurationConfig
from schemas.ledger import LedgerHeader, Population

Measured = tuple[pa.Table, pa.Table, list[Population]]  # LEDGER rows, HEAVY rows, populations


@dataclass(frozen=True)
class Site:
    """Who measures, and where; none of it changes the result.

    Attributes:
        executor: runs the part of each partition.
        scratch: a file that workers map.
        after: called with the name of each step when it is done.
    """

    executor: Executor
    scratch: Path
    after: Callable[[str], object] = str


def survey_corpus(
    corpus: Corpus, indexes: Indexes, stages: Sequence[StageCopies], config: CurationConfig, site: Site
) -> Measured:
    """Measure a corpus through every lens that needs no embeddings.

    Args:
        corpus: n documents.
        indexes: of them.
        stages: how often each document occurs at each stage.
        config: probes and seed.
        site: who measures, and where.
    """
    survey = Survey(corpus, indexes, stages, config.measure.probes, config.seed)
    part = count_partitions(survey, site.scratch, site.executor)
    site.after("species")
    return measure_stages(survey, part, after=site.after)


def measure_semantic(
    corpus: Corpus,
    embeddings: Embeddings | None,
    stages: Sequence[StageCopies],
    config: CurationConfig,
    executor: Executor,
) -> SemanticMeasured | None:
    """Measure what embeddings tell; None if the configuration asks for none, or there is no document.

    Args:
        corpus: n documents.
        embeddings: of them.
        stages: how often each document occurs at each stage.
        config: probes, seed, trial and reference.
        executor: runs the part of each file of embeddings.
    """
    semantic = config.measure.semantic
    if embeddings is None or semantic is None or not len(corpus):
        return None
    settings = SemanticSettings(semantic.probes, config.seed, config.gate.trial_fraction, config.reference)
    return measure_embeddings(corpus, embeddings, stages, settings, executor)


def make_ledger(
    corpus: Corpus, measured: Measured, semantic: SemanticMeasured | None, config: CurationConfig
) -> Ledger:
    """Put a ledger together: what was counted, and what embeddings add to it."""
    rows, heavy, populations = measured
    if semantic is not None:
        rows, populations = pa.concat_tables([rows, *semantic.rows]), populations + semantic.populations
    header = LedgerHeader(
        seed=config.seed,
        threshold=config.dedupe.near.threshold,
        probes_per_source=config.measure.probes,
        sources=list(corpus.sources),
        kinds=list(corpus.kinds),
        populations=populations,
        encoder=semantic.encoder if semantic else None,
    )
    return Ledger(header, rows, heavy, semantic.vectors if semantic else None)
