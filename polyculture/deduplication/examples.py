"""Passages of two similar texts that show a person where they differ."""

from itertools import zip_longest

from polyculture.storage.messages import safe_detail

SHOWN_CHARACTERS, _BEFORE = 300, 60


def passages(left: str, right: str) -> tuple[str, str]:
    """The passages of two texts around their first difference; their beginnings if they are equal. O(length)."""
    pairs = enumerate(zip_longest(left, right))
    first = next((at for at, (one, other) in pairs if one != other), 0)
    start = first - _BEFORE if first > SHOWN_CHARACTERS // 2 else 0
    return _passage(left, start), _passage(right, start)


def _passage(text: str, start: int) -> str:
    return ("…" if start else "") + safe_detail(text[start : start + SHOWN_CHARACTERS], SHOWN_CHARACTERS)
