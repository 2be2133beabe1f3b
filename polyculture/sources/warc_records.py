"""WARC framing: header blocks and payloads, with a way back to the next record after damage (ISO 28500)."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from polyculture.sources.http_message import parse_headers
from schemas.quarantined import QuarantineReason

MAX_HEADER_BYTES = 2**16
SCAN_BYTES = 2**16
_VERSION = re.compile(rb"WARC/[01]\.\d{1,2}[ \t]*\r?\n")
_START = re.compile(rb"WARC/[01]\.")
_LENGTH = re.compile(r"\d{1,18}")


@dataclass(frozen=True, slots=True)
class WarcRecord:
    """One record: header names in lower case, payload, and the digest of both as stored."""

    headers: Mapping[str, str]
    payload: bytes
    byte_offset: int
    sha256: str


@dataclass(frozen=True, slots=True)
class BrokenRecord:
    """A stretch of bytes that is no record. `is_end`: it reaches to the end of the stream."""

    reason: QuarantineReason
    detail: str
    byte_offset: int
    sha256: str
    is_end: bool = False


@dataclass(frozen=True, slots=True)
class _Header:
    raw: bytes
    fields: Mapping[str, str]


class WarcFraming:
    """Iterates over the records of a decompressed WARC stream. Memory: one payload of at most `max_payload_bytes`."""

    def __init__(self, reader: BinaryIO, max_payload_bytes: int) -> None:
        self._reader = reader
        self._max_payload = max_payload_bytes
        self._ahead = b""  # bytes read ahead and given back, from _at on
        self._at = 0
        self.offset = 0  # of the next byte that _read or _readline returns
        self.missing_ends = 0  # records that are not followed by two line ends, but by the next record

    def records(self) -> Iterator[WarcRecord | BrokenRecord]:
        """Records and broken stretches in order; both start where their `byte_offset` says."""
        while self._skip_blank():
            start = self.offset
            header = self._header()
            if isinstance(header, tuple):
                yield self._resync(header[0], header[1], start, header[2])
            else:
                yield self._body(header, start)

    # Bytes, with a place to give them back to.

    def _read(self, count: int) -> bytes:
        data = self._ahead[self._at : self._at + count]
        self._at += len(data)
        if len(data) < count:
            data += self._reader.read(count - len(data))
        self.offset += len(data)
        return data

    def _readline(self, limit: int) -> bytes:
        left = len(self._ahead) - self._at
        if left:
            end = self._ahead.find(b"\n", self._at, self._at + limit) + 1
            if not end and left < limit:
                self._ahead = self._ahead[self._at :] + self._reader.readline(limit - left)
                self._at = 0
            line = self._ahead[self._at : end or self._at + limit]
            self._at += len(line)
        else:
            line = self._reader.readline(limit)
        self.offset += len(line)
        return line

    def _give_back(self, data: bytes) -> None:
        self.offset -= len(data)
        start = self._at - len(data)
        if start >= 0 and self._ahead[start : self._at] == data:  # they came from there: no need to copy the rest
            self._at = start
        else:
            self._ahead = data + self._ahead[self._at :]
            self._at = 0

    # Records.

    def _skip_blank(self) -> bool:
        """Move to the next byte that is no line end; False at the end of the stream."""
        while line := self._readline(SCAN_BYTES):
            if line.strip(b"\r\n"):
                self._give_back(line)
                return True
        return False

    def _header(self) -> _Header | tuple[QuarantineReason, str, bytes]:
        """A header block up to its blank line, or a reason, a detail and the bytes read."""
        reason = QuarantineReason.BAD_WARC_HEADER
        raw = self._readline(SCAN_BYTES)
        if not _VERSION.fullmatch(raw):
            return reason, f"wanted a WARC version line, got {raw[:40]!r}", raw
        while line := self._readline(MAX_HEADER_BYTES):
            if _START.match(line):  # the blank line is missing and the next record begins
                self._give_back(line)
                return reason, "the header has no end", raw
            raw += line
            if line in (b"\r\n", b"\n"):
                return _Header(raw, parse_headers(raw.partition(b"\n")[2]))
            if len(raw) > MAX_HEADER_BYTES:
                return reason, f"a header of more than {MAX_HEADER_BYTES} bytes", raw
        return QuarantineReason.TRUNCATED_INPUT, "the file ends inside a record's header", raw

    def _body(self, header: _Header, start: int) -> WarcRecord | BrokenRecord:
        written = header.fields.get("content-length", "")
        if not _LENGTH.fullmatch(written):
            detail = f"Content-Length {written[:40]!r}" if written else "no Content-Length"
            return self._resync(QuarantineReason.BAD_CONTENT_LENGTH, detail, start, header.raw)
        length = int(written)
        if length > self._max_payload:
            return self._oversized(header, length, start)
        payload = self._read(length)
        if len(payload) < length or not self._ends_here():
            return self._wrong_length(header, payload, length, start)
        digest = hashlib.sha256(header.raw)
        digest.update(payload)
        return WarcRecord(header.fields, payload, start, digest.hexdigest())

    def _ends_here(self) -> bool:
        """True if a record can end at this place: line ends, the next record or the end of the stream follow."""
        after = self._read(10)
        self._give_back(after)
        if not after or after.startswith((b"\r\n\r\n", b"\n\n")):
            return True
        rest = after.lstrip(b"\r\n")
        if rest and not _START.match(rest):
            return False
        self.missing_ends += bool(rest)
        return True

    def _wrong_length(self, header: _Header, payload: bytes, length: int, start: int) -> BrokenRecord:
        """The stream ended, or no record starts where this one should end: the next may hide in the payload."""
        is_short = len(payload) < length
        self._give_back(payload)
        detail = f"Content-Length {length} does not lead to the next record"
        broken = self._resync(QuarantineReason.BAD_CONTENT_LENGTH, detail, start, header.raw)
        if is_short and broken.is_end:
            detail = f"the file ends inside a record: {len(payload)} of {length} bytes"
            return BrokenRecord(QuarantineReason.TRUNCATED_INPUT, detail, start, broken.sha256, is_end=True)
        return broken

    def _oversized(self, header: _Header, length: int, start: int) -> BrokenRecord:
        """Skip a record over the limit. Its length is not believed unless the next record is found behind it."""
        end = self.offset + length
        broken = self._resync(QuarantineReason.BAD_CONTENT_LENGTH, "", start, header.raw)
        if end <= self.offset <= end + 4:
            detail = f"a record of {length} bytes, at most {self._max_payload} (limits.max_warc_record_bytes)"
            return BrokenRecord(QuarantineReason.DOC_TOO_BIG, detail, start, broken.sha256)
        detail = f"Content-Length {length} does not lead to the next record"
        is_cut = broken.is_end and self.offset < end
        return BrokenRecord(broken.reason, detail, start, broken.sha256, is_end=is_cut)

    def _resync(self, reason: QuarantineReason, detail: str, start: int, raw: bytes) -> BrokenRecord:
        """Skip to the next line that starts a record with a believable header."""
        digest = hashlib.sha256(raw)
        at_line_start = raw.endswith(b"\n") or self.offset == start
        while line := self._readline(SCAN_BYTES):
            if at_line_start and _START.match(line) and self._is_record(line):
                return BrokenRecord(reason, detail, start, digest.hexdigest())
            digest.update(line)
            at_line_start = line.endswith(b"\n")
        return BrokenRecord(reason, detail, start, digest.hexdigest(), is_end=True)

    def _is_record(self, version: bytes) -> bool:
        """True if the header that begins with this line is one; if so, the stream stands at its start again."""
        lines = [version]
        found = False
        for _ in range(40):
            line = self._readline(MAX_HEADER_BYTES)
            lines.append(line)
            if line.lower().startswith(b"warc-type:"):
                found = True
            if found or not line.strip() or _START.match(line):
                break
        ahead = b"".join(lines)
        self._give_back(ahead if found else ahead[len(version) :])
        return found
