"""Material that a job is given, checked as far as names and first bytes tell, before anything that computes is loaded.

A command asks this first, and `open_job` goes on from the same answer: a mistake is said within a second or two, and
there is one truth.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from polyculture.configuration import read_config
from polyculture.encoders.encoders import check_encoder
from polyculture.errors import ConfigError
from polyculture.evidence.last_go import require_go
from polyculture.filters.entries import require_readable
from polyculture.mixture.plan.check import check_mixture
from polyculture.mixture.plan.weights import read_named_weights
from polyculture.sources.columns import check_columns
from polyculture.sources.files import Listed, list_inputs
from polyculture.storage.run_directory import RunDirectory
from schemas.config import CurationConfig


@dataclass(frozen=True)
class Given:
    """A configuration with what it names, checked.

    Attributes:
        config: the configuration.
        base: the folder that its paths are relative to.
        called: its name in messages.
        tokenizer: a tokenizer.json, or None for the embedded one.
        encoder_path: folder or background of the encoder, if the configuration names one.
        directory: the run directory.
        listed: files of each source, not read yet.
    """

    config: CurationConfig
    base: Path
    called: str
    tokenizer: Path | None
    encoder_path: Path | None
    directory: RunDirectory
    listed: Mapping[str, Listed]

    @property
    def input_bytes(self) -> int:
        """Bytes of all files of all sources, as they lie on disk."""
        return sum(listed.bytes for listed in self.listed.values())


def check_given(command: str, given: Path | Mapping[str, object], out: Path | None, suffix: str = "") -> Given:
    """Read a configuration and look at all that it names.

    Args:
        command: run, audit, pilot or top_up.
        given: path of a configuration file, or what would stand in one: its paths are relative to the file's folder, or
            the current one.
        out: the run directory; `runs/<name>` in the current folder if None.
        suffix: what stands behind that name.

    Returns:
        What was found. Opens every file and reads the first records of some: O(files).

    Raises:
        ConfigError: something that is named is missing, cannot be read or written, or does not fit the rest.
    """
    config, base, called = read_config(given)
    directory = RunDirectory((out or Path("runs") / f"{config.name}{suffix}").absolute())
    tokenizer = base / config.tokenizer.path if config.tokenizer.path else None
    if tokenizer is not None and not tokenizer.is_file():
        raise ConfigError(f"{called}: tokenizer.path: no file {config.tokenizer.path}; name a tokenizer.json")
    check_mixture(config.mixture, {source.name: source.kind for source in config.sources})
    semantic = config.measure.semantic
    encoder_path = base / semantic.path if semantic is not None and semantic.path else None
    if semantic is not None:
        check_encoder(semantic, encoder_path)
    require_readable([base / name for name in config.exclude])
    if command == "run":
        read_named_weights(config, base)
    if config.gate.last_go:
        require_go(base / config.gate.last_go)
    listed = {source.name: list_inputs(source, base) for source in config.sources}
    _refuse_overlap(directory.root, listed)
    directory.require_fit()
    for source in config.sources:
        check_columns(source, listed[source.name].unread, config.limits)
    return Given(config, base, called, tokenizer, encoder_path, directory, listed)


def _refuse_overlap(root: Path, listed: Mapping[str, Listed]) -> None:
    resolved = root.resolve()
    for name, found in listed.items():
        for file, path in found.paths.items():
            if path.is_relative_to(resolved):
                held = f"the run directory {root} holds an input of source {name} ({file})"
                raise ConfigError(f"--out: {held}; choose another folder")
