"""Zstd, walked frame by frame and block by block, with the dictionary that a file may hold."""

from collections.abc import Iterator
from typing import BinaryIO

import zstandard

from polyculture.sources.decoders import DamageError, FrameReader, is_skippable
from polyculture.sources.trailing import Container, end_in_junk
from schemas.source_config import LimitsConfig

ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
DICTIONARY_FRAME = b"\x5d\x2a\x4d\x18"  # of the IIPC's proposal for WARC files compressed with zstd
DICTIONARY_MAGIC = b"\x37\xa4\x30\xec"
MAX_DICTIONARY_BYTES = 2**25
ZSTD_HEADER_BYTES = 18
MAX_BLOCK_BYTES = 2**17


class ZstdDecoder(FrameReader):
    """RFC 8878. Frames are fed block by block: a block yields at most 128 KiB, so that a bomb cannot grow in one call.

    A frame without a content checksum (python-zstandard writes such frames unless told) cannot show every changed bit.
    A file may begin with its dictionary in a skippable frame, as `.warc.zst` does: IIPC, Use of Zstandard compression
    in WARC files, 2021. The dictionary may be compressed itself.
    """

    name = "zstd"

    def __init__(self, handle: BinaryIO, size_bytes: int, limits: LimitsConfig) -> None:
        super().__init__(handle, size_bytes)
        self._max_file_bytes = limits.max_file_bytes
        self._max_window_bytes = limits.max_zstd_window_bytes
        self._dictionary: zstandard.ZstdCompressionDict | None = None
        self._factory = zstandard.ZstdDecompressor(max_window_size=self._max_window_bytes)

    def pieces(self) -> Iterator[bytes]:
        """See Decoder."""
        is_first = True
        while magic := self._handle.read(4):
            if magic == ZSTD_MAGIC:
                yield from self._frame()
                is_first = False
            elif magic == DICTIONARY_FRAME and self._handle.tell() == len(magic):
                self._use_dictionary()
            elif len(magic) == 4 and is_skippable(magic):
                self._skip()
            elif ZSTD_MAGIC.startswith(magic):
                raise DamageError("zstd: the file ends inside a frame's header", is_cut=True)
            else:
                self.warnings += end_in_junk(self._handle, magic, _CONTAINER, first=is_first)
                return
            self._frame_ends()

    def _use_dictionary(self) -> None:
        """Read the dictionary at the start of the file; a skippable frame that holds anything else is passed over."""
        length = int.from_bytes(self._read(4), "little")
        if self._size - self._handle.tell() < length:
            raise DamageError("zstd: the file ends inside its dictionary", is_cut=True)
        magic = self._handle.read(min(4, length))
        self._handle.seek(-len(magic), 1)
        if magic not in (ZSTD_MAGIC, DICTIONARY_MAGIC):
            self._handle.seek(length, 1)
            return
        if length > MAX_DICTIONARY_BYTES:
            raise DamageError(f"zstd: a dictionary of {length} bytes, at most {MAX_DICTIONARY_BYTES}", is_bomb=True)
        data = self._read(length)
        try:
            self._dictionary = zstandard.ZstdCompressionDict(_decompressed(data) if magic == ZSTD_MAGIC else data)
            self._factory = zstandard.ZstdDecompressor(
                dict_data=self._dictionary, max_window_size=self._max_window_bytes
            )
        except zstandard.ZstdError as error:
            raise DamageError(f"zstd: the dictionary inside the file is damaged: {error}") from error

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
        self._check_dictionary(frame.dict_id)
        if frame.window_size > self._max_window_bytes:
            raise DamageError(_wide_window(frame.window_size, self._max_window_bytes), is_bomb=True)
        if frame.content_size != zstandard.CONTENTSIZE_UNKNOWN and frame.content_size > self._max_file_bytes:
            detail = f"zstd: claims {frame.content_size} bytes, at most {self._max_file_bytes} (limits.max_file_bytes)"
            raise DamageError(detail, is_bomb=True)
        self._handle.seek(start + length - 4)
        return raw[:length], bool(frame.has_checksum)

    def _check_dictionary(self, wanted: int) -> None:
        """Refuse a frame that needs a dictionary which the file does not hold."""
        if not wanted:
            return
        if self._dictionary is None:
            raise DamageError(
                f"zstd: needs the dictionary {wanted}, which is not inside the file; decompress it with "
                "zstd -dc -D DICTIONARY, or recompress the result without one"
            )
        held = self._dictionary.dict_id()
        if held != wanted:
            raise DamageError(f"zstd: a frame needs the dictionary {wanted}, the file holds {held}")

    def _frame(self) -> Iterator[bytes]:
        header, has_checksum = self._header()
        try:
            inflate = self._factory.decompressobj()
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


def _decompressed(data: bytes) -> bytes:
    """A dictionary that is one zstd frame, decompressed in bounded memory."""
    with zstandard.ZstdDecompressor(max_window_size=MAX_DICTIONARY_BYTES).stream_reader(data) as reader:
        plain = reader.read(MAX_DICTIONARY_BYTES + 1)
    if len(plain) > MAX_DICTIONARY_BYTES:
        raise DamageError(f"zstd: a dictionary of more than {MAX_DICTIONARY_BYTES} bytes", is_bomb=True)
    return plain


def _wide_window(window: int, most: int) -> str:
    return (
        f"zstd: a window of {window} bytes, at most {most} (limits.max_zstd_window_bytes); raise it, or recompress: "
        "zstd -dc --long=31 FILE | zstd -o NEW"
    )


def _block(header: bytes) -> tuple[bool, int]:
    """Read a zstd block's header: True if it is its frame's last, and the bytes that follow the header."""
    value = int.from_bytes(header, "little")
    kind = value >> 1 & 3
    if kind == 3:
        raise DamageError("zstd: reserved block type; bits were changed")
    return bool(value & 1), 1 if kind == 1 else value >> 3


def _has_blocks(junk: bytes) -> bool:
    """True if a row of blocks leads from somewhere to the end, or to a checksum there. O(len(junk)) in practice."""
    ends = {len(junk), len(junk) - 4}
    return any(_end_of_blocks(junk, start) in ends for start in range(len(junk) - 3))


def _end_of_blocks(junk: bytes, start: int) -> int:
    """The place behind the last of the blocks that begin at `start`; -1 if these are none."""
    is_last = False
    while not is_last:
        value = int.from_bytes(junk[start : start + 3], "little")
        if start + 3 > len(junk) or value >> 1 & 3 == 3 or value >> 3 > MAX_BLOCK_BYTES:
            return -1
        is_last = bool(value & 1)
        start += 3 + (1 if value >> 1 & 3 == 1 else value >> 3)
    return start


_CONTAINER = Container("zstd", "frame", ZSTD_MAGIC, _has_blocks)
