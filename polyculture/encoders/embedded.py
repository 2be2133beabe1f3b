"""The embedded encoder: a static table of token vectors, offline and without torch."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from itertools import chain, islice
from pathlib import Path

import numpy as np
from numba import types
from numpy.typing import NDArray

from polyculture.compute.compiled import compiled, read_only
from polyculture.encoders.background import Background, check_embedded, load_background, shipped_background_path
from polyculture.encoders.chunks import CHUNK_CHARACTERS, MOST_CHARACTERS, chunks_of, share_read
from polyculture.encoders.encoder import Encoded, EncodingStatus
from polyculture.encoders.languages import KINDS_OF_TEXT, language_key
from polyculture.encoders.tensors import read_tensors
from polyculture.errors import ConfigError
from polyculture.storage.hashing import json_sha256
from polyculture.text.tokenizer import embedded_tokenizer_path, plain_tokenizer

WEIGHTS_SHA256 = "64b47a2dc493cb8e85944076601189739852d7b64e0e1eedcb1937a251cd9fd5"
METHOD = 2  # of what is done with table and background; part of the revision
_DEFAULT = "en"  # the mean of code and tables in Latin letters
CHUNKS_AT_ONCE = 512  # bounds the memory of their token lists
_matrix = types.Array(types.float32, 2, "C", readonly=True)
_doubles = types.Array(types.float64, 2, "C", readonly=True)


def embedded_weights_path() -> Path:
    """The table inside the wordllama wheel. The package is not imported: its loader tries the network."""
    spec = find_spec("wordllama")
    if spec is None or not spec.submodule_search_locations:
        raise ConfigError("the embedded encoder needs the package wordllama: install it, or choose another encoder")
    return Path(spec.submodule_search_locations[0]) / "weights" / "l2_supercat_256.safetensors"


class EmbeddedEncoder:
    """The mean of a document's token vectors, corrected by language; unit length (ENCODER `embedded`).

    The table is wordllama's l2_supercat, 32,000 x 256. Mean of the tokens' rows, unit length; less the mean of the
    language, unit length; without the background's common components (Mu & Viswanath 2018, arXiv:1702.01417), unit
    length. Code and tables have the mean of English. A text is read whole, in chunks whose rows are added up: the
    mean is that of the whole, or of evenly spaced chunks beyond a million characters. Arithmetic in float64, in one
    order: a row depends on its text alone.

    The tokenizer takes most of the time.
    """

    name = "embedded"

    def __init__(self, background: Path | None = None) -> None:
        """Load the table, the tokenizer and a background (the shipped one, if none is given).

        Raises:
            ConfigError: a file is missing, or is not the one that this version was calibrated with.
        """
        raw = _checked_weights(embedded_weights_path())
        self._table = read_tensors(raw, "the embedded table")[0]["embedding.weight"].astype(np.float32)
        tokenizer = embedded_tokenizer_path().read_bytes()
        self._tokenizer = plain_tokenizer(tokenizer)
        self._background = _fitting(load_background(background or shipped_background_path()))
        self._keys = sorted(self._background.means)
        self._means = np.array([self._background.means[key] for key in self._keys], np.float64)
        self._components = self._background.components.astype(np.float64)
        self._place = {key: number for number, key in enumerate(self._keys)}
        if _DEFAULT in self._place:
            self._place |= dict.fromkeys(KINDS_OF_TEXT, self._place[_DEFAULT])
        how = [METHOD, CHUNK_CHARACTERS, MOST_CHARACTERS]
        self.revision = json_sha256([how, WEIGHTS_SHA256, hashlib.sha256(tokenizer).hexdigest()])

    @property
    def dimensions(self) -> int:
        """256."""
        return int(self._table.shape[1])

    @property
    def background(self) -> str:
        """SHA-256 of the background's file."""
        return self._background.sha256

    @property
    def languages(self) -> frozenset[str]:
        """The keys of the background, and kinds of text; a code such as `pt-BR` or `nb` is led to its key."""
        return frozenset(self._place)

    @property
    def likeness(self) -> Mapping[str, float]:
        """By key, how alike unrelated documents of the background were."""
        return self._background.likeness

    def encode(self, texts: Sequence[str], languages: Sequence[str]) -> Encoded:
        """Embed texts. About 2.3 million characters a second and core.

        Args:
            texts: documents; read whole, up to a million characters.
            languages: language code of each, identified or a kind of text.
        """
        keys = [language_key(code, text) for code, text in zip(languages, texts, strict=True)]
        mean = np.array([self._place.get(key, -1) for key in keys], np.int64)
        vectors = self.token_means([text if place >= 0 else "" for text, place in zip(texts, mean, strict=True)])
        _correct(vectors, mean, self._means, self._components)
        is_measured = (vectors != 0).any(axis=1)
        reading = np.where(is_measured, EncodingStatus.MEASURED, EncodingStatus.EMPTY)
        read = np.array([share_read(text) for text in texts], np.float32) * is_measured
        return Encoded(vectors, np.where(mean < 0, EncodingStatus.NOT_COVERED, reading).astype(np.int8), read)

    def token_means(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(documents, 256) unit vectors before correction, zeros without tokens: what a background is fitted on."""
        totals = np.zeros((len(texts), self.dimensions), np.float64)
        owned = ((number, chunk) for number, text in enumerate(texts) for chunk in chunks_of(text))
        while batch := list(islice(owned, CHUNKS_AT_ONCE)):
            encodings = self._tokenizer.encode_batch_fast([chunk for _, chunk in batch], add_special_tokens=False)
            tokens = [encoding.ids for encoding in encodings]
            ends = np.cumsum([len(ids) for ids in tokens], dtype=np.int64)
            ids = np.fromiter(chain.from_iterable(tokens), np.int64, int(ends[-1]))
            _add_rows(self._table, ids, ends, np.array([number for number, _ in batch], np.int64), totals)
        vectors = np.zeros((len(texts), self.dimensions), np.float32)
        _write_units(totals, vectors)
        return vectors


def embedded(background: Path | None = None, languages: Sequence[str] = ()) -> EmbeddedEncoder:
    """The embedded encoder; its languages are those of the background."""
    check_embedded(background, languages)
    return _shipped() if background is None else EmbeddedEncoder(background)


@cache
def _shipped() -> EmbeddedEncoder:
    """The encoder with the shipped background, whose tables are loaded once in a process: 33 MB."""
    return EmbeddedEncoder()


def _checked_weights(path: Path) -> bytes:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"the embedded table {path.name} cannot be read: {error.strerror}; reinstall wordllama"
        ) from error
    found = hashlib.sha256(raw).hexdigest()
    if found != WEIGHTS_SHA256:
        raise ConfigError(
            f"the embedded table {path.name} has sha256 {found[:12]}, not {WEIGHTS_SHA256[:12]}: the background belongs"
            " to the latter; install the version of wordllama in constraints.txt"
        )
    return raw


def _fitting(background: Background) -> Background:
    if background.encoder != WEIGHTS_SHA256:
        raise ConfigError(f"the background was fitted for weights {background.encoder[:12]}, not {WEIGHTS_SHA256[:12]}")
    return background


@compiled()
def _write_unit(values: NDArray[np.float64], row: NDArray[np.float32]) -> None:
    """Write the values at length 1; zeros if they have no direction."""
    square = 0.0
    for column in range(len(values)):
        square += values[column] * values[column]
    scale = 1.0 / np.sqrt(square) if square > 1e-20 else 0.0
    for column in range(len(values)):
        row[column] = values[column] * scale


@compiled(
    types.void(_matrix, read_only(types.int64), read_only(types.int64), read_only(types.int64), types.float64[:, ::1])
)
def _add_rows(
    table: NDArray[np.float32],
    ids: NDArray[np.int64],
    ends: NDArray[np.int64],
    document: NDArray[np.int64],
    totals: NDArray[np.float64],
) -> None:
    """Add the rows of each chunk's tokens to its document's total."""
    start = 0
    for chunk in range(len(ends)):
        total = totals[document[chunk]]
        for position in range(start, ends[chunk]):
            token = ids[position]
            for column in range(table.shape[1]):
                total[column] += table[token, column]
        start = ends[chunk]


@compiled(types.void(types.float64[:, ::1], types.float32[:, ::1]))
def _write_units(totals: NDArray[np.float64], vectors: NDArray[np.float32]) -> None:
    """Write the direction of each total; documents without tokens keep their zeros."""
    for document in range(len(totals)):
        _write_unit(totals[document], vectors[document])


@compiled(types.void(types.float32[:, ::1], read_only(types.int64), _doubles, _doubles))
def _correct(
    vectors: NDArray[np.float32],
    mean: NDArray[np.int64],
    means: NDArray[np.float64],
    components: NDArray[np.float64],
) -> None:
    """Take mean and components from each row, in place; rows without a mean (-1) become zeros."""
    work = np.empty(vectors.shape[1], np.float64)
    for document in range(len(vectors)):
        row = vectors[document]
        if mean[document] < 0 or not row.any():
            row[:] = 0.0
            continue
        for column in range(len(work)):
            work[column] = row[column] - means[mean[document], column]
        for number in range(len(components)):
            along = 0.0
            for column in range(len(work)):
                along += work[column] * components[number, column]
            for column in range(len(work)):
                work[column] -= along * components[number, column]
        _write_unit(work, row)
