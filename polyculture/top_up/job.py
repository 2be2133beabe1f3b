"""The request for a top-up, with everything checked that can be checked before a record is read."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from polyculture.configuration import load_config
from polyculture.errors import ConfigError
from polyculture.job import Job
from polyculture.storage.run_directory import RunDirectory
from polyculture.text.tokenizer import TokenCounter
from polyculture.top_up.parent import Parent, parent_config
from schemas.config import CurationConfig
from schemas.manifest import Manifest
from schemas.mixture_config import RatesFile


@dataclass(frozen=True)
class TopUpJob:
    """A job over the candidates, and the run that it continues.

    Attributes:
        job: over the candidates; its run directory is the top-up's.
        parent: the run that is continued.
        tokens: most tokens to add.
    """

    job: Job
    parent: Parent
    tokens: int

    @property
    def reading(self) -> Job:
        """The same job with the parent's shards as its only sources; its partitions lie beside the candidates'."""
        config = parent_config(self.job.config, self.parent)
        files = [(*held.shards, *held.held_out) for held in self.parent.held]
        inputs = {source.name: group for source, group in zip(config.sources, files, strict=True)}
        return replace(self.job, config=config, inputs=inputs)

    @property
    def parent_sources(self) -> tuple[str, ...]:
        """Names of the parent's sources."""
        return tuple(source.name for source in self.reading.config.sources)

    @property
    def joint(self) -> Job:
        """The same job over both; what it writes lies in a folder of its own."""
        reading = self.reading
        sources = (*reading.config.sources, *self.job.config.sources)
        return replace(
            self.job,
            config=self.job.config.model_copy(update={"sources": sources}),
            inputs={**reading.inputs, **self.job.inputs},
            directory=RunDirectory(self.job.directory.work / "joint"),
        )


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


def notes_of(config: CurationConfig) -> list[str]:
    """Sentences on what the configuration asks for and a top-up does not follow."""
    notes = []
    mixture = config.mixture
    if mixture.rates == "auto" or isinstance(mixture.rates, RatesFile) or any(mixture.fixed_rates.values()):
        notes.append(
            "mixture.rates were not followed: documents are chosen one by one; only a rate of 0 keeps a source out."
        )
    if mixture.shares is not None:
        notes.append(
            "mixture.shares were not followed: documents are chosen one by one; only a share of 0 keeps a source out."
        )
    if mixture.phases:
        notes.append("mixture.phases were not followed: a top-up is one phase; limits beside `phases` hold.")
    limits = (*mixture.kinds.values(), *mixture.sources.values())
    if any(limit.min_fraction for limit in limits):
        notes.append("min_fraction was not followed: nothing is chosen for its source or kind alone.")
    if config.validation is not None:
        notes.append("validation was not followed: what the parent holds out stays held out, and nothing more is.")
    if mixture.tokens is not None:
        notes.append("mixture.tokens was not followed: --tokens is the budget of a top-up.")
    return notes
