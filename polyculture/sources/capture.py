"""Captured pages, of WARC or ARC: an HTTP response or a bare page to a document, or the rule that it is left out by."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from polyculture.compute.watchdog import OverdueError
from polyculture.sources.http_message import MessageError, charset_of, decode_body, media_type, parse_message
from polyculture.sources.page import PageFault, decode_page, extract_page
from polyculture.sources.record import TIME_LIMIT, Filtered, Reading, Record, Rejection, Slot
from polyculture.storage.messages import safe_detail
from schemas.quarantined import QuarantineReason

HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})
TEXT_TYPES = frozenset({"text/plain"})
CUT_REASONS = frozenset({"length", "time", "disconnect", "unspecified"})
# What crawlers identify by the bytes of a payload, and is no text whatever the server called it.
_BINARY = re.compile(
    r"(?:image|audio|video|font|model)/.+"
    r"|application/(?:pdf|(?:x-)?(?:gzip|bzip2?|xz|lz4|zstd|compress(?:ed)?|7z-compressed|tar|rar(?:-compressed)?)"
    r"|zip|x-zip-compressed|java-archive|java-vm|(?:x-)?msword|msexcel|postscript|rtf|ogg|mp4|wasm|epub\+zip"
    r"|vnd\.(?:ms-|openxmlformats-|oasis\.opendocument|android|rar|rn-realmedia|adobe\.).*"
    r"|x-(?:shockwave-flash|dosexec|msdownload|executable|elf|sharedlib|object|sqlite3|font.*|iso9660-image|debian-package"
    r"|rpm|redhat-package-manager|tika-.*|mobipocket-ebook|matroska|apple-diskimage|java.*|bittorrent)"
    r"|font.*|dicom|pkcs.*)"
)


@dataclass(frozen=True, slots=True)
class Capture:
    """The holding of an archive on one address.

    Attributes:
        payload: an HTTP response, or a bare page.
        content_type: its media type; of the page inside, an HTTP response says it itself.
        is_http: the payload is an HTTP response.
        provenance: values of the document beside text and title.
        byte_offset: start of the record.
        sha256: digest of the record.
        cut: why the crawler stored only the beginning, as it says; empty if it stored all.
        identified: media type that the crawler found in the payload's bytes; empty if it did not look.
    """

    payload: bytes
    content_type: str
    is_http: bool
    provenance: Mapping[str, object]
    byte_offset: int
    sha256: str
    cut: str = ""
    identified: str = ""


class Pages:
    """Captures of one file to slots; counts those that were cut."""

    def __init__(self, reading: Reading) -> None:
        self._limit = reading.limits.max_warc_record_bytes
        self._leaves_out_cut = reading.cut_pages == "leave_out"
        self._notes, self._watchdog = reading.notes, reading.watchdog
        self._cut: Counter[str] = Counter()

    def slot(self, capture: Capture) -> Slot:
        """A document, or why there is none. O(len(payload))."""
        try:
            return self._watchdog.run(self._slot, capture)
        except OverdueError as error:
            return reject(capture, QuarantineReason.TIMEOUT, f"{error} to read the page ({TIME_LIMIT})")

    def _slot(self, capture: Capture) -> Slot:
        if not capture.is_http:
            return self._page(capture, capture.payload, capture.content_type)
        try:
            return self._response(capture)
        except MessageError as error:
            return reject(capture, error.reason, str(error))

    def end(self) -> None:
        """Note what was counted, once the file is read."""
        if self._cut:
            counted = ", ".join(f"{reason} {count}" for reason, count in sorted(self._cut.items()))
            self._notes.warnings.append(
                f"{self._cut.total()} pages were cut when they were fetched and are kept ({counted}); "
                "`cut_pages: leave_out` leaves them out"
            )

    def _response(self, capture: Capture) -> Slot:
        message = parse_message(capture.payload)
        if message.status != 200:
            return Filtered("http_status", capture.byte_offset)
        content_type = message.headers.get("content-type", "")
        if media_type(content_type) not in HTML_TYPES | TEXT_TYPES | {""} or _is_binary(capture.identified):
            return Filtered("media_type", capture.byte_offset)
        if capture.cut and self._leaves_out_cut:
            return Filtered("truncated", capture.byte_offset)
        body = decode_body(message, self._limit, is_cut=bool(capture.cut))
        if not media_type(content_type):
            if body.lstrip()[:1] != b"<":
                return Filtered("media_type", capture.byte_offset)
            content_type = "text/html"
        return self._page(capture, body, content_type)

    def _page(self, capture: Capture, body: bytes, content_type: str) -> Slot:
        """A document from a page's bytes."""
        kind = media_type(content_type)
        if kind not in HTML_TYPES | TEXT_TYPES or _is_binary(capture.identified):
            return Filtered("media_type", capture.byte_offset)
        if capture.cut:
            if self._leaves_out_cut:
                return Filtered("truncated", capture.byte_offset)
            body = _whole_characters(body)
        is_html = kind in HTML_TYPES
        decoded = decode_page(body, [charset_of(content_type)], is_html)
        if isinstance(decoded, PageFault):
            return reject(capture, decoded.reason, decoded.detail)
        values: dict[str, object] = {**capture.provenance, "text": decoded.text}
        if is_html:
            page = extract_page(decoded.text)
            if isinstance(page, PageFault):
                return reject(capture, page.reason, page.detail)
            values |= {"text": page.text, "title": page.title}
        if capture.cut and str(values["text"]).strip():
            self._cut[capture.cut if capture.cut in CUT_REASONS else "another reason"] += 1
        return Record(values, capture.byte_offset, capture.sha256)


def reject(capture: Capture, reason: QuarantineReason, detail: str) -> Rejection:
    """The rejection of a capture."""
    return Rejection(reason, safe_detail(detail), capture.byte_offset, capture.sha256)


def _is_binary(identified: str) -> bool:
    return _BINARY.fullmatch(media_type(identified)) is not None


def _whole_characters(body: bytes) -> bytes:
    """The bytes without a UTF-8 character that a cut divided: with half of it, no page would be UTF-8."""
    for back in range(1, min(3, len(body)) + 1):
        byte = body[-back]
        if byte >= 0xC0:
            length = 2 + (byte >= 0xE0) + (byte >= 0xF0)
            return body[:-back] if back < length else body
        if byte < 0x80:
            return body
    return body
