"""Train from a run's shards with a plain PyTorch DataLoader, and go on exactly where it stopped.

python examples/read_with_torch.py RUN STATE.json

Each call takes five batches and leaves STATE.json; the next call goes on from there, with any number of workers.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from polyculture.shards.reader import ShardReader, Share

BATCH_ROWS = 8


class Shards(IterableDataset[dict[str, Any]]):
    """A ShardReader as PyTorch wants it: each worker process takes its own blocks."""

    def __init__(self, reader: ShardReader, rank: int = 0, ranks: int = 1) -> None:
        self.reader, self.rank, self.ranks = reader, rank, ranks

    def __iter__(self) -> Iterator[dict[str, Any]]:
        worker = get_worker_info()
        number, workers = (worker.id, worker.num_workers) if worker else (0, 1)
        self.reader.take_share(Share(self.rank, self.ranks, number, workers))
        return iter(self.reader)


def train(run: Path, state_file: Path, steps: int, workers: int) -> list[list[str]]:
    """Take `steps` batches; returns their ids."""
    # is_even: with several ranks, all take equally many steps
    reader = ShardReader(run, batch_rows=BATCH_ROWS, columns=["document_id", "text"])
    if state_file.exists():
        reader.load_state_dict(json.loads(state_file.read_text()))
    # BATCH_ROWS is the reader's and the loader's: so the loader's order is the shards' order
    # A fork of a process with threads may hang or die; the reader is small to send.
    start = "spawn" if workers else None
    loader = DataLoader(Shards(reader), batch_size=BATCH_ROWS, num_workers=workers, multiprocessing_context=start)
    taken = []
    for batch in loader:
        taken.append(list(batch["document_id"]))  # here the model learns from batch["text"]
        if len(taken) == steps:
            break
    # Workers read ahead, so the state is what was taken, not what was read.
    state_file.write_text(json.dumps(reader.state_after(len(taken))))
    return taken


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python examples/read_with_torch.py RUN STATE.json")
    for ids in train(Path(sys.argv[1]), Path(sys.argv[2]), steps=5, workers=2):
        print(*ids)
