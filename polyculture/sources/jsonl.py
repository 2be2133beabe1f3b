"""JSON Lines: one object a line. Lines end at a newline byte alone; blank lines are no record slots."""

import codecs
import hashlib
from collections.abc import Iterator

from polyculture.sources.charset import find_bom
from polyculture.sources.json_document import EARLY_ELEMENTS, has_column, holds_records_of, read_json
from polyculture.sources.json_line import LineFault, parse_line
from polyculture.sources.mostly_bad import until_mostly_bad
from polyculture.sources.record import Reading, Record, Rejection, Slot
from polyculture.storage.messages import safe_detail
from schemas.quarantined import QuarantineReason

SKIP_BYTES = 2**20
_BLANK = b" \t\r\n"
_HINT = "one object a line is wanted: is this another format, or JSON over several lines?"


def read_jsonl(reading: Reading) -> Iterator[Slot]:
    """The objects of a JSON Lines file, in order; see Reader.

    A line over `max_line_bytes` is skipped in bounded memory. A file with more bad lines than good among its first
    10,000 slots is given up with one rejection for the rest: its format is another.
    """
    bom = find_bom(reading.stream.reader.peek(4)[:4])
    if bom is not None and bom[1] != "utf-8":
        detail = f"JSON Lines in {bom[1]}: convert it to UTF-8"
        yield reading.lose_tail(QuarantineReason.UNSUPPORTED_CHARSET, detail, 0, reading.file.size_bytes)
        return
    verdict = "lines are no JSON objects"
    yield from until_mostly_bad(reading, _lines(reading), verdict, _HINT, QuarantineReason.BAD_JSON)


def _lines(reading: Reading) -> Iterator[Slot]:
    readline = reading.stream.reader.readline
    limits = reading.limits
    cap = limits.max_line_bytes + 1
    is_cut = reading.stream.problem is not None
    offset = 0
    while line := readline(cap):
        start = offset
        offset += len(line)
        if start == 0 and _wraps_records(reading, line, cap):
            reading.notes.format = reading.notes.format.replace("jsonl", "json", 1)
            yield from read_json(reading, line)
            return
        if len(line) == cap and line[-1] != 10:
            offset += _skip_line(reading)
            detail = f"a line of {offset - start} bytes, at most {limits.max_line_bytes} (limits.max_line_bytes)"
            yield Rejection(QuarantineReason.TOO_LONG_LINE, detail, start, hashlib.sha256(line).hexdigest())
            continue
        if is_cut and line[-1] != 10:
            offset = start  # the beginning of a record whose end is lost
            break
        body = line.removeprefix(codecs.BOM_UTF8) if start == 0 else line
        if not body.strip(_BLANK):
            continue
        value = parse_line(body)
        digest = hashlib.sha256(line).hexdigest()
        if isinstance(value, LineFault):
            yield Rejection(value.reason, safe_detail(value.detail), start, digest)
        else:
            yield Record(value, start, digest)
    tail = reading.lost_tail(offset)
    if tail is not None:
        yield tail


def _wraps_records(reading: Reading, line: bytes, cap: int) -> bool:
    """True if the first line is no record: an object without the text, that holds one array of objects with it.

    One that other lines follow is a record. Of one that is broken, or longer than a line may be, the beginning decides.
    """
    if not line.lstrip(codecs.BOM_UTF8 + _BLANK).startswith(b"{"):
        return False
    name = reading.columns["text"]
    if len(line) == cap and line[-1] != 10:
        return holds_records_of(line, name, reading.limits)
    if reading.stream.reader.peek(SKIP_BYTES).strip(_BLANK):
        return False
    value = parse_line(line.removeprefix(codecs.BOM_UTF8))
    if isinstance(value, LineFault):
        return holds_records_of(line, name, reading.limits)
    if has_column(value, name):
        return False
    arrays = [items for items in value.values() if type(items) is list and items and type(items[0]) is dict]
    return len(arrays) == 1 and any(
        type(item) is dict and has_column(item, name) for item in arrays[0][:EARLY_ELEMENTS]
    )


def _skip_line(reading: Reading) -> int:
    """Read up to the next newline in bounded memory; returns the bytes passed over."""
    skipped = 0
    while part := reading.stream.reader.readline(SKIP_BYTES):
        skipped += len(part)
        if part[-1] == 10:
            break
    return skipped
