"""Gzip, walked member by member so that a missing end cannot go unseen."""

import re
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from polyculture.sources.decoders import PIECE_BYTES, READ_BYTES, DamageError, RestReader
from polyculture.sources.trailing import Container, end_in_junk

GZIP_MAGIC = b"\x1f\x8b\x08"
MOST_EXPANSION = 1032  # of deflate
TRAILER_BYTES = 8
# Magic, deflate, flags without the reserved bits, any time, the usual extra flags and systems.
_GZIP_HEADER = re.compile(rb"\x1f\x8b\x08[\x00-\x1f].{4}[\x00\x02\x04][\x00-\x0d\xff]", re.DOTALL)


class GzipDecoder(RestReader):
    """RFC 1952: any number of members, each with CRC-32 and length, checked by zlib at the member's end."""

    magic_bytes = len(GZIP_MAGIC)

    def __init__(self, handle: BinaryIO, size_bytes: int) -> None:
        super().__init__(handle)
        self._size = size_bytes

    def pieces(self) -> Iterator[bytes]:
        """See Decoder."""
        while self._fill():
            if not GZIP_MAGIC.startswith(self._rest[:2]):
                self.warnings += end_in_junk(self._handle, self._rest, _CONTAINER)
                return
            yield from self._member()

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


def _has_trailer(junk: bytes) -> bool:
    """True if the last four bytes can be the length of what deflate made these bytes from."""
    stated = int.from_bytes(junk[-4:], "little")
    return len(junk) > TRAILER_BYTES and len(junk) // 2 <= stated <= MOST_EXPANSION * (len(junk) + 64)


_CONTAINER = Container("gzip", "member", GZIP_MAGIC, _has_trailer)
