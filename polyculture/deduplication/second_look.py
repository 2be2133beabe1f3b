"""A second look at a removal, with other eyes than the first: stored texts, characters and operators, no words.

What words leave out, the near lens cannot see, and a check that compares the same words confirms it. Here two texts are
alike if most runs of five characters are the same, if they do not differ in operators alone, and if texts with many
operators, such as code, have nearly the same ones.
"""

import re
import unicodedata
from collections import Counter

from polyculture.text.stream_safe import stream_safe

RUN_CHARACTERS = 5
LEAST_CHARACTERS_ALIKE = 0.5  # of runs of characters: a changed word costs one of its length and four more
MANY_OPERATORS, LEAST_OPERATORS_ALIKE = 0.1, 0.9  # operators per visible character; share that must be the same
_OPERATORS = frozenset("+-*/\\%^=<>!&|~#$@()[]{}`")
_TYPOGRAPHY = str.maketrans("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u00d7\u2217\u2044\u2215", "-------**//")
_PUNCTUATION = re.compile(r"(?<=[^\W\d])[-/](?=[^\W\d])|(?<=\w)!(?!=)")
_ESCAPE = re.compile(r"\\(?=[*_#])")  # of markup, in prose
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")


def is_alike(left: str, right: str) -> bool:
    """True if two stored texts look like duplicates. O(length), a microsecond a character."""
    one, other = _plain(left), _plain(right)
    if not _has_many_operators(one) and not _has_many_operators(other):
        one, other = (_ESCAPE.sub("", text) for text in (one, other))
    mine, its = _operators(one), _operators(other)
    if mine != its and _without_operators(one) == _without_operators(other):
        return False
    many = MANY_OPERATORS * min(len(one), len(other))
    if max(mine.total(), its.total()) > many and _overlap(mine, its) < LEAST_OPERATORS_ALIKE:
        return False
    return _overlap(_runs(one), _runs(other)) >= LEAST_CHARACTERS_ALIKE


def _has_many_operators(text: str) -> bool:
    return _operators(text).total() > MANY_OPERATORS * len(text)


def operators(text: str) -> Counter[str]:
    """Multiset of the operators and signs of a stored text; hyphens within words and `!` behind them are none."""
    return _operators(_plain(text))


def _operators(text: str) -> Counter[str]:
    found = (c for c in _PUNCTUATION.sub("", text) if not c.isalnum() and not c.isspace())
    return Counter(c for c in found if c in _OPERATORS or unicodedata.category(c) in ("Sm", "Sc", "Sk", "So"))


def _plain(text: str) -> str:
    """One way to print a text, in lower case, with single spaces."""
    folded = _INVISIBLE.sub("", unicodedata.normalize("NFKC", stream_safe(text))).translate(_TYPOGRAPHY)
    return " ".join(folded.casefold().split())


def _without_operators(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def _runs(text: str) -> Counter[str]:
    return Counter(text[at : at + RUN_CHARACTERS] for at in range(max(1, len(text) - RUN_CHARACTERS + 1)))


def _overlap(left: Counter[str], right: Counter[str]) -> float:
    """Jaccard similarity of two multisets; 1 if both are empty."""
    union = (left | right).total()
    return (left & right).total() / union if union else 1.0
