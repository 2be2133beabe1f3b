"""Tar archives, block by block: members in order, what is no member, and a way on after damage.

Headers are parsed by the standard library. Its own iteration is not used: it takes a damaged header for the end of the
archive, and reads extended headers of any size into memory.
"""

import hashlib
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from polyculture.sources.framing import BrokenRecord
from polyculture.storage.messages import legible
from schemas.quarantined import QuarantineReason

BLOCK = 512
PART_BYTES = 2**20
MOST_EXTENDED_BYTES = 2**20  # of an extended header: names, attributes
LARGEST_WRITTEN_SIZE = 8**11 - 1  # that the octal field holds
_MAGIC = b"ustar"
_MAGIC_AT = 257
_CHECKSUM_AT = 148
_DIGITS = re.compile(rb"[ 0]*[0-7]{3,6}[\0 ]")
_LONG_NAMES = (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)
_PAX = (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE)
_KINDS = {
    tarfile.REGTYPE: "file",
    tarfile.AREGTYPE: "file",
    tarfile.CONTTYPE: "file",
    tarfile.DIRTYPE: "folder",
    tarfile.SYMTYPE: "link",
    tarfile.LNKTYPE: "link",
    tarfile.CHRTYPE: "device",
    tarfile.BLKTYPE: "device",
    tarfile.FIFOTYPE: "device",
    tarfile.GNUTYPE_SPARSE: "sparse",
}
_WITHOUT_DATA = ("folder", "link", "device")
_LEAST_ZEROS = 100  # of a header: fields are filled up with them, and text holds none


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an archive.

    Attributes:
        name: its name, bytes that are no UTF-8 escaped; text of others, never a path to open.
        kind: file, folder, link, device, sparse, or other.
        size_bytes: bytes of its data.
        byte_offset: start of its first header.
        data_offset: start of its data.
    """

    name: str
    kind: str
    size_bytes: int
    byte_offset: int
    data_offset: int


@dataclass(slots=True)
class _Extended:
    """Values that extended headers give to the member that follows them."""

    name: str | None = None
    size: int | None = None
    is_sparse: bool = False


def is_tar(head: bytes) -> bool:
    """True if these first bytes of a file begin an archive: by the magic of POSIX and GNU, or a header that checks."""
    block = head[:BLOCK]
    if len(block) < BLOCK:
        return False
    return block[_MAGIC_AT : _MAGIC_AT + len(_MAGIC)] == _MAGIC or (b"\0" in block and _header(block) is not None)


class TarWalk:
    """One pass over an archive. Memory: an extended header of at most 1 MiB.

    Attributes:
        offset: of the next byte.
        is_marked: the end of the archive was seen behind the last member.
        joined: archives that follow the end of another.
    """

    def __init__(self, reader: BinaryIO) -> None:
        self._reader = reader
        self._ahead = b""  # bytes read ahead, of which those from _at on were not taken
        self._at = 0
        self._left = 0  # bytes of the member that were not read
        self._padding = 0
        self._broken: BrokenRecord | None = None  # to be yielded before the next member
        self._next: tarfile.TarInfo | None = None  # the header that stands at `offset`
        self._is_settled = False  # the two are known
        self._extended = _Extended()
        self._start: int | None = None  # of the first of the headers of a member
        self.offset = 0
        self.is_marked = False
        self.joined = 0

    def members(self) -> Iterator[Member | BrokenRecord]:
        """The members, each with `offset` at its data. What was not read of one is passed over."""
        while True:
            self.finish()
            if self._broken is not None:
                broken, self._broken = self._broken, None
                yield broken
            start, info = self.offset, self._next
            block = self._take(BLOCK)
            self._is_settled = False
            if info is None:
                yield from self._no_header(block, start)
                if len(block) < BLOCK:
                    return
                continue
            found = self._take_header(info, start)
            if isinstance(found, str):
                yield self._resync(found, start, block)
            elif found is not None:
                yield found

    def read(self, count: int) -> bytes:
        """At most `count` bytes of the member's data; none at its end."""
        data = self._take(min(count, self._left))
        self._left -= len(data)
        return data

    def finish(self) -> bool:
        """Pass over the rest of the member; False if what follows shows that its size, or its data, is wrong."""
        while self._left and self.read(PART_BYTES):
            pass
        padding = self._take(self._padding)
        self._left = self._padding = 0
        is_right = self._is_settled or self._leads_on(padding)
        self._is_settled = True
        return is_right

    def _leads_on(self, padding: bytes) -> bool:
        """True if a member, the end, or a damaged header stands here; moves over what is no header."""
        start, block = self.offset, self._peek(BLOCK)
        self._next = _header(block)
        if self._next is not None or len(block) < BLOCK or not block.strip(b"\0"):
            return True
        self._broken = self._resync("no header where one is wanted", start, self._take(1))
        self._next = _header(self._peek(BLOCK))
        if padding.strip(b"\0"):
            return False
        return block[_MAGIC_AT : _MAGIC_AT + len(_MAGIC)] == _MAGIC or block.count(0) >= _LEAST_ZEROS

    def _no_header(self, block: bytes, start: int) -> Iterator[BrokenRecord]:
        """A block of zeros, or what is there instead of a block at the end."""
        self.is_marked |= bool(block) and not block.strip(b"\0")
        is_dangling, begun = self._extended != _Extended(), self._start
        self._extended, self._start = _Extended(), None
        if len(block) < BLOCK and (is_dangling or block.strip(b"\0")):
            detail, digest = "the file ends inside a header", hashlib.sha256(block).hexdigest()
            at = start if begun is None else begun
            yield BrokenRecord(QuarantineReason.TRUNCATED_INPUT, detail, at, digest, is_end=True)
        elif is_dangling:
            detail, digest = "no member follows an extended header", hashlib.sha256(block).hexdigest()
            yield BrokenRecord(QuarantineReason.CHECKSUM_MISMATCH, detail, start if begun is None else begun, digest)

    def _take_header(self, info: tarfile.TarInfo, start: int) -> Member | str | None:
        """A member; None after a header that belongs to the next one; or what is wrong with the header."""
        self._start = start if self._start is None else self._start
        if info.type in (*_LONG_NAMES, *_PAX, tarfile.XGLTYPE):
            return self._extend(info)
        return self._member(info)

    def _member(self, info: tarfile.TarInfo) -> Member | str:
        """The member that a header begins, extended headers applied; what is wrong with them."""
        extended, start = self._extended, self._start
        self._extended, self._start = _Extended(), None
        kind = "sparse" if extended.is_sparse else _KINDS.get(info.type, "other")
        size = info.size
        if extended.size is not None:
            if size not in (0, extended.size) and extended.size <= LARGEST_WRITTEN_SIZE:
                return f"two sizes, {size} and {extended.size}"
            size = extended.size
        if kind in _WITHOUT_DATA:
            size = 0
        self.joined += self.is_marked
        self.is_marked = False
        self._left, self._padding = size, -size % BLOCK
        name = legible(info.name) if extended.name is None else extended.name
        return Member(name, kind, size, self.offset - BLOCK if start is None else start, self.offset)

    def _extend(self, info: tarfile.TarInfo) -> str | None:
        """Take what an extended header says; returns what is wrong with it."""
        if info.size > MOST_EXTENDED_BYTES:
            return f"an extended header of {info.size} bytes, at most {MOST_EXTENDED_BYTES}"
        data = self._take(info.size)
        self._take(-info.size % BLOCK)
        if info.type == tarfile.GNUTYPE_LONGNAME:
            self._extended.name = legible(data.partition(b"\0")[0])
        if info.type not in _PAX:
            return None
        try:
            for key, value in _pax_records(data):
                if key == b"size":
                    self._extended.size = int(value)
                    if self._extended.size < 0:
                        return "an extended header that cannot be read"
                elif key in (b"path", b"GNU.sparse.name"):
                    self._extended.name = legible(value)
                self._extended.is_sparse |= key.startswith(b"GNU.sparse.")
        except ValueError:
            return "an extended header that cannot be read"
        return None

    def _resync(self, detail: str, start: int, seen: bytes) -> BrokenRecord:
        """Pass over everything up to the next header that checks, wherever it stands. O(bytes), O(1) memory."""
        self._extended, self._start = _Extended(), None
        digest = hashlib.sha256(seen)
        while True:
            is_end = False
            if len(self._ahead) - self._at < BLOCK:
                part = self._reader.read(PART_BYTES)
                self._ahead, self._at = self._ahead[self._at :] + part, 0
                is_end = not part
            place = _find_header(self._ahead, self._at)
            at = len(self._ahead) - (0 if is_end else BLOCK - 1) if place is None else place
            digest.update(self._take(max(0, at - self._at)))
            if place is not None or is_end:
                reason = QuarantineReason.CHECKSUM_MISMATCH
                return BrokenRecord(reason, detail, start, digest.hexdigest(), is_end=is_end)

    def _take(self, count: int) -> bytes:
        data = self._ahead[self._at : self._at + count]
        self._at += len(data)
        if len(data) < count:
            self._ahead, self._at = b"", 0
            data += self._reader.read(count - len(data))
        self.offset += len(data)
        return data

    def _peek(self, count: int) -> bytes:
        if len(self._ahead) - self._at < count:
            rest = self._ahead[self._at :]
            self._ahead, self._at = rest + self._reader.read(count - len(rest)), 0
        return self._ahead[self._at : self._at + count]


def _header(block: bytes) -> tarfile.TarInfo | None:
    """A header whose checksum fits; None if these bytes are none."""
    try:
        info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (tarfile.HeaderError, ValueError):
        return None
    return info if info.size >= 0 else None


def _find_header(window: bytes, begin: int) -> int | None:
    """Where a whole header starts, at `begin` or behind it, that bears the magic and whose checksum fits."""
    at = window.find(_MAGIC, begin + _MAGIC_AT)
    while at >= 0:
        start = at - _MAGIC_AT
        has_digits = _DIGITS.match(window, start + _CHECKSUM_AT) is not None  # far cheaper than the sum
        if has_digits and len(window) - start >= BLOCK and _header(window[start : start + BLOCK]) is not None:
            return start
        at = window.find(_MAGIC, at + 1)
    return None


def _pax_records(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of an extended header of POSIX: `LENGTH KEY=VALUE` and a newline each. Raises ValueError."""
    at = 0
    while at < len(data) and data[at]:
        space = data.index(b" ", at, at + 20)
        end = at + int(data[at:space])
        equals = data.index(b"=", space, end)
        if end > len(data) or data[end - 1] != 10:
            raise ValueError("a record of another length")
        yield data[space + 1 : equals], data[equals + 1 : end - 1]
        at = end
