"""The part of a corpus that the semantic lens read: which documents, how much of them, and why not the rest."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from polyculture.corpus.corpus import Corpus
from polyculture.encoders.embeddings import Embeddings
from polyculture.encoders.encoder import NO_BACKGROUND, EncodingStatus
from polyculture.encoders.self_check import Fitness, check_languages, fitness_at
from schemas.ledger import Unread

CHECKED_DOCUMENTS = 2000  # of each source of the reference, for the check of languages
GATE_TAU = 0.9
_WHY = {
    EncodingStatus.EMPTY: Unread.NO_LETTERS,
    EncodingStatus.UNKNOWN: Unread.UNKNOWN_LANGUAGE,
    EncodingStatus.DISAGREE: Unread.DISAGREE,
    EncodingStatus.NOT_COVERED: Unread.NOT_COVERED,
}


def unfit_languages(corpus: Corpus, embeddings: Embeddings, reference: Sequence[str] = ()) -> set[str]:
    """Keys of languages that cannot be measured: unrelated documents look alike, or nothing shows that they do not.

    What the encoder's background says of a language decides; where it says nothing, documents of the reference. Never
    do sources that are judged: related ones would make their own language unfit. An encoder without a background is
    believed to cover what it was said to cover, unless the reference shows otherwise.
    """
    measured = embeddings.reading == EncodingStatus.MEASURED
    present = {key for key, is_read in zip(embeddings.languages, measured.tolist(), strict=True) if is_read}
    likeness = embeddings.encoder.likeness
    fitness = {key: fitness_at(likeness.get(key), GATE_TAU) for key in sorted(present)}
    if Fitness.UNCHECKED in fitness.values():
        of_reference = _checked_by(corpus, embeddings, reference)
        fitness = {
            key: of_reference.get(key, found) if key not in likeness else found for key, found in fitness.items()
        }
    known = {Fitness.FIT, Fitness.UNCHECKED} if embeddings.encoder.background == NO_BACKGROUND else {Fitness.FIT}
    return {key for key, found in fitness.items() if found not in known}


def _checked_by(corpus: Corpus, embeddings: Embeddings, reference: Sequence[str]) -> dict[str, Fitness]:
    """Fitness of languages by the first documents of each source of the reference, in the order of their hash."""
    numbers = [number for number, name in enumerate(corpus.sources) if name in reference]
    order = np.lexsort((corpus.id_hash, corpus.source))
    order = order[np.isin(corpus.source[order], numbers)]
    if not len(order):
        return {}
    source = corpus.source[order]
    place = np.arange(len(order)) - np.searchsorted(source, source)
    rows = order[place < CHECKED_DOCUMENTS]
    rows = rows[np.argsort(corpus.id_hash[rows], kind="stable")]
    languages = [embeddings.languages[row] for row in rows.tolist()]
    checks = check_languages(embeddings.take(rows), languages, corpus.source[rows], GATE_TAU)
    return {check.language: check.fitness for check in checks}


def is_readable(embeddings: Embeddings, unfit: set[str]) -> NDArray[np.bool_]:
    """(n,) whether a document has an embedding that says something."""
    readable: NDArray[np.bool_] = (embeddings.reading == EncodingStatus.MEASURED) & ~np.isin(
        np.array(embeddings.languages, np.str_), sorted(unfit)
    )
    return readable


def tokens_read(corpus: Corpus, embeddings: Embeddings, readable: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(n,) tokens of each document that were read: in proportion to its characters."""
    share = np.where(readable, embeddings.read.astype(np.float64), 0.0)
    tokens: NDArray[np.int64] = np.rint(share * corpus.tokens).astype(np.int64)
    return tokens


def weighed_by(corpus: Corpus, tokens: NDArray[np.int64]) -> Corpus:
    """A corpus whose documents weigh as many tokens as were read of them."""
    if np.array_equal(tokens, corpus.tokens):
        return corpus
    place = corpus.index.schema.get_field_index("tokens")
    return replace(corpus, index=corpus.index.set_column(place, corpus.index.schema.field(place), pa.array(tokens)))


def why_unread(
    embeddings: Embeddings, unfit: set[str], source: NDArray[np.int64], sources: int, lost: NDArray[np.int64] | None
) -> dict[Unread, list[int]]:
    """By reason, what was not read of each source; reasons that occur.

    Args:
        embeddings: of n documents.
        unfit: languages that are not measured.
        source: (n,) source number of each document.
        sources: how many there are.
        lost: (n,) tokens that were not read; documents that were not measured are counted if None.
    """
    readable = is_readable(embeddings, unfit)
    reasons = {why: embeddings.reading == status for status, why in _WHY.items()}
    reasons[Unread.UNFIT] = ~readable & (embeddings.reading == EncodingStatus.MEASURED)
    if lost is not None:
        reasons[Unread.TOO_LONG] = readable & (lost > 0)
    weight = np.ones(len(source), np.int64) if lost is None else lost
    counted = {
        why: np.bincount(source[which], weight[which], sources).astype(np.int64).tolist()
        for why, which in reasons.items()
        if which.any()
    }
    return dict(sorted(counted.items()))
