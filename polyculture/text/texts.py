"""Texts as compiled kernels take them: addresses in Arrow buffers or mapped files. No text is copied."""

import mmap
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.ipc
from numpy.typing import NDArray

from polyculture.compute.compiled import bytes_at
from polyculture.text.canonical import canonical_text

MAPPED_BUDGET_BYTES = 2**30
PAGES_AT_ONCE_BYTES = 2**16  # what the system maps around a page that is touched
Pointers = tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.bool_]]


@dataclass(frozen=True)
class Texts:
    """Valid UTF-8 texts, wherever they lie.

    Attributes:
        address: (n,) address of the first byte.
        size: (n,) bytes.
        is_canonical: (n,) whether nothing is left to fold.
        owner: object that keeps the bytes alive.
        maps: files that they are mapped from, whose pages may be given back.
    """

    address: NDArray[np.uint64]
    size: NDArray[np.int64]
    is_canonical: NDArray[np.bool_]
    owner: object
    maps: tuple[Any, ...] = ()

    def __len__(self) -> int:
        return len(self.address)

    def __getitem__(self, span: slice | NDArray[np.int64]) -> "Texts":
        return Texts(self.address[span], self.size[span], self.is_canonical[span], self.owner, self.maps)

    def release(self) -> None:
        """Give the memory of mapped pages back; they are mapped again when they are touched."""
        for mapped in self.maps:
            mapped.madvise(mmap.MADV_DONTNEED)

    @property
    def mapped_bytes(self) -> int:
        """Bytes of the files that the texts are mapped from."""
        return sum(len(mapped) for mapped in self.maps)

    @property
    def pointers(self) -> Pointers:
        """The arrays, as a kernel takes them."""
        return self.address, self.size, self.is_canonical

    @cached_property
    def longest_bytes(self) -> int:
        """Bytes of the longest text."""
        return int(self.size.max(initial=0))

    def decode(self, number: int) -> str:
        """One text as a string."""
        return bytes(bytes_at(self.address[number], self.size[number])).decode()


class MappedPages:
    """Keeps the pages of mapped texts that are held at a time within MAPPED_BUDGET_BYTES, about.

    They are the system's to take back whenever it needs memory; the budget keeps what a process seems to use near what
    it needs. To map a page again costs two microseconds, so nothing is given back before that.
    """

    def __init__(self, texts: Texts) -> None:
        self._texts, self._touched, self._lock = texts, 0, threading.Lock()
        self._is_within = texts.mapped_bytes <= MAPPED_BUDGET_BYTES

    def touch(self, size_bytes: int) -> None:
        """Count what was looked at, and give all pages back once the budget is spent; from any thread."""
        if self._is_within:
            return
        with self._lock:
            self._touched += size_bytes
            if self._touched > MAPPED_BUDGET_BYTES:
                self._texts.release()
                self._touched = 0


def as_texts(array: pa.Array | pa.ChunkedArray, is_canonical: bool = False) -> Texts:
    """The texts of a `string` or `large_string` array.

    Raises:
        ValueError: the array holds nulls.
    """
    chunks = array.chunks if isinstance(array, pa.ChunkedArray) else [array]
    places = [_places(chunk) for chunk in chunks]
    address = np.concatenate([a for a, _ in places]) if places else np.empty(0, np.uint64)
    size = np.concatenate([s for _, s in places]) if places else np.empty(0, np.int64)
    return Texts(address, size, np.full(len(size), is_canonical), array)


def _places(array: pa.Array) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    if array.null_count:
        raise ValueError("texts must not hold nulls")
    width = np.int64 if pa.types.is_large_string(array.type) else np.int32
    _, offset_buffer, data_buffer = array.buffers()
    if not len(array) or data_buffer is None:
        return np.zeros(len(array), np.uint64), np.zeros(len(array), np.int64)
    offsets = np.frombuffer(offset_buffer, width)[array.offset : array.offset + len(array) + 1].astype(np.int64)
    return offsets[:-1].astype(np.uint64) + np.uint64(data_buffer.address), np.diff(offsets)


def fold_by_hand(texts: Texts, numbers: NDArray[np.int64]) -> Texts:
    """Canonical texts of those documents that the compiled fold leaves alone, by `canonical_text`."""
    folded = [canonical_text(texts.decode(int(number))) for number in numbers]
    return as_texts(pa.array(folded, pa.large_string()), is_canonical=True)


def map_texts(paths: Sequence[Path], column: str = "text") -> Texts:
    """A text column of uncompressed Arrow files, one file after another, mapped and not read."""
    maps = tuple(_map(path) for path in paths)
    chunks = [chunk for mapped in maps for chunk in _column(mapped, column).chunks]
    texts = as_texts(pa.chunked_array(chunks, pa.large_string()))
    return Texts(texts.address, texts.size, texts.is_canonical, chunks, maps)


def _map(path: Path) -> Any:
    with path.open("rb") as stream:
        return mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)


def _column(mapped: Any, column: str) -> pa.ChunkedArray:
    return pa.ipc.open_file(pa.py_buffer(mapped)).read_all()[column].cast(pa.large_string())
