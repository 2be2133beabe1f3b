"""Runs of combining marks cost time in proportion to their length, whichever step looks at them."""

import random
import sys
import unicodedata
from collections.abc import Callable

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyculture.deduplication.second_look import operators
from polyculture.text.canonical import canonical_text
from polyculture.text.shingles import shingle_sets
from polyculture.text.skeleton import NO_KEY, skeleton, template_keys
from polyculture.text.stream_safe import FEW_MARKS, MOST_MARKS, combining_marks, stream_safe
from polyculture.text.word_sequences import word_sequences

# Marks of several classes, one that composes, two that are two marks, one that folds to a letter, one that is a letter.
MARKS = "\u0301\u0316\u0308\u0344\u0345\u05b0\u093c\u0f73\u3099\uff9e\U0001d165"
OTHERS = "aE\u00e9\u1ea4\u1f82\u0130 \u0915\u30cf\u200d\u00ad\u034f\u4e00\ufdfa"
TEXTS = st.lists(st.text(MARKS, max_size=60) | st.text(OTHERS, max_size=3), max_size=8).map("".join)
HOSTILE: dict[str, Callable[[int], str]] = {
    "one mark": lambda size: "a" + "\u0301" * size,
    "marks out of order": lambda size: "a" + "\u0301\u0316" * (size // 2),
    "marks in order": lambda size: "a" + "\u0316" * (size // 2) + "\u0301" * (size // 2),
    "no letter": lambda size: "\u0316\u0301" * (size // 2),
    "format characters between": lambda size: "a" + ("\u0301\u0316" * 10 + "\u200d") * (size // 21),
    "marks of two marks": lambda size: "a" + "\u0344\u0316" * (size // 2),
    "narrow voicing marks": lambda size: "\uff8a" + "\uff9e\u0301" * (size // 2),
    "beyond the first plane": lambda size: "x" + "\U0001d165\u0316" * (size // 2),
}


def runs(text: str) -> list[int]:
    """Lengths of the runs of marks in full decomposition."""
    found = [0]
    for character in unicodedata.normalize("NFKD", text):
        if unicodedata.combining(character):
            found[-1] += 1
        else:
            found.append(0)
    return found


def by_counting(text: str) -> str:
    """Every character decomposed, and marks beyond the thirtieth in a row left out."""
    kept, row = [], 0
    for character in "".join(unicodedata.normalize("NFKD", c) for c in text):
        row = row + 1 if unicodedata.combining(character) else 0
        if row <= MOST_MARKS:
            kept.append(character)
    return "".join(kept)


def test_the_bounds_on_marks_of_a_code_point_hold_for_all_of_unicode() -> None:
    every = [chr(c) for c in range(sys.maxunicode + 1) if not 0xD800 <= c < 0xE000]
    sizes = {c: runs(c) for c in every if not unicodedata.is_normalized("NFKD", c) or unicodedata.combining(c)}
    nothing_else = {c for c, found in sizes.items() if len(found) == 1}
    assert combining_marks() == nothing_else
    most, at_the_end = (
        max(sizes[c][0] for c in nothing_else),
        max(found[-1] for c, found in sizes.items() if len(found) > 1),
    )
    assert at_the_end + FEW_MARKS * most <= MOST_MARKS
    assert not [c for c, found in sizes.items() if len(found) > 1 and found[0]]  # a letter ends every run


@given(TEXTS)
def test_what_is_kept_is_what_a_count_of_the_decomposed_text_keeps(text: str) -> None:
    found = stream_safe(text)
    assert unicodedata.normalize("NFKD", found) == unicodedata.normalize("NFKD", by_counting(text))
    if max(runs(text)) <= MOST_MARKS:
        assert found == text


@given(TEXTS)
def test_canonical_text_of_marks_is_a_fixed_point_and_stream_safe(text: str) -> None:
    once = canonical_text(text)
    assert canonical_text(once) == once
    assert max(runs(once)) <= MOST_MARKS


@given(TEXTS)
def test_composed_and_decomposed_spellings_are_cut_alike(text: str) -> None:
    spelled = "".join(unicodedata.normalize("NFD", c) for c in text)
    assert stream_safe(spelled) == stream_safe(stream_safe(spelled))
    assert canonical_text(spelled) == canonical_text(text)


@pytest.mark.parametrize("seed", range(3))
def test_kernels_take_marks_as_canonical_text_and_skeletons_do(seed: int) -> None:
    generator = random.Random(seed)
    pieces = [*MARKS, *OTHERS, "\u0316" * 5, "\u0316" * 14, "\u0316\u0301" * 8, "\u0316" * 40, "one two three "]
    texts = ["".join(generator.choices(pieces, k=generator.randrange(1, 40))) for _ in range(500)]
    canonical = pa.array(map(canonical_text, texts), pa.large_string())
    stored = pa.array(texts, pa.large_string())
    assert word_sequences(stored).hashes.tolist() == word_sequences(canonical).hashes.tolist()
    assert shingle_sets(stored).hashes.tolist() == shingle_sets(canonical).hashes.tolist()
    keys = map(tuple, template_keys(stored).whole.tolist())
    pairs = {(key, skeleton(text)) for key, text in zip(keys, texts, strict=True) if key != (NO_KEY, NO_KEY)}
    assert len({key for key, _ in pairs}) == len(pairs) == len({found for _, found in pairs}) > 100


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize(
    "step",
    [
        canonical_text,
        skeleton,
        operators,
        lambda text: template_keys(pa.array([text])),
        lambda text: word_sequences(pa.array([text])),
        lambda text: shingle_sets(pa.array([text])),
    ],
    ids=["canonical", "skeleton", "operators", "template", "words", "shingles"],
)
def test_marks_without_end_are_looked_at_in_linear_time(
    step: Callable[[str], object], make: Callable[[int], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    normalised = 0
    normalise = unicodedata.normalize

    def watched(form: str, text: str) -> str:
        nonlocal normalised
        normalised = max(normalised, *runs_of_marks(text))
        return normalise(form, text)  # type: ignore[arg-type]

    monkeypatch.setattr(unicodedata, "normalize", watched)
    step(make(100_000))
    assert normalised <= MOST_MARKS


def runs_of_marks(text: str) -> list[int]:
    """Lengths of the runs of characters that are marks, as they stand."""
    return [len(run) for run in "".join("m" if unicodedata.combining(c) else " " for c in text).split()] or [0]


def test_the_stored_text_keeps_what_comparison_leaves_out() -> None:
    text = "a" + "\u0316" * 31
    assert canonical_text(text) == canonical_text(text[:-1]) == text[:-1]
    assert canonical_text(text[:-2]) != canonical_text(text)
