"""An archived HTTP response: status, content type, decoded body."""

import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import zstandard

from schemas.quarantined import QuarantineReason

try:
    import brotli  # type: ignore[import-untyped, unused-ignore]  # ships no types
except ImportError:  # pages sent with `br` are then set aside, each with a reason
    brotli = None

_STATUS = re.compile(rb"HTTP/\d(?:\.\d)?[ \t]+(\d{3})")
_HEADER_END = re.compile(rb"\r?\n\r?\n")
_CHUNK_SIZE = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r?\n")
_CHARSET = re.compile(r"""charset\s*=\s*["']?\s*([A-Za-z0-9_.:-]{1,40})""", re.IGNORECASE)


class MessageError(Exception):
    """The message cannot be decoded.

    Attributes:
        reason: reason for the quarantine.
    """

    def __init__(self, reason: QuarantineReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Message:
    """Status code, headers with lower-case names (the first of each), and the body as it was sent."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def parse_headers(block: bytes) -> dict[str, str]:
    """Header names in lower case to values, the first of each name; folded lines joined, odd lines left out."""
    headers: dict[str, str] = {}
    name = ""
    for written in block.split(b"\n"):
        line = written.rstrip(b"\r")
        if line[:1] in (b" ", b"\t") and name:
            headers[name] += " " + _header_text(line.strip())
            continue
        key, colon, value = line.partition(b":")
        if colon and key.strip():
            name = _header_text(key.strip()).lower()
            if name in headers:
                name = ""
            else:
                headers[name] = _header_text(value.strip())
    return headers


def media_type(content_type: str) -> str:
    """`text/html` of `Text/HTML; charset=...`; empty if absent."""
    return content_type.partition(";")[0].strip().lower()


def charset_of(content_type: str) -> str | None:
    """The charset parameter of a content type."""
    found = _CHARSET.search(content_type)
    return found[1] if found else None


def parse_message(block: bytes) -> Message:
    """Split an HTTP response into status, headers and body.

    Raises:
        MessageError: it has no status line.
    """
    status = _STATUS.match(block)
    if status is None:
        raise MessageError(QuarantineReason.BAD_WARC_HEADER, f"no HTTP status line: {block[:40]!r}")
    end = _HEADER_END.search(block)
    head = block if end is None else block[: end.start()]
    body = b"" if end is None else block[end.end() :]
    return Message(int(status[1]), parse_headers(head.partition(b"\n")[2]), body)


def decode_body(message: Message, limit: int, *, is_cut: bool = False) -> bytes:
    """Undo transfer and content encoding, at most `limit` bytes.

    Archives hold bodies that someone decoded without changing the headers; a body that does not look encoded is taken
    as it is. Of a body that is known to be cut, what comes before the cut is decoded.

    Raises:
        MessageError: the body is damaged, too big, or in an unknown encoding.
    """
    body = message.body
    if "chunked" in message.headers.get("transfer-encoding", "").lower():
        body = _dechunk(body, is_cut)
    encodings = [part.strip().lower() for part in message.headers.get("content-encoding", "").split(",")]
    for encoding in reversed(encodings):
        body = _decompress(body, encoding, limit, is_cut)
    return body


def _header_text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _dechunk(body: bytes, is_cut: bool) -> bytes:
    parts: list[bytes] = []
    position = 0
    while True:
        size = _CHUNK_SIZE.match(body, position)
        if size is None:
            if not parts:
                return body  # not chunked, whatever the header says
            if is_cut and not body[position:].strip(b"0123456789abcdefABCDEF\r\n"):
                return b"".join(parts)
            raise MessageError(QuarantineReason.DECOMPRESS_ERROR, f"http: broken chunk at byte {position} of the body")
        length = int(size[1], 16)
        if length == 0:
            return b"".join(parts)
        part = body[size.end() : size.end() + length]
        if len(part) < length and not is_cut:
            raise MessageError(QuarantineReason.DECOMPRESS_ERROR, "http: the last chunk is cut")
        parts.append(part)
        position = size.end() + length
        position += 2 if body[position : position + 2] == b"\r\n" else body[position : position + 1] == b"\n"


def _decompress(body: bytes, encoding: str, limit: int, is_cut: bool) -> bytes:
    if encoding in ("", "identity", "none", "utf-8") or not body:
        return body
    decode = _CONTENT_DECODERS.get(encoding)
    if decode is None:
        raise MessageError(QuarantineReason.DECOMPRESS_ERROR, f"http: unsupported content encoding {encoding[:40]}")
    try:
        decoded, is_whole = decode(body, limit + 1)
    except _DECODE_ERRORS as error:
        if body.lstrip()[:1] == b"<" or (encoding.endswith("gzip") and not body.startswith(b"\x1f\x8b")):
            return body  # someone decoded it already
        raise MessageError(QuarantineReason.DECOMPRESS_ERROR, f"http: {encoding}: {error}") from error
    if len(decoded) > limit:
        raise MessageError(QuarantineReason.BOMB_SIZE, f"http: a body of more than {limit} bytes")
    if not is_whole and not is_cut:
        raise MessageError(QuarantineReason.DECOMPRESS_ERROR, f"http: {encoding}: the body is cut")
    return decoded


def _gzip(body: bytes, limit: int) -> tuple[bytes, bool]:
    """Any number of members; junk behind the last one is not whole."""
    parts: list[bytes] = []
    total = 0
    while body and total < limit:
        decoder = zlib.decompressobj(31)
        parts.append(decoder.decompress(body, limit - total))
        total += len(parts[-1])
        if not decoder.eof:
            return b"".join(parts), False
        body = decoder.unused_data.lstrip(b"\0")
    return b"".join(parts), not body


def _deflate(body: bytes, limit: int) -> tuple[bytes, bool]:
    """Some servers send zlib's format, as they should, others bare deflate."""
    is_zlib = body[0] & 15 == 8 and int.from_bytes(body[:2], "big") % 31 == 0
    decoder = zlib.decompressobj(15 if is_zlib else -15)
    return decoder.decompress(body, limit), decoder.eof and not decoder.unused_data


def _zstd(body: bytes, limit: int) -> tuple[bytes, bool]:
    """Any number of frames, fed in small pieces: a piece of 1 KiB can grow to 32 MiB at most."""
    decoder = zstandard.ZstdDecompressor(max_window_size=2**27).decompressobj(read_across_frames=False)
    parts: list[bytes] = []
    total = at = 0
    while at < len(body) and total < limit:
        if decoder.eof:
            decoder = zstandard.ZstdDecompressor(max_window_size=2**27).decompressobj(read_across_frames=False)
        piece = body[at : at + 1024]
        parts.append(decoder.decompress(piece))
        total += len(parts[-1])
        at += len(piece) - len(decoder.unused_data)
    return b"".join(parts)[:limit], decoder.eof and at == len(body)


def _brotli(body: bytes, limit: int) -> tuple[bytes, bool]:
    decoder = brotli.Decompressor()
    return decoder.process(body, output_buffer_limit=limit), decoder.is_finished()


_CONTENT_DECODERS: dict[str, Callable[[bytes, int], tuple[bytes, bool]]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "zstd": _zstd,
}
_DECODE_ERRORS: tuple[type[Exception], ...] = (zlib.error, zstandard.ZstdError)
if brotli is not None:
    _CONTENT_DECODERS["br"] = _brotli
    _DECODE_ERRORS = (*_DECODE_ERRORS, brotli.error)
