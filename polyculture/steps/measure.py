"""Measure the full corpus at every stage, and write the ledger."""

from collections.abc import Sequence

import numpy as np

from polyculture.canary.plant import split_measured
from polyculture.corpus.attributes import Attributes
from polyculture.corpus.corpus import Corpus
from polyculture.job import Job
from polyculture.measure.ledger.corpus_ledger import Site, make_ledger, measure_semantic, survey_corpus
from polyculture.measure.ledger.examples import write_examples
from polyculture.measure.ledger.extend import extended
from polyculture.measure.ledger.ledger import read_ledger, write_ledger
from polyculture.measure.lenses.lens import LensSettings
from polyculture.measure.lenses.lenses import build_indexes
from polyculture.measure.lenses.material import CorpusMaterial
from polyculture.measure.lenses.near_join import MOST_CANDIDATES
from polyculture.measure.lexical.profile import LEXICAL_FILE
from polyculture.measure.lexical.rows import measure_lexical
from polyculture.measure.probes.probes import StageCopies
from polyculture.measure.repetition.draw import content_hashes, corpus_seed
from polyculture.measure.repetition.multiplicities import Looked
from polyculture.measure.repetition.repetition import Read, Subject, Workshop, measure_repetition
from polyculture.measure.repetition.repetition_file import write_repetition
from polyculture.measure.vectors.reading import is_readable
from polyculture.steps.attributes import open_attributes, open_embeddings, open_planted_attributes
from polyculture.steps.canary import open_planted, write_canary_ledger
from polyculture.steps.hold_out import open_distinct
from polyculture.steps.session import Session
from polyculture.storage.files import write_parquet
from polyculture.storage.hashing import signature_seed
from schemas.config import CurationConfig
from schemas.ledger import Population
from schemas.measures import Stage


def measure(session: Session, stages: Sequence[Stage], *, extend: bool = False) -> None:
    """Measure the corpus at some stages through every lens, and write `ledger/`.

    With `extend` the stages are added to those that are written already.
    """
    watch, job, workspace = session.timed(), session.job, session.workspace
    corpus, config, directory = workspace.open_corpus(), job.config, job.directory
    has_repetition = extend  # it is of a stage that was measured before
    if extend and config.measure.semantic is not None:  # moments are of all stages together, so all are counted again
        stages, extend = (Stage.INPUT, Stage.DISTINCT, *stages), False
    session.host.report("probes", 0, 1)
    weighed = [_weigh(job, corpus, stage) for stage in stages]
    planted = open_planted(workspace, corpus)
    site = Site(session.executor, workspace.folder / "sheet.arrow", Costs(session, corpus))
    material = open_material(session, planted.corpus, open_planted_attributes(job, planted.corpus))
    indexes = build_indexes(material, site.after)
    drawing = _drawing(corpus, config)
    counts = survey_corpus(planted.corpus, indexes, planted.stages(weighed), drawing, site)
    measured, of_canary = split_measured(counts)
    write_canary_ledger(job, of_canary, drawing.seed)
    embeddings = open_embeddings(job, open_attributes(job, corpus))
    semantic = measure_semantic(corpus, embeddings, weighed, drawing, session.executor)
    site.after("embeddings")
    ledger = make_ledger(corpus, measured, semantic, config)
    ledger = extended(read_ledger(directory.ledger), ledger) if extend else ledger
    write_ledger(ledger, directory.ledger)
    write_examples(ledger, corpus, directory.ledger)
    if not has_repetition:
        looked = Looked(indexes, np.flatnonzero(~planted.is_canary))
        unfit = set(ledger.header.encoder.unfit_languages) if ledger.header.encoder else set()
        read = Read(embeddings, is_readable(embeddings, unfit)) if embeddings is not None and semantic else None
        subject = Subject(corpus, _judged(job, corpus, weighed), looked, read)
        workshop = Workshop(session.executor, workspace.folder, site.after)
        write_repetition(measure_repetition(subject, config, workshop), directory.ledger)
    session.host.report("probes", 1, 1)
    for population in ledger.header.populations:
        _log_scaled(session, population)
    watch.log(f"{ledger.rows.num_rows:,} probe counts over {len(corpus):,} documents")


def measure_words(session: Session) -> None:
    """Measure the lexical variety of the input and of what is distinct, and write it into `ledger/`."""
    watch, job = session.timed(), session.job
    corpus = session.workspace.open_corpus()
    session.host.report("lexical blocks", 0, 1)
    words = open_attributes(job, corpus).values("lexical", "words").astype(np.int64)
    stages = [_weigh(job, corpus, stage) for stage in (Stage.INPUT, Stage.DISTINCT)]
    rows = measure_lexical(corpus, words, stages, _drawing(corpus, job.config).seed)
    write_parquet(job.directory.ledger / LEXICAL_FILE, rows)
    session.host.report("lexical blocks", 1, 1)
    watch.log(f"{rows.num_rows:,} lexical blocks")


def open_material(session: Session, corpus: Corpus, attributes: Attributes) -> CorpusMaterial:
    """A corpus as lenses look at it: its attributes, and the shingle sets that the session wrote of it."""
    config = session.job.config
    threshold, seed = config.dedupe.near.threshold, signature_seed(config.seed)
    settings = LensSettings(threshold, seed, session.executor.workers)
    return CorpusMaterial(corpus, attributes, session.workspace.open_shingles(), settings)


def _weigh(job: Job, corpus: Corpus, stage: Stage) -> StageCopies:
    """Occurrences of each document at a stage."""
    if stage is Stage.INPUT:
        return StageCopies(stage.value, np.ones(len(corpus), np.int64))
    if stage is Stage.DISTINCT:
        return StageCopies(stage.value, open_distinct(job, len(corpus)).astype(np.int64))
    return StageCopies(stage.value, job.workspace.open_copies())


def _drawing(corpus: Corpus, config: CurationConfig) -> CurationConfig:
    """The configuration with the seed that probes are drawn by: mixed with a digest of what all documents say.

    Whoever chooses the ids of records does not know the rest of the corpus, and so cannot choose the probes.
    """
    content = content_hashes(corpus.take(np.arange(len(corpus)), ["key"])["key"])
    return config.model_copy(update={"seed": corpus_seed(content, config.seed)})


def _judged(job: Job, corpus: Corpus, stages: Sequence[StageCopies]) -> StageCopies:
    """The stage that is judged document by document: the input of an audit, and what is distinct elsewhere.

    A source that the configuration keeps out of the mixture, such as a reference, repeats nothing in it.
    """
    judged = Stage.INPUT if job.command == "audit" else Stage.DISTINCT
    stage = next(stage for stage in stages if stage.name == judged.value)
    if judged is Stage.INPUT:
        return stage
    pairs = zip(corpus.sources, corpus.kinds, strict=True)
    is_left_out = np.array([job.config.mixture.leaves_out(name, kind) for name, kind in pairs])
    return StageCopies(stage.name, np.where(is_left_out[corpus.source], 0, stage.copies))


def _log_scaled(session: Session, population: Population) -> None:
    """Say how many probes had more candidates than are verified."""
    scaled = sum(population.crowded.scaled) if population.crowded else 0
    if scaled:
        session.host.log(
            f"{scaled:,} probes of the {population.lens.value} lens at stage {population.stage.value} have more "
            f"than {MOST_CANDIDATES:,} candidates; a part of them is verified and the counts are scaled"
        )


class Costs:
    """Logs what each part of the measurement costs, beside the whole corpus."""

    def __init__(self, session: Session, corpus: Corpus) -> None:
        """Start."""
        self._documents, self._megabytes = len(corpus), int(corpus.text_bytes.sum()) / 1e6
        self._watch, self._before, self._log = session.timed(), 0.0, session.host.log

    def __call__(self, what: str) -> None:
        """Say that a part is done."""
        now = self._watch.seconds
        seconds, self._before = now - self._before, now
        rate = max(seconds, 1e-3)
        speed = f"{self._megabytes / rate:,.0f} MB/s, {self._documents / rate:,.0f} documents/s"
        self._log(f"measured {what}: {seconds:.2f} s, {speed}")
