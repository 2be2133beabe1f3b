"""ARC framing: a line about each record and the record, with a way back to the next one after damage."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from polyculture.sources.framing import MAX_HEADER_BYTES, SCAN_BYTES, BrokenRecord, Framing
from polyculture.sources.http_message import MessageError, parse_message
from schemas.quarantined import QuarantineReason

_URL = rb"([A-Za-z][A-Za-z0-9+.-]*):([^\r\n]*)"  # some addresses hold spaces
_LENGTH = rb"(-?\w{1,18})[ \t]*\r?\n"
_LINES = {
    # URL, IP address, date, type, length
    1: re.compile(rb"%s (\S+) (\d{8,20}) (\S+) %s" % (_URL, _LENGTH)),
    # URL, IP address, date, type, result code, checksum, location, offset, file name, length
    2: re.compile(rb"%s (\S+) (\d{8,20}) (\S+) (?:\S+ ){5}%s" % (_URL, _LENGTH)),
}
_VERSION = re.compile(rb"([12]) \S+")
_MOST_BLANK = 8  # line ends between records; there should be one


@dataclass(frozen=True, slots=True)
class ArcRecord:
    """One record: what its line says, the bytes behind it, and the digest of both as stored."""

    scheme: str
    url: str
    date: str
    content_type: str
    payload: bytes
    byte_offset: int
    sha256: str


class ArcFraming(Framing):
    """Iterates over the records of a decompressed ARC stream, version 1 or 2.

    Burner & Kahle 1996, Arc File Format. A version block at the start, which another one may follow where files were
    joined, says which fields the lines have.
    """

    def __init__(self, reader: BinaryIO, max_payload_bytes: int) -> None:
        super().__init__(reader, max_payload_bytes)
        self._line = _LINES[1]

    def records(self) -> Iterator[ArcRecord | BrokenRecord]:
        """Records and broken stretches in order; both start where their `byte_offset` says."""
        while self._skip_blank():
            start = self.offset
            raw = self._readline(MAX_HEADER_BYTES)
            yield self._record(raw, start)

    def _record(self, raw: bytes, start: int) -> ArcRecord | BrokenRecord:
        line = self._parse(raw)
        if line is None:
            if not raw.endswith(b"\n") and len(raw) < MAX_HEADER_BYTES:
                detail = "the file ends inside the line of a record"
                sha256 = hashlib.sha256(raw).hexdigest()
                return BrokenRecord(QuarantineReason.TRUNCATED_INPUT, detail, start, sha256, is_end=True)
            detail = f"wanted a line of address, IP, date, type and length, got {raw[:40]!r}"
            return self._resync(QuarantineReason.BAD_WARC_HEADER, detail, start, raw)
        scheme, rest, _, date, content_type, written = (part.decode("utf-8", "replace") for part in line.groups())
        if not written.isascii() or not written.isdigit():
            return self._resync(QuarantineReason.BAD_CONTENT_LENGTH, f"length {written[:40]!r}", start, raw)
        length = int(written)
        if length > self._max_payload:
            return self._oversized(raw, length, start)
        payload = self._read(length)
        if scheme.lower() == "filedesc":
            self._set_version(payload)
        if len(payload) < length or not self._ends_here(payload):
            return self._wrong_length(raw, payload, length, start)
        digest = hashlib.sha256(raw)
        digest.update(payload)
        url = f"{scheme}:{rest}"
        return ArcRecord(scheme.lower(), url, date, content_type, payload, start, digest.hexdigest())

    def _parse(self, raw: bytes) -> re.Match[bytes] | None:
        """A record's line; that of a version block has the five fields of version 1, whatever follows."""
        pattern = _LINES[1] if raw.lower().startswith(b"filedesc:") else self._line
        return pattern.fullmatch(raw)

    def _set_version(self, block: bytes) -> None:
        found = _VERSION.match(block)
        if found is not None:
            self._line = _LINES[int(found[1])]

    def _ends_here(self, payload: bytes) -> bool:
        """True if a record can end at this place: its line end and another record, or the end, follow.

        What follows may be damaged; then the record must show by itself that its length is right.
        """
        after = b""
        for _ in range(_MOST_BLANK):
            line = self._readline(SCAN_BYTES)
            after += line
            if line.strip(b"\r\n"):
                break
        self._give_back(after)
        # A line that is no longer whole is all that a cut file has left of the next record.
        if not line or not line.endswith(b"\n") or self._parse(line) is not None:
            return True
        return after.startswith((b"\n", b"\r\n")) and _is_whole(payload)

    def _begins_record(self, line: bytes) -> bool:
        found = self._parse(line)
        if found is None or not found[found.re.groups].isdigit():
            return False
        self._give_back(line)
        return True


def _is_whole(payload: bytes) -> bool:
    """True if a response has the length that its server said, or a page the end that pages have."""
    if payload[-64:].rstrip().lower().endswith(b"</html>"):
        return True
    try:
        message = parse_message(payload)
    except MessageError:
        return False
    return message.headers.get("content-length") == str(len(message.body))
