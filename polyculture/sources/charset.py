"""Bytes to text, strictly: a byte that does not fit the encoding refuses it, nothing is ever replaced by U+FFFD.

Order: byte order mark, what was declared (HTTP header, then meta element), UTF-8, then a detector.
"""

import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from resiliparse.parse.encoding import detect_encoding, map_encoding_to_html5

BOMS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it starts with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# What the web means by these names is larger than what Python does.
SUPERSETS = {"gbk": "gb18030", "gb2312": "gb18030", "shift_jis": "cp932", "euc_kr": "cp949", "big5": "big5hkscs"}
DETECTOR_BYTES = 2**18
_MULTI_BYTE = frozenset({"gb18030", "big5hkscs", "cp932", "cp949", "euc_jp", "euc_kr", "euc-jp", "euc-kr"})
_BEYOND_ASCII = bytes(range(128, 256))
_META = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([A-Za-z0-9_.:-]{1,40})""", re.IGNORECASE)
_C1 = re.compile("[\x80-\x84\x86-\x9f]")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text, the encoding that fitted, and whether that was a guess by statistics."""

    text: str
    encoding: str
    is_guess: bool


def find_bom(data: bytes) -> tuple[int, str] | None:
    """Length of the byte order mark at the start of `data` and the encoding it stands for."""
    return next(((len(bom), name) for bom, name in BOMS if data.startswith(bom)), None)


def known_encoding(label: str | None) -> str | None:
    """The Python codec for an encoding label of the web; None if unknown. Never a codec that is no charset (rot13)."""
    name = map_encoding_to_html5(label.strip(), fallback_utf8=False) if label else None
    return SUPERSETS.get(name, name) if name else None


def meta_charset(html: bytes) -> str | None:
    """The charset that a page declares in its first 2,048 bytes."""
    found = _META.search(html, 0, 2048)
    return found[1].decode("ascii") if found else None


def decode(data: bytes, declared: Iterable[str | None] = ()) -> Decoded | None:
    """Decode `data` with the first encoding that fits without an error.

    A declared legacy encoding fits nearly any bytes, so that UTF-8 goes first where the bytes are valid UTF-8 with
    characters beyond ASCII: by chance they are not, but for a few characters in a multi-byte encoding. UTF-16 without
    a single zero byte is none.

    Args:
        data: bytes of a whole document.
        declared: labels from outside, most trusted first.

    Returns:
        The text without byte order mark; None if nothing fits or what fits is not text. O(len(data)).
    """
    bom = find_bom(data)
    if bom is not None:
        text = _strict(data[bom[0] :], bom[1])
        return None if text is None else Decoded(text, bom[1], False)
    for encoding in _declared(data, declared):
        text = _strict(data, encoding)
        if text is not None:
            return Decoded(text, encoding, False)
    text = _strict(data, "utf-8")
    if text is not None:
        return Decoded(text, "utf-8", False)
    return _detected(data)


def is_binary(text: str) -> bool:
    """True if decoded text has more control characters than any text: over one in a hundred."""
    return len(_CONTROL.findall(text)) * 100 > len(text)


def _declared(data: bytes, labels: Iterable[str | None]) -> Iterator[str]:
    for encoding in filter(None, map(known_encoding, labels)):
        if encoding.startswith("utf-16"):
            is_doubtful = b"\0" not in data
        else:
            beyond = len(data) - len(data.translate(None, _BEYOND_ASCII)) if not data.isascii() else 0
            is_doubtful = beyond >= (8 if encoding in _MULTI_BYTE else 1)
        if is_doubtful:
            yield "utf-8"
        yield encoding


def _detected(data: bytes) -> Decoded | None:
    label = detect_encoding(data, max_len=DETECTOR_BYTES, html5_compatible=False)
    encoding = known_encoding(label)
    text = _strict(data, encoding) if encoding else None
    if text is None or encoding is None or is_binary(text) or len(_C1.findall(text)) * 100 > len(text):
        return None
    return Decoded(text, encoding, True)


def _strict(data: bytes, encoding: str) -> str | None:
    try:
        text = data.decode(encoding)
        if encoding.startswith("utf"):
            return text
        text.encode()  # some codecs of the standard library let surrogates through
        return text
    except (UnicodeError, LookupError):
        return None
