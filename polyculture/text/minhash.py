"""MinHash signatures, bit for bit those of datasketch, and the band keys that propose candidates."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import types
from numpy.typing import NDArray

from polyculture.compute.compiled import compiled, read_only, tuple_of
from polyculture.compute.threads import in_spans
from polyculture.text.shingles import ShingleSets

if TYPE_CHECKING:
    from datasketch import LeanMinHash

_LARGEST = np.uint32(0xFFFFFFFF)
_AT_ONCE = 8  # shingles per pass over a signature, so that it is loaded and stored an eighth as often
Permutations = tuple[NDArray[np.uint32], NDArray[np.uint32]]
PERMUTATIONS = tuple_of(read_only(types.uint32), read_only(types.uint32))


@cache
def permutations(width: int, seed: int) -> Permutations:
    """The permutations of datasketch's scheme `affine32`: odd factors and addends, (width,) each.

    They are drawn as datasketch 2 draws them, without it: it takes four tenths of a second to import.
    """
    drawn = np.random.RandomState(seed)  # the generator that datasketch uses
    factors = drawn.randint(0, 1 << 31, width, np.uint32) * np.uint32(2) + np.uint32(1)
    return factors, drawn.randint(0, 1 << 32, width, np.uint32)


@compiled()
def _scramble(shingle: Any) -> Any:
    """MurmurHash3's 32-bit finaliser of the low half of a hash, as datasketch's scheme `affine32` begins."""
    h = np.uint32(shingle & np.uint64(0xFFFFFFFF))
    h = np.uint32((h ^ (h >> np.uint32(16))) * np.uint32(0x85EBCA6B))
    h = np.uint32((h ^ (h >> np.uint32(13))) * np.uint32(0xC2B2AE35))
    return np.uint32(h ^ (h >> np.uint32(16)))


@compiled()
def sign(shingles: NDArray[np.uint64], count: int, drawn: Permutations, row: NDArray[np.uint32]) -> None:
    """Lower a signature by shingles[:count]: one affine permutation of each hash per value."""
    a, b = drawn
    whole = count - count % _AT_ONCE
    for at in range(0, whole, _AT_ONCE):
        h0, h1 = _scramble(shingles[at]), _scramble(shingles[at + 1])
        h2, h3 = _scramble(shingles[at + 2]), _scramble(shingles[at + 3])
        h4, h5 = _scramble(shingles[at + 4]), _scramble(shingles[at + 5])
        h6, h7 = _scramble(shingles[at + 6]), _scramble(shingles[at + 7])
        for k in range(len(row)):
            factor, addend = a[k], b[k]
            value = row[k]
            value = min(value, np.uint32(factor * h0 + addend))
            value = min(value, np.uint32(factor * h1 + addend))
            value = min(value, np.uint32(factor * h2 + addend))
            value = min(value, np.uint32(factor * h3 + addend))
            value = min(value, np.uint32(factor * h4 + addend))
            value = min(value, np.uint32(factor * h5 + addend))
            value = min(value, np.uint32(factor * h6 + addend))
            value = min(value, np.uint32(factor * h7 + addend))
            row[k] = value
    for at in range(whole, count):
        h = _scramble(shingles[at])
        for k in range(len(row)):
            row[k] = min(row[k], np.uint32(a[k] * h + b[k]))


@compiled(
    types.void(
        read_only(types.uint64),
        read_only(types.int64),
        PERMUTATIONS,
        types.uint32[:, ::1],
    )
)
def _sign_sets(
    hashes: NDArray[np.uint64], offsets: NDArray[np.int64], drawn: Permutations, out: NDArray[np.uint32]
) -> None:
    for i in range(len(out)):
        sign(hashes[offsets[i] : offsets[i + 1]], offsets[i + 1] - offsets[i], drawn, out[i])


def minhash_signatures(sets: ShingleSets, width: int, seed: int, threads: int = 1) -> NDArray[np.uint32]:
    """MinHash signatures of shingle sets (Broder 1997), equal to datasketch's with scheme `affine32`.

    Args:
        sets: n shingle sets; the low 32 bits of each hash are what datasketch would get from its hash function.
        width: values per signature.
        seed: datasketch's seed, in [0, 2**32).
        threads: number of threads that share the work; it does not change the result.

    Returns:
        (n, width); all ones bits for an empty set. About 5 nanoseconds per shingle at width 128.
    """
    signatures = np.full((len(sets), width), _LARGEST, np.uint32)
    drawn = permutations(width, seed)

    def part(span: tuple[int, int]) -> None:
        start, end = span
        _sign_sets(sets.hashes, sets.offsets[start : end + 1], drawn, signatures[start:end])

    in_spans(part, len(sets), threads)
    return signatures


def to_datasketch(signatures: NDArray[np.uint32], seed: int) -> list[LeanMinHash]:
    """Signatures as datasketch's own objects, for its indexes and for other tools that speak them.

    Args:
        signatures: (n, width), from `minhash_signatures` or a sketch.
        seed: the seed that they were made with.
    """
    from datasketch import LeanMinHash  # noqa: PLC0415 -- likewise

    return [LeanMinHash(seed=seed, hashvalues=row, scheme="affine32") for row in signatures]


@compiled()
def band_key(signature: NDArray[np.uint32], band: int, rows: int) -> Any:
    """64-bit key of one band of a signature; the band's number is mixed in."""
    value = np.uint64(band + 1) * np.uint64(0x9E3779B97F4A7C15)
    for row in range(band * rows, (band + 1) * rows):
        value = (value ^ np.uint64(signature[row])) * np.uint64(0xBF58476D1CE4E5B9)
        value = value ^ (value >> np.uint64(29))
    return value


@compiled()
def band_keys(signatures: NDArray[np.uint32], bands: int, rows: int) -> NDArray[np.uint64]:
    """64-bit key of every band of every signature, (n, bands): equal bands have equal keys; the band is mixed in."""
    keys = np.empty((len(signatures), bands), np.uint64)
    for i in range(len(signatures)):
        for band in range(bands):
            keys[i, band] = band_key(signatures[i], band, rows)
    return keys
