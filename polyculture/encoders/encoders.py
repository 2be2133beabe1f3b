"""The encoders, by the name that a configuration gives them."""

from collections.abc import Callable, Mapping
from pathlib import Path

from polyculture.encoders.background import check_embedded
from polyculture.encoders.column import column_encoder
from polyculture.encoders.encoder import Encoder
from polyculture.encoders.local_model import check_local_model, sentence_transformers
from schemas.measure_config import SemanticConfig

# The path is a background for `embedded`, a model's folder for `sentence_transformers`.
MakeEncoder = Callable[[Path | None, SemanticConfig], Encoder]


def _embedded(path: Path | None, config: SemanticConfig) -> Encoder:
    from polyculture.encoders.embedded import embedded  # noqa: PLC0415 -- loads kernels, which no other encoder needs

    return embedded(path, config.languages)


ENCODERS: Mapping[str, MakeEncoder] = {
    "embedded": _embedded,
    "sentence_transformers": lambda path, config: sentence_transformers(path, config.languages),
    "column": lambda _, config: column_encoder(config.model, config.dimensions),
}

# What can be told of each before it is loaded; making it asks the same.
CHECKS: Mapping[str, Callable[[Path | None, SemanticConfig], object]] = {
    "embedded": lambda path, config: check_embedded(path, config.languages),
    "sentence_transformers": lambda path, config: check_local_model(path, config.languages),
    "column": lambda _, config: column_encoder(config.model, config.dimensions),
}


def check_encoder(config: SemanticConfig, path: Path | None) -> None:
    """Refuse an encoder that could not be made: a file or a package is missing, or a setting does not fit it.

    Loads neither kernels nor a model.

    Raises:
        ConfigError: it says which.
    """
    CHECKS[config.encoder](path, config)
