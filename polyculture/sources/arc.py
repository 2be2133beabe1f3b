"""ARC, the format before WARC: one document a captured page."""

from collections.abc import Iterator
from datetime import UTC, datetime

from polyculture.sources.arc_records import ArcFraming, ArcRecord
from polyculture.sources.capture import Capture, Pages
from polyculture.sources.framing import BrokenRecord, reject_broken
from polyculture.sources.record import Reading, Slot

VERSION_BLOCK = "filedesc"


def read_arc(reading: Reading) -> Iterator[Slot]:
    """The pages of an ARC file, in order; see Reader.

    All records are record slots but version blocks, which are counted in `notes.skipped`. What is no page is Filtered
    as in WARC. ARC has no record ids; the address and the date of the crawl are kept.
    """
    framing = ArcFraming(reading.stream.reader, reading.limits.max_warc_record_bytes)
    pages = Pages(reading)
    for record in framing.records():
        if isinstance(record, BrokenRecord):
            yield reject_broken(record, reading)
            if record.is_end and reading.notes.is_tail_lost:
                return
        elif record.scheme == VERSION_BLOCK:
            reading.notes.skipped[VERSION_BLOCK] = reading.notes.skipped.get(VERSION_BLOCK, 0) + 1
        else:
            yield pages.slot(_capture(record))
    tail = reading.lost_tail(framing.offset)
    if tail is not None:
        yield tail


def _capture(record: ArcRecord) -> Capture:
    provenance: dict[str, object] = {"url": record.url, "crawl_date": _iso_date(record.date)}
    is_http = record.scheme in ("http", "https")
    return Capture(record.payload, record.content_type, is_http, provenance, record.byte_offset, record.sha256)


def _iso_date(digits: str) -> str | None:
    """An ARC date, YYYYMMDDhhmmss in UTC, as ISO 8601; fractions of a second are left out. None if there is none."""
    try:
        date = datetime.strptime(digits[:14].ljust(14, "0"), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    return date.strftime("%Y-%m-%dT%H:%M:%SZ")
