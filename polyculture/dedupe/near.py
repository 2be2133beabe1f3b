"""Near-duplicates: MinHash proposes, the shingle sets decide, and a document leaves only for a kept twin."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from polyculture.compiled import compiled
from polyculture.dedupe.shingles import ShingleSets, intersection_size
from polyculture.dedupe.signatures import band_keys, minhash_signatures
from schemas.config import NearConfig


@dataclass(frozen=True, slots=True)
class NearDuplicates:
    """What the near lens decides about n documents.

    Attributes:
        kept: (n,) the representative of each document; its own number if it is kept.
        similarity: (n,) Jaccard similarity to the representative; 1 for a kept document.
    """

    kept: NDArray[np.int64]
    similarity: NDArray[np.float64]


def agreement_floor(threshold: float, width: int) -> int:
    """Least number of equal signature values of a pair at the threshold, six standard deviations below the mean.

    A pair at or above the threshold has fewer with probability under 1e-8; most proposals that are no near-duplicates
    have fewer, and are dropped for the price of one comparison per value.
    """
    return max(0, int(np.floor(width * threshold - 6 * np.sqrt(width * threshold * (1 - threshold)))))


@compiled
def agreement(left: NDArray[np.uint32], right: NDArray[np.uint32]) -> int:
    """Equal values of two signatures."""
    equal = 0
    for i in range(len(left)):
        equal += left[i] == right[i]
    return equal


@compiled
def verified_similarity(left: NDArray[np.uint64], right: NDArray[np.uint64], numerator: int, denominator: int) -> float:
    """Jaccard similarity of two shingle sets if it is at least numerator/denominator (exactly), else -1."""
    smaller, larger = min(len(left), len(right)), max(len(left), len(right))
    if smaller == 0 or smaller * denominator < numerator * larger:
        return -1.0
    common = intersection_size(left, right)
    union = smaller + larger - common
    return common / union if common * denominator >= numerator * union else -1.0


@compiled
def _remove(
    sets: tuple[NDArray[np.uint64], NDArray[np.int64]],
    signatures: NDArray[np.uint32],
    buckets: NDArray[np.int64],
    order: NDArray[np.int64],
    bounds: tuple[int, int, int],
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    hashes, offsets = sets
    numerator, denominator, least_agreement = bounds
    documents, bands = buckets.shape
    rank = np.empty(documents, np.int64)
    rank[order] = np.arange(documents)
    bucket_count = buckets.max() + 1 if documents else 0
    head = np.full(bucket_count, -1, np.int64)  # first kept document of each bucket, the most preferred
    tail = np.full(bucket_count, -1, np.int64)
    following = np.full((documents, bands), -1, np.int64)  # next kept document of the same bucket
    examined = np.full(documents, -1, np.int64)
    kept = np.arange(documents)
    similarity = np.ones(documents)
    for document in order:
        mine = hashes[offsets[document] : offsets[document + 1]]
        if len(mine) == 0:
            continue
        best = np.int64(-1)
        for band in range(bands):
            other = head[buckets[document, band]]
            while other >= 0 and (best < 0 or rank[other] < rank[best]):
                if examined[other] != document:
                    examined[other] = document
                    if agreement(signatures[document], signatures[other]) >= least_agreement:
                        theirs = hashes[offsets[other] : offsets[other + 1]]
                        value = verified_similarity(mine, theirs, numerator, denominator)
                        if value >= 0:
                            best = other
                            similarity[document] = value
                            break
                other = following[other, band]
        if best >= 0:
            kept[document] = best
            continue
        for band in range(bands):
            bucket = buckets[document, band]
            if head[bucket] < 0:
                head[bucket] = document
            else:
                following[tail[bucket], band] = document
            tail[bucket] = document
    return kept, similarity


def find_near_duplicates(
    sets: ShingleSets, preference: NDArray[np.int64], config: NearConfig, seed: int
) -> NearDuplicates:
    """Decide which documents stay: each is kept unless a verified neighbour that is preferred to it is kept.

    Documents are visited in order of preference and compared with the kept documents that share a band of their MinHash
    signature (Broder 1997; Leskovec, Rajaraman & Ullman, ch. 3). The representative is the most preferred kept
    neighbour. Two documents with Jaccard similarity J share a band with probability 1 - (1 - J**rows)**bands.

    Args:
        sets: shingle sets of n documents.
        preference: (n,) document numbers, most preferred first.
        config: threshold and banding.
        seed: datasketch seed of the signatures.

    Returns:
        Representatives and similarities; a document without shingles is kept. Linear in n for a bounded number of
        kept, mutually dissimilar documents per bucket; 20 bytes per document and band, and the signatures.
    """
    width = config.bands * config.rows
    signatures = minhash_signatures(sets, width, seed)
    keys = band_keys(signatures, config.bands, config.rows)
    _, buckets = np.unique(keys, return_inverse=True)
    threshold = Fraction(str(config.threshold))
    bounds = (threshold.numerator, threshold.denominator, agreement_floor(config.threshold, width))
    kept, similarity = _remove(
        (sets.hashes, sets.offsets), signatures, buckets.reshape(keys.shape).astype(np.int64), preference, bounds
    )
    return NearDuplicates(kept, similarity)
