"""Deduplication as its definition says it, in plain Python: what the kernels are tested against."""

from fractions import Fraction

from polyculture.text.words import shingles as shingles_of
from polyculture.text.words import words


def shingles(canonical: str) -> frozenset[tuple[str, ...]]:
    return shingles_of(words(canonical))


def jaccard(left: frozenset[tuple[str, ...]], right: frozenset[tuple[str, ...]]) -> Fraction:
    union = len(left | right)
    return Fraction(len(left & right), union) if union else Fraction(0)


def removals(texts: list[str], preference: list[int], threshold: Fraction) -> dict[int, tuple[int, Fraction]]:
    """Removed document -> (representative, similarity), over all pairs."""
    sets = [shingles(text) for text in texts]
    kept: list[int] = []
    removed = {}
    for document in preference:
        for other in kept:
            similarity = jaccard(sets[document], sets[other])
            if similarity >= threshold and sets[document]:
                removed[document] = (other, similarity)
                break
        else:
            kept.append(document)
    return removed
