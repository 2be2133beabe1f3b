"""Records behind each other in a stream: bytes that can be given back, and a way on after damage."""

import hashlib
from dataclasses import dataclass
from typing import BinaryIO

from polyculture.sources.record import Reading, Rejection
from polyculture.storage.messages import safe_detail
from schemas.quarantined import QuarantineReason

MAX_HEADER_BYTES = 2**16
SCAN_BYTES = 2**16


@dataclass(frozen=True, slots=True)
class BrokenRecord:
    """A stretch of bytes that is no record. `is_end`: it reaches to the end of the stream."""

    reason: QuarantineReason
    detail: str
    byte_offset: int
    sha256: str
    is_end: bool = False


class Framing:
    """Framing that WARC and ARC have in common. Memory: one payload of at most `max_payload_bytes`.

    Attributes:
        offset: of the next byte in the decompressed stream.
        length_field: the name of a record's length in messages.
    """

    length_field = "length"

    def __init__(self, reader: BinaryIO, max_payload_bytes: int) -> None:
        self._reader = reader
        self._max_payload = max_payload_bytes
        self._ahead = b""  # bytes read ahead and given back, from _at on
        self._at = 0
        self.offset = 0

    def _begins_record(self, line: bytes) -> bool:
        """True if a line that was just read begins a believable record; the stream then stands at its start again."""
        raise NotImplementedError

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

    def _skip_blank(self) -> bool:
        """Move to the next byte that is no line end; False at the end of the stream."""
        while line := self._readline(SCAN_BYTES):
            if line.strip(b"\r\n"):
                self._give_back(line)
                return True
        return False

    def _wrong_length(self, raw: bytes, payload: bytes, length: int, start: int) -> BrokenRecord:
        """The stream ended, or no record starts where this one should end: the next may hide in the payload."""
        is_short = len(payload) < length
        self._give_back(payload)
        detail = f"{self.length_field} {length} does not lead to the next record"
        broken = self._resync(QuarantineReason.BAD_CONTENT_LENGTH, detail, start, raw)
        if is_short and broken.is_end:
            detail = f"the file ends inside a record: {len(payload)} of {length} bytes"
            return BrokenRecord(QuarantineReason.TRUNCATED_INPUT, detail, start, broken.sha256, is_end=True)
        return broken

    def _oversized(self, raw: bytes, length: int, start: int) -> BrokenRecord:
        """Skip a record over the limit. Its length is not believed unless the next record is found behind it."""
        end = self.offset + length
        broken = self._resync(QuarantineReason.BAD_CONTENT_LENGTH, "", start, raw)
        if end <= self.offset <= end + 4:
            detail = f"a record of {length} bytes, at most {self._max_payload} (limits.max_warc_record_bytes)"
            return BrokenRecord(QuarantineReason.DOC_TOO_BIG, detail, start, broken.sha256)
        detail = f"{self.length_field} {length} does not lead to the next record"
        is_cut = broken.is_end and self.offset < end
        return BrokenRecord(broken.reason, detail, start, broken.sha256, is_end=is_cut)

    def _resync(self, reason: QuarantineReason, detail: str, start: int, raw: bytes) -> BrokenRecord:
        """Skip to the next line that begins a believable record."""
        digest = hashlib.sha256(raw)
        at_line_start = raw.endswith(b"\n") or self.offset == start
        while line := self._readline(SCAN_BYTES):
            if at_line_start and self._begins_record(line):
                return BrokenRecord(reason, detail, start, digest.hexdigest())
            digest.update(line)
            at_line_start = line.endswith(b"\n")
        return BrokenRecord(reason, detail, start, digest.hexdigest(), is_end=True)


def reject_broken(record: BrokenRecord, reading: Reading) -> Rejection:
    """A broken stretch; if it reaches the end of a stream that is cut, it is the lost tail itself."""
    if record.is_end:
        tail = reading.lost_tail(record.byte_offset)
        if tail is not None:
            return tail
        if record.reason is QuarantineReason.TRUNCATED_INPUT:
            return reading.lose_tail(record.reason, record.detail, record.byte_offset, 0)
    return Rejection(record.reason, safe_detail(record.detail), record.byte_offset, record.sha256)
