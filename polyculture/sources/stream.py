"""One opener for plain and compressed files, told apart by their first bytes, with an end check of its own.

A compressed file is decoded twice: `_survey` decodes it whole and finds how many decompressed bytes can be trusted,
then the reader gets exactly these. Checksums stand at the END of a member, stream or frame; without the first pass,
text that a flipped bit has changed would have become documents before the mismatch shows. It costs no memory worth
naming and no disk, decompression being several times faster than parsing; small files are kept from the first.

- A member, stream or frame that fails its check is lost from its start on, and with it the rest of the file.
- A file that is merely cut keeps everything before the cut.
"""

import errno
import io
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Protocol, Self

from polyculture.sources.decoders import DamageError, Decoder, is_skippable
from polyculture.sources.gzip_decoder import GZIP_MAGIC, GzipDecoder
from polyculture.sources.lz4_decoder import LZ4_MAGIC, Lz4Decoder
from polyculture.sources.stdlib_decoders import XZ_MAGIC, Bzip2Decoder, XzDecoder, is_bzip2
from polyculture.sources.zstd_decoder import ZSTD_MAGIC, ZstdDecoder
from schemas.quarantined import QuarantineReason
from schemas.source_config import LimitsConfig

BUFFER_BYTES = 2**20
RATIO_FREE_BYTES = 64 * 2**20  # the expansion limit applies after this many decompressed bytes
KEPT_BYTES = 32 * 2**20  # what a first pass may keep in memory to save the second
OBJECT_BYTES = 64  # what a piece costs beside its bytes
MAGIC_BYTES = 16  # of a file, by which its compression is told
SKIPPABLE_BYTES = 8  # magic number and length of a skippable frame


class Codec(StrEnum):
    """The compression of a file."""

    PLAIN = "plain"
    GZIP = "gzip"
    ZSTD = "zstd"
    BZIP2 = "bzip2"
    XZ = "xz"
    LZ4 = "lz4"


_MAGIC = ((GZIP_MAGIC, Codec.GZIP), (ZSTD_MAGIC, Codec.ZSTD), (XZ_MAGIC, Codec.XZ), (LZ4_MAGIC, Codec.LZ4))


@dataclass(frozen=True, slots=True)
class Problem:
    """The reason why a stream ends before its file does.

    Attributes:
        reason: reason for the quarantine.
        detail: explanation for people.
        lost_bytes: bytes of the file, as stored, that were not read.
    """

    reason: QuarantineReason
    detail: str
    lost_bytes: int


@dataclass(slots=True)
class FirstPass:
    """Findings of the first pass over a compressed file: trusted bytes, and a problem if they end early."""

    safe_bytes: int
    problem: Problem | None
    warnings: list[str]
    kept: list[bytes] | None


def open_regular(path: Path) -> "io.BufferedReader[io.FileIO]":
    """Open a regular file for reading; never waits for a FIFO and never follows a link put there meanwhile.

    Raises:
        OSError: it cannot be opened, or is a folder, FIFO, device, socket or symbolic link.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return io.BufferedReader(io.FileIO(descriptor, "rb"), BUFFER_BYTES)


def find_codec(head: bytes) -> Codec:
    """The compression that a file's first bytes, `MAGIC_BYTES` or all of it, show; two bytes may be a cut file."""
    if is_skippable(head[:4]):
        return Codec.ZSTD
    if len(head) > 1:
        for magic, codec in _MAGIC:
            if magic.startswith(head[: len(magic)]):
                return codec
    return Codec.BZIP2 if is_bzip2(head) else Codec.PLAIN


def _look(handle: BinaryIO, size: int) -> Codec:
    """The compression of a file; skippable frames, which zstd and lz4 share, are told by the frame behind them."""
    codec = find_codec(head := handle.read(MAGIC_BYTES))
    place = 0
    while is_skippable(head[:4]) and len(head) >= SKIPPABLE_BYTES:
        place += SKIPPABLE_BYTES + int.from_bytes(head[4:SKIPPABLE_BYTES], "little")
        if place >= size:
            break
        handle.seek(place)
        head = handle.read(MAGIC_BYTES)
    return Codec.LZ4 if head.startswith(LZ4_MAGIC) else codec


class Stream(Protocol):
    """The bytes that a reader is given: of a file, or of a member of an archive."""

    codec: Codec
    reader: "io.BufferedReader[Any]"
    problem: Problem | None

    @property
    def warnings(self) -> Sequence[str]:
        """Oddities of the container that cost nothing."""
        ...


class ByteStream:
    """A file's decompressed bytes, as far as they can be trusted. A context manager.

    Attributes:
        codec: compression of the file.
        reader: buffered bytes with `read`, `readline`, `peek`; ends where the trusted bytes end.
        trusted_bytes: the number of bytes that the reader gives.
        problem: reason why that is before the end of the file; None if it is the end. Known from the start.
        warnings: oddities of the container that cost nothing.
    """

    def __init__(self, handle: BinaryIO, size: int, limits: LimitsConfig) -> None:
        """Survey the `size` bytes of `handle`, which is closed with the stream.

        Raises:
            OSError: it cannot be read.
        """
        self._handle = handle
        self._size = size
        self._limits = limits
        try:
            self.codec = _look(handle, size)
            self._survey = self._examine(size, limits)
            self.rewind()
        except BaseException:
            handle.close()
            raise
        self.trusted_bytes = self._survey.safe_bytes
        self.problem = self._survey.problem
        self.warnings = self._survey.warnings

    @classmethod
    def open(cls, path: Path, limits: LimitsConfig) -> Self:
        """Open and survey a file.

        Raises:
            OSError: it cannot be opened or read, or is not a regular file.
        """
        handle = open_regular(path)
        return cls(handle, os.fstat(handle.fileno()).st_size, limits)

    def rewind(self) -> None:
        """Start again: a new `reader` from the first byte. What is compressed is decoded once more."""
        if self._survey.kept is None:
            self._handle.seek(0)
            pieces = _first_bytes(self._pieces(self._size, self._limits), self._survey.safe_bytes)
        else:
            pieces = iter(self._survey.kept)
        self.reader: io.BufferedReader[Any] = io.BufferedReader(_Pieces(pieces), BUFFER_BYTES)

    def _examine(self, size: int, limits: LimitsConfig) -> FirstPass:
        if self.codec is not Codec.PLAIN:
            self._handle.seek(0)
            return _survey(self._decoder(size, limits), size, limits)
        problem = None
        if size > limits.max_file_bytes:
            detail = f"{size} bytes, at most {limits.max_file_bytes} (limits.max_file_bytes)"
            problem = Problem(QuarantineReason.BOMB_SIZE, detail, size - limits.max_file_bytes)
        return FirstPass(min(size, limits.max_file_bytes), problem, [], None)

    def _decoder(self, size: int, limits: LimitsConfig) -> Decoder:
        if self.codec is Codec.GZIP:
            return GzipDecoder(self._handle, size)
        if self.codec is Codec.BZIP2:
            return Bzip2Decoder(self._handle, limits)
        if self.codec is Codec.XZ:
            return XzDecoder(self._handle, limits)
        framed = Lz4Decoder if self.codec is Codec.LZ4 else ZstdDecoder
        return framed(self._handle, size, limits)

    def _pieces(self, size: int, limits: LimitsConfig) -> Iterator[bytes]:
        if self.codec is Codec.PLAIN:
            return iter(lambda: self._handle.read(BUFFER_BYTES), b"")
        return self._decoder(size, limits).pieces()

    def __enter__(self) -> "ByteStream":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self.reader.close()
        self._handle.close()


def _survey(decoder: Decoder, size: int, limits: LimitsConfig) -> FirstPass:
    """Decode everything once. Time O(decompressed bytes), memory O(1) plus what is kept of a small file."""
    total = held = 0
    kept: list[bytes] | None = []
    safe: int | None = None
    problem = None
    try:
        for piece in decoder.pieces():
            total += len(piece)
            if kept is not None:
                kept.append(piece)
                held += len(piece) + OBJECT_BYTES
                if held > KEPT_BYTES:
                    kept = None
            problem = _bomb(total, size, decoder, limits)
            if problem is not None:
                safe = decoder.safe_output  # the member that explodes was never checked
                break
    except DamageError as damage:
        # lost_bytes of a cut are 0 unless bytes follow that were not understood: what is missing is not in the file
        safe = total if damage.is_cut else decoder.safe_output
        problem = Problem(damage.reason, str(damage), size - decoder.safe_input if safe <= decoder.safe_output else 0)
    if safe is None:
        safe = total
    if kept is not None and safe < total:
        kept = list(_first_bytes(iter(kept), safe))
    return FirstPass(safe, problem, decoder.warnings, kept)


def _bomb(total: int, size: int, decoder: Decoder, limits: LimitsConfig) -> Problem | None:
    lost = size - decoder.safe_input
    if total > limits.max_file_bytes:
        detail = f"more than {limits.max_file_bytes} bytes (limits.max_file_bytes)"
        return Problem(QuarantineReason.BOMB_SIZE, detail, lost)
    if total > RATIO_FREE_BYTES and total > limits.max_expansion * size:
        detail = f"expands more than {limits.max_expansion} times (limits.max_expansion)"
        return Problem(QuarantineReason.BOMB_RATIO, detail, lost)
    return None


def _first_bytes(pieces: Iterator[bytes], count: int) -> Iterator[bytes]:
    """The first `count` bytes of `pieces`; nothing behind them is decoded."""
    while count > 0 and (piece := next(pieces, None)) is not None:
        yield piece[:count]
        count -= len(piece)


class _Pieces(io.RawIOBase):
    """A raw stream over an iterator of bytes."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._current = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed's Buffer cannot be indexed
        """Fill the buffer, however small the pieces are: a format is told by the first bytes, not the first piece."""
        filled = 0
        while filled < len(buffer):
            if not self._current:
                piece = next(self._pieces, None)
                if piece is None:
                    break
                self._current = memoryview(piece)
            count = min(len(buffer) - filled, len(self._current))
            buffer[filled : filled + count] = self._current[:count]
            self._current = self._current[count:]
            filled += count
        return filled
