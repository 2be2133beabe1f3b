"""The general category of every code point, looked up once for all tables that are made from it."""

import sys
import unicodedata
from functools import cache

import numpy as np
from numpy.typing import NDArray


@cache
def categories() -> NDArray[np.uint8]:
    """The two letters of each category in ASCII, such as `Lu`; shape (0x110000, 2). Once in a process, 0.05 seconds."""
    names = "".join(map(unicodedata.category, map(chr, range(sys.maxunicode + 1))))
    return np.frombuffer(names.encode("ascii"), np.uint8).reshape(-1, 2)


@cache
def format_characters() -> frozenset[str]:
    """Every character of category Cf."""
    is_format = (categories() == np.frombuffer(b"Cf", np.uint8)).all(axis=1)
    return frozenset(map(chr, np.flatnonzero(is_format).tolist()))
