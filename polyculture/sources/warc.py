"""WARC and WET: one document a captured page, extracted text or plain text."""

from collections.abc import Iterator

from polyculture.sources.capture import Capture, Pages
from polyculture.sources.framing import BrokenRecord, reject_broken
from polyculture.sources.http_message import media_type
from polyculture.sources.record import Reading, Rejection, Slot
from polyculture.sources.warc_records import WarcFraming, WarcRecord
from schemas.quarantined import QuarantineReason

SLOT_TYPES = frozenset({"response", "resource", "conversion"})
CONTROL_TYPES = frozenset({"warcinfo", "request", "metadata", "revisit", "continuation"})


def read_warc(reading: Reading) -> Iterator[Slot]:
    """The pages of a WARC or WET file, in order; see Reader.

    Record slots are `response`, `resource` and `conversion` records, and whatever is broken; other types are counted in
    `notes.skipped`. Pages that were not answered with 200 are Filtered, and so are media types that are no text, as
    the server says or the crawler found (`WARC-Identified-Payload-Type`). Pages that the crawler cut
    (`WARC-Truncated`) are counted, and Filtered if the source leaves them out.
    """
    framing = WarcFraming(reading.stream.reader, reading.limits.max_warc_record_bytes)
    pages = Pages(reading)
    for record in framing.records():
        if isinstance(record, BrokenRecord):
            yield reject_broken(record, reading)
            if record.is_end and reading.notes.is_tail_lost:
                pages.end()
                return
            continue
        slot = _slot(record, pages, reading)
        if slot is not None:
            yield slot
    pages.end()
    if framing.missing_ends:
        reading.notes.warnings.append(f"{framing.missing_ends} records are not followed by two line ends")
    tail = reading.lost_tail(framing.offset)
    if tail is not None:
        yield tail


def _slot(record: WarcRecord, pages: Pages, reading: Reading) -> Slot | None:
    """One record as a slot; None for a control record."""
    headers = record.headers
    kind = headers.get("warc-type", "").strip().lower()
    missing = [name for name in ("WARC-Type", "WARC-Record-ID") if not headers.get(name.lower(), "").strip()]
    if missing:
        return Rejection(QuarantineReason.BAD_WARC_HEADER, f"no {missing[0]}", record.byte_offset, record.sha256)
    if kind not in SLOT_TYPES:
        counted = kind if kind in CONTROL_TYPES else "unknown"
        reading.notes.skipped[counted] = reading.notes.skipped.get(counted, 0) + 1
        return None
    content_type = headers.get("content-type", "")
    return pages.slot(
        Capture(
            record.payload,
            content_type,
            kind == "response" and media_type(content_type) in ("application/http", ""),
            _provenance(record),
            record.byte_offset,
            record.sha256,
            cut=headers.get("warc-truncated", "").strip().lower(),
            # The text of a conversion has a type of its own; what was identified is what it was made from.
            identified="" if kind == "conversion" else headers.get("warc-identified-payload-type", ""),
        )
    )


def _provenance(record: WarcRecord) -> dict[str, object]:
    """Id, address and date. Some versions of wget put the address between angle brackets."""
    record_id = record.headers["warc-record-id"].strip()
    url = record.headers.get("warc-target-uri", "").strip().removeprefix("<").removesuffix(">")
    return {
        "id": record_id,
        "url": url or None,
        "crawl_date": record.headers.get("warc-date", "").strip() or None,
        "warc_record_id": record_id,
    }
