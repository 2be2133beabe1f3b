"""Recognise a file's format by its first decompressed bytes; the name only breaks ties between formats of text."""

import re
from dataclasses import dataclass

from polyculture.sources.charset import decode, find_bom, is_binary
from polyculture.sources.csv_shape import is_separated
from polyculture.sources.json_shape import is_one_json_value
from polyculture.sources.record import extensions_of
from polyculture.sources.tar_blocks import is_tar
from schemas.quarantined import QuarantineReason

HEAD_BYTES = 2**16
JSON_NAMES = frozenset({"json", "jsonl", "ndjson", "jsonlines"})
WARC_NAMES = frozenset({"warc", "wet", "wat"})
ARC_NAMES = frozenset({"arc"})
COLUMNAR_NAMES = frozenset({"parquet", "arrow", "feather", "ipc"})
SEPARATED_NAMES = frozenset({"csv", "tsv", "tab"})
PLAIN_NAMES = frozenset({"txt", "md", "markdown", "tex", "rst"})
PACKED_NAMES = frozenset({"gz", "gzip", "zst", "zstd", "bz2", "xz", "lz4"})
ARCHIVE_NAMES = frozenset({"tar", "tgz", "tbz2", "txz", "tzst"})
_IMAGE = "an image is not supported"
_TWICE = "inside another compression, or behind a damaged header: unpack it once"

UNSUPPORTED: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "zip is not supported: unpack it"),
    (b"PK\x05\x06", "zip is not supported: unpack it"),
    *((b"BZh%d1AY&SY" % level, f"bzip2 {_TWICE}") for level in range(1, 10)),
    (b"\xfd7zXZ\x00", f"xz {_TWICE}"),
    (b"\x04\x22\x4d\x18", f"lz4 {_TWICE}"),
    (b"\x1f\x8b", f"gzip {_TWICE}"),
    (b"\x28\xb5\x2f\xfd", f"zstd {_TWICE}"),
    (b"\x02\x21\x4c\x18", "lz4's legacy format has no checksum: recompress it, lz4 -dc FILE | lz4 > NEW"),
    (b"\x5d\x00\x00", "lzma without a container has no checksum: recompress it, xz -dc --format=lzma FILE | xz > NEW"),
    (b"LZIP", "lzip is not supported: recompress it, lzip -dc FILE | xz > NEW"),
    (b"\x1f\x9d", "compress (.Z) is not supported: recompress it, gzip -dc FILE | gzip > NEW"),
    (b"7z\xbc\xaf\x27\x1c", "7z is not supported: unpack it"),
    (b"Rar!", "rar is not supported: unpack it"),
    (b"PARE", "encrypted Parquet is not supported: decrypt it"),
    (b"ORC", "ORC is not supported: convert it to Parquet"),
    (b"Obj\x01", "Avro is not supported: convert it to Parquet"),
    (b"%PDF-", "PDF is not supported: extract its text"),
    (b"SQLite format 3\x00", "SQLite is not supported: export it as JSON Lines"),
    (b"FEA1", "Feather version 1 is not supported: rewrite it as Arrow IPC"),
    *((magic, _IMAGE) for magic in (b"\x89PNG", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*")),
)
# Words may start like these: they count only before bytes that are no text.
_LETTERS = frozenset({b"Rar!", b"PARE", b"ORC", b"FEA1", b"LZIP", b"GIF87a", b"GIF89a"})
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
# All of what git-lfs leaves in a file's place: its version, then lines of `key value`, of which one is the digest.
_LFS = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*version https?://(?:git-lfs|hawser)\.github\.com/spec/v\d+\s*"
    rb"(?:\Z|(?:[a-z0-9.-]+ \S+\r?\n)*?oid (?:sha256:)?[0-9a-f]+\s*(?:\Z|size \d+\s*(?:\Z|version )))"
)
_WARC = re.compile(rb"WARC/[01]\.")
_HTML = re.compile(r"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_XHTML = re.compile(r"<\?xml[^>]{0,200}>.{0,2000}?<html\b", re.IGNORECASE | re.DOTALL)
_OBJECT = re.compile(r'\{\s*(?:["}]|$)')


@dataclass(frozen=True, slots=True)
class Refused:
    """The reason why a file is not read at all; the detail says what to do.

    `is_other`: its bytes are of no known format, which in an archive may be an image or a model.
    """

    reason: QuarantineReason
    detail: str
    is_other: bool = False


def recognise(name: str, head: bytes, is_packed: bool, text_column: str = "text") -> str | Refused:
    """The format of a file: a key of READERS, `empty`, or a refusal.

    Args:
        name: the file's name; its extensions break ties.
        head: the first decompressed bytes, up to HEAD_BYTES.
        is_packed: the file is compressed as a whole.
        text_column: column of the text; a header that names it tells separated values.

    Returns:
        See above. O(len(head)).
    """
    extensions = extensions_of(name)
    if _LFS.match(head):
        detail = "a git-lfs pointer, not the data: run git lfs pull in the repository that it comes from"
        return Refused(QuarantineReason.SCHEMA_MISMATCH, detail)
    binary = _binary_format(head, is_packed)
    if binary is not None:
        return binary
    if not head.strip() and len(head) < HEAD_BYTES:
        return "empty"
    text = _head_text(head)
    if text is None:
        return _junk(head, extensions)
    return _text_format(text.lstrip(), extensions, text_column)


def _binary_format(head: bytes, is_packed: bool) -> str | Refused | None:
    columnar = None
    if head.startswith(b"PAR1") and _CONTROL.search(head[:256]):
        columnar = "parquet"
    elif head.startswith(b"ARROW1") and _CONTROL.search(head[:256]):
        columnar = "arrow"
    elif head.startswith(b"\xff\xff\xff\xff") and 0 < int.from_bytes(head[4:8], "little") < 2**24:
        columnar = "arrow_stream"
    if columnar and is_packed:
        detail = f"{columnar} inside a compression or an archive is not supported: unpack it (it is compressed inside)"
        return Refused(QuarantineReason.SCHEMA_MISMATCH, detail)
    if columnar:
        return columnar
    if _WARC.match(head) or head.startswith(b"filedesc://"):
        return "warc" if _WARC.match(head) else "arc"
    if is_tar(head):
        return "tar"
    for magic, detail in UNSUPPORTED:
        if head.startswith(magic) and (magic not in _LETTERS or _CONTROL.search(head[:256])):
            return Refused(QuarantineReason.SCHEMA_MISMATCH, detail, is_other=detail == _IMAGE)
    return None


def _head_text(head: bytes) -> str | None:
    """The head as text, a character cut at its end aside; None if it is no text."""
    bom = find_bom(head)
    if bom is not None:
        text = head[bom[0] :].decode(bom[1], "replace")
    elif len(head) < HEAD_BYTES:
        decoded = decode(head)
        text = decoded.text if decoded else head.decode("utf-8", "replace")
    else:
        text = head.decode("utf-8", "replace")
    mostly_wrong = bom is not None and text.count("\ufffd") * 10 > len(text)
    return None if is_binary(text) or mostly_wrong else text


def _text_format(start: str, extensions: set[str], text_column: str) -> str | Refused:
    if _HTML.match(start) or _XHTML.match(start) or (start.startswith("<!--") and not extensions & PLAIN_NAMES):
        data_names = JSON_NAMES | WARC_NAMES | ARC_NAMES | COLUMNAR_NAMES | SEPARATED_NAMES | ARCHIVE_NAMES
        promised = extensions & data_names
        if not promised:
            return "html"
        # A page where data was promised is what a failed download leaves. As a document it would hide the loss.
        detail = f"holds an HTML page, its name says {min(promised)}: a failed download? Fetch it again"
        return Refused(QuarantineReason.SCHEMA_MISMATCH, detail)
    records = _record_format(start, extensions, text_column)
    if records is not None:
        return records
    promised = extensions & (COLUMNAR_NAMES | ARCHIVE_NAMES)
    if promised:
        detail = f"holds text, its name says {min(promised)}: a failed download? Fetch it again"
        return Refused(QuarantineReason.SCHEMA_MISMATCH, detail)
    return "text"


def _record_format(start: str, extensions: set[str], text_column: str) -> str | None:
    """The format of a text that is records; None if it is none."""
    if extensions & (WARC_NAMES | ARC_NAMES):
        return "warc" if extensions & WARC_NAMES else "arc"
    if extensions & SEPARATED_NAMES:
        return "csv"
    if is_one_json_value(start):
        return "json"
    if _OBJECT.match(start) or extensions & JSON_NAMES:
        return "jsonl"
    is_named = extensions & (COLUMNAR_NAMES | PLAIN_NAMES - {"txt"})
    return "csv" if not is_named and is_separated(start, text_column) else None


def _junk(head: bytes, extensions: set[str]) -> str | Refused:
    if extensions & (WARC_NAMES | ARC_NAMES):  # their readers look for the next record, as that of archives does
        return "warc" if extensions & WARC_NAMES else "arc"
    if extensions & ARCHIVE_NAMES:
        return "tar"
    if extensions & PACKED_NAMES:
        return Refused(
            QuarantineReason.DECOMPRESS_ERROR, f"named like a compressed file, but starts with {head[:8].hex(' ')}"
        )
    if extensions & JSON_NAMES:
        return "jsonl"
    known = "JSON, JSON Lines, CSV, Parquet, Arrow, WARC, ARC, HTML, text, tar"
    detail = f"unknown binary format, starts with {head[:8].hex(' ')}; known: {known}"
    return Refused(QuarantineReason.SCHEMA_MISMATCH, detail, is_other=bool(extensions))
