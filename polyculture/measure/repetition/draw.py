"""The documents whose repetition is measured: drawn in proportion to tokens, by what they say and not by their ids."""

import hashlib

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from polyculture.corpus.corpus import Corpus
from polyculture.measure.probes.probes import StageCopies, choose_weighted_probes
from polyculture.storage.hashing import Stream, seeded_hash

Hashes = NDArray[np.uint64]
Numbers = NDArray[np.int64]


def content_hashes(keys: pa.ChunkedArray) -> Hashes:
    """(n,) 64-bit hashes of what documents say, from the 128-bit keys of their canonical texts."""
    parts = [np.empty((0, 2), np.uint64)]
    for chunk in keys.chunks:
        data = np.frombuffer(chunk.buffers()[1], "<u8", 2 * len(chunk), chunk.offset * chunk.type.byte_width)
        parts.append(data.reshape(-1, 2))
    halves = np.concatenate(parts)
    return seeded_hash(halves[:, 0], 0, Stream.CONTENT, halves[:, 1])


def corpus_seed(content: Hashes, seed: int) -> int:
    """The run's seed, mixed with a digest of what all documents say: whoever chooses ids does not choose the draw.

    Args:
        content: (n,) content hashes, in any order.
        seed: the run's seed.
    """
    digest = hashlib.sha256(f"repetition {seed} {len(content)} ".encode())
    digest.update(np.sort(content).astype("<u8").tobytes())
    return int.from_bytes(digest.digest()[:8], "big")


def draw_hashes(content: Hashes, present: Numbers, order: tuple[NDArray[np.integer], ...]) -> Hashes:
    """(n,) hashes to draw by, different for documents that say the same, so that each is drawn by itself.

    Documents of equal text are told apart by their place among each other: where one of them is drawn, ids only decide
    which.

    Args:
        content: (n,) content hashes.
        present: (m,) numbers of the documents that are drawn from; the others keep their content hash.
        order: (n,) columns that documents of equal text are ordered by, the first one first.
    """
    found = content.copy()
    ranked = present[np.lexsort([*(column[present] for column in reversed(order)), content[present]])]
    starts = np.flatnonzero(np.diff(content[ranked], prepend=~content[ranked[:1]]) != 0)
    rank = np.arange(len(ranked)) - np.repeat(starts, np.diff(starts, append=len(ranked)))
    again = rank > 0
    found[ranked[again]] = seeded_hash(content[ranked[again]], 0, Stream.CONTENT, rank[again].astype(np.uint64))
    return found


def draw(corpus: Corpus, stage: StageCopies, preference: Numbers, probes: int, seed: int) -> tuple[Numbers, Hashes]:
    """Draw documents of every source, with replacement and with probability in proportion to their tokens.

    Args:
        corpus: n documents.
        stage: occurrences; a document that occurs is drawn as one, however often.
        preference: (sources,) place of each source in the survivors' order.
        probes: draws from each source.
        seed: the run's seed.

    Returns:
        Document numbers, by source and then in the order of the draws, and (n,) the hashes that they were drawn by.
        Reads 16 bytes a document.
    """
    present = stage.copies > 0
    if not present.any():
        return np.empty(0, np.int64), np.zeros(len(corpus), np.uint64)
    content = content_hashes(corpus.take(np.arange(len(corpus)), ["key"])["key"])
    order = (preference[corpus.source], corpus.tokens, corpus.id_hash)
    hashes = draw_hashes(content, np.flatnonzero(present), order)
    weight = np.where(present, corpus.tokens, 0)
    drawn = choose_weighted_probes(weight, corpus.source, hashes, probes, corpus_seed(content, seed))
    return drawn, hashes
