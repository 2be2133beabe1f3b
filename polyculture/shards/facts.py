"""Documents and tokens of the shards by licence and language, counted over all rows."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import polars as pl

from polyculture.shards.listing import is_file_format, read_batches, shard_groups
from schemas.accounts import FileDigest


@dataclass(frozen=True, slots=True)
class Held:
    """Documents and tokens of one licence or language; repeats are counted."""

    documents: int
    tokens: int


@dataclass(slots=True)
class ShardFacts:
    """Rows of all shards, by what their records say; None is a record that says nothing.

    Attributes:
        licenses, languages: documents and tokens of each.
        form: Arrow format of the shards.
    """

    licenses: dict[str | None, Held] = field(default_factory=dict)
    languages: dict[str | None, Held] = field(default_factory=dict)
    form: Literal["stream", "file"] = "stream"


def count_facts(root: Path, files: list[FileDigest]) -> ShardFacts:
    """Count licences and languages of the documents in all shards, most tokens first; reads three small columns.

    Args:
        root: the run directory.
        files: list of files with the shards in it.
    """
    tallies = {"license": ValueCounts(), "language": ValueCounts()}
    form: Literal["stream", "file"] = "stream"
    for shards in shard_groups(files).values():
        for shard in shards:
            form = "file" if is_file_format(root / shard.path) else "stream"
            for batch in read_batches(root / shard.path, [*tallies, "tokens"]):
                frame = pl.DataFrame(pl.from_arrow(batch))
                for name, tally in tallies.items():
                    tally.add(frame.group_by(name).agg(pl.len(), pl.col("tokens").sum()))
    return ShardFacts(tallies["license"].ranked(), tallies["language"].ranked(), form)


class ValueCounts:
    """Documents and tokens by value."""

    def __init__(self) -> None:
        self._documents: Counter[str | None] = Counter()
        self._tokens: Counter[str | None] = Counter()

    def add(self, found: pl.DataFrame) -> None:
        """Add rows of (value, documents, tokens)."""
        for value, documents, tokens in found.iter_rows():
            self._documents[value] += documents
            self._tokens[value] += tokens

    def ranked(self) -> dict[str | None, Held]:
        """All values, most tokens first, equal ones by name."""
        order = sorted(self._tokens, key=lambda value: (-self._tokens[value], value is None, value or ""))
        return {value: Held(self._documents[value], self._tokens[value]) for value in order}
