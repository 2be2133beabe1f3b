"""The near-duplicate engine: from texts to what is removed, in bounded memory.

Map: a partition's texts are sketched, and their band keys written by key range. Reduce: each range yields links.
Verify: links are decided on the texts. Resolve: the removal rule over the verified links. The documents that are left
are linked again, to more of those that share a key with them, until nothing is new.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numba import types
from numpy.typing import NDArray

from polyculture.compiled import compiled, read_only
from polyculture.dedupe.buckets import (
    Bucket,
    Buckets,
    Contested,
    Crowd,
    bucket_links,
    fingerprints,
    least_agreement,
    write_buckets,
    write_contested,
)
from polyculture.dedupe.sketch import sketch
from polyculture.dedupe.texts import Texts
from polyculture.dedupe.verify import NOT_SIMILAR, verify_links
from schemas.config import NearConfig

MAX_ROUNDS = 16
DEPTH = 8  # documents of a bucket that the others are linked to, once the removed ones are out of it
PARTITION_DOCUMENTS, MAX_PARTITIONS = 16_384, 128
_RANGE_DOCUMENTS = 32_768  # a bucket of so many entries is reduced inside the processor's cache
_LANES = 32  # a signature is padded to a multiple of what the processor lowers at once
_LOW = np.uint64(0xFFFFFFFF)
Progress = Callable[[str, int, int], None]
Links = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class NearDuplicates:
    """What the near lens decides about n documents.

    Attributes:
        kept: (n,) the representative of each document; its own number if it is kept. A representative is always kept.
        similarity: (n,) Jaccard similarity to the representative; 1 for a kept document.
        has_words: (n,) whether a document took part; one without words has no near-duplicate.
        links: verified pairs, leader << 32 | document.
        proposed: pairs that share a band with their bucket's leader.
        compared: pairs whose texts were compared.
        rounds: how often documents were linked.
    """

    kept: NDArray[np.int64]
    similarity: NDArray[np.float64]
    has_words: NDArray[np.bool_]
    links: Links
    proposed: int
    compared: int
    rounds: int


def _quiet(what: str, done: int, total: int) -> None:
    """Report nothing."""


@dataclass(frozen=True, slots=True)
class Workplace:
    """Where and how the engine works; none of it changes the result.

    Attributes:
        folder: for the band keys, 12 bytes a document and band; they are deleted at the end.
        threads: how many share the work.
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
        similarity: of each pair.
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


def find_near_duplicates(
    texts: Texts, preference: NDArray[np.int64], config: NearConfig, seed: int, workplace: Workplace
) -> NearDuplicates:
    """Decide which documents stay: each is kept unless a verified neighbour that is preferred to it is kept.

    Documents that share a band of their MinHash signature (Broder 1997; Leskovec, Rajaraman & Ullman, ch. 3) are
    proposed, and decided on the Jaccard similarity of their shingle sets. Two documents of similarity J share a band
    with probability 1 - (1 - J**rows)**bands.

    Args:
        texts: n documents.
        preference: (n,) document numbers, most preferred first. Documents left out take no part and are kept.
        config: threshold and banding.
        seed: datasketch seed of the signatures.
        workplace: where and how.

    Returns:
        The decision. Linear in n whatever the texts are.
    """
    count = len(texts)
    rank = np.full(count, 0xFFFFFFFF, np.uint32)
    rank[preference] = np.arange(len(preference), dtype=np.uint32)
    bits = max(0, int(np.ceil(np.log2(max(count, 1) / _RANGE_DOCUMENTS))))
    workplace.folder.mkdir(parents=True, exist_ok=True)
    size = max(PARTITION_DOCUMENTS, -(-count // MAX_PARTITIONS))
    starts = range(0, count, size)
    paths = [workplace.folder / f"bands-{number:05d}.arrow" for number in range(len(starts))]
    width = -(-config.bands * config.rows // _LANES) * _LANES
    prints = np.zeros((count, -(-width // 16)), np.uint64)
    is_alive = np.zeros(count, np.bool_)
    is_alive[preference] = True

    def sketch_part(number: int) -> tuple[NDArray[np.int64], Texts] | None:
        start = starts[number]
        span = slice(start, min(start + size, count))
        part = texts[span]
        found = sketch(part, width, seed)
        is_alive[span] &= found.shingles > 0
        fingerprints(found.signatures, prints[span])
        write_buckets(paths[number], found.signatures, (config.bands, config.rows), start, bits)
        return (found.by_hand + start, found.folded) if len(found.by_hand) else None

    hard: list[tuple[NDArray[np.int64], Texts]] = []
    with ThreadPoolExecutor(workplace.threads) as pool:
        for number, by_hand in enumerate(pool.map(sketch_part, range(len(starts)))):
            hard += [by_hand] if by_hand is not None else []
            workplace.report("signatures", min(starts[number] + size, count), count)
    search = _Search(_replace(texts, hard), (rank, is_alive, prints), config.threshold, workplace)
    result = search.run(Buckets(paths))
    for path in workplace.folder.glob("*.arrow"):
        path.unlink()
    return result


def _replace(texts: Texts, hard: Sequence[tuple[NDArray[np.int64], Texts]]) -> Texts:
    """The texts with canonical copies of those that the compiled fold leaves alone."""
    if not hard:
        return texts
    address, size, is_canonical = texts.address.copy(), texts.size.copy(), texts.is_canonical.copy()
    for numbers, folded in hard:
        address[numbers], size[numbers], is_canonical[numbers] = folded.pointers
    return Texts(address, size, is_canonical, (texts.owner, hard))


class _Search:
    """Rounds of linking, verifying and resolving."""

    def __init__(self, texts: Texts, crowd: Crowd, threshold: float, workplace: Workplace) -> None:
        self._texts, self._threshold, self._workplace = texts, threshold, workplace
        self._rank, self._takes_part, self._prints = crowd
        self._contested = workplace.folder / "contested.arrow"
        self._least = least_agreement(threshold, 16 * self._prints.shape[1])
        self._links, self._similarity = np.empty(0, np.uint64), np.empty(0, np.float64)
        self._examined = np.empty(0, np.uint64)
        self._proposed = 0

    def run(self, every: Buckets) -> NearDuplicates:
        """Link until nothing is new."""
        kept = np.arange(len(self._rank))
        similarity = np.ones(len(self._rank), np.float64)
        rounds = 0
        buckets: Buckets | Contested = every
        while rounds < MAX_ROUNDS:
            is_alive = self._takes_part & (kept == np.arange(len(kept)))
            links = self._propose(buckets, is_alive, kept, rounds == 0)
            links = np.setdiff1d(links, self._examined, assume_unique=True) if rounds else links
            if not len(links):
                break
            rounds += 1
            buckets = Contested(self._contested)
            self._workplace.report("comparisons", 0, len(links))
            values = verify_links(links, self._texts, self._threshold, self._workplace.threads)
            self._workplace.report("comparisons", len(links), len(links))
            self._examined = np.union1d(self._examined, links) if rounds > 1 else links
            is_similar = values != NOT_SIMILAR
            self._links = np.concatenate([self._links, links[is_similar]])
            self._similarity = np.concatenate([self._similarity, values[is_similar]])
            kept, similarity = resolve(self._links, self._similarity, self._rank)
        return NearDuplicates(
            kept, similarity, self._takes_part, self._links, self._proposed, len(self._examined), rounds
        )

    def _propose(
        self,
        buckets: Buckets | Contested,
        is_alive: NDArray[np.bool_],
        kept: NDArray[np.int64],
        is_first: bool,
    ) -> Links:
        depth = 1 if is_first else DEPTH

        def reduce(number: int) -> tuple[Links, int, Bucket]:
            return bucket_links(buckets.read(number), (self._rank, is_alive, self._prints), self._least, depth)

        found: list[Links] = []

        def contested(parts: Iterable[tuple[Links, int, Bucket]]) -> Iterator[Bucket]:
            for links, proposed, shared in parts:
                found.append(links)
                self._proposed += proposed
                yield shared

        with ThreadPoolExecutor(self._workplace.threads) as pool:
            parts = contested(pool.map(reduce, range(len(buckets))))
            if is_first:
                write_contested(self._contested, parts)
            else:
                deque(parts, maxlen=0)
        if not is_first:
            found.append(self._follow(is_alive, kept))
        return np.unique(np.concatenate(found)) if found else np.empty(0, np.uint64)

    def _follow(self, is_alive: NDArray[np.bool_], kept: NDArray[np.int64]) -> Links:
        """Documents whose verified leader is removed, linked to that leader's representative."""
        leaders, documents = (self._links >> np.uint64(32)).astype(np.int64), (self._links & _LOW).astype(np.int64)
        is_open = is_alive[documents] & (kept[leaders] != leaders)
        left, right = kept[leaders[is_open]], documents[is_open]
        swap = self._rank[left] > self._rank[right]
        left, right = np.where(swap, right, left), np.where(swap, left, right)
        is_pair = left != right
        links: Links = left[is_pair].astype(np.uint64) << np.uint64(32) | right[is_pair].astype(np.uint64)
        return links
