"""Checks of candidates against the run that they would be added to; nothing that computes is loaded."""

from collections.abc import Sequence
from pathlib import Path

from polyculture.configuration import load_config
from polyculture.errors import ConfigError
from polyculture.text.tokenizer import TokenCounter
from schemas.config import CurationConfig
from schemas.manifest import Manifest


def check_candidates(
    path: Path, root: Path, parent: Manifest, out: Path | None, earlier: Sequence[Path] = ()
) -> CurationConfig:
    """Check that documents of a configuration can be compared with a run and chosen from.

    Args:
        path: the configuration of the candidates.
        root: run directory of the parent.
        parent: its manifest.
        out: the run directory of the top-up, if it is named.
        earlier: run directories of earlier top-ups.

    Raises:
        ConfigError: it cannot; the message names the key and the cure.
    """
    config = load_config(path)
    semantic = config.measure.semantic
    if semantic is None:
        raise ConfigError(
            f"{path}: measure.semantic: without embeddings no document can be told to be new; add `measure: "
            "{semantic: {}}`"
        )
    if semantic.encoder == "column":
        raise ConfigError(
            f"{path}: measure.semantic.encoder: column: the parent's shards hold no embeddings to compare with; use "
            "`embedded` or a local model"
        )
    tokenizer = path.resolve().parent / config.tokenizer.path if config.tokenizer.path else None
    if tokenizer is None or tokenizer.is_file():  # a missing one is said when the job is opened
        digest = TokenCounter(tokenizer).sha256
        if digest != parent.tokenizer_sha256:
            raise ConfigError(
                f"{path}: tokenizer: it is not the one that {root} was counted with, so that tokens of the two "
                "cannot be added up; name the same tokenizer.json"
            )
    place = (out or Path("runs") / config.name).resolve()
    inside = next((run for run in (root, *earlier) if place.is_relative_to(run.resolve())), None)
    if inside is not None:
        raise ConfigError(f"--out: {place} lies in a run that is continued, {inside}; choose another folder")
    return config
