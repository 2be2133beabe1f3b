"""Measure repetition: a sample of documents in proportion to tokens, through every lens at once, over all sources."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from polyculture.compute.executor import Executor
from polyculture.corpus.corpus import Corpus
from polyculture.encoders.embeddings import Embeddings
from polyculture.measure.probes.probes import StageCopies
from polyculture.measure.repetition.draw import draw
from polyculture.measure.repetition.multiplicities import Looked, count_species_of, counted_lenses, triple
from polyculture.measure.repetition.passages import (
    PassageCounts,
    Run,
    SharedWords,
    Sought,
    count_passages,
    first_of_text,
    share_words,
)
from polyculture.measure.repetition.repetition_file import Repetition
from polyculture.measure.repetition.twins import verify_twins, word_weights
from polyculture.measure.vectors.alike import Named, find_alike
from polyculture.measure.vectors.reading import GATE_TAU
from polyculture.text.words import words
from schemas.config import CurationConfig
from schemas.repetition import FRAMED_BY, LEAST_TOKENS, PASSAGES_SCHEMA, REPETITION_SCHEMA, SHARED_BY

MOST_VERIFIED = 64  # documents that are like a probe and whose words are looked at
USUAL_PROBES = 500  # of a source
LEAST_DRAWS = 3_000  # of all sources together
PASSAGE_CHARACTERS = 300

Numbers = NDArray[np.int64]
Columns = dict[str, NDArray[np.int64] | pa.Array]


@dataclass(frozen=True)
class Read:
    """Documents by meaning.

    Attributes:
        embeddings: of n documents.
        is_measured: (n,) whose embedding says something.
    """

    embeddings: Embeddings
    is_measured: NDArray[np.bool_]


@dataclass(frozen=True)
class Subject:
    """A corpus, in every way that it is looked at.

    Attributes:
        corpus: n documents.
        stage: occurrences; every document that occurs is counted once.
        looked: the documents through the lenses that need no embeddings.
        read: the documents by meaning; None if embeddings are not measured.
    """

    corpus: Corpus
    stage: StageCopies
    looked: Looked
    read: Read | None

    @property
    def present(self) -> NDArray[np.bool_]:
        """(n,) which documents are counted."""
        return self.stage.copies > 0


@dataclass(frozen=True)
class Workshop:
    """Who measures, and where; none of it changes the result.

    Attributes:
        executor: runs the part of each file.
        scratch: folder for files that workers map.
        after: called with the name of each step when it is done.
    """

    executor: Executor
    scratch: Path
    after: Callable[[str], object] = str


def draws_of(config: CurationConfig) -> int:
    """Documents that are drawn from each source: as many as the semantic lens has probes, and of few sources more.

    The verdict rests on all of them together, and 3,000 tell a share of 3 % from one of 5 %. Who asks for fewer probes
    than is usual gets as many draws.
    """
    semantic, every = config.measure.semantic, math.ceil(LEAST_DRAWS / len(config.sources))
    asked = min(USUAL_PROBES, config.measure.probes) if semantic is None else semantic.probes
    return asked if asked < USUAL_PROBES else max(asked, every)


def source_preference(config: CurationConfig, sources: tuple[str, ...]) -> Numbers:
    """(sources,) place of each source in the survivors' order: by kind, then earlier in the configuration."""
    listed = {source.name: number for number, source in enumerate(config.sources)}
    kinds = {source.name: config.dedupe.survivors.index(source.kind) for source in config.sources}
    order = sorted(sources, key=lambda name: (kinds[name], listed[name]))
    return np.array([order.index(name) for name in sources], np.int64)


def measure_repetition(subject: Subject, config: CurationConfig, workshop: Workshop) -> Repetition:
    """Draw documents of every source, and count how often what they say stands elsewhere.

    Args:
        subject: the corpus at a stage.
        config: number of draws, seed and survivors' order.
        workshop: who measures.

    Returns:
        The evidence, the same for any partitions, workers and order of the documents. It costs a pass over all texts,
        and one over all embeddings.
    """
    corpus, present = subject.corpus, subject.present
    preference = source_preference(config, corpus.sources)
    drawn, hashes = draw(corpus, subject.stage, preference, draws_of(config), config.seed)
    documents, place = np.unique(drawn, return_inverse=True)
    columns: Columns = {}
    sourced = present, corpus.source, len(corpus.sources)
    for lens in counted_lenses():
        by_source = count_species_of(subject.looked, lens, documents, sourced)
        columns |= _columns(lens.value, triple(by_source, corpus.source[documents], preference))
        workshop.after(f"repetition in {lens.value}")
    counts, shared = _passages(subject, (documents, hashes), preference, workshop)
    texts = int(first_of_text(corpus, np.flatnonzero(present)).sum())
    weights = word_weights(counts.words, texts)
    columns |= _twins(subject, (documents, hashes), (weights, preference), workshop)
    columns |= _by_level("shared", SHARED_BY, shared.shared, shared.shared_before)
    columns |= _by_level("framed", FRAMED_BY, shared.framed, shared.framed_before)
    held = np.bincount(corpus.source[present & (corpus.tokens >= LEAST_TOKENS)], minlength=len(corpus.sources))
    columns |= {"tokens": corpus.tokens[documents], "source_documents": held[corpus.source[documents]]}
    columns |= {"words": shared.words, "frame_words": shared.looked_at}
    return Repetition(_rows(subject, documents, columns, place), _listed(subject, counts, shared.runs))


def _columns(lens: str, counts: tuple[Numbers, Numbers, Numbers]) -> Columns:
    return {f"{lens}{of}": column for of, column in zip(("", "_own", "_before"), counts, strict=True)}


def _by_level(name: str, levels: Sequence[int], every: NDArray[np.int64], before: NDArray[np.int64]) -> Columns:
    """Words in what so many documents have: a column a number, of all documents and of those before."""
    found: Columns = {}
    for number, least in enumerate(levels):
        found |= {f"{name}_{least}": every[:, number], f"{name}_{least}_before": before[:, number]}
    return found


def _passages(
    subject: Subject, drawn: tuple[Numbers, NDArray[np.uint64]], preference: Numbers, workshop: Workshop
) -> tuple[PassageCounts, SharedWords]:
    """Count the passages and frames of the drawn documents: their numbers, and (n,) the hashes of all."""
    corpus = subject.corpus
    sought = Sought.of(corpus, *drawn)
    workshop.after("passages of drawn documents")
    counts = count_passages(corpus, np.flatnonzero(subject.present), sought, (workshop.scratch, workshop.executor))
    workshop.after("passages of all documents")
    shared = share_words(corpus, sought, counts, preference)
    workshop.after("shared words")
    return counts, shared


def _twins(
    subject: Subject, drawn: tuple[Numbers, NDArray[np.uint64]], given: tuple[Numbers, Numbers], workshop: Workshop
) -> Columns:
    """Columns about embeddings; null where a document's is not measured.

    Args:
        subject: n documents.
        drawn: (p,) numbers of the drawn documents, and (n,) hashes of all.
        given: weights of words, and the survivors' order of the sources.
        workshop: who measures.
    """
    (documents, hashes), (weights, preference) = drawn, given
    names = [f"{lens}{of}" for lens in ("alike", "twins") for of in ("", "_own", "_before")]
    names += ["twin_candidates", "twin_verified_of"]
    if subject.read is None:
        return dict.fromkeys(names, pa.nulls(len(documents), pa.int64()))
    corpus, is_there = subject.corpus, subject.read.is_measured & subject.present
    is_read = is_there[documents]
    probes = documents[is_read]
    blocks = _named(subject.read.embeddings, is_there, corpus.source, hashes)
    ours = Named(subject.read.embeddings.take(probes), probes, corpus.source[probes], hashes[probes])
    alike = find_alike(ours, blocks, GATE_TAU, len(corpus.sources), MOST_VERIFIED)
    workshop.after("documents alike")
    is_twin = verify_twins(corpus, probes, alike.named, weights, (workshop.scratch, workshop.executor))
    workshop.after("twins")
    own, candidates = corpus.source[probes], alike.documents.sum(axis=1)
    itself = (own[:, None] == np.arange(len(corpus.sources))).astype(np.int64)
    looked_at = (alike.named >= 0).sum(axis=1)
    verified = np.zeros_like(alike.documents)
    np.add.at(verified, (np.nonzero(is_twin)[0], corpus.source[alike.named[is_twin]]), 1)
    found = _columns("alike", triple(alike.documents + itself, own, preference))
    found |= _columns("twins", scaled(triple(verified, own, preference), candidates, looked_at))
    found |= {"twin_candidates": candidates, "twin_verified_of": looked_at}
    return {name: _nullable(np.asarray(found[name]), is_read) for name in names}


def _named(
    embeddings: Embeddings, is_there: NDArray[np.bool_], source: Numbers, hashes: NDArray[np.uint64]
) -> Iterator[Named]:
    """The documents that are measured, block by block."""
    for at, vectors in embeddings.blocks():
        kept = is_there[at]
        rows = at[kept]
        yield Named(vectors[kept], rows, source[rows], hashes[rows])


def scaled(
    verified: tuple[Numbers, Numbers, Numbers], candidates: Numbers, looked_at: Numbers
) -> tuple[Numbers, Numbers, Numbers]:
    """Twins among all candidates, from those among the candidates that were looked at; the document itself is counted.

    Args:
        verified: (p,) of all sources, of the document's own, and of those preferred to it.
        candidates: (p,) other documents that are alike.
        looked_at: (p,) how many of these were looked at.
    """
    least = np.maximum(looked_at, 1)
    every, own, before = ((2 * part * candidates + least) // (2 * least) for part in verified)
    return every + 1, np.minimum(own, every) + 1, np.minimum(before, every - np.minimum(own, every))


def _nullable(values: Numbers, is_read: NDArray[np.bool_]) -> pa.Array:
    """(p,) values of the documents that are read, null for the others."""
    whole = np.zeros(len(is_read), np.int64)
    whole[is_read] = values
    return pa.array(whole, pa.int64(), mask=~is_read)


def _rows(subject: Subject, documents: Numbers, columns: Columns, place: Numbers) -> pa.Table:
    """One row for each draw."""
    corpus = subject.corpus
    known: dict[str, object] = {
        **columns,
        "stage": [subject.stage.name] * len(documents),
        "source": [corpus.sources[number] for number in corpus.source[documents]],
        "document_id": corpus.document_ids(documents),
    }
    arrays = [pa.array(known[field.name], field.type) for field in REPETITION_SCHEMA]
    return pa.Table.from_arrays(arrays, schema=REPETITION_SCHEMA).take(pa.array(place))


def _listed(subject: Subject, counts: PassageCounts, runs: list[Run]) -> pa.Table:
    """The widespread passages, with what they say and who says it."""
    corpus, rows = subject.corpus, []
    for run in runs:
        by_source = {corpus.sources[source]: found for source, found in counts.by_source(run.gram).items()}
        ordered = sorted(by_source, key=lambda name: (-by_source[name], name))
        at = np.array([run.document])
        rows.append(
            {
                "stage": subject.stage.name,
                "documents": run.documents,
                "sources": ordered,
                "source_documents": [by_source[name] for name in ordered],
                "example": corpus.document_ids(at)[0],
                "text": passage_text(corpus.canonical(at)[0].as_py(), run.first, run.words),
            }
        )
    return pa.Table.from_pylist(rows, PASSAGES_SCHEMA)


def passage_text(canonical: str, first: int, count: int) -> str:
    """Some words of a canonical text with what stands between them, cut at 300 characters."""
    found, end, start = words(canonical), 0, 0
    for number, word in enumerate(found[: first + count]):
        begin = canonical.index(word, end)
        start, end = begin if number == first else start, begin + len(word)
    return canonical[start:end][:PASSAGE_CHARACTERS]
