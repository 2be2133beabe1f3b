"""The encoders, by the name that a configuration gives them."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from polyculture.semantic.embedded import embedded
from polyculture.semantic.encoder import Encoder
from polyculture.semantic.local_model import sentence_transformers

# (path, languages) -> encoder. The path is a background for `embedded`, a model's folder for `sentence_transformers`.
MakeEncoder = Callable[[Path | None, Sequence[str]], Encoder]

ENCODERS: Mapping[str, MakeEncoder] = {
    "embedded": embedded,
    "sentence_transformers": sentence_transformers,
}
