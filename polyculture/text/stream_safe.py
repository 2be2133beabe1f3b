"""Stream-safe text: runs of combining marks are bounded, so that normalising them takes linear time.

Normalisation sorts each run of marks, and `unicodedata` takes time for it that grows with the square of the run.
Unicode Standard Annex 15 calls a text stream-safe if no run holds more than 30 of them, more than any language needs.
"""

import unicodedata
from functools import cache

import numpy as np

from polyculture.text.categories import categories

MOST_MARKS = 30  # of a run, in full decomposition (UAX 15, D3)
# Code points of a run that need no count: a code point is at most two marks, and a letter before them ends in at most
# three.
FEW_MARKS = 13
_STRIDE = FEW_MARKS + 1


@cache
def combining_marks() -> frozenset[str]:
    """Every character that is nothing but marks of a combining class above 0, in full decomposition (NFKD)."""
    is_mark = categories()[:, 0] == ord("M")
    is_mark |= (categories() == np.frombuffer(b"Lm", np.uint8)).all(axis=1)  # the voicing marks of narrow Kana
    candidates = map(chr, np.flatnonzero(is_mark).tolist())
    return frozenset(c for c in candidates if all(map(unicodedata.combining, unicodedata.normalize("NFKD", c))))


def stream_safe(text: str) -> str:
    """The text with every run of combining marks cut behind its thirtieth; most texts come back as they are.

    For comparison only, and to be called before whatever normalises. Marks are counted in full decomposition, those
    that a composed letter ends in too, so that equivalent spellings are cut alike.

    Args:
        text: any text.

    Returns:
        A text whose normal forms hold no run of more than MOST_MARKS. O(len(text)), of which one character in 14 is
        looked at where there are no marks.
    """
    marks = combining_marks()
    if marks.isdisjoint(text[::_STRIDE]):  # a run that is too long covers one of these
        return text
    kept: list[str] = []
    place = done = 0
    while place < len(text):
        if text[place] not in marks:
            place += _STRIDE
            continue
        first, end = place, place + 1
        while first > done and text[first - 1] in marks:
            first -= 1
        while end < len(text) and text[end] in marks:
            end += 1
        if end - first > FEW_MARKS:
            cut = _cut(text[first - 1 : first] if first else "", text[first:end])
            if cut is not None:
                kept += (text[done:first], cut)
                done = end
        place = end + _STRIDE  # no mark stands at `end`
    return "".join((*kept, text[done:])) if done else text


def _cut(before: str, run: str) -> str | None:
    """The beginning of a run that stands behind a character; None if all of it may stay."""
    room = MOST_MARKS - _marks_at_the_start(unicodedata.normalize("NFKD", before)[::-1])
    decomposed = "".join(unicodedata.normalize("NFKD", mark) for mark in run[: MOST_MARKS + 1])
    return decomposed[:room] if len(decomposed) > room else None


def _marks_at_the_start(text: str) -> int:
    """Number of marks before the first character that is none."""
    classes = map(unicodedata.combining, text)
    return next((count for count, combining in enumerate(classes) if not combining), len(text))
