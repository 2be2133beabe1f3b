"""Plain text, Markdown and TeX: one document a file, kept verbatim."""

import hashlib
from collections.abc import Iterator

from polyculture.sources.charset import decode
from polyculture.sources.record import Reading, Record, Rejection, Slot
from schemas.quarantined import QuarantineReason

MAX_BYTES_PER_UTF8_BYTE = 4  # UTF-32 needs four bytes where UTF-8 needs one


def read_text(reading: Reading) -> Iterator[Slot]:
    """The one document of a text file; see Reader.

    The byte order mark aside, nothing is changed: front matter and line ends stay. A file that is cut gives none.
    """
    limit = reading.limits.max_document_bytes * MAX_BYTES_PER_UTF8_BYTE
    body = reading.stream.reader.read(limit + 1)
    tail = reading.lost_tail(0)
    if tail is not None:
        yield tail
        return
    if len(body) > limit:
        detail = f"a text of more than {limit} bytes (limits.max_document_bytes)"
        yield Rejection(QuarantineReason.DOC_TOO_BIG, detail, 0, reading.file.sha256)
        return
    digest = hashlib.sha256(body).hexdigest()
    decoded = decode(body)
    if decoded is None:
        yield Rejection(QuarantineReason.UNSUPPORTED_CHARSET, "no charset fits; convert it to UTF-8", 0, digest)
        return
    if "\0" in decoded.text:
        detail = f"raw U+0000 at character {decoded.text.index(chr(0))}; is this UTF-16 without a byte order mark?"
        yield Rejection(QuarantineReason.NUL_OR_CONTROL, detail, 0, digest)
        return
    if decoded.is_guess:
        reading.notes.warnings.append(f"charset guessed: {decoded.encoding}")
    yield Record({"text": decoded.text}, 0, digest)
