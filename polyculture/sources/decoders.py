"""Gzip and zstd, walked member by member and frame by frame so that a missing end cannot go unseen."""

import re
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Protocol

import zstandard

from schemas.quarantined import QuarantineReason

READ_BYTES = 2**18
PIECE_BYTES = 2**20
GZIP_MAGIC = b"\x1f\x8b\x08"
# Magic, deflate, flags without the reserved bits, any time, the usual extra flags and systems.
_GZIP_HEADER = re.compile(rb"\x1f\x8b\x08[\x00-\x1f].{4}[\x00\x02\x04][\x00-\x0d\xff]", re.DOTALL)
SMALLEST_GZIP_MEMBER = 18  # 10 bytes of header, 8 of trailer
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
ZSTD_HEADER_BYTES = 18
MAX_ZSTD_WINDOW = 2**27


class DamageError(Exception):
    """The compressed data cannot be decoded further.

    Attributes:
        reason: reason for the quarantine.
        is_cut: the data ends early and shows no other fault: what was decoded so far is right.
    """

    def __init__(self, detail: str, *, is_cut: bool = False, is_bomb: bool = False) -> None:
        super().__init__(detail)
        self.reason = QuarantineReason.BOMB_SIZE if is_bomb else QuarantineReason.DECOMPRESS_ERROR
        self.is_cut = is_cut


class Decoder(Protocol):
    """Decompresses one file.

    Attributes:
        safe_output: decompressed bytes up to the end of the last member or frame that was checked whole.
        safe_input: the compressed bytes that they came from.
        warnings: oddities of the file that cost nothing.
    """

    safe_output: int
    safe_input: int
    warnings: list[str]

    def pieces(self) -> Iterator[bytes]:
        """Decompressed bytes, at most about 1 MiB at a time. Raises DamageError."""
        ...


class GzipDecoder:
    """RFC 1952: any number of members, each with CRC-32 and length, checked by zlib at the member's end."""

    def __init__(self, handle: BinaryIO, size_bytes: int) -> None:
        self._handle = handle
        self._size = size_bytes
        self._rest = b""  # read from the file, not yet decoded
        self.safe_output = 0
        self.safe_input = 0
        self.warnings: list[str] = []

    def pieces(self) -> Iterator[bytes]:
        """See Decoder."""
        while self._fill():
            if not GZIP_MAGIC.startswith(self._rest[:2]):
                return self._end_in_junk()
            yield from self._member()

    def _fill(self) -> bool:
        if len(self._rest) < len(GZIP_MAGIC):
            self._rest += self._handle.read(READ_BYTES)
        return bool(self._rest)

    def _member(self) -> Iterator[bytes]:
        inflate = zlib.decompressobj(wbits=31)
        produced = 0
        while not inflate.eof:
            if not self._fill():
                raise self._early_end(produced)
            try:
                piece = inflate.decompress(self._rest, PIECE_BYTES)
            except zlib.error as error:
                raise DamageError(f"gzip: {error}") from error
            self._rest = inflate.unused_data if inflate.eof else inflate.unconsumed_tail
            produced += len(piece)
            if piece:
                yield piece
            while len(piece) == PIECE_BYTES and not self._rest and not inflate.eof:
                # All input is taken, but output waits inside zlib: asking with no input fetches it.
                piece = inflate.decompress(b"", PIECE_BYTES)
                self._rest = inflate.unused_data
                produced += len(piece)
                if piece:
                    yield piece
        self.safe_output += produced
        self.safe_input = self._handle.tell() - len(self._rest)

    def _early_end(self, produced: int) -> DamageError:
        """Tell a cut, before which all is right, from damage that made zlib run past the end of the member.

        Damage leaves traces that a cut has only by chance: the file still ends in the trailer, whose last four bytes
        are about the number of bytes that came out; or it ends in zeros, as a download does whose space was reserved;
        or the header of another member was run over. A cut that looks like this only costs its member. Damage that
        also destroys these traces looks like a cut: without the checksum nobody can tell.
        """
        self._handle.seek(max(0, self._size - 16))
        end = self._handle.read(16)
        stated = int.from_bytes(end[-4:], "little")
        is_trailer = produced > 0 and abs(stated - produced % 2**32) <= min(2**19, produced // 2 + 64)
        if is_trailer or not end.strip(b"\0") or self._has_header_inside():
            return DamageError("gzip: the data runs past the end of its member; bits were changed")
        return DamageError("gzip: the file ends inside a member", is_cut=True)

    def _has_header_inside(self) -> bool:
        """True if the bytes of the unfinished member hold a member's header. O(bytes of the member), O(1) memory."""
        self._handle.seek(self.safe_input + 1)
        window = b""
        while part := self._handle.read(READ_BYTES):
            if _GZIP_HEADER.search(window + part):
                return True
            window = part[-16:]
        return False

    def _end_in_junk(self) -> None:
        """Zero padding, or junk too short to be a member, is harmless; anything longer may be lost data."""
        zeros = 0
        while self._fill():
            stripped = self._rest.lstrip(b"\0")
            zeros += len(self._rest) - len(stripped)
            self._rest = stripped
            if stripped:
                break
        if zeros:
            self.warnings.append(f"{zeros} zero bytes follow the last gzip member")
        junk = self._size - self._handle.tell() + len(self._rest)
        if junk >= SMALLEST_GZIP_MEMBER:
            raise DamageError(f"gzip: {junk} bytes after the last member are no gzip member", is_cut=True)
        if junk:
            self.warnings.append(f"{junk} bytes of junk follow the last gzip member")


class ZstdDecoder:
    """RFC 8878. Frames are fed block by block: a block yields at most 128 KiB, so that a bomb cannot grow in one call.

    A frame without a content checksum (python-zstandard writes such frames unless told) cannot show every changed bit.
    """

    def __init__(self, handle: BinaryIO, size_bytes: int, max_file_bytes: int) -> None:
        self._handle = handle
        self._size = size_bytes
        self._max_file_bytes = max_file_bytes
        self._factory = zstandard.ZstdDecompressor(max_window_size=MAX_ZSTD_WINDOW)
        self._produced = 0
        self.safe_output = 0
        self.safe_input = 0
        self.warnings: list[str] = []

    def pieces(self) -> Iterator[bytes]:
        """See Decoder."""
        while magic := self._handle.read(4):
            if magic == ZSTD_MAGIC:
                yield from self._frame()
            elif len(magic) == 4 and is_skippable(magic):
                self._skip()
            elif ZSTD_MAGIC.startswith(magic):
                raise DamageError("zstd: the file ends inside a frame's header", is_cut=True)
            else:
                return self._end_in_junk(magic)
            self.safe_output = self._produced
            self.safe_input = self._handle.tell()

    def _read(self, count: int) -> bytes:
        data = self._handle.read(count)
        if len(data) < count:
            raise DamageError("zstd: the file ends inside a frame", is_cut=True)
        return data

    def _skip(self) -> None:
        length = int.from_bytes(self._read(4), "little")
        if self._size - self._handle.tell() < length:
            raise DamageError("zstd: the file ends inside a skippable frame", is_cut=True)
        self._handle.seek(length, 1)

    def _end_in_junk(self, start: bytes) -> None:
        count = len(start)
        while start:
            if start.strip(b"\0"):
                raise DamageError("zstd: bytes after the last frame are no zstd frame", is_cut=True)
            start = self._handle.read(READ_BYTES)
            count += len(start)
        self.warnings.append(f"{count} zero bytes follow the last zstd frame")

    def _header(self) -> tuple[bytes, bool]:
        """The frame's header and whether a checksum follows its last block."""
        start = self._handle.tell()
        raw = ZSTD_MAGIC + self._handle.read(ZSTD_HEADER_BYTES - 4)
        try:
            length = zstandard.frame_header_size(raw)
            if len(raw) < length:
                raise DamageError("zstd: the file ends inside a frame's header", is_cut=True)
            frame = zstandard.get_frame_parameters(raw)
        except zstandard.ZstdError as error:
            if len(raw) < ZSTD_HEADER_BYTES:
                raise DamageError("zstd: the file ends inside a frame's header", is_cut=True) from error
            raise DamageError(f"zstd: {error}") from error
        if frame.dict_id:
            raise DamageError(f"zstd: needs the dictionary {frame.dict_id}")
        if frame.window_size > MAX_ZSTD_WINDOW:
            raise DamageError(f"zstd: a window of {frame.window_size} bytes, at most {MAX_ZSTD_WINDOW}", is_bomb=True)
        if frame.content_size != zstandard.CONTENTSIZE_UNKNOWN and frame.content_size > self._max_file_bytes:
            raise DamageError(f"zstd: claims {frame.content_size} bytes, at most {self._max_file_bytes}", is_bomb=True)
        self._handle.seek(start + length - 4)
        return raw[:length], bool(frame.has_checksum)

    def _frame(self) -> Iterator[bytes]:
        header, has_checksum = self._header()
        inflate = self._factory.decompressobj()
        try:
            self._take(inflate.decompress(header))
            is_last = False
            while not is_last:
                block_header = self._read(3)
                is_last, body_bytes = _block(block_header)
                yield self._take(inflate.decompress(block_header + self._read(body_bytes)))
            if has_checksum:
                yield self._take(inflate.decompress(self._read(4)))
        except zstandard.ZstdError as error:
            raise DamageError(f"zstd: {error}") from error
        if not inflate.eof:
            raise DamageError("zstd: the frame does not end with its last block")

    def _take(self, piece: bytes) -> bytes:
        self._produced += len(piece)
        return piece


def is_skippable(magic: bytes) -> bool:
    """True if four bytes start a skippable zstd frame."""
    return magic[1:] == b"\x2a\x4d\x18" and 0x50 <= magic[0] <= 0x5F


def _block(header: bytes) -> tuple[bool, int]:
    """Read a zstd block's header: True if it is its frame's last, and the bytes that follow the header."""
    value = int.from_bytes(header, "little")
    kind = value >> 1 & 3
    if kind == 3:
        raise DamageError("zstd: reserved block type; bits were changed")
    return bool(value & 1), 1 if kind == 1 else value >> 3
