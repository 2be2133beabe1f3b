"""The mean of a background that belongs to a document: language codes of many spellings to the background's keys."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from polyculture.text.language import CODE, SYMBOLS

SAMPLE_CHARACTERS = 600
KINDS_OF_TEXT = (CODE, SYMBOLS)  # read like a language, with the mean of another
SIMPLIFIED, TRADITIONAL = "zh", "zh-hant"
_HAN_FIRST, _HAN_LAST = 0x4E00, 0x9FFF
_KEYS = {
    "pt": "pt_BR",
    "nn": "no",
    "nb": "no",
    "hr": "bs",  # with Bosnian one language to all who measure likeness; the identifier cannot tell them either
    "sh": "bs",
    "ms": "id",  # likewise
    "zh-hant": TRADITIONAL,
    "zh-tw": TRADITIONAL,
    "zh-hk": TRADITIONAL,
    "zh-mo": TRADITIONAL,
    "zh-hans": SIMPLIFIED,
    "zh-cn": SIMPLIFIED,
    "zh-sg": SIMPLIFIED,
}


def language_key(language: str, text: str) -> str:
    """The background's key for a language code.

    Args:
        language: a language code, as detected (`pt`, `zh`) or declared (`pt-BR`, `fr_FR`, `zh-Hant`, `code`).
        text: the document, looked at for a plain `zh` only: detection does not tell the two scripts apart.

    Returns:
        A key such as `en`, `pt_BR` or `zh-hant`; whether a background has it is for the background to say.
    """
    code = language.strip().lower().replace("_", "-")
    if code == SIMPLIFIED:
        return TRADITIONAL if is_traditional(text) else SIMPLIFIED
    base = code.split("-")[0]
    return _KEYS.get(code) or _KEYS.get(base) or base


def is_traditional(text: str) -> bool:
    """True if the first 600 characters hold more Han characters of Traditional than of Simplified writing.

    A character counts for a writing if only that writing's character set has it (Big5 or GB 2312).
    """
    sample = np.frombuffer(text[:SAMPLE_CHARACTERS].encode("utf-32-le", "surrogatepass"), np.uint32)
    han = sample[(sample >= _HAN_FIRST) & (sample <= _HAN_LAST)] - _HAN_FIRST
    return int(_writing()[han].sum()) > 0


@cache
def _writing() -> NDArray[np.int64]:
    """1 for characters of Big5 alone, -1 of GB 2312 alone, 0 for others, by code point from U+4E00."""
    characters = [chr(point) for point in range(_HAN_FIRST, _HAN_LAST + 1)]
    return np.array([_has(c, "big5") - _has(c, "gb2312") for c in characters], np.int64)


def _has(character: str, encoding: str) -> int:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return 0
    return 1
