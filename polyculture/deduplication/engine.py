"""The near-duplicate engine: from texts to what is removed, in bounded memory.

Map: a partition's texts are sketched, and their band keys written by key range. Reduce: each range yields links.
Verify: links are decided on the texts. Resolve: the removal rule over the verified links. The documents that are left
are linked again, to more of those that share a key with them, until nothing is new.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from polyculture.compute.threads import in_threads
from polyculture.deduplication.buckets import Bucket, Buckets, JoinedBuckets, write_buckets
from polyculture.deduplication.links import DEAD, fingerprints
from polyculture.deduplication.search import NearDuplicates, Search, Workplace
from polyculture.deduplication.sketch import sketch
from polyculture.text.texts import MappedPages, Texts
from schemas.dedupe_config import NearConfig

PARTITION_DOCUMENTS, MAX_PARTITIONS = 16_384, 128
_RANGE_DOCUMENTS = 32_768  # a bucket of so many entries is reduced inside the processor's cache
_LANES = 32  # a signature is padded to a multiple of what the processor lowers at once


@dataclass(frozen=True, slots=True)
class Sketched:
    """The engine's knowledge of n documents before it compares any.

    Attributes:
        texts: the places of the texts; those that the compiled fold leaves alone are replaced by their canonical texts.
        keys: (n, 2) 128-bit hash of the canonical text and the layout.
        layout: (n,) numbers: documents of equal canonical text and other numbers are not duplicates.
        characters: (n,) code points of the canonical text.
        has_words: (n,) whether there is any word; without one there is no near-duplicate.
        prints: (n, words) fingerprints of the signatures.
        paths: files of band keys.
    """

    texts: Texts
    keys: NDArray[np.uint64]
    layout: NDArray[np.uint64]
    characters: NDArray[np.uint32]
    has_words: NDArray[np.bool_]
    prints: NDArray[np.uint64]
    paths: tuple[Path, ...]

    def __len__(self) -> int:
        return len(self.keys)

    def discard(self) -> None:
        """Delete the band keys."""
        for path in self.paths:
            path.unlink()


@dataclass(frozen=True, slots=True)
class KnownDocuments:
    """Documents of elsewhere that new ones are compared with, and that are not compared with each other.

    Attributes:
        sketched: m documents that share a band, or the canonical text, with a new one.
        identity: id, file and position of each.
        buckets: for each bucket of the new documents, the keys and settled documents that belong to it.
        documents: number of documents, with a shared band or without.
    """

    sketched: Sketched
    identity: pa.Table
    buckets: Sequence[Bucket]
    documents: int


def join_sketched(parts: Sequence[Sketched]) -> Sketched:
    """Documents one after another; band keys are those of the first."""
    texts = [part.texts for part in parts]
    return Sketched(
        Texts(
            np.concatenate([t.address for t in texts]),
            np.concatenate([t.size for t in texts]),
            np.concatenate([t.is_canonical for t in texts]),
            texts,
            tuple(m for t in texts for m in t.maps),
        ),
        np.concatenate([part.keys for part in parts]),
        np.concatenate([part.layout for part in parts]),
        np.concatenate([part.characters for part in parts]),
        np.concatenate([part.has_words for part in parts]),
        np.concatenate([part.prints for part in parts]),
        parts[0].paths,
    )


def sketch_documents(texts: Texts, config: NearConfig, seed: int, workplace: Workplace) -> Sketched:
    """Sketch all texts, and write their band keys to the workplace.

    Args:
        texts: n documents.
        config: banding.
        seed: datasketch seed of the signatures.
        workplace: folder and threads of the work.

    Returns:
        The input of `find_near_duplicates`; 100 bytes of memory a document beside the texts.
    """
    count = len(texts)
    bits = max(0, int(np.ceil(np.log2(max(count, 1) / _RANGE_DOCUMENTS))))
    workplace.folder.mkdir(parents=True, exist_ok=True)
    size = max(PARTITION_DOCUMENTS, -(-count // MAX_PARTITIONS))
    starts = range(0, count, size)
    paths = tuple(workplace.folder / f"bands-{number:05d}.arrow" for number in range(len(starts)))
    width = -(-config.bands * config.rows // _LANES) * _LANES
    prints = np.zeros((count, width // 16), np.uint64)
    keys, characters = np.zeros((count, 2), np.uint64), np.zeros(count, np.uint32)
    layout = np.zeros(count, np.uint64)
    has_words = np.zeros(count, np.bool_)

    pages = MappedPages(texts)

    def sketch_part(number: int) -> tuple[NDArray[np.int64], Texts] | None:
        start = starts[number]
        span = slice(start, min(start + size, count))
        found = sketch(texts[span], width, seed)
        keys[span], characters[span], has_words[span] = found.keys, found.characters, found.shingles > 0
        layout[span] = found.layout
        fingerprints(found.signatures, prints[span])
        write_buckets(paths[number], found.signatures, (config.bands, config.rows), start, bits)
        pages.touch(int(texts.size[span].sum()))
        return (found.by_hand + start, found.folded) if len(found.by_hand) else None

    hard: list[tuple[NDArray[np.int64], Texts]] = []
    for number, by_hand in enumerate(in_threads(sketch_part, range(len(starts)), workplace.threads)):
        hard += [by_hand] if by_hand is not None else []
        workplace.report("signatures", min(starts[number] + size, count), count)
    return Sketched(_replace(texts, hard), keys, layout, characters, has_words, prints, paths)


def find_near_duplicates(
    sketched: Sketched,
    preference: NDArray[np.int64],
    threshold: float,
    workplace: Workplace,
    settled: KnownDocuments | None = None,
) -> NearDuplicates:
    """Decide which documents stay: each is kept unless a verified neighbour that is preferred to it is kept.

    Documents that share a band of their MinHash signature (Broder 1997; Leskovec, Rajaraman & Ullman, ch. 3) are
    proposed, and decided on the Jaccard similarity of their shingle sets. Two documents of similarity J share a band
    with probability 1 - (1 - J**rows)**bands.

    Args:
        sketched: n documents, whose band keys are still there.
        preference: document numbers, most preferred first. Documents left out take no part and are kept.
        threshold: least Jaccard similarity, 0..1.
        workplace: folder and threads of the work.
        settled: m documents to compare with, numbered from n on in `preference` and in the decision.

    Returns:
        The decision. Linear in n whatever the texts are.
    """
    every = sketched if settled is None else join_sketched([sketched, settled.sketched])
    rank = np.full(len(every), DEAD, np.uint32)
    rank[preference] = np.arange(len(preference), dtype=np.uint32)
    rank[~every.has_words] = DEAD
    crowd = (rank, np.empty(0, np.bool_), every.prints, len(sketched))
    search = Search((every.texts, every.layout), crowd, threshold, workplace)
    buckets = Buckets(sketched.paths)
    return search.run(buckets if settled is None else JoinedBuckets(buckets, settled.buckets, len(sketched)))


def _replace(texts: Texts, hard: Sequence[tuple[NDArray[np.int64], Texts]]) -> Texts:
    """The texts with canonical copies of those that the compiled fold leaves alone."""
    if not hard:
        return texts
    address, size, is_canonical = texts.address.copy(), texts.size.copy(), texts.is_canonical.copy()
    for numbers, folded in hard:
        address[numbers], size[numbers], is_canonical[numbers] = folded.pointers
    return Texts(address, size, is_canonical, (texts.owner, hard), texts.maps)
