"""The encoders, by the name that a configuration gives them."""

from collections.abc import Callable, Mapping
from pathlib import Path

from polyculture.encoders.column import column_encoder
from polyculture.encoders.embedded import embedded
from polyculture.encoders.encoder import Encoder
from polyculture.encoders.local_model import sentence_transformers
from schemas.measure_config import SemanticConfig

# The path is a background for `embedded`, a model's folder for `sentence_transformers`.
MakeEncoder = Callable[[Path | None, SemanticConfig], Encoder]

ENCODERS: Mapping[str, MakeEncoder] = {
    "embedded": lambda path, config: embedded(path, config.languages),
    "sentence_transformers": lambda path, config: sentence_transformers(path, config.languages),
    "column": lambda _, config: column_encoder(config.model, config.dimensions),
}
