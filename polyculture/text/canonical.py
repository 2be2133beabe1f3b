"""Canonical text: what documents are compared by. Stored text is never changed."""

import unicodedata

from polyculture.text.categories import format_characters


def _without_format_characters(text: str) -> str:
    # Most texts hold none, and a set finds that out ten times faster than a pattern or a translation table.
    if format_characters().isdisjoint(text):
        return text
    for character in format_characters().intersection(text):
        text = text.replace(character, "")
    return text


def _fold(text: str) -> str:
    """One pass of NFKC, Cf dropped, case folding, NFKC."""
    if not unicodedata.is_normalized("NFKC", text):
        text = unicodedata.normalize("NFKC", text)
    folded = _without_format_characters(text).casefold()
    return folded if unicodedata.is_normalized("NFKC", folded) else unicodedata.normalize("NFKC", folded)


def canonical_text(text: str) -> str:
    """NFKC, format characters (category Cf) dropped, case folded, white space collapsed to single spaces.

    Case folding can undo NFKC, so both are repeated until nothing changes: the result is a fixed point.

    Args:
        text: any text without lone surrogates.

    Returns:
        Its canonical text, without leading or trailing space; empty if nothing visible is left. O(len(text)).
    """
    if text.isascii():
        return " ".join(text.lower().split())
    while (folded := _fold(text)) != text:
        text = folded
    return " ".join(folded.split())
