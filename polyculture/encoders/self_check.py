"""Self-check: can the lens tell documents of a language apart at all?"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from polyculture.encoders.encoder import from_fixed_point

QUANTILE = 0.999  # of pairs of different sources
QUANTILE_WITHIN = 0.99  # of pairs of one source, of which some are twins indeed
MARGIN = 0.1
LEAST_PAIRS = 10_000  # ten beyond the quantile
LEAST_PAIRS_OF_TWO = 1_000  # of documents of the same two sources
DOCUMENTS_OF_A_LANGUAGE = 1_500  # which give up to a million pairs


class Fitness(StrEnum):
    """Result of the self-check for a language."""

    FIT = "fit"
    UNFIT = "unfit"  # unrelated documents look alike: documents of this language are not measured
    UNCHECKED = "unchecked"  # too few pairs of documents


@dataclass(frozen=True, slots=True)
class LanguageCheck:
    """The check of one language.

    Attributes:
        language: key.
        pairs: pairs of documents that were compared.
        quantile: the .999 quantile of their cosines (.99 within sources), the median over pairs of sources; None
            without enough of them.
        fitness: fitness at the tau that was asked about.
    """

    language: str
    pairs: int
    quantile: float | None
    fitness: Fitness


def check_languages(
    vectors: NDArray[np.int16], languages: Sequence[str], source: NDArray[np.int64], tau: float
) -> list[LanguageCheck]:
    """Check every language that documents were encoded in, on pairs of documents of sources that are trusted.

    Pairs of documents of different sources are unrelated but for a few, so if the .999 quantile of their cosines
    exceeds tau - .1, being neighbours at tau says little about the documents and much about the language, or about the
    background's lack of it. The quantile is taken for each two sources, and the median of these decides: two sources
    of which one was made from the other do not make a language unfit, a language in which all look alike does. Where
    too few such pairs are there, the .99 quantile within the sources decides.

    Only what a background was fitted on, or a reference, is looked at: sources that are judged would make their own
    language unfit by being alike, and so be taken out of the measurement.

    Args:
        vectors: (documents, dimensions) embeddings, in fixed point; rows of zeros are left out.
        languages: key of each document (`language_key`).
        source: (documents,) source number.
        tau: the cosine from which on documents are neighbours.

    Returns:
        One check a language, sorted. At most 1,500 documents of a language are looked at, the first ones of each
        source in turn, so give them in the order of their hash. Time O(documents**2 * dimensions) a language.
    """
    measured = (vectors != 0).any(axis=1)
    keys = np.array(languages)
    return [
        _check(key, *_in_turn(vectors, source, np.flatnonzero((keys == key) & measured)), tau)
        for key in sorted(set(keys[measured].tolist()))
    ]


def _in_turn(
    vectors: NDArray[np.int16], source: NDArray[np.int64], rows: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The first documents of each source in turn: the first of every source, then the second."""
    turn = np.empty(len(rows), np.int64)
    for number in np.unique(source[rows]):
        here = source[rows] == number
        turn[here] = np.arange(int(here.sum()))
    chosen = rows[np.lexsort((source[rows], turn))][:DOCUMENTS_OF_A_LANGUAGE]
    return from_fixed_point(vectors[chosen]), source[chosen]


def _check(language: str, unit: NDArray[np.float32], source: NDArray[np.int64], tau: float) -> LanguageCheck:
    parts = [unit[source == number] for number in np.unique(source)]
    across = [(first @ second.T).ravel() for first, second in itertools.combinations(parts, 2)]
    within = [(part @ part.T)[np.triu_indices(len(part), 1)] for part in parts]
    blocks, level = (across, QUANTILE) if _pairs(across) >= LEAST_PAIRS else (within, QUANTILE_WITHIN)
    pairs = _pairs(blocks)
    if pairs < LEAST_PAIRS:
        return LanguageCheck(language, pairs, None, Fitness.UNCHECKED)
    large = [block for block in blocks if block.size >= LEAST_PAIRS_OF_TWO]
    found = [np.quantile(block, level) for block in large or [np.concatenate(blocks)]]
    # the upper of two middle ones; the matrix product's last digits are not kept
    quantile = round(float(np.quantile(found, 0.5, method="higher")), 6)
    return LanguageCheck(language, pairs, quantile, fitness_at(quantile, tau))


def _pairs(blocks: Sequence[NDArray[np.float32]]) -> int:
    return sum(block.size for block in blocks)


def fitness_at(likeness: float | None, tau: float) -> Fitness:
    """Fitness of a language whose unrelated documents are so alike."""
    if likeness is None:
        return Fitness.UNCHECKED
    return Fitness.UNFIT if likeness > tau - MARGIN else Fitness.FIT
