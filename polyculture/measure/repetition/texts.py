"""Documents of a corpus by the file that holds them, and their words block by block: what workers read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from polyculture.compute.executor import in_groups
from polyculture.corpus.corpus import Corpus
from polyculture.storage.files import map_arrow_file
from polyculture.text.texts import as_texts
from polyculture.text.word_sequences import WordSequences, word_sequences

BLOCK_BYTES = 16 * 2**20  # of text whose words are held at a time: half as much again in hashes
LEAST_BYTES = 64 * 2**20  # of text in a call

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class FileRows:
    """Some documents of one partition.

    Attributes:
        path: the partition.
        source: its source's number.
        row: (n,) place of each document in the file.
        text_bytes: (n,) size of each, about.
    """

    path: Path
    source: int
    row: Numbers
    text_bytes: Numbers

    def words(self) -> Iterator[tuple[slice, WordSequences]]:
        """Words of the documents, block by block, and which documents those are."""
        texts = as_texts(map_arrow_file(self.path)["canonical"], is_canonical=True)
        for first, end in in_groups(self.text_bytes.tolist(), BLOCK_BYTES):
            yield slice(first, end), word_sequences(texts[self.row[first:end]])


def by_file(corpus: Corpus, documents: Numbers) -> tuple[list[FileRows], list[slice]]:
    """Documents by the partition that holds them.

    Args:
        corpus: n documents.
        documents: some of their numbers, ascending.

    Returns:
        Those of each partition that holds some, and which of `documents` they are.
    """
    row, files, spans = corpus.column("row"), [], []
    edges = np.searchsorted(documents, [first for first, _ in corpus.spans] + [len(corpus)]).tolist()
    for number, path in enumerate(corpus.partitions):
        span = slice(edges[number], edges[number + 1])
        mine = documents[span]
        if len(mine):
            files.append(
                FileRows(path, int(corpus.source[mine[0]]), row[mine].astype(np.int64), corpus.text_bytes[mine])
            )
            spans.append(span)
    return files, spans


def in_calls(files: Sequence[FileRows]) -> list[slice]:
    """Groups of files that are worth a call each."""
    return [slice(*group) for group in in_groups([int(file.text_bytes.sum()) for file in files], LEAST_BYTES)]


def is_small(files: Sequence[FileRows]) -> bool:
    """True if all of the files are not worth a worker."""
    return sum(int(file.text_bytes.sum()) for file in files) < LEAST_BYTES
