"""Read the shards of a run in their order, from any row, as one of the readers of a training run.

The order is one for the whole run: shard after shard, row after row, as the manifest lists them. From its first row on
it is cut into BLOCKS of `batch_rows` rows. With R ranks, block b goes to rank b mod R; with W workers in a rank, the
rank's k-th block goes to worker k mod W. Three things follow.

- Every row is read once, by one worker of one rank.
- A loader that takes blocks from its workers in turn, as PyTorch's does, gives a rank its blocks in their order,
  whatever W is.
- When every rank has taken k blocks, the rows taken are the first k * R * `batch_rows`: one number is the state of the
  whole training run. It resumes exactly, also with another number of ranks or workers, or another `batch_rows`.

The mixture is already shuffled, and holds its epochs: there is nothing to shuffle and nothing to repeat.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from polyculture.errors import ConfigError, PolycultureError
from polyculture.shards.listing import TRAIN, check_sizes, read_batches, read_shard_list
from polyculture.storage.run_directory import is_intact

STATE_FORMAT = "polyculture-reader-1"
State = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Share:
    """The blocks that a reader takes: those of one worker of one rank."""

    rank: int = 0
    ranks: int = 1
    worker: int = 0
    workers: int = 1

    def __post_init__(self) -> None:
        if not (0 <= self.rank < self.ranks and 0 <= self.worker < self.workers):
            raise ConfigError(f"rank {self.rank} of {self.ranks}, worker {self.worker} of {self.workers}: count from 0")


class ShardReader:
    """Rows of a run's shards as dictionaries, in the order above.

    Iterating starts at `row`, each time. Costs: shards before it are not opened; the shard that holds it is skimmed.
    Uncompressed shards are mapped, so a worker touches its own rows only; a compressed shard is decompressed by every
    worker. Holds one record batch. It can be sent to other processes.

    Attributes:
        row: the first row to read.
        rows: rows of the group, all ranks together.
        end: the row after the last to read.
    """

    def __init__(  # noqa: PLR0913 -- one argument an option, by name
        self,
        run: Path | str,
        *,
        batch_rows: int = 1,
        columns: Sequence[str] | None = None,
        group: str = TRAIN,
        is_even: bool = False,
        manifest_sha256: str | None = None,
    ) -> None:
        """Open a run. Shards come from its manifest alone, and each has the size that is listed there.

        Args:
            run: the run directory, or a copy of a published one.
            batch_rows: rows of a block: the batch size of one rank.
            columns: columns to read; all if None.
            group: group of shards.
            is_even: leave out the last rows that do not give every rank a whole block, so that all ranks take equally
                many steps; otherwise the last block may be short, and some ranks may have one block fewer.
            manifest_sha256: the digest that the manifest must have, from the verdict; not checked if None.

        Raises:
            ConfigError: the path is no finished run, or the run has no such shards.
            PolycultureError: the manifest or a shard is not what it should be.
        """
        if batch_rows < 1:
            raise ConfigError(f"batch_rows: {batch_rows}, wanted at least 1")
        listed = read_shard_list(Path(run), manifest_sha256)
        self._root, self._group, self.manifest_sha256 = listed.root, group, listed.manifest_sha256
        self._shards = listed.group(group)
        check_sizes(self._root, self._shards)
        self._columns, self._batch_rows, self._is_even = columns and list(columns), batch_rows, is_even
        self._share = Share()
        self.rows = sum(shard.rows or 0 for shard in self._shards)
        self.row = self._at = 0

    @property
    def end(self) -> int:
        """The row after the last one to read."""
        whole_round = self._batch_rows * self._share.ranks
        return self.row + (self.rows - self.row) // whole_round * whole_round if self._is_even else self.rows

    def verify(self) -> None:
        """Compare every shard with its digest; reads all of them.

        Raises:
            PolycultureError: one is damaged.
        """
        for shard in self._shards:
            if not is_intact(self._root, shard):
                raise PolycultureError(f"{self._root / shard.path} is not what the manifest lists; copy it again")

    def take_share(self, share: Share) -> None:
        """Read only the blocks of one worker of one rank from now on."""
        self._share = share

    def __iter__(self) -> Iterator[dict[str, Any]]:
        self._at = self.row
        for first, batch in self._record_batches():
            for start, stop in self._own_spans(first, min(first + batch.num_rows, self.end)):
                for number, row in enumerate(batch.slice(start - first, stop - start).to_pylist(), start + 1):
                    self._at = number
                    yield row

    def _record_batches(self) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Batches that reach past `row`, each with the number of its first row."""
        first = 0
        for shard in self._shards:
            rows = shard.rows or 0
            if first + rows > self.row and first < self.end:
                held = 0
                for batch in read_batches(self._root / shard.path, self._columns):
                    if first + held + batch.num_rows > self.row:
                        yield first + held, batch
                    held += batch.num_rows
                if held != rows:
                    raise PolycultureError(f"{self._root / shard.path} holds {held} rows, the manifest lists {rows}")
            first += rows

    def _own_spans(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Spans of own rows in [first, last)."""
        share, size = self._share, self._batch_rows
        shares = share.ranks * share.workers
        if shares == 1:  # all at once: a slice a block costs more than its rows
            if first < last:
                yield max(first, self.row), last
            return
        own = share.rank + share.ranks * share.worker
        block = (max(first, self.row) - self.row) // size
        block += (own - block) % shares
        while (start := self.row + block * size) < last:
            yield max(first, start), min(last, start + size)
            block += shares

    def state_dict(self) -> State:
        """The place to go on from: after the rows taken since iterating began, by all ranks in step.

        Raises:
            ConfigError: this reader cannot know it: it is one of several workers, or a rank within a block.
        """
        share, size = self._share, self._batch_rows
        if share.workers > 1:
            raise ConfigError("a worker does not know how far the others are; count batches and use `state_after`")
        if share.ranks == 1:
            return self._state(self._at)
        blocks, within = divmod(self._at - self.row, size)
        if within and self._at < self.end:
            raise ConfigError(f"{within} rows into a block of {size}: other ranks are not there; end the block first")
        return self.state_after(-(-(blocks + bool(within)) // share.ranks))

    def state_after(self, batches: int) -> State:
        """The place to go on from after `batches` blocks of every rank since `row`, for the process that counts."""
        return self._state(min(self.row + batches * self._batch_rows * self._share.ranks, self.end))

    def _state(self, row: int) -> State:
        return {"format": STATE_FORMAT, "manifest_sha256": self.manifest_sha256, "group": self._group, "row": row}

    def load_state_dict(self, state: State) -> None:
        """Go on where a state says; ranks, workers and `batch_rows` may differ from those that left it.

        Raises:
            ConfigError: the state is no state of a reader of these shards.
        """
        own = self._state(self.row)
        for key in ("format", "manifest_sha256", "group"):
            if state.get(key) != own[key]:
                raise ConfigError(f"the state's {key} is {state.get(key)!r}, these shards have {own[key]!r}")
        row = state.get("row")
        if not isinstance(row, int) or isinstance(row, bool) or not 0 <= row <= self.rows:
            raise ConfigError(f"the state's row is {row!r}, wanted 0 to {self.rows}")
        self.row = self._at = row
