"""Choose, among candidates, the documents that broaden a mixture most."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from polyculture.encoders.encoder import from_fixed_point
from polyculture.measure.vectors.cells import cell_of
from polyculture.measure.vectors.moments import SecondMoment, second_moment
from polyculture.measure.vectors.vendi import novelty, spectrum, vendi_score
from polyculture.storage.hashing import Stream, seeded_hash

ROUNDS = 32
LEAST_COST_TOKENS = 64
CELL_WEIGHT = 1.0  # a document of a cell that the mixture lacks altogether counts twice


@dataclass(frozen=True, slots=True)
class Candidates:
    """Documents that may be added: n of them, none with a twin in the mixture or among the others.

    Attributes:
        vectors: (n, dimensions) embeddings in fixed point; rows of zeros were not measured and are never chosen.
        tokens: (n,)
        kind: (n,) number of each document's kind.
        id_hash: (n,) hashes of the document_ids.
        source: (n,) number of each document's source.
    """

    vectors: NDArray[np.int16]
    tokens: NDArray[np.int64]
    kind: NDArray[np.int64]
    id_hash: NDArray[np.uint64]
    source: NDArray[np.int64]

    @property
    def is_measured(self) -> NDArray[np.bool_]:
        """(n,) whether a document has an embedding."""
        measured: NDArray[np.bool_] = (self.vectors != 0).any(axis=1)
        return measured


@dataclass(frozen=True, slots=True)
class ReferenceCells:
    """Cells of a trusted reference, and what each holds.

    Attributes:
        centres: (cells, dimensions) vectors of length 1.
        reference: (cells,) documents of the reference.
        mixture: (cells,) documents of the mixture.
    """

    centres: NDArray[np.float32]
    reference: NDArray[np.int64]
    mixture: NDArray[np.int64]

    def deficit(self, added: NDArray[np.int64]) -> NDArray[np.float64]:
        """(cells,) how far the mixture's share of a cell is below the reference's, 0 (not at all) .. 1 (empty)."""
        held = self.mixture + added
        share = held / max(int(held.sum()), 1)
        wanted = self.reference / max(int(self.reference.sum()), 1)
        return np.clip(1 - share / np.maximum(wanted, 1e-300), 0, 1)


@dataclass(frozen=True, slots=True)
class Wish:
    """A request to choose documents.

    Attributes:
        budget_tokens: most tokens; never exceeded.
        most_tokens: most tokens of each kind, by its number; a kind that is absent has no limit.
        seed: breaks ties.
        most_tokens_of_source: the same of each source.
    """

    budget_tokens: int
    most_tokens: Mapping[int, int]
    seed: int
    most_tokens_of_source: Mapping[int, int] = field(default_factory=dict)

    def limits(self, candidates: Candidates) -> Iterator[tuple[NDArray[np.bool_], int]]:
        """Each limit, with the documents (n,) that it is about."""
        for kind, most in self.most_tokens.items():
            yield candidates.kind == kind, most
        for source, most in self.most_tokens_of_source.items():
            yield candidates.source == source, most


@dataclass(frozen=True)
class Choice:
    """A choice among n candidates.

    Attributes:
        best: (n,) what broadens most.
        random: (n,) as many tokens at random, to compare with.
        tokens: of the best.
        lacking_tokens: that the budget lacks, however one chooses.
    """

    best: NDArray[np.bool_]
    random: NDArray[np.bool_]
    tokens: int
    lacking_tokens: int


def choose_for(candidates: Candidates, mixture: SecondMoment, cells: ReferenceCells | None, wish: Wish) -> Choice:
    """Choose what broadens a mixture most, and as much at random; arguments and cost as of `choose_broadest`."""
    best = choose_broadest(candidates, mixture, cells, wish)
    tokens = int(candidates.tokens[best].sum())
    random = choose_at_random(candidates, replace(wish, budget_tokens=tokens)) if tokens else best
    return Choice(best, random, tokens, lacking_tokens(candidates, wish))


def choose_broadest(
    candidates: Candidates, mixture: SecondMoment, cells: ReferenceCells | None, wish: Wish
) -> NDArray[np.bool_]:
    """Choose greedily by what a document gains per token, against the mixture as it grows.

    A document's worth is -x' log(M) x, its novelty against the mixture's second moment M, times 1 + the deficit of its
    reference cell, in proportion to its cosine with the cell's centre: what lies far from the whole reference fills
    none of its cells. Its gain is its worth less the entropy of M: n times the change of that entropy if it is added to
    n documents. The entropy is concave, so that gain by cost is the greedy choice under a budget (Khuller et al. 1999);
    the cost is its tokens, but at least 64, so that scraps are not preferred for being short. After each of 32 rounds M
    and the deficits are those of the mixture with what was chosen so far.

    Args:
        candidates: n documents.
        mixture: second moment of the embeddings of what is consumed and of what remains, copies included.
        cells: cells of the reference; None if there is none.
        wish: budget and limits.

    Returns:
        (n,) whether each is chosen. Time O(32 * n * dimensions**2); the same for any order of the candidates.
    """
    chosen = np.zeros(len(candidates.tokens), np.bool_)
    cell, nearness = _nearest(candidates, cells)
    tie = seeded_hash(candidates.id_hash, wish.seed, Stream.TOP_UP)
    open_to, cost = candidates.is_measured, np.maximum(candidates.tokens, LEAST_COST_TOKENS)
    for number in range(1, ROUNDS + 1):
        density = mixture.density()
        worth = novelty(candidates.vectors, density)
        if cells is not None:
            added = np.bincount(cell[chosen], minlength=len(cells.centres))
            worth *= 1 + CELL_WEIGHT * cells.deficit(added)[cell] * nearness
        gain = np.round(worth - np.log(vendi_score(spectrum(density))), 6)
        ranked = np.lexsort((tie, -gain / cost))
        ranked = ranked[(open_to & ~chosen)[ranked]]
        found = _within(candidates, ranked, chosen, wish, wish.budget_tokens * number // ROUNDS)
        if len(found):
            chosen[found] = True
            mixture = mixture + second_moment(candidates.vectors[found])
    return chosen


def _nearest(candidates: Candidates, cells: ReferenceCells | None) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """(n,) cell of each candidate, and its cosine with the centre, 0..1."""
    if cells is None:
        return np.zeros(len(candidates.tokens), np.int64), np.zeros(len(candidates.tokens))
    vectors = from_fixed_point(candidates.vectors)
    cell = cell_of(vectors, cells.centres)
    cosine = np.einsum("ij,ij->i", vectors, cells.centres[cell])
    return cell, np.clip(cosine, 0, 1).astype(np.float64)


def choose_at_random(candidates: Candidates, wish: Wish) -> NDArray[np.bool_]:
    """(n,) documents in the order of a seeded hash, within the same budget and limits: what to compare with."""
    ranked = np.argsort(seeded_hash(candidates.id_hash, wish.seed, Stream.TOP_UP), kind="stable")
    chosen = np.zeros(len(candidates.tokens), np.bool_)
    for _ in range(ROUNDS):
        ranked = ranked[~chosen[ranked]]
        found = _within(candidates, ranked, chosen, wish, wish.budget_tokens)
        if not len(found):
            break
        chosen[found] = True
    return chosen


def lacking_tokens(candidates: Candidates, wish: Wish) -> int:
    """Tokens that the budget lacks however one chooses: there are too few candidates, or too few within the limits.

    What is left because the next document does not fit is not lacking.
    """
    within: dict[int, int] = {}
    for source in np.unique(candidates.source).tolist():
        mine = candidates.source == source
        there = int(candidates.tokens[mine & candidates.is_measured].sum())
        kind = int(candidates.kind[mine][0])
        within[kind] = within.get(kind, 0) + min(there, wish.most_tokens_of_source.get(source, there))
    reached = sum(min(there, wish.most_tokens.get(kind, there)) for kind, there in within.items())
    return max(0, wish.budget_tokens - reached)


def _within(
    candidates: Candidates, ranked: NDArray[np.int64], chosen: NDArray[np.bool_], wish: Wish, budget_tokens: int
) -> NDArray[np.int64]:
    """The first of the ranked documents that fit into what is left of the budget and of their kind's limit."""
    left = budget_tokens - int(candidates.tokens[chosen].sum())
    ranked = ranked[candidates.tokens[ranked] <= left]  # one that is too long shall not end the round
    fits = np.ones(len(ranked), np.bool_)
    for limited, most in wish.limits(candidates):
        spent = int(candidates.tokens[chosen & limited].sum())
        mine = np.flatnonzero(limited[ranked] & fits)
        short = candidates.tokens[ranked[mine]] <= most - spent
        fits[mine[~short]] = False
        fits[mine[short]] = np.cumsum(candidates.tokens[ranked[mine[short]]]) <= most - spent
    allowed = ranked[fits]
    return allowed[np.cumsum(candidates.tokens[allowed]) <= left]
