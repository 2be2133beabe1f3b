"""What is asked to be read from disk: all that documents need, in few pieces, and little else."""

import mmap
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from polyculture.shards import mapped as mapped_files
from polyculture.shards.gather import Found, MappedDocuments, is_string
from polyculture.storage.files import write_arrow_file
from schemas.documents import DOCUMENT_SCHEMA

ROWS, CHUNK = 4_000, 1_000
Ranges = list[tuple[int, int]]


class Recording(mmap.mmap):
    """A mapped file that notes the addresses that it is asked to read."""

    asked: Ranges

    def madvise(self, option: int, start: int = 0, length: int | None = None) -> None:
        super().madvise(option, start, len(self) - start if length is None else length)
        if option == mmap.MADV_WILLNEED:
            assert length is not None
            base = pa.py_buffer(self).address
            self.asked.append((base + start, base + start + length))


@pytest.fixture
def documents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[MappedDocuments, Ranges]:
    """Two partitions of documents of a kilobyte, and what is asked of them."""
    asked: Ranges = []

    def mapped(path: Path) -> Any:
        with path.open("rb") as stream:
            recording = Recording(stream.fileno(), 0, access=mmap.ACCESS_READ)
        recording.asked = asked
        return recording

    paths = []
    for part in range(2):
        columns = {field.name: pa.nulls(ROWS, field.type) for field in DOCUMENT_SCHEMA}
        columns["text"] = pa.array([f"{part} {row} ".ljust(1000, "x") for row in range(ROWS)], pa.large_string())
        columns["document_id"] = pa.array([f"s:{row}" for row in range(ROWS)])
        columns["seed"] = pa.array([None if row % 3 else f"seed {row}" for row in range(ROWS)])
        columns["tokens"] = pa.array(np.arange(ROWS))
        table = pa.table(
            [columns[field.name].cast(field.type) for field in DOCUMENT_SCHEMA], names=DOCUMENT_SCHEMA.names
        )
        paths.append(tmp_path / f"{part}.arrow")
        write_arrow_file(paths[-1], pa.Table.from_batches(table.to_batches(max_chunksize=CHUNK)))
    monkeypatch.setattr(mapped_files, "_map", mapped)
    return MappedDocuments(paths), asked


def total(asked: Ranges) -> int:
    return sum(end - start for start, end in asked)


def covered(found: dict[str, Found], asked: Ranges) -> NDArray[np.bool_]:
    """Whether each value of a string was asked for."""
    start = np.concatenate([column.address[column.size > 0] for name, column in found.items() if is_string(name)])
    size = np.concatenate([column.size[column.size > 0] for name, column in found.items() if is_string(name)])
    first, last = start.astype(np.int64), start.astype(np.int64) + size
    result = np.zeros(len(first), np.bool_)
    for low, high in asked:
        result |= (first >= low) & (last <= high)
    return result


@pytest.mark.parametrize("every", [1, 5, 50])
def test_every_value_is_asked_for(documents: tuple[MappedDocuments, Ranges], every: int) -> None:
    mapped, asked = documents
    number = np.random.default_rng(1).permutation(np.arange(0, 2 * ROWS, every))
    found = mapped.find(number, DOCUMENT_SCHEMA.names)
    assert len(covered(found, asked)) > len(number)
    assert covered(found, asked).all()


def test_documents_that_lie_together_are_one_piece_and_no_others_are_read(
    documents: tuple[MappedDocuments, Ranges],
) -> None:
    mapped, asked = documents
    mapped.find(np.arange(1_950, 2_150)[::-1].copy(), ["text"])  # over the border of a chunk
    texts = [(start, end) for start, end in asked if end - start > 20_000]
    assert len(texts) == 2
    assert 200_000 <= total(texts) <= 200_000 + 4 * mmap.PAGESIZE
    assert total(asked) < 250_000


def test_documents_that_lie_apart_are_read_alone(documents: tuple[MappedDocuments, Ranges]) -> None:
    mapped, asked = documents
    mapped.find(np.arange(0, ROWS, 400), ["text"])
    assert total(asked) < 10 * 4 * mmap.PAGESIZE


def test_sizes_are_told_without_reading_any_text(documents: tuple[MappedDocuments, Ranges]) -> None:
    mapped, asked = documents
    sizes = mapped.row_bytes()
    assert len(sizes) == 2 * ROWS
    assert (sizes > 1000).all()
    assert 2 * ROWS * 8 < total(asked) < 2 * ROWS * 250
