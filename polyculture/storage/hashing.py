"""Seeded hashes that sample and order documents, and digests of files and settings."""

import hashlib
import json
from collections.abc import Iterable
from enum import IntEnum, unique
from pathlib import Path

import numpy as np
import xxhash
from numpy.typing import NDArray


@unique
class Stream(IntEnum):
    """Purposes of seeded hashes: one number each, so that being a probe says nothing about being in the mixture."""

    PROBE = 1
    INCLUSION = 2
    SIGNATURE = 3
    TOKEN_PROBE = 4
    LEXICAL = 6
    HELD_OUT = 11
    TOP_UP = 12
    NESTED = 21
    SUBSET = 22
    CONTENT = 23


def id_hash(document_id: str) -> int:
    """64-bit hash of a document_id: what every seeded hash of the document is derived from."""
    return xxhash.xxh3_64_intdigest(document_id.encode())


def stream_origin(seed: int, stream: int) -> np.uint64:
    """The initial state of the hashes of a seed and a stream."""
    with np.errstate(over="ignore"):
        return np.uint64(_mix(np.uint64(seed) + np.uint64(stream) * np.uint64(0x9E3779B97F4A7C15)))


def seeded_hash(
    id_hashes: NDArray[np.uint64], seed: int, stream: int, salt: NDArray[np.uint64] | int = 0
) -> NDArray[np.uint64]:
    """Hash of (seed, stream, document, salt), uniform over 64 bits: SplitMix64 (Steele et al. 2014), vectorised.

    Args:
        id_hashes: (n,) hashes of document_ids.
        seed: the run's seed.
        stream: number of `Stream`: the purpose of the draw.
        salt: a further number per document, such as the copy; scalar or (n,).

    Returns:
        (n,) hashes; the same for the same arguments, whatever the order or number of documents.
    """
    with np.errstate(over="ignore"):
        origin = stream_origin(seed, stream)
        salted = _mix(np.asarray(salt, np.uint64) * np.uint64(0xD1B54A32D192ED03) + origin)
        return _mix(_mix(id_hashes ^ origin) + salted)


def inclusion_hash(id_hashes: NDArray[np.uint64], seed: int) -> NDArray[np.uint64]:
    """(documents,) hash of (seed, document): small ones enter a mixture first; equal only where id hashes are."""
    return seeded_hash(id_hashes, seed, Stream.INCLUSION)


def _mix(value: NDArray[np.uint64] | np.uint64) -> NDArray[np.uint64]:
    value = np.asarray(value, np.uint64)
    with np.errstate(over="ignore"):  # wrapping around is the arithmetic that is meant
        value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


def unit_interval(hashes: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Hashes as numbers in [0, 1), 53 bits of each."""
    return (hashes >> np.uint64(11)).astype(np.float64) * 2.0**-53


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal; reads it once."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def json_sha256(value: object) -> str:
    """SHA-256 of a JSON value in canonical form: sorted keys, no spaces, no NaN."""
    return hashlib.sha256(
        json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
    ).hexdigest()


def tree_sha256(files: Iterable[tuple[str, Path]]) -> str:
    """One digest of named files: of their names and contents, sorted by name."""
    return json_sha256(sorted((name, file_sha256(path)) for name, path in files))


def signature_seed(seed: int) -> int:
    """The MinHash seed of a run, in [0, 2**32): none of the other hashes uses it."""
    return int(_mix(np.uint64(seed) ^ np.uint64(Stream.SIGNATURE))) & 0xFFFFFFFF
