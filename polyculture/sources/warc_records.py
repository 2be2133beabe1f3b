"""WARC framing: header blocks and payloads, with a way back to the next record after damage (ISO 28500)."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from polyculture.sources.framing import MAX_HEADER_BYTES, SCAN_BYTES, BrokenRecord, Framing
from polyculture.sources.http_message import parse_headers
from schemas.quarantined import QuarantineReason

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
class _Header:
    raw: bytes
    fields: Mapping[str, str]


class WarcFraming(Framing):
    """Iterates over the records of a decompressed WARC stream.

    Attributes:
        missing_ends: records that are not followed by two line ends, but by the next record.
    """

    length_field = "Content-Length"

    def __init__(self, reader: BinaryIO, max_payload_bytes: int) -> None:
        super().__init__(reader, max_payload_bytes)
        self.missing_ends = 0

    def records(self) -> Iterator[WarcRecord | BrokenRecord]:
        """Records and broken stretches in order; both start where their `byte_offset` says."""
        while self._skip_blank():
            start = self.offset
            header = self._header()
            if isinstance(header, tuple):
                yield self._resync(header[0], header[1], start, header[2])
            else:
                yield self._body(header, start)

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
            return self._oversized(header.raw, length, start)
        payload = self._read(length)
        if len(payload) < length or not self._ends_here():
            return self._wrong_length(header.raw, payload, length, start)
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

    def _begins_record(self, line: bytes) -> bool:
        return _START.match(line) is not None and self._is_record(line)

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
