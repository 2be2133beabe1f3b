import random
import sys
import unicodedata

import numpy as np
import pyarrow as pa
import pytest

from polyculture.text.canonical import canonical_text
from polyculture.text.code_points import code_points
from polyculture.text.confusables import unmasked
from polyculture.text.fold import NOT_FOLDED
from polyculture.text.shingles import fold_document, make_bench, shingle_sets
from polyculture.text.texts import as_texts
from polyculture.text.word_sequences import word_sequences
from polyculture.text.words import SIGNS, shingles, words


def compiled_fold(texts: list[str], is_canonical: bool = False) -> list[tuple[str, int] | None]:
    found = as_texts(pa.array(texts, pa.large_string()), is_canonical)
    bench = make_bench(found.longest_bytes)
    results: list[tuple[str, int] | None] = []
    for number in range(len(texts)):
        size, characters, _ = fold_document(found.pointers, number, bench)
        results.append(None if size == NOT_FOLDED else (bench[1][0][:size].tobytes().decode(), characters))
    return results


def peculiar_characters() -> list[str]:
    every = [chr(c) for c in range(0x30000) if not 0xD800 <= c < 0xE000]
    return [
        c
        for c in every
        if unicodedata.combining(c)
        or c.isspace()
        or unicodedata.category(c) == "Cf"
        or c.casefold() != c
        or not unicodedata.is_normalized("NFKC", c)
    ]


@pytest.mark.parametrize("seed", range(3))
def test_the_compiled_fold_equals_canonical_text(seed: int) -> None:
    generator = random.Random(seed)
    peculiar = peculiar_characters()
    pools = [peculiar, [chr(c) for c in range(0x2FF)], list("aA bB\n\t.5_\u4e00\u03a9\u0301\u0323\u0130")]
    texts = []
    for _ in range(8000):
        pool = generator.choice(pools)
        length = generator.randrange(1, 24)
        texts.append("".join(generator.choice(generator.choice([pool, pools[2]])) for _ in range(length)))
    found = compiled_fold(texts)
    hard = [text for text, result in zip(texts, found, strict=True) if result is None]
    assert len(texts) - len(hard) > 2000
    for text, result in zip(texts, found, strict=True):
        if result is not None:
            assert result == (canonical_text(text), len(canonical_text(text)))
    canonical = [canonical_text(text) for text in hard]
    assert compiled_fold(canonical, is_canonical=True) == [(text, len(text)) for text in canonical]


def test_every_code_point_alone_folds_as_canonical_text_does() -> None:
    every = [chr(c) for c in range(sys.maxunicode + 1) if not 0xD800 <= c < 0xE000]
    actions = code_points().entries & 7
    texts = [f"x{c}y" for c in every if actions[ord(c)] != 0]
    assert len(texts) > 0.99 * len(every)
    wrong = [
        text
        for text, result in zip(texts, compiled_fold(texts), strict=True)
        if result is not None and result[0] != canonical_text(text)
    ]
    assert wrong == []


def test_a_text_that_grows_is_left_to_canonical_text() -> None:
    text = "\ufdfa" * 1000  # 18 characters each
    assert compiled_fold([text]) == [None]
    assert len(shingle_sets(pa.array([text])).hashes) == len(shingle_sets(pa.array([canonical_text(text)])).hashes)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("p\u0430ypal", "paypal"),  # Cyrillic a beside Latin
        ("\u0441\u043e\u0440\u0443", "copy"),  # Cyrillic alone, every letter a look-alike
        ("\u0441\u043e\u0432\u0435\u0442", "\u0441\u043e\u0432\u0435\u0442"),  # Russian: two letters look like none
        ("\u03b1", "\u03b1"),  # the symbol alpha
        ("b\u03b1nk", "bank"),
        ("\u03bcm", "\u03bcm"),  # micrometre
        ("h\u0435llo_1", "hello_1"),
    ],
)
def test_look_alikes_are_unmasked(word: str, expected: str) -> None:
    assert unmasked(word) == expected
    line = "one two {} three four five"
    sets = shingle_sets(pa.array([line.format(word), line.format(expected)]))
    assert np.array_equal(sets.hashes[: sets.offsets[1]], sets.hashes[sets.offsets[1] :])


def test_a_mark_that_composes_with_its_letter_stays_within_the_word() -> None:
    texts = ["a b c d \u0130x", "a b c d \u0130x e", "a b c d o\u0308x"]  # folded, the first is i and a mark above
    sets = shingle_sets(pa.array(texts))
    assert np.diff(sets.offsets).tolist() == [1, 2, 1]


@pytest.mark.parametrize("seed", range(3))
def test_long_runs_of_ascii_fold_as_canonical_text_does(seed: int) -> None:
    generator = random.Random(seed)
    pieces = ["word", "Two words ", "  ", "\n", "\t ", "x_9", "\u2019", "\u4e00", ".", "A" * 31, "b" * 32, "c" * 33]
    texts = ["".join(generator.choices(pieces, k=generator.randrange(1, 60))) for _ in range(3000)]
    assert compiled_fold(texts) == [(canonical_text(text), len(canonical_text(text))) for text in texts]


MIXED = [
    *SIGNS,
    *"`'\".,:;? \n_abzAZ09",
    *"\u2019\u2014\u00d7\u2212\u4e00\u0e01\u20ac\u2192\u00e9\u0440\u3007\u00bd\u2026\U0001f600\u0663\uff01\u2260",
    *("e\u0301", "word", "two words", "!=", "--", "a-b", "c/d", "x!", "x != y"),
]


@pytest.mark.parametrize("seed", range(2))
def test_words_and_shingles_with_signs_are_those_of_the_definition(seed: int) -> None:
    generator = random.Random(seed)
    pools = [MIXED, MIXED + ["word ", "two ", "x ", "y "] * 40]
    texts = ["".join(generator.choices(generator.choice(pools), k=generator.randrange(1, 150))) for _ in range(3000)]
    array = pa.array(texts, pa.large_string())
    sequences, sets = word_sequences(array), shingle_sets(array)
    names: dict[int, object] = {}
    for number, text in enumerate(texts):
        plain = [unmasked(word) for word in words(canonical_text(text))]
        hashed = sequences.hashes[sequences.offsets[number] : sequences.offsets[number + 1]].tolist()
        assert len(hashed) == len(plain)
        assert all(names.setdefault(value, word) == word for value, word in zip(hashed, plain, strict=True))
        found = frozenset(sets.hashes[sets.offsets[number] : sets.offsets[number + 1]].tolist())
        assert len(found) == len(shingles(plain))
        assert names.setdefault(hash(found), shingles(plain)) == shingles(plain)
