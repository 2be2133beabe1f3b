"""The request for a top-up, with everything checked that can be checked before a record is read."""

from dataclasses import dataclass, replace

from polyculture.job import Job
from polyculture.storage.run_directory import RunDirectory
from polyculture.top_up.parent import Parent, parent_config
from schemas.config import CurationConfig
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
