"""The background of an encoder: what all documents of a language have in common, taken away before comparing them."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from polyculture.encoders.encoder import to_fixed_point
from polyculture.encoders.languages import KINDS_OF_TEXT
from polyculture.encoders.self_check import check_languages
from polyculture.encoders.tensors import read_tensors, write_tensors
from polyculture.errors import ConfigError

COMPONENTS = 3
_MEAN, _LIKENESS = "mean_", "likeness"


@dataclass(frozen=True, slots=True)
class Background:
    """Means by language and the common directions that are projected out.

    Without the means the lens gives false alarms: documents of one language lie close together. A background is
    frozen before it judges: fitted on a collapsed source it would hide the collapse.

    Attributes:
        means: (dimensions,) mean of the unit vectors of each language, by key.
        default: (dimensions,) mean for what has no language of its own; never used for a number that gates.
        components: (components, dimensions) orthonormal rows.
        likeness: by language, the .999 quantile of the cosines of unrelated documents that it was fitted on, corrected:
            what says whether twins can be told in it at all. Only of languages with documents enough.
        encoder: digest of the weights for which it was fitted.
        sha256: digest of the file.
    """

    means: Mapping[str, NDArray[np.float32]]
    default: NDArray[np.float32]
    components: NDArray[np.float32]
    likeness: Mapping[str, float]
    encoder: str
    sha256: str


def shipped_background_path() -> Path:
    """The background of the embedded encoder that ships with the product: 33 keys, fitted on public corpora."""
    return Path(__file__).with_name("background.safetensors")


def load_background(path: Path) -> Background:
    """Read a background.

    Raises:
        ConfigError: the file cannot be read, or is no background.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"background {path.name} cannot be read: {error.strerror}") from error
    return background_from(raw, path.name)


def check_embedded(background: Path | None, languages: Sequence[str]) -> None:
    """Refuse what the embedded encoder cannot be made with; reads a background that is named.

    Raises:
        ConfigError: languages are given, or the background is not fit.
    """
    if languages:
        raise ConfigError("the embedded encoder covers the languages of its background: leave `languages` out")
    if background is not None:
        load_background(background)


def background_from(raw: bytes, name: str) -> Background:
    """A background from the bytes of its file."""
    arrays, metadata = read_tensors(raw, f"background {name}")
    means = {key.removeprefix(_MEAN): mean for key, mean in arrays.items() if key.startswith(_MEAN)}
    if not means or not {"default", "components"} <= set(arrays) or "encoder" not in metadata:
        raise ConfigError(f"background {name} needs mean_*, default, components and the encoder's digest: fit it anew")
    shapes = {mean.shape for mean in means.values()} | {arrays["default"].shape, arrays["components"].shape[1:]}
    if len(shapes) != 1 or not all(array.dtype == np.float32 and np.isfinite(array).all() for array in arrays.values()):
        raise ConfigError(f"background {name} holds arrays of different widths, or not of finite float32: fit it anew")
    sha256 = hashlib.sha256(raw).hexdigest()
    likeness = _likeness_from(metadata.get(_LIKENESS, "{}"), name)
    return Background(means, arrays["default"], arrays["components"], likeness, metadata["encoder"], sha256)


def _likeness_from(raw: str, name: str) -> dict[str, float]:
    try:
        return {str(key): float(value) for key, value in json.loads(raw).items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"background {name} says nothing that can be read about its languages: fit it anew"
        ) from error


def background_bytes(
    means: Mapping[str, NDArray[np.float32]],
    default: NDArray[np.float32],
    components: NDArray[np.float32],
    encoder: str,
    likeness: Mapping[str, float],
) -> bytes:
    """The file of a background: safetensors, about 1 kB a language."""
    arrays = {_MEAN + key: mean for key, mean in means.items()} | {"default": default, "components": components}
    return write_tensors(arrays, {"encoder": encoder, _LIKENESS: json.dumps(dict(sorted(likeness.items())))})


def fit_background(
    vectors: NDArray[np.float32], groups: Sequence[tuple[str, str]], encoder: str, least_documents: int = 100
) -> bytes:
    """Fit a background on a varied multilingual corpus.

    The mean of a language is that of its sources' means of unit vectors, so that a large source is not taken for the
    language. The components are the first principal directions of what is left when each vector has lost its
    language's mean and has been brought to length 1 again (Mu & Viswanath 2018, arXiv:1702.01417, by language), every
    language, and in it every source, counting the same.

    Args:
        vectors: (documents, dimensions) unit vectors before correction (`EmbeddedEncoder.token_means`); rows of zeros
            are left out.
        groups: language key (`language_key`) and source of each document. Kinds of text get no mean.
        encoder: digest of the weights that made the vectors.
        least_documents: languages with fewer documents get no mean, and stay unmeasured.

    Returns:
        The bytes of the file, for `background_from`. Time O(documents * dimensions**2).

    Raises:
        ValueError: no language has enough documents.
    """
    rows: dict[str, dict[str, list[int]]] = {}
    for row in np.flatnonzero((vectors != 0).any(axis=1)).tolist():
        key, source = groups[row]
        if key not in KINDS_OF_TEXT:
            rows.setdefault(key, {}).setdefault(source, []).append(row)
    enough = {
        key: [found for _, found in sorted(by_source.items())]
        for key, by_source in sorted(rows.items())
        if sum(map(len, by_source.values())) >= least_documents
    }
    if not enough:
        raise ValueError(f"no language has {least_documents} documents to fit a background on")
    means = {key: _mean_of_means(vectors, parts) for key, parts in enough.items()}
    default = np.array(list(means.values()), np.float64).mean(axis=0).astype(np.float32)
    moment = np.zeros((vectors.shape[1], vectors.shape[1]))
    for key, parts in enough.items():
        for found in parts:
            moment += _centred_moment(vectors[found], means[key]) / len(parts)
    components = np.linalg.eigh(moment)[1][:, ::-1][:, :COMPONENTS].T
    components *= np.sign(components[np.arange(len(components)), np.abs(components).argmax(axis=1)])[:, None]
    components = np.ascontiguousarray(components, np.float32)
    return background_bytes(means, default, components, encoder, likeness_of(vectors, groups, means, components))


def likeness_of(
    vectors: NDArray[np.float32],
    groups: Sequence[tuple[str, str]],
    means: Mapping[str, NDArray[np.float32]],
    components: NDArray[np.float32],
) -> dict[str, float]:
    """Likeness of unrelated documents of each language, when they are corrected by a background.

    Args:
        vectors: (documents, dimensions) unit vectors before correction, in an order that has nothing to do with their
            content.
        groups: language key and source of each document.
        means: by key. Code and tables have that of English.
        components: (components, dimensions).

    Returns:
        By key, as far as documents are enough (`polyculture.encoders.self_check`).
    """
    default = {kind: means["en"] for kind in KINDS_OF_TEXT if "en" in means}
    known = default | dict(means)
    rows = [row for row in np.flatnonzero((vectors != 0).any(axis=1)).tolist() if groups[row][0] in known]
    if not rows:
        return {}
    work = vectors[rows].astype(np.float64) - np.array([known[groups[row][0]] for row in rows], np.float64)
    work -= work @ components.T.astype(np.float64) @ components
    length = np.linalg.norm(work, axis=1, keepdims=True)
    unit = np.divide(work, length, out=np.zeros_like(work), where=length > 0)
    names = sorted({groups[row][1] for row in rows})
    source = np.array([names.index(groups[row][1]) for row in rows], np.int64)
    checks = check_languages(to_fixed_point(unit), [groups[row][0] for row in rows], source, 1.0)
    return {check.language: check.quantile for check in checks if check.quantile is not None}


def _mean_of_means(vectors: NDArray[np.float32], parts: Sequence[Sequence[int]]) -> NDArray[np.float32]:
    means = [vectors[found].mean(axis=0, dtype=np.float64) for found in parts]
    mean: NDArray[np.float32] = np.array(means).mean(axis=0).astype(np.float32)
    return mean


def _centred_moment(vectors: NDArray[np.float32], mean: NDArray[np.float32]) -> NDArray[np.float64]:
    """Mean of x x' over the directions from the mean."""
    centred = vectors.astype(np.float64) - mean
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    unit = np.divide(centred, length, out=np.zeros_like(centred), where=length > 0)
    moment: NDArray[np.float64] = unit.T @ unit / len(unit)
    return moment
