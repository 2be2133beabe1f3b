"""The search for near-duplicates: rounds of linking, verifying and resolving, until nothing is new."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numba import types
from numpy.typing import NDArray

from polyculture.compute.compiled import compiled, read_only
from polyculture.compute.threads import in_threads
from polyculture.deduplication.buckets import Bucket, Buckets, Contested, JoinedBuckets, write_contested
from polyculture.deduplication.links import DEAD, Crowd, bucket_links, least_agreement
from polyculture.deduplication.verify import NOT_SIMILAR, verify_links
from polyculture.text.texts import Texts

MAX_ROUNDS = 16
DEPTH = 8  # documents of a bucket that the others are linked to, once the removed ones are out of it
_LOW = np.uint64(0xFFFFFFFF)
Progress = Callable[[str, int, int], None]
Links = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class NearDuplicates:
    """Decisions of the near lens about n documents.

    Attributes:
        kept: (n,) the representative of each document; its own number if it is kept. A representative is always kept.
        similarity: (n,) Jaccard similarity to the representative; 1 for a kept document.
        links: verified pairs, leader << 32 | document.
        proposed: pairs that share a band with their bucket's leader.
        compared: pairs whose texts were compared.
        rounds: number of times that documents were linked.
    """

    kept: NDArray[np.int64]
    similarity: NDArray[np.float64]
    links: Links
    proposed: int
    compared: int
    rounds: int


def _quiet(what: str, done: int, total: int) -> None:
    """Report nothing."""


@dataclass(frozen=True, slots=True)
class Workplace:
    """The folder and the threads of the engine; neither changes the result.

    Attributes:
        folder: folder for the band keys, 12 bytes a document and band; they are deleted at the end.
        threads: number of threads that share the work.
        report: told what is done.
    """

    folder: Path
    threads: int = 1
    report: Progress = _quiet


@compiled(
    types.void(
        read_only(types.uint64),
        read_only(types.float64),
        read_only(types.int64),
        types.int64[::1],
        types.float64[::1],
    )
)
def _resolve(
    links: Links,
    similarity: NDArray[np.float64],
    order: NDArray[np.int64],
    kept: NDArray[np.int64],
    nearness: NDArray[np.float64],
) -> None:
    """The removal rule over links in the order of (rank of the document, rank of the leader)."""
    for i in order:
        leader, document = np.int64(links[i] >> np.uint64(32)), np.int64(links[i] & _LOW)
        if kept[document] == document and kept[leader] == leader:
            kept[document] = leader
            nearness[document] = similarity[i]


def resolve(
    links: Links, similarity: NDArray[np.float64], rank: NDArray[np.uint32]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Keep a document unless a verified, more preferred neighbour is kept; chains do not delete.

    Args:
        links: verified pairs, leader << 32 | document; the leader is preferred.
        similarity: similarity of each pair.
        rank: (n,) place of each document in the order of preference.

    Returns:
        (n,) the most preferred kept neighbour, or the document itself; the similarity to it. The same for any order
        of the links. O(links log links).
    """
    kept = np.arange(len(rank))
    nearness = np.ones(len(rank), np.float64)
    order = np.lexsort((rank[links >> np.uint64(32)], rank[links & _LOW]))
    _resolve(links, similarity, order, kept, nearness)
    return kept, nearness


class Search:
    """Rounds of linking, verifying and resolving."""

    def __init__(
        self, texts: tuple[Texts, NDArray[np.uint64]], crowd: Crowd, threshold: float, workplace: Workplace
    ) -> None:
        """Take part: every document, of text and layout, whose rank in the crowd is not DEAD."""
        self._texts, self._threshold, self._workplace = texts, threshold, workplace
        self._rank, _, self._prints, self._settled_from = crowd
        self._contested = workplace.folder / "contested.arrow"
        self._least = least_agreement(threshold, 16 * self._prints.shape[1])
        self._links, self._similarity = np.empty(0, np.uint64), np.empty(0, np.float64)
        self._examined = np.empty(0, np.uint64)
        self._proposed = 0
        self._was_alive = np.empty(0, np.bool_)

    def run(self, every: Buckets | JoinedBuckets) -> NearDuplicates:
        """Link until nothing is new."""
        kept = np.arange(len(self._rank))
        similarity = np.ones(len(self._rank), np.float64)
        rounds = 0
        buckets: Buckets | JoinedBuckets | Contested = every
        while rounds < MAX_ROUNDS:
            is_alive = (self._rank != DEAD) & (kept == np.arange(len(kept)))
            links = self._propose(buckets, is_alive, kept, rounds)
            links = np.setdiff1d(links, self._examined, assume_unique=True) if rounds else links
            if not len(links):
                break
            rounds += 1
            buckets = Contested(self._contested)
            self._workplace.report("comparisons", 0, len(links))
            values = verify_links(links, self._texts, self._threshold, self._workplace.threads)
            self._workplace.report("comparisons", len(links), len(links))
            self._examined = np.sort(np.concatenate([self._examined, links]), kind="stable")  # two runs: merged
            is_similar = values != NOT_SIMILAR
            self._links = np.concatenate([self._links, links[is_similar]])
            self._similarity = np.concatenate([self._similarity, values[is_similar]])
            kept, similarity = resolve(self._links, self._similarity, self._rank)
        self._contested.unlink(missing_ok=True)
        return NearDuplicates(kept, similarity, self._links, self._proposed, len(self._examined), rounds)

    def _propose(
        self,
        buckets: Buckets | JoinedBuckets | Contested,
        is_alive: NDArray[np.bool_],
        kept: NDArray[np.int64],
        rounds: int,
    ) -> Links:
        # The most preferred document settles most buckets, where each removal leaves fewer; settled ones never leave.
        depth = 1 if rounds == 0 and self._settled_from == len(self._rank) else DEPTH
        is_changed = is_alive != self._was_alive if rounds > 1 else np.empty(0, np.bool_)
        self._was_alive = is_alive
        crowd = (np.where(is_alive, self._rank, DEAD), is_changed, self._prints, self._settled_from)

        def reduce(number: int) -> tuple[Links, int, Bucket]:
            return bucket_links(buckets.read(number), crowd, self._least, depth)

        found: list[Links] = []

        def contested(parts: Iterable[tuple[Links, int, Bucket]]) -> Iterator[Bucket]:
            for links, proposed, shared in parts:
                found.append(links)
                self._proposed += proposed
                yield shared

        parts = contested(in_threads(reduce, range(len(buckets)), self._workplace.threads))
        if rounds == 0:
            write_contested(self._contested, parts)
        else:
            deque(parts, maxlen=0)
        if rounds:
            found.append(self._follow(is_alive, kept))
        every = pl.Series(np.concatenate(found) if found else np.empty(0, np.uint64))
        links: Links = every.unique().sort().to_numpy()  # most pairs share several bands: hashing beats sorting
        return links

    def _follow(self, is_alive: NDArray[np.bool_], kept: NDArray[np.int64]) -> Links:
        """Documents whose verified leader is removed, linked to that leader's representative."""
        leaders, documents = (self._links >> np.uint64(32)).astype(np.int64), (self._links & _LOW).astype(np.int64)
        is_open = is_alive[documents] & (kept[leaders] != leaders)
        left, right = kept[leaders[is_open]], documents[is_open]
        swap = self._rank[left] > self._rank[right]
        left, right = np.where(swap, right, left), np.where(swap, left, right)
        is_pair = (left != right) & (np.minimum(left, right) < self._settled_from)
        links: Links = left[is_pair].astype(np.uint64) << np.uint64(32) | right[is_pair].astype(np.uint64)
        return links
