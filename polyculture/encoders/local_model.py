"""Any sentence-transformers model by local path."""

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyculture.encoders.chunks import chunks_of, share_read
from polyculture.encoders.encoder import ANY_LANGUAGE, NO_BACKGROUND, Encoded, EncodingStatus
from polyculture.encoders.languages import KINDS_OF_TEXT
from polyculture.encoders.model_folder import check_model_folder, model_folder_sha256
from polyculture.errors import ConfigError
from polyculture.storage.hashing import json_sha256

MOST_CHUNKS = 64  # of a document
SPARE_TOKENS = 4  # a chunk that begins within a word may have some tokens more than in the whole
METHOD = 2  # of what is done with the model; part of the revision
PACKAGES = ("sentence_transformers", "torch")
MISSING = "the encoder sentence_transformers needs more packages: install polyculture[encoders]"
LIBRARIES = ("sentence-transformers", "transformers", "tokenizers", "torch")


class SentenceTransformersEncoder:
    """A sentence-transformers model from a folder (Reimers & Gurevych 2019), without network and without its code.

    A text is read whole, in chunks of as many tokens as the model takes, 256 for MiniLM: its vector is the mean of the
    chunks' unit vectors, each weighed by its tokens; of evenly spaced chunks, where there are more than 64. Texts are
    encoded one by one: in a batch a row's last bits depend on the others, and a processor gains little from batches.

    A small model reads about ten documents a second and core, so it is a second opinion on probes.
    """

    background = NO_BACKGROUND

    def __init__(self, folder: Path, languages: Sequence[str]) -> None:
        """Load a model.

        Args:
            folder: folder with modules.json and safetensors weights.
            languages: codes that the model was trained on, such as `en`; `*` for all.

        Raises:
            ConfigError: sentence-transformers is not installed, the folder is refused or cannot be loaded, or no
                language is given.
        """
        check_local_model(folder, languages)
        self._model = _load(folder)
        self.name = f"sentence_transformers:{folder.name}"
        self.revision = model_revision(folder)
        self.languages = frozenset(language.lower().replace("_", "-") for language in languages)
        self.dimensions = len(self._vector("a"))

    @property
    def likeness(self) -> Mapping[str, float]:
        """Nothing is known of it: there is no background."""
        return {}

    def encode(self, texts: Sequence[str], languages: Sequence[str]) -> Encoded:
        """Embed texts, one by one."""
        vectors = np.zeros((len(texts), self.dimensions), np.float32)
        reading = np.full(len(texts), EncodingStatus.MEASURED, np.int8)
        read = np.zeros(len(texts), np.float32)
        for row, (text, language) in enumerate(zip(texts, languages, strict=True)):
            if not self._covers(language):
                reading[row] = EncodingStatus.NOT_COVERED
            elif not text.strip():
                reading[row] = EncodingStatus.EMPTY
            else:
                vectors[row], read[row] = self._whole(text)
        return Encoded(vectors, reading, read)

    def _whole(self, text: str) -> tuple[NDArray[np.float32], float]:
        """The unit vector of a text, and the share of it that was read."""
        chunks = [(chunk, tokens) for part in chunks_of(text) for chunk, tokens in self._chunks(part)]
        if len(chunks) == 1:
            return self._vector(chunks[0][0]), share_read(text)
        chosen = chunks
        if len(chunks) > MOST_CHUNKS:
            chosen = [chunks[place * (len(chunks) - 1) // (MOST_CHUNKS - 1)] for place in range(MOST_CHUNKS)]
        total = np.zeros(self.dimensions, np.float64)
        for chunk, tokens in chosen:
            total += tokens * self._vector(chunk).astype(np.float64)
        length = float(np.linalg.norm(total))
        if not length:
            raise ConfigError("the chunks of a text have vectors that add up to 0")
        share = sum(tokens for _, tokens in chosen) / sum(tokens for _, tokens in chunks)
        return (total / length).astype(np.float32), share * share_read(text)

    def _chunks(self, text: str) -> list[tuple[str, int]]:
        """Chunks of as many tokens as the model takes, cut at tokens, and how many each has."""
        limit = getattr(self._model, "max_seq_length", None)
        if not limit or not getattr(self._model.tokenizer, "is_fast", False):
            return [(text, max(1, len(text)))]
        room = max(1, int(limit) - self._model.tokenizer.num_special_tokens_to_add() - SPARE_TOKENS)
        places = self._model.tokenizer(
            text, add_special_tokens=False, return_offsets_mapping=True, truncation=False, verbose=False
        )["offset_mapping"]
        groups = [places[start : start + room] for start in range(0, len(places), room)]
        return [(text[group[0][0] : group[-1][1]], len(group)) for group in groups] or [(text, 1)]

    def _covers(self, language: str) -> bool:
        code = language.lower().replace("_", "-")
        covered = {ANY_LANGUAGE, code, code.split("-")[0], *(("en",) if code in KINDS_OF_TEXT else ())}
        return not self.languages.isdisjoint(covered)

    def _vector(self, text: str) -> NDArray[np.float32]:
        vector = np.asarray(self._model.encode([text], batch_size=1, show_progress_bar=False)[0], np.float64)
        length = float(np.linalg.norm(vector))
        if not 0 < length < np.inf:
            raise ConfigError("the model gives vectors that are not finite, or of length 0")
        unit: NDArray[np.float32] = (vector / length).astype(np.float32)
        return unit


def sentence_transformers(path: Path | None, languages: Sequence[str]) -> SentenceTransformersEncoder:
    """A sentence-transformers model from a folder."""
    return SentenceTransformersEncoder(check_local_model(path, languages), languages)


def check_local_model(path: Path | None, languages: Sequence[str]) -> Path:
    """The folder of a model, if it may be loaded; the model and its library are not.

    Raises:
        ConfigError: no folder or no language is given, the folder is refused, or a package is not installed.
    """
    if path is None:
        raise ConfigError("the encoder sentence_transformers needs the `path` of a model's folder")
    if not languages:
        raise ConfigError("say which `languages` the model covers, such as [en], or ['*'] if it covers all")
    check_model_folder(path)
    if not all(is_installed(name) for name in PACKAGES):
        raise ConfigError(MISSING)
    return path


def is_installed(package: str) -> bool:
    """True if a package can be imported; it is not."""
    try:
        return find_spec(package) is not None
    except ValueError:  # a stand-in of it was put into this process
        return package in sys.modules and sys.modules[package] is not None


def model_revision(folder: Path) -> str:
    """Digest of a model's files, and of the versions of what computes with them: another one may round otherwise."""
    return json_sha256([METHOD, model_folder_sha256(folder), {name: version(name) for name in LIBRARIES}])


def _load(folder: Path) -> Any:
    try:
        library = import_module("sentence_transformers")
        import_module("torch").set_num_threads(1)  # sums of several threads differ in their last bits
    except ImportError as error:
        raise ConfigError(MISSING) from error
    import_module("transformers.utils.logging").disable_progress_bar()  # the run has a display of its own
    try:
        return library.SentenceTransformer(
            str(folder.resolve()),
            device="cpu",
            local_files_only=True,
            trust_remote_code=False,
            model_kwargs={"use_safetensors": True},
        )
    except Exception as error:  # the library raises whatever its parts raise on a bad file
        raise ConfigError(f"the model in {folder.name} cannot be loaded: {error}") from error
