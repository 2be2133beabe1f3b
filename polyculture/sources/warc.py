"""WARC and WET: one document a captured page, extracted text or plain text."""

from collections.abc import Iterator

from polyculture.sources.http_message import MessageError, charset_of, decode_body, media_type, parse_message
from polyculture.sources.page import PageFault, decode_page, extract_page
from polyculture.sources.record import Filtered, Reading, Record, Rejection, Slot
from polyculture.sources.warc_records import BrokenRecord, WarcFraming, WarcRecord
from polyculture.storage.messages import safe_detail
from schemas.quarantined import QuarantineReason

HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})
TEXT_TYPES = frozenset({"text/plain"})
SLOT_TYPES = frozenset({"response", "resource", "conversion"})
CONTROL_TYPES = frozenset({"warcinfo", "request", "metadata", "revisit", "continuation"})


def read_warc(reading: Reading) -> Iterator[Slot]:
    """The pages of a WARC or WET file, in order; see Reader.

    Record slots are `response`, `resource` and `conversion` records, and whatever is broken; other types are counted in
    `notes.skipped`. Pages that were not answered with 200 and media types that are no text are Filtered.
    """
    framing = WarcFraming(reading.stream.reader, reading.limits.max_warc_record_bytes)
    for record in framing.records():
        if isinstance(record, BrokenRecord):
            yield _broken(record, reading)
            if record.is_end and reading.notes.is_tail_lost:
                return
            continue
        slot = _slot(record, reading)
        if slot is not None:
            yield slot
    if framing.missing_ends:
        reading.notes.warnings.append(f"{framing.missing_ends} records are not followed by two line ends")
    tail = reading.lost_tail(framing.offset)
    if tail is not None:
        yield tail


def _broken(record: BrokenRecord, reading: Reading) -> Rejection:
    """A broken stretch; if it reaches the end of a stream that is cut, it is the lost tail itself."""
    if record.is_end:
        tail = reading.lost_tail(record.byte_offset)
        if tail is not None:
            return tail
        if record.reason is QuarantineReason.TRUNCATED_INPUT:
            return reading.lose_tail(record.reason, record.detail, record.byte_offset, 0)
    return Rejection(record.reason, safe_detail(record.detail), record.byte_offset, record.sha256)


def _slot(record: WarcRecord, reading: Reading) -> Slot | None:
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
    try:
        if kind == "response" and media_type(content_type) in ("application/http", ""):
            return _response(record, reading)
        return _page(record, record.payload, content_type)
    except MessageError as error:
        return Rejection(error.reason, safe_detail(str(error)), record.byte_offset, record.sha256)


def _response(record: WarcRecord, reading: Reading) -> Slot:
    message = parse_message(record.payload)
    if message.status != 200:
        return Filtered("http_status", record.byte_offset)
    content_type = message.headers.get("content-type", "")
    if media_type(content_type) not in HTML_TYPES | TEXT_TYPES | {""}:
        return Filtered("media_type", record.byte_offset)
    body = decode_body(message, reading.limits.max_warc_record_bytes)
    if not media_type(content_type):
        if body.lstrip()[:1] != b"<":
            return Filtered("media_type", record.byte_offset)
        content_type = "text/html"
    return _page(record, body, content_type)


def _page(record: WarcRecord, body: bytes, content_type: str) -> Slot:
    """A document from a page's bytes."""
    kind = media_type(content_type)
    if kind not in HTML_TYPES | TEXT_TYPES:
        return Filtered("media_type", record.byte_offset)
    is_html = kind in HTML_TYPES
    decoded = decode_page(body, [charset_of(content_type)], is_html)
    if isinstance(decoded, PageFault):
        return Rejection(decoded.reason, safe_detail(decoded.detail), record.byte_offset, record.sha256)
    values = _provenance(record)
    if is_html:
        page = extract_page(decoded.text)
        if isinstance(page, PageFault):
            return Rejection(page.reason, safe_detail(page.detail), record.byte_offset, record.sha256)
        values |= {"text": page.text, "title": page.title}
    else:
        values["text"] = decoded.text
    return Record(values, record.byte_offset, record.sha256)


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
