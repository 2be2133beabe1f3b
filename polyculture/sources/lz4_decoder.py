"""Lz4, walked frame by frame and block by block; pyarrow decodes the blocks."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import pyarrow as pa
import xxhash

from polyculture.sources.decoders import DamageError, FrameReader, is_skippable
from polyculture.sources.trailing import Container, end_in_junk
from schemas.source_config import LimitsConfig

LZ4_MAGIC = b"\x04\x22\x4d\x18"
HISTORY_BYTES = 2**16  # how far back a block may refer
END_MARK = bytes(4)
STORED = 2**31  # flag of a block that is not compressed
_VERSION = 0x40
_INDEPENDENT = 0x20


@dataclass(frozen=True, slots=True)
class _Frame:
    """A frame's header: what its blocks are, and what is known of the whole."""

    is_linked: bool
    has_block_checksums: bool
    has_checksum: bool
    size_code: int
    content_bytes: int | None

    @property
    def block_bytes(self) -> int:
        """Bytes that a block yields at most: 64 KiB to 4 MiB."""
        return 1 << (2 * self.size_code + 8)


class Lz4Decoder(FrameReader):
    """The LZ4 frame format, version 1.6.4: any number of frames, blocks of at most 4 MiB, linked or not.

    Each block is given to pyarrow as a frame of its own, behind the 64 KiB before it if it is linked, so that what
    comes before a cut is kept and nothing grows past a block. Checksums are verified here. A frame without any
    (python-lz4 and pyarrow write such frames) cannot show every changed bit.
    """

    name = "lz4"

    def __init__(self, handle: BinaryIO, size_bytes: int, limits: LimitsConfig) -> None:
        super().__init__(handle, size_bytes)
        self._max_file_bytes = limits.max_file_bytes

    def pieces(self) -> Iterator[bytes]:
        """See Decoder."""
        is_first = True
        while magic := self._handle.read(4):
            if magic == LZ4_MAGIC:
                yield from self._frame()
                is_first = False
            elif len(magic) == 4 and is_skippable(magic):
                self._skip()
            elif LZ4_MAGIC.startswith(magic):
                raise DamageError("lz4: the file ends inside a frame's header", is_cut=True)
            else:
                self.warnings += end_in_junk(self._handle, magic, _CONTAINER, first=is_first)
                return
            self._frame_ends()

    def _header(self) -> _Frame:
        flags, descriptor = start = self._read(2)
        has_size, has_dictionary = bool(flags & 8), bool(flags & 1)
        rest = self._read(8 * has_size + 4 * has_dictionary)
        if self._read(1)[0] != xxhash.xxh32_intdigest(start + rest) >> 8 & 0xFF:
            raise DamageError("lz4: the checksum of a frame's header is wrong")
        size_code = descriptor >> 4
        if flags & 0xC2 != _VERSION or descriptor & 0x8F or size_code < 4:
            raise DamageError("lz4: a frame of another version of the format")
        if has_dictionary:
            raise DamageError("lz4: needs a dictionary, which is not inside the file; decompress it with lz4 -dc -D")
        content_bytes = int.from_bytes(rest[:8], "little") if has_size else None
        if content_bytes is not None and content_bytes > self._max_file_bytes:
            detail = f"lz4: claims {content_bytes} bytes, at most {self._max_file_bytes} (limits.max_file_bytes)"
            raise DamageError(detail, is_bomb=True)
        return _Frame(not flags & _INDEPENDENT, bool(flags & 16), bool(flags & 4), size_code, content_bytes)

    def _frame(self) -> Iterator[bytes]:
        frame = self._header()
        head = _frame_header(frame)
        digest = xxhash.xxh32()
        produced = 0
        history = b""
        while (written := self._read(4)) != END_MARK:
            piece = self._block(frame, head, written, history)
            if frame.is_linked:
                history = (history + piece)[-HISTORY_BYTES:]
            digest.update(piece)
            produced += len(piece)
            yield self._take(piece)
        if frame.has_checksum and int.from_bytes(self._read(4), "little") != digest.intdigest():
            raise DamageError("lz4: the checksum of a frame is wrong")
        if frame.content_bytes not in (None, produced):
            raise DamageError(f"lz4: a frame of {produced} bytes, its header says {frame.content_bytes}")

    def _block(self, frame: _Frame, head: bytes, written: bytes, history: bytes) -> bytes:
        size = int.from_bytes(written, "little")
        if size & ~STORED > frame.block_bytes:
            raise DamageError(f"lz4: a block of {size & ~STORED} bytes, at most {frame.block_bytes}")
        data = self._read(size & ~STORED)
        if frame.has_block_checksums and int.from_bytes(self._read(4), "little") != xxhash.xxh32_intdigest(data):
            raise DamageError("lz4: the checksum of a block is wrong")
        if size & STORED:
            return data
        before = struct.pack("<I", len(history) | STORED) + history if history else b""
        whole = b"".join((head, before, written, data, END_MARK))
        most = len(history) + frame.block_bytes
        try:
            with pa.CompressedInputStream(pa.BufferReader(whole), "lz4") as stream:
                return bytes(stream.read(most + 1)[len(history) :])
        except (OSError, pa.ArrowException) as error:
            raise DamageError(f"lz4: {error}") from error


def _frame_header(frame: _Frame) -> bytes:
    """The header of a frame for one block: no sizes, no checksums but the header's own."""
    start = bytes([_VERSION | (0 if frame.is_linked else _INDEPENDENT), frame.size_code << 4])
    return LZ4_MAGIC + start + bytes([xxhash.xxh32_intdigest(start) >> 8 & 0xFF])


def _has_blocks(junk: bytes) -> bool:
    """True if an end mark and a checksum stand at the end, or a row of blocks leads to an end mark there."""
    if junk[-8:-4] == END_MARK:
        return True
    ends = {len(junk) - 4, len(junk) - 8}
    return any(_end_of_blocks(junk, start) in ends for start in range(len(junk) - 8))


def _end_of_blocks(junk: bytes, start: int) -> int:
    """The place of the end mark behind the blocks, at least one, that begin at `start`; -1 if these are none."""
    first = start
    while start + 4 <= len(junk):
        size = int.from_bytes(junk[start : start + 4], "little") & ~STORED
        if not size:
            return start if start > first else -1
        start += 4 + size
    return -1


_CONTAINER = Container("lz4", "frame", LZ4_MAGIC, _has_blocks)
