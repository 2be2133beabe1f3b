"""Candidates that may be chosen, and the account of each source of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyculture.corpus.corpus import Corpus
from polyculture.deduplication.removal import Removal
from polyculture.encoders.embeddings import Embeddings
from polyculture.measure.vectors.reading import is_readable, unfit_languages
from polyculture.top_up.choose import Candidates, Wish
from schemas.config import CurationConfig
from schemas.documents import Kind
from schemas.top_up import SourceChoice

KINDS = tuple(Kind)
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Pool:
    """The candidates that the parent does not hold, n documents, and which of them may be chosen.

    Attributes:
        corpus: corpus of the candidates.
        is_distinct: (n,) not removed as a duplicate.
        is_left_out: (n,) distinct, but of a source or kind that the configuration keeps out.
        is_unmeasured: (n,) distinct and not left out, but without an embedding that says anything.
        unfit: codes of languages in which unrelated documents look alike.
    """

    corpus: Corpus
    is_distinct: Flags
    is_left_out: Flags
    is_unmeasured: Flags
    unfit: frozenset[str]

    @property
    def rows(self) -> NDArray[np.int64]:
        """Documents that may be chosen."""
        return np.flatnonzero(self.is_distinct & ~self.is_left_out & ~self.is_unmeasured)

    def candidates(self, embeddings: Embeddings) -> Candidates:
        """They, as `polyculture.top_up.choose` wants them: 2 bytes a document and dimension in memory."""
        rows, corpus = self.rows, self.corpus
        kind = np.array([KINDS.index(kind) for kind in corpus.kinds], np.int64)[corpus.source[rows]]
        return Candidates(embeddings.take(rows), corpus.tokens[rows], kind, corpus.id_hash[rows], corpus.source[rows])


def make_pool(corpus: Corpus, removal: Removal, embeddings: Embeddings, config: CurationConfig) -> Pool:
    """Sort the candidates out: duplicates, what the configuration keeps out, what has no embedding.

    Documents of languages in which unrelated documents look alike count as unmeasured: nearly all of them would look
    new, or none. The encoder's background says which, or the reference: never the candidates.
    """
    unfit = unfit_languages(corpus, embeddings, config.reference)
    says = is_readable(embeddings, unfit)
    kept_out = [config.mixture.leaves_out(name, kind) for name, kind in zip(corpus.sources, corpus.kinds, strict=True)]
    left_out = removal.is_kept & np.array(kept_out, np.bool_)[corpus.source]
    return Pool(corpus, removal.is_kept, left_out, removal.is_kept & ~left_out & ~says, frozenset(unfit))


def make_wish(config: CurationConfig, sources: Sequence[str], tokens: int) -> Wish:
    """The budget, and what of it each kind and each source may take."""
    kinds = {KINDS.index(kind): int(limit.max_fraction * tokens) for kind, limit in config.mixture.kinds.items()}
    most = {sources.index(name): int(limit.max_fraction * tokens) for name, limit in config.mixture.sources.items()}
    return Wish(tokens, kinds, config.seed, most)


def why_nothing(pool: Pool) -> str:
    """Why no candidate can be chosen, and what to do."""
    corpus = pool.corpus
    return (
        f"nothing can be chosen: of {len(corpus):,} candidates that the parent does not hold "
        f"{int((~pool.is_distinct).sum()):,} are duplicates, {int(pool.is_left_out.sum()):,} are kept out by rates and "
        f"kinds, {int(pool.is_unmeasured.sum()):,} have no embedding, and {len(pool.rows):,} do not fit into --tokens; "
        "add candidates, or ask for more tokens"
    )


def account_sources(pool: Pool, held: NDArray[np.int64], best: Flags, random: Flags) -> list[SourceChoice]:
    """Account for the documents of each source.

    Args:
        pool: n candidates.
        held: (sources,) documents that left since the parent holds them.
        best: (n,) whether each was chosen.
        random: (n,) whether a random choice takes each.
    """
    corpus = pool.corpus
    available = np.zeros(len(corpus), np.bool_)
    available[pool.rows] = True

    def count(which: Flags, weight: NDArray[np.int64] | None = None) -> list[int]:
        found = np.bincount(corpus.source[which], None if weight is None else weight[which], len(corpus.sources))
        return [int(number) for number in found]

    everyone = np.ones(len(corpus), np.bool_)
    columns = {
        "read": [left + gone for left, gone in zip(count(everyone), held.tolist(), strict=True)],
        "in_parent": held.tolist(),
        "removed": count(~pool.is_distinct),
        "unmeasured": count(pool.is_unmeasured),
        "left_out": count(pool.is_left_out),
        "available_documents": count(available),
        "available_tokens": count(available, corpus.tokens),
        "chosen_documents": count(best),
        "chosen_tokens": count(best, corpus.tokens),
        "random_tokens": count(random, corpus.tokens),
    }
    return [
        SourceChoice(name=name, kind=kind, **{key: values[i] for key, values in columns.items()})
        for i, (name, kind) in enumerate(zip(corpus.sources, corpus.kinds, strict=True))
    ]
