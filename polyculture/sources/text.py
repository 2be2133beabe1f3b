"""Plain text, Markdown and TeX: one document a file, kept verbatim, or one between blank lines."""

import codecs
import hashlib
from collections.abc import Iterator

from polyculture.compute.watchdog import OverdueError
from polyculture.sources.charset import decode, find_bom
from polyculture.sources.record import TIME_LIMIT, Reading, Record, Rejection, Slot
from schemas.quarantined import QuarantineReason

HEAD_BYTES = 2**16
LINE_BYTES = 2**20
MAX_BYTES_PER_UTF8_BYTE = 4  # UTF-32 needs four bytes where UTF-8 needs one


def read_text(reading: Reading) -> Iterator[Slot]:
    """The one document of a text file; see Reader.

    With `text_records: blank_lines` each paragraph is a document, without the line ends around it. The byte order mark
    aside, nothing else is changed: front matter and line ends stay. A file that is cut loses the document that it cuts.
    """
    if reading.is_split:
        yield from _paragraphs(reading)
        return
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
    try:
        decoded = reading.watchdog.run(decode, body)
    except OverdueError as error:
        yield Rejection(QuarantineReason.TIMEOUT, f"{error} to decode the text ({TIME_LIMIT})", 0, digest)
        return
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


def _paragraphs(reading: Reading) -> Iterator[Slot]:
    """A document for each run of lines that are not blank, in bounded memory. The first bytes decide the charset."""
    head = reading.stream.reader.peek(HEAD_BYTES)[:HEAD_BYTES]
    bom = find_bom(head)
    found = decode(head if len(head) < HEAD_BYTES else head[: head.rfind(b"\n") + 1])
    if (bom is not None and bom[1] != "utf-8") or (
        found is not None and found.encoding.startswith(("utf-16", "utf-32"))
    ):
        detail = "text in UTF-16 or UTF-32 is not split at blank lines: convert it to UTF-8"
        yield reading.lose_tail(QuarantineReason.UNSUPPORTED_CHARSET, detail, 0, reading.file.size_bytes)
        return
    encoding = found.encoding if found is not None else "utf-8"
    if found is not None and found.is_guess:
        reading.notes.warnings.append(f"charset guessed: {encoding}")
    most = reading.limits.max_document_bytes * MAX_BYTES_PER_UTF8_BYTE
    offset = start = held = 0
    lines: list[bytes] = []
    is_new_line = True
    while True:
        line = reading.stream.reader.readline(LINE_BYTES)
        is_blank = is_new_line and line[-1:] == b"\n" and not line.strip()
        if (is_blank or not line) and held:
            if not line and reading.stream.problem is not None:
                break  # the beginning of a document whose end is lost
            yield _paragraph(reading, lines, start, held, encoding)
            lines, held = [], 0
        if not line:
            start = offset
            break
        if not is_blank:
            start = start if held else offset
            held += len(line)
            if held <= most:
                lines.append(line)
        offset += len(line)
        is_new_line = line[-1:] == b"\n"
    tail = reading.lost_tail(start)
    if tail is not None:
        yield tail


def _paragraph(reading: Reading, lines: list[bytes], start: int, held: int, encoding: str) -> Slot:
    body = b"".join(lines)
    digest = hashlib.sha256(body).hexdigest()
    most = reading.limits.max_document_bytes
    if held > most * MAX_BYTES_PER_UTF8_BYTE:
        detail = f"{held} bytes without a blank line, a text has at most {most} (limits.max_document_bytes)"
        return Rejection(QuarantineReason.DOC_TOO_BIG, detail, start, digest)
    if start == 0:
        body = body.removeprefix(codecs.BOM_UTF8)
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError as error:
        detail = f"{error.reason} at byte {error.start} of the paragraph, read as {encoding}"
        return Rejection(QuarantineReason.INVALID_UTF8, detail, start, digest)
    if "\0" in text:
        detail = f"raw U+0000 at character {text.index(chr(0))} of the paragraph"
        return Rejection(QuarantineReason.NUL_OR_CONTROL, detail, start, digest)
    return Record({"text": text.strip("\r\n")}, start, digest)
