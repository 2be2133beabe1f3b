"""Open a run's shards with Hugging Face datasets: by index, as a stream, and from the middle.

python examples/read_with_datasets.py RUN
"""

import sys
from pathlib import Path
from typing import Any

import datasets


def by_index(run: Path) -> datasets.Dataset:
    """Map-style: nothing is copied, the shards are mapped. For uncompressed shards in the stream format."""
    return datasets.load_from_disk(str(run / "shards"))


def by_card(run: Path) -> datasets.DatasetDict:
    """All splits, as the dataset card names them; the same for a repository of a hub. Copies into the cache."""
    return datasets.load_dataset(str(run))


def as_stream(run: Path) -> datasets.IterableDataset:
    """In order, without a copy in the cache."""
    return datasets.load_dataset(str(run), split="train", streaming=True)


def resumed(stream: datasets.IterableDataset, rows: int) -> tuple[list[Any], list[Any]]:
    """Take some rows, keep the state, and go on in a stream that was given it."""
    taken = []
    for row in stream:
        taken.append(row)
        if len(taken) == rows:
            break
    state = stream.state_dict()
    stream.load_state_dict(state)
    return taken, list(stream)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python examples/read_with_datasets.py RUN")
    print(by_index(Path(sys.argv[1])))
    for row in as_stream(Path(sys.argv[1])).take(3):
        print(row["document_id"], row["tokens"])
