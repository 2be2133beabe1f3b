"""Any sentence-transformers model by local path."""

from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from polyculture.encoders.encoder import ANY_LANGUAGE, NO_BACKGROUND, Encoded, EncodingStatus
from polyculture.encoders.model_folder import check_model_folder, model_folder_sha256
from polyculture.errors import ConfigError
from polyculture.storage.hashing import json_sha256

LIBRARIES = ("sentence-transformers", "transformers", "tokenizers", "torch")


class SentenceTransformersEncoder:
    """A sentence-transformers model from a folder (Reimers & Gurevych 2019), without network and without its code.

    The model reads as much of a text as its own limit allows, 256 tokens for MiniLM. Texts are encoded one by one:
    in a batch a row's last bits depend on the others, and a processor gains little from batches.

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
        if not languages:
            raise ConfigError("say which `languages` the model covers, such as [en], or ['*'] if it covers all")
        check_model_folder(folder)
        self._model = _load(folder)
        self.name = f"sentence_transformers:{folder.name}"
        self.revision = model_revision(folder)
        self.languages = frozenset(language.lower().replace("_", "-") for language in languages)
        self.dimensions = len(self._vector("a"))

    def encode(self, texts: Sequence[str], languages: Sequence[str]) -> Encoded:
        """Embed texts, one by one."""
        vectors = np.zeros((len(texts), self.dimensions), np.float32)
        reading = np.full(len(texts), EncodingStatus.MEASURED, np.int8)
        for row, (text, language) in enumerate(zip(texts, languages, strict=True)):
            if not self._covers(language):
                reading[row] = EncodingStatus.NOT_COVERED
            elif not text.strip():
                reading[row] = EncodingStatus.EMPTY
            else:
                vectors[row] = self._vector(text)
        return Encoded(vectors, reading)

    def _covers(self, language: str) -> bool:
        code = language.lower().replace("_", "-")
        return not self.languages.isdisjoint({ANY_LANGUAGE, code, code.split("-")[0]})

    def _vector(self, text: str) -> Any:
        vector = np.asarray(self._model.encode([text], batch_size=1, show_progress_bar=False)[0], np.float64)
        length = float(np.linalg.norm(vector))
        if not 0 < length < np.inf:
            raise ConfigError("the model gives vectors that are not finite, or of length 0")
        return (vector / length).astype(np.float32)


def sentence_transformers(path: Path | None, languages: Sequence[str]) -> SentenceTransformersEncoder:
    """A sentence-transformers model from a folder."""
    if path is None:
        raise ConfigError("the encoder sentence_transformers needs the `path` of a model's folder")
    return SentenceTransformersEncoder(path, languages)


def model_revision(folder: Path) -> str:
    """Digest of a model's files, and of the versions of what computes with them: another one may round otherwise."""
    return json_sha256([model_folder_sha256(folder), {name: version(name) for name in LIBRARIES}])


def _load(folder: Path) -> Any:
    try:
        library = import_module("sentence_transformers")
        import_module("torch").set_num_threads(1)  # sums of several threads differ in their last bits
    except ImportError as error:
        raise ConfigError(
            "the encoder sentence_transformers needs more packages: install polyculture[encoders]"
        ) from error
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
