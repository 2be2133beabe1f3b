"""The contract of all decoders of compressed files, and what is said of damage."""

from collections.abc import Iterator
from typing import BinaryIO, Protocol

from schemas.quarantined import QuarantineReason

READ_BYTES = 2**18
PIECE_BYTES = 2**20


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
        safe_output: decompressed bytes up to the end of the last member, stream or frame that was checked whole.
        safe_input: the compressed bytes that they came from.
        warnings: oddities of the file that cost nothing.
    """

    safe_output: int
    safe_input: int
    warnings: list[str]

    def pieces(self) -> Iterator[bytes]:
        """Decompressed bytes, at most about 4 MiB at a time. Raises DamageError."""
        ...


class RestReader:
    """Base of the decoders that hand a library what it takes, and keep the rest: gzip, bzip2 and xz.

    Attributes:
        magic_bytes: bytes that tell whether another member or stream begins.
    """

    magic_bytes: int

    def __init__(self, handle: BinaryIO) -> None:
        self._handle = handle
        self._rest = b""  # read from the file, not yet decoded
        self.safe_output = 0
        self.safe_input = 0
        self.warnings: list[str] = []

    def _fill(self) -> bool:
        if len(self._rest) < self.magic_bytes:
            self._rest += self._handle.read(READ_BYTES)
        return bool(self._rest)


class FrameReader:
    """Base of the decoders that read a file frame by frame: zstd and lz4."""

    name: str

    def __init__(self, handle: BinaryIO, size_bytes: int) -> None:
        self._handle = handle
        self._size = size_bytes
        self._produced = 0
        self.safe_output = 0
        self.safe_input = 0
        self.warnings: list[str] = []

    def _read(self, count: int) -> bytes:
        data = self._handle.read(count)
        if len(data) < count:
            raise DamageError(f"{self.name}: the file ends inside a frame", is_cut=True)
        return data

    def _skip(self) -> None:
        """Pass over the rest of a skippable frame whose magic was read."""
        length = int.from_bytes(self._read(4), "little")
        if self._size - self._handle.tell() < length:
            raise DamageError(f"{self.name}: the file ends inside a skippable frame", is_cut=True)
        self._handle.seek(length, 1)

    def _take(self, piece: bytes) -> bytes:
        self._produced += len(piece)
        return piece

    def _frame_ends(self) -> None:
        self.safe_output = self._produced
        self.safe_input = self._handle.tell()


def is_skippable(magic: bytes) -> bool:
    """True if four bytes start a skippable frame, which zstd and lz4 have in common."""
    return magic[1:] == b"\x2a\x4d\x18" and 0x50 <= magic[0] <= 0x5F
