"""HTML files: one document a file."""

import hashlib
from collections.abc import Iterator

from polyculture.compute.watchdog import OverdueError
from polyculture.sources.charset import Decoded
from polyculture.sources.page import PageFault, PageText, decode_page, extract_page
from polyculture.sources.record import TIME_LIMIT, Reading, Record, Rejection, Slot
from polyculture.storage.messages import safe_detail
from schemas.quarantined import QuarantineReason


def read_html(reading: Reading) -> Iterator[Slot]:
    """The text of one HTML file, extracted as in WARC; see Reader.

    A page of more than `max_warc_record_bytes` is set aside unparsed; so is one whose file is cut.
    """
    limit = reading.limits.max_warc_record_bytes
    body = reading.stream.reader.read(limit + 1)
    tail = reading.lost_tail(0)
    if tail is not None:
        yield tail
        return
    digest = hashlib.sha256(body).hexdigest()
    if len(body) > limit:
        detail = f"a page of more than {limit} bytes (limits.max_warc_record_bytes)"
        yield Rejection(QuarantineReason.DOC_TOO_BIG, detail, 0, reading.file.sha256)
        return
    try:
        decoded, page = reading.watchdog.run(_parse, body)
    except OverdueError as error:
        detail = f"{error} to read the page ({TIME_LIMIT})"
        yield Rejection(QuarantineReason.TIMEOUT, detail, 0, digest)
        return
    if isinstance(page, PageFault):
        yield Rejection(page.reason, safe_detail(page.detail), 0, digest)
        return
    if not isinstance(decoded, PageFault) and decoded.is_guess:
        reading.notes.warnings.append(f"charset guessed: {decoded.encoding}")
    yield Record({"text": page.text, "title": page.title}, 0, digest)


def _parse(body: bytes) -> tuple[Decoded | PageFault, PageText | PageFault]:
    decoded = decode_page(body, (), is_html=True)
    return decoded, decoded if isinstance(decoded, PageFault) else extract_page(decoded.text)
