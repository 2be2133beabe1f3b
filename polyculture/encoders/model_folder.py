"""Refuse a folder with a sentence-transformers model that cannot be loaded without running code of its own."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from polyculture.errors import ConfigError
from polyculture.storage.hashing import tree_sha256

_MODULES = re.compile(
    r"sentence_transformers\.(models|base\.modules|sentence_transformer\.modules)(\.[a-z_]+)?\."
    r"(Transformer|Pooling|Normalize|Dense|Dropout|LayerNorm|StaticEmbedding|WeightedLayerPooling)"
)
_ACTIVATIONS = re.compile(r"torch\.nn\.modules\.(activation|linear)\.[A-Za-z]+")
_PICKLES = {".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib"}
_VOCABULARIES = {"tokenizer.json", "vocab.json"}  # large, and free of settings


def check_model_folder(folder: Path) -> None:
    """Refuse a folder whose model would run code of its own, or that is not whole.

    A modules.json may name any class to import, a config.json any file by `auto_map`; weights in pickle run code when
    they are read.

    Raises:
        ConfigError: there is no modules.json, it names a class that is none of sentence-transformers' plain ones, a
            setting refers to code, or weights are there as a pickle only.
    """
    path = folder / "modules.json"
    if not path.is_file():
        raise ConfigError(
            f"{folder.name}: no modules.json; a sentence-transformers model folder is needed, by local path"
        )
    modules = _read(path)
    if not isinstance(modules, list) or not modules:
        raise ConfigError(f"{folder.name}/modules.json needs a list of modules")
    for module in modules:
        kind = module.get("type") if isinstance(module, dict) else None
        if not (isinstance(kind, str) and _MODULES.fullmatch(kind)):
            raise ConfigError(
                f"{folder.name}/modules.json names the class {kind!r}: only sentence-transformers' own are run"
            )
        if not (folder / str(module.get("path", ""))).resolve().is_relative_to(folder.resolve()):
            raise ConfigError(f"{folder.name}/modules.json leads outside of its folder: {module.get('path')!r}")
    for settings in sorted(folder.rglob("*.json")):
        if settings.name not in _VOCABULARIES:
            _check_settings(f"{folder.name}/{settings.relative_to(folder).as_posix()}", _read(settings))
    for file in sorted(folder.rglob("*")):
        if file.suffix.lower() in _PICKLES and not any(file.parent.glob("*.safetensors")):
            raise ConfigError(
                f"{folder.name}/{file.relative_to(folder).as_posix()} is a pickle: save the model as safetensors"
            )


def model_folder_sha256(folder: Path) -> str:
    """One digest of all files of a model."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return tree_sha256((path.relative_to(folder).as_posix(), path) for path in files)


def _check_settings(name: str, settings: Any) -> None:
    for key, value in _entries(settings):
        if key in {"auto_map", "custom_pipelines"} and value:
            raise ConfigError(f"{name} has {key}: a model that brings code along is not run")
        if key == "activation_function" and "." in str(value) and not _ACTIVATIONS.fullmatch(str(value)):
            raise ConfigError(f"{name} names the class {value!r}: only torch's own activations are run")


def _entries(value: Any) -> Iterator[tuple[str, Any]]:
    """Every key and value at any depth."""
    if isinstance(value, dict):
        yield from value.items()
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _entries(part)


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path.parent.name}/{path.name} cannot be read: {error}") from error
