"""Effects of a removal on the corpus: clusters, components, and a sample that is compared again."""

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from polyculture.corpus.corpus import Corpus
from polyculture.deduplication.examples import passages
from polyculture.deduplication.heads import similarity, stored_behind, texts_behind
from polyculture.deduplication.removal import NEAR, Removal
from polyculture.deduplication.second_look import is_alike
from polyculture.statistics.intervals import clopper_pearson
from polyculture.storage.messages import safe_detail
from polyculture.text.confusables import unmasked
from polyculture.text.shingles import shingle_sets
from polyculture.text.texts import Texts
from polyculture.text.words import shingles, words
from schemas.removals import RemovalCluster, RemovalSummary, SharedHead, SourceSample

SHOWN_CLUSTERS, SHOWN_HEADS, SHOWN_CHARACTERS = 10, 10, 200
SAMPLE = 200  # of each source
_PAIRS_AT_ONCE = 1000
_LOW = np.uint64(0xFFFFFFFF)


def summarise_removal(corpus: Corpus, removal: Removal, threshold: float) -> RemovalSummary:
    """Describe a removal, and compare a sample of its near-duplicates again.

    Args:
        corpus: n documents.
        removal: the outcome for each document.
        threshold: least Jaccard similarity of near-duplicates.

    Returns:
        The summary. O(n + links); the sample of each source is drawn by the smallest hash of the id.
    """
    sizes = np.bincount(removal.kept, minlength=len(corpus))
    sources = _second_look(corpus, removal, threshold)
    sampled, confirmed = (sum(pair[i] for pair in sources.values()) for i in (0, 1))
    low, high = clopper_pearson(confirmed, sampled) if sampled else (0.0, 1.0)
    return RemovalSummary(
        cluster_sizes=_histogram(sizes[removal.is_kept]),
        largest_clusters=tuple(_largest(corpus, removal, sizes)),
        component_sizes=_histogram(_component_sizes(corpus, removal)),
        sampled=sampled,
        confirmed=confirmed,
        precision_low=low,
        precision_high=high,
        sources={
            name: SourceSample(sampled=size, confirmed=right, precision_high=clopper_pearson(right, size)[1])
            for name, (size, right) in sources.items()
        },
        heads=tuple(_heads(corpus, removal, threshold)),
    )


def _heads(corpus: Corpus, removal: Removal, threshold: float) -> list[SharedHead]:
    """Beginnings that many documents share. Every near-duplicate that left for another such is compared without it."""
    if not removal.beginnings:
        return []
    texts, by_group = corpus.texts, np.argsort(corpus.group, kind="stable")
    first = np.concatenate([[0], np.cumsum(np.bincount(corpus.group))])
    found = []
    for beginning in removal.beginnings:
        mine = np.concatenate([by_group[first[group] : first[group + 1]] for group in beginning.members])
        is_left = removal.reason[mine] == NEAR
        left = mine[is_left & np.isin(corpus.group[removal.kept[mine]], beginning.members)]
        counts = np.bincount(corpus.source[mine], minlength=len(corpus.sources))
        head = SharedHead(
            words=beginning.words,
            documents=len(mine),
            sources={name: int(n) for name, n in zip(corpus.sources, counts, strict=True) if n},
            share=beginning.size_bytes * len(mine) / int(texts.size[mine].sum()),
            removed=len(left),
            removed_for_it=sum(
                similarity < threshold
                for similarity in _similarities_behind(texts, left, removal.kept[left], beginning.size_bytes)
            ),
            text=safe_detail(beginning.text[:SHOWN_CHARACTERS], SHOWN_CHARACTERS),
        )
        found.append(head)
    return sorted(found, key=lambda head: (-head.removed_for_it, -head.documents, head.text))[:SHOWN_HEADS]


def _similarities_behind(
    texts: Texts, left: NDArray[np.int64], right: NDArray[np.int64], size_bytes: int
) -> Iterator[float]:
    """Jaccard similarity of pairs of texts without their first bytes."""
    for start in range(0, len(left), _PAIRS_AT_ONCE):
        pair = [numbers[start : start + _PAIRS_AT_ONCE] for numbers in (left, right)]
        one, other = (shingle_sets(texts_behind(texts[part], np.full(len(part), size_bytes))) for part in pair)
        for i in range(len(one)):
            mine, its = (s.hashes[s.offsets[i] : s.offsets[i + 1]] for s in (one, other))
            yield similarity(mine, its)


def _second_look(corpus: Corpus, removal: Removal, threshold: float) -> dict[str, tuple[int, int]]:
    """Of each source that loses near-duplicates: how many were looked at again, and how many were confirmed."""
    near = np.flatnonzero(removal.reason == NEAR)
    near = near[np.argsort(corpus.id_hash[near], kind="stable")]
    found = {}
    for number, name in enumerate(corpus.sources):
        sample = near[corpus.source[near] == number][:SAMPLE]
        if len(sample):
            found[name] = len(sample), sum(_is_confirmed(corpus, removal, int(d), threshold) for d in sample)
    return found


def _histogram(sizes: NDArray[np.int64]) -> dict[int, int]:
    return dict(sorted(Counter(sizes.tolist()).items()))


def _component_sizes(corpus: Corpus, removal: Removal) -> NDArray[np.int64]:
    """Documents of each connected component over verified pairs and pairs of equal texts, of two and more."""
    left, right = (removal.links >> np.uint64(32)).astype(np.int64), (removal.links & _LOW).astype(np.int64)
    groups = int(corpus.group.max(initial=-1)) + 1
    graph = coo_array((np.ones(len(left), np.bool_), (corpus.group[left], corpus.group[right])), (groups, groups))
    _, component = connected_components(graph, directed=False)
    sizes = np.bincount(component[corpus.group]) if len(corpus) else np.empty(0, np.int64)
    large: NDArray[np.int64] = sizes[sizes > 1]
    return large


def _largest(corpus: Corpus, removal: Removal, sizes: NDArray[np.int64]) -> Iterator[RemovalCluster]:
    for leader in np.argsort(-sizes, kind="stable")[:SHOWN_CLUSTERS].tolist():
        if sizes[leader] < 2:
            return
        every = np.flatnonzero(removal.kept == leader)
        others = every[every != leader]
        farthest = int(others[np.argmin(removal.similarity[others])])
        texts = [corpus.canonical(np.array([number]))[0].as_py() for number in (leader, farthest)]
        counts = np.bincount(corpus.source[every], minlength=len(corpus.sources))
        yield RemovalCluster(
            kept_id=corpus.document_ids(np.array([leader]))[0],
            documents=int(sizes[leader]),
            sources={name: int(n) for name, n in zip(corpus.sources, counts, strict=True) if n},
            least_similarity=float(removal.similarity[farthest]),
            examples=passages(texts[0], texts[1]),
        )


def _is_confirmed(corpus: Corpus, removal: Removal, document: int, threshold: float) -> bool:
    """True if the shingles say it, and other eyes too."""
    pair = [corpus.take(np.array([number]), ["canonical", "text"]) for number in (document, removal.kept[document])]
    cut = [int(removal.cut_bytes[number]) for number in (document, removal.kept[document])]
    compared = [table["canonical"][0].as_py().encode()[size:].decode() for table, size in zip(pair, cut, strict=True)]
    left, right = (_shingles(text) for text in compared)
    union = len(left | right)
    if not union or Fraction(len(left & right), union) < Fraction(str(threshold)):
        return False
    stored = [table["text"][0].as_py() for table in pair]
    return is_alike(
        *(stored_behind(text, rest) if size else text for text, rest, size in zip(stored, compared, cut, strict=True))
    )


def _shingles(canonical: str) -> frozenset[tuple[str, ...]]:
    """Shingles in plain Python: the definition, not the kernel."""
    return shingles([unmasked(word) for word in words(canonical)])
