"""The content of a run's shards, in numbers: `shards/statistics.json`."""

from pydantic import Field

from schemas.strict import Strict


class SourceRows(Strict):
    """One source's part of a shard."""

    rows: int = Field(ge=0)
    tokens: int = Field(ge=0)
    text_bytes: int = Field(ge=0)


class ShardStatistics(Strict):
    """One shard.

    Attributes:
        path: relative to the run directory.
        rows: documents, repeats included.
        tokens: tokens of their texts.
        text_bytes: bytes of their texts in UTF-8.
        first_position: place of the shard's first row in the order of its group, from 0.
        last_position: place after its last row.
        sources: each source's part, by name; sources without a row are left out.
    """

    path: str
    rows: int = Field(ge=0)
    tokens: int = Field(ge=0)
    text_bytes: int = Field(ge=0)
    first_position: int = Field(ge=0)
    last_position: int = Field(ge=0)
    sources: dict[str, SourceRows]


class MixtureStatistics(Strict):
    """All shards of a run, in the order that they are read in; those held out of training stand apart."""

    rows: int = Field(ge=0)
    tokens: int = Field(ge=0)
    text_bytes: int = Field(ge=0)
    shards: list[ShardStatistics]
    validation: list[ShardStatistics] = Field(default_factory=list)
