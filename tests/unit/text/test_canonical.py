import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyculture.text.canonical import canonical_text
from polyculture.text.words import words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello,  WORLD\n", "hello, world"),
        ("ze\u200bro-wi\u00addth", "zero-width"),
        ("\uff26\uff55\uff4c\uff4c", "full"),
        ("Stra\u00dfe", "strasse"),
        ("\ufb01ne", "fine"),
        ("\u200b\u00ad", ""),
        ("a\u2028b", "a b"),
        ("\u201cit\u2019s\u201d \u2014 3 \u00d7 \u22124\u2026", '"it\'s" - 3 * -4...'),
    ],
)
def test_disguises_fold_away(text: str, expected: str) -> None:
    assert canonical_text(text) == expected


@given(st.text())
def test_canonical_text_is_a_fixed_point(text: str) -> None:
    once = canonical_text(text)
    assert canonical_text(once) == once
    assert not any(unicodedata.category(c) == "Cf" for c in once)
    assert "  " not in once


@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_the_short_cut_for_ascii_changes_nothing(text: str) -> None:
    assert canonical_text(text) == canonical_text(text + "\u00e9")[: len(canonical_text(text))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("it's snake_case 3.14", ["it", "s", "snake_case", "3", "14"]),
        ("\u4eca\u5929 ok\u597d", ["\u4eca", "\u5929", "ok", "\u597d"]),
        ("\u0e01\u0e34\u0e19", ["\u0e01", "\u0e34", "\u0e19"]),
        ("\u0928\u092e\u0938\u094d\u0924\u0947", ["\u0928\u092e\u0938\u094d\u0924\u0947"]),
        ("... ?;:,'\"", []),
        ("a + b - c", ["a", "+", "b", "-", "c"]),
        ("-5 c++ c# a!=b !x f(x)", [*"-5c++c#a!=b!xf(x)"]),
        ("well-known and/or great!", ["well", "known", "and", "or", "great"]),
        ("1.5 15 1990-2000 3-d", ["1", "5", "15", "1990", "-", "2000", "3", "-", "d"]),
        ("x->y --all #include", ["x", "-", ">", "y", "-", "-", "all", "#", "include"]),
        ("\u4e2d-\u4e2d! 5! wow!!", ["\u4e2d", "\u4e2d", "5", "wow", "!"]),
        ("\u20ac5 \u2264 \U0001f600", ["\u20ac", "5", "\u2264", "\U0001f600"]),
    ],
)
def test_words_follow_the_script(text: str, expected: list[str]) -> None:
    assert words(text) == expected
