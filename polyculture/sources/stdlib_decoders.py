"""Bzip2 and xz, walked stream by stream with the decompressors of the standard library."""

import bz2
import lzma
from collections.abc import Iterator
from os import SEEK_END
from typing import BinaryIO, Protocol

from polyculture.sources.decoders import PIECE_BYTES, READ_BYTES, DamageError, RestReader
from polyculture.sources.trailing import Container, end_in_junk, skip_zeros
from schemas.source_config import LimitsConfig

BZIP2_BLOCK = b"1AY&SY"  # the digits of pi
BZIP2_END = b"\x17\x72\x45\x38\x50\x90"  # those of its square root, before the checksum of the stream
BZIP2_MAGIC_BYTES = 10
XZ_MAGIC = b"\xfd7zXZ\x00"
XZ_END = b"YZ"
XZ_BESIDE_BYTES = 2**22  # what a decoder needs beside its dictionary
MAGIC_BYTES = max(BZIP2_MAGIC_BYTES, len(XZ_MAGIC))


class Decompressor(Protocol):
    """The interface that BZ2Decompressor and LZMADecompressor share."""

    @property
    def eof(self) -> bool:
        """True behind the end of the stream."""
        ...

    @property
    def needs_input(self) -> bool:
        """False if output waits inside."""
        ...

    @property
    def unused_data(self) -> bytes:
        """The bytes behind the end of the stream."""
        ...

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """At most `max_length` bytes."""
        ...


class StreamDecoder(RestReader):
    """Any number of streams, with checksums that the decompressor verifies."""

    container: Container
    magic_bytes = MAGIC_BYTES

    def __init__(self, handle: BinaryIO, limits: LimitsConfig) -> None:
        super().__init__(handle)
        self._limits = limits

    def pieces(self) -> Iterator[bytes]:
        """See Decoder."""
        while self._fill():
            if not self._starts(self._rest):
                zeros, self._rest = skip_zeros(self._handle, self._rest)
                if not self._is_padding(zeros):
                    self.warnings += end_in_junk(self._handle, self._rest, self.container, zeros=zeros)
                    return
                self.warnings.append(f"{zeros} zero bytes between {self.container.name} {self.container.unit}s")
            yield from self._stream()

    def _starts(self, head: bytes) -> bool:
        """True if a stream begins with these bytes, or the file ends inside its magic number."""
        raise NotImplementedError

    def _open(self) -> Decompressor:
        raise NotImplementedError

    def _is_padding(self, zeros: int) -> bool:
        """True if the format allows these zero bytes before the stream that follows them."""
        del zeros
        return False

    def _is_overrun(self) -> bool:
        """True if the file does not look cut, although the decompressor wants more."""
        return False

    def _damage(self, error: Exception) -> DamageError:
        return DamageError(f"{self.container.name}: {error}")

    def _stream(self) -> Iterator[bytes]:
        inflate = self._open()
        produced = 0
        while not inflate.eof:
            data = b""
            if inflate.needs_input:
                if not self._fill():
                    raise self._early_end()
                data, self._rest = self._rest, b""
            try:
                piece = inflate.decompress(data, PIECE_BYTES)
            except (OSError, ValueError, lzma.LZMAError) as error:
                raise self._damage(error) from error
            produced += len(piece)
            if piece:
                yield piece
        self._rest = inflate.unused_data
        self.safe_output += produced
        self.safe_input = self._handle.tell() - len(self._rest)

    def _early_end(self) -> DamageError:
        if self._is_overrun():
            return DamageError(f"{self.container.name}: the data runs past the end of its stream; bits were changed")
        return DamageError(f"{self.container.name}: the file ends inside a stream", is_cut=True)


class Bzip2Decoder(StreamDecoder):
    """Bzip2: a checksum for each block of at most 900 kB, which gives nothing before it is there whole.

    What comes before a cut has therefore been verified.
    """

    def _starts(self, head: bytes) -> bool:
        return is_bzip2(head) or b"BZh".startswith(head)

    def _open(self) -> Decompressor:
        return bz2.BZ2Decompressor()

    @staticmethod
    def has_end(junk: bytes) -> bool:
        """True if these bytes end as a stream does; its end need not stand at the border of a byte."""
        end = int.from_bytes(junk.rstrip(b"\0")[-15:], "big")
        mark = int.from_bytes(BZIP2_END, "big")
        return any(end >> shift & (1 << 48) - 1 == mark for shift in range(72))

    container = Container("bzip2", "stream", b"BZh9" + BZIP2_BLOCK, has_end)


class XzDecoder(StreamDecoder):
    """Xz: a checksum for each block, unless the file was made with `--check=none`; padding between streams."""

    def _starts(self, head: bytes) -> bool:
        return XZ_MAGIC.startswith(head[: len(XZ_MAGIC)])

    def _open(self) -> Decompressor:
        most = self._limits.max_xz_dictionary_bytes + XZ_BESIDE_BYTES
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=most)

    def _is_padding(self, zeros: int) -> bool:
        return zeros % 4 == 0 and self._rest.startswith(XZ_MAGIC)

    def _damage(self, error: Exception) -> DamageError:
        if "emory" not in str(error):
            return super()._damage(error)
        most = self._limits.max_xz_dictionary_bytes
        detail = f"xz: a dictionary of more than {most} bytes (limits.max_xz_dictionary_bytes); raise it, or recompress"
        return DamageError(f"{detail}: xz -dc FILE | xz > NEW", is_bomb=True)

    def _is_overrun(self) -> bool:
        """True if the file ends in zeros or as a stream does, or another stream was run over. Reads it again."""
        self._handle.seek(-min(16, self._handle.seek(0, SEEK_END)), SEEK_END)
        end = self._handle.read()
        if not end.strip(b"\0") or self.has_end(end):
            return True
        self._handle.seek(self.safe_input + len(XZ_MAGIC))
        window = b""
        while part := self._handle.read(READ_BYTES):
            if XZ_MAGIC in window + part:
                return True
            window = part[-len(XZ_MAGIC) :]
        return False

    @staticmethod
    def has_end(junk: bytes) -> bool:
        """True if these bytes end as a stream does."""
        return junk.rstrip(b"\0").endswith(XZ_END)

    container = Container("xz", "stream", XZ_MAGIC, has_end)


def is_bzip2(head: bytes) -> bool:
    """True if these bytes, at least four, begin a bzip2 stream: with a block, or the end of an empty one."""
    mark = head[4:BZIP2_MAGIC_BYTES]
    is_marked = BZIP2_BLOCK.startswith(mark) or BZIP2_END.startswith(mark)
    return head[:3] == b"BZh" and head[3:4] in (b"%d" % level for level in range(1, 10)) and is_marked
