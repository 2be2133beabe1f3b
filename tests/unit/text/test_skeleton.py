import re
import unicodedata

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from polyculture.text.skeleton import TemplateKeys, skeleton, template_keys
from polyculture.text.words import ALONE, character_classes

ADDRESS_CHARACTERS = "".join(chr(c) for c in range(0x21, 0x7F) if chr(c) not in "\"'`<>)]}")
ADDRESS = re.compile(rf"(https?://|ftp://|www\.)([{re.escape(ADDRESS_CHARACTERS)}]+)", re.IGNORECASE | re.ASCII)
HEXADECIMAL = re.compile(r"0[xX][0-9a-fA-F]+|(?=[a-fA-F]*[0-9])(?=[0-9]*[a-fA-F])[0-9a-fA-F]{8,}")
CLOSERS = {'"': '"', "`": "`", "'": "'", "“": "”", "‘": "’", "„": "“", "«": "»", "「": "」", "『": "』"}
FRAGMENTS = [
    *["http://", "HTTPS://x.y", "ftp://", "www.", "a", "Zed", "O'Brien", "Jean-Luc", "DEADBEEF12", "deadbeef1", "0x1f"],
    *["1,000.5", "7", "3D", '"', "'", "`", "“", "”", "‘", "’", "„", "«", "»", "「", "」", "\n", " ", "\t", "\u2028"],
    *[
        "。",
        "中",
        "ก",
        "๓",
        "é",
        "e\u0301",
        "\u0323",
        "\u00ad",
        "ﬁ",
        "，",
        "Ω",
        "ǅ",
        "가",
        "\u11a8",
        "-",
        ".",
        ",",
        "!",
    ],
    *["_", "(", ")", "😀", "ß", "\u200d", "\ufeff", "word word word word", "١٢"],
]


def is_word(character: str) -> bool:
    """Part of a word of several characters."""
    return bool(character) and character_classes()[ord(character)] not in (0, ALONE)


def quoted_end(text: str, at: int, in_word: bool, masks: str) -> tuple[int, str]:
    here = text[at]
    if "Q" not in masks:
        return at, ""
    closer = CLOSERS.get(here)
    is_apostrophe = here in "'‘"
    if closer and not (is_apostrophe and in_word):
        line = text[at + 1 :].splitlines()[0] if text[at + 1 :] else ""
        end = next((i for i, c in enumerate(line) if c in (closer, here)), -1)
        behind = text[at + 2 + end : at + 3 + end]
        if end > 0 and line[end] == closer and not (is_apostrophe and is_word(behind)):
            return at + 2 + end, "Q"
    return at, ""


def masked(text: str, at: int, in_word: bool, masks: str) -> tuple[int, str]:
    """End and placeholder of what is masked at a place."""
    here, kind = text[at], character_classes()[ord(text[at])]
    if kind == 0:
        return quoted_end(text, at, in_word, masks)
    if not in_word or kind == ALONE:
        if (found := ADDRESS.match(text, at)) and (rest := found[2].rstrip(".,:;!?")):
            return at + len(found[1]) + len(rest), "U"
        if (found := HEXADECIMAL.match(text, at)) and not is_word(text[found.end() : found.end() + 1]):
            return found.end(), "H"
        if "C" in masks and unicodedata.category(here) in ("Lu", "Lt"):
            return capitals_end(text, at), "C"
    number = re.match(r"\d+([.,]\d+)*", text[at:])
    return (at + number.end(), "0") if number else (at, "")


def capitals_end(text: str, at: int) -> int:
    while is_word(text[at : at + 1]) or (text[at : at + 1] in ("'", "’", "-") and is_word(text[at + 1 : at + 2])):
        at += 1
    following = at + len(text[at:]) - len(text[at:].lstrip())
    if following > at and text[following:] and unicodedata.category(text[following]) in ("Lu", "Lt"):
        return capitals_end(text, following)
    return at


def brute_force(text: str) -> tuple[str, str, int]:
    """Skeleton, opening and tokens, one character after another."""
    text = "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")
    letters = [c for c in text if character_classes()[ord(c)] and unicodedata.category(c) != "Nd"]
    capitals = [c for c in letters if unicodedata.category(c) in ("Lu", "Lt")]
    found = walk(text, "Q" if 2 * len(capitals) > len(letters) else "CQ")
    return walk(text, "")[:3] if 0 < found[2] == found[3] else found[:3]


def walk(text: str, masks: str) -> tuple[str, str, int, int]:
    """Skeleton, opening, tokens, and those of them that are names or quotations."""
    hidden = 0
    pieces: list[str] = []
    opening: list[str] | None = None
    at, tokens, in_word = 0, 0, False
    while at < len(text):
        if text[at].isspace():
            pieces.append(" ")
            at, in_word = at + 1, False
            continue
        kind = character_classes()[ord(text[at])]
        end, placeholder = masked(text, at, in_word, masks)
        if placeholder == "Q" or (kind and (not in_word or kind == ALONE)):
            opening = list(pieces) if tokens == 16 else opening
            tokens += 1
            hidden += placeholder in ("C", "Q")
        in_word = placeholder == "0" or (not placeholder and is_word(text[at]))
        pieces.append(placeholder or text[at])
        at = max(end, at + 1)
    whole = " ".join("".join(pieces).split())
    return whole, whole if opening is None else " ".join("".join(opening).split()), tokens, hidden


def keys(texts: list[str]) -> TemplateKeys:
    return template_keys(pa.array(texts, pa.large_string()))


def key_of_skeleton(text: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    found = keys([text])
    return tuple(found.whole[0].tolist()), tuple(found.opening[0].tolist())


@settings(max_examples=600, deadline=None)
@given(
    st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.characters(exclude_categories=["Cs"])), max_size=40).map("".join)
)
@example("")
@example("a" * 100)
def test_the_compiled_skeleton_equals_brute_force(text: str) -> None:
    assert skeleton(text) == brute_force(text)[0]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(st.sampled_from(FRAGMENTS), max_size=25).map("".join), min_size=2, max_size=6))
def test_keys_are_equal_where_skeletons_are_and_nowhere_else(texts: list[str]) -> None:
    found = keys(texts)
    truth = [brute_force(text) for text in texts]
    for i, (whole, opening, tokens) in enumerate(truth):
        assert found.whole[i].any() == found.opening[i].any() == (tokens > 0)
        for j, (other_whole, other_opening, other_tokens) in enumerate(truth):
            if tokens and other_tokens:
                assert (found.whole[i] == found.whole[j]).all() == (whole == other_whole)
                assert (found.opening[i] == found.opening[j]).all() == (opening == other_opening)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("See https://a.b/c?d=(1).", "C U)."),
        ('She said "go on" twice', "C said Q twice"),
        ("the dogs' bone and the cats' milk", "the dogs' bone and the cats' milk"),
        ("run `rm -rf` at c0ffee12 or 0xFF", "run Q at H or H"),
        ("Mary Ann O'Neill-Smith paid 3,000.50", "C paid 0"),
        ("the  gpt4\n\n model", "the gpt0 model"),
        ('an "open quote\nof two lines"', 'an "open quote of two lines"'),
        ("我在２０２４年说「你好」", "我在0年说Q"),
    ],
)
def test_names_numbers_and_literals_are_masked(text: str, expected: str) -> None:
    assert skeleton(text) == expected


def test_an_opening_is_sixteen_tokens_and_marks_are_none() -> None:
    start = "give me, please, " + "very " * 12 + "good 5"
    assert key_of_skeleton(start + " apples")[1] == key_of_skeleton(start + " pears!")[1]
    assert key_of_skeleton(start + " apples")[0] != key_of_skeleton(start + " pears!")[0]
    assert key_of_skeleton("give me please " + "very " * 12 + "good 5")[1] != key_of_skeleton(start)[1]


def test_texts_without_a_token_have_no_key() -> None:
    found = keys(["", " \n", "!!! ...", "\u200d", "a"])
    assert not found.whole[:4].any()
    assert not found.opening[:4].any()
    assert found.whole[4].all()
    assert len(template_keys(pa.array([], pa.large_string()))) == 0


def test_slices_and_chunks_are_read_as_the_texts_that_they_hold() -> None:
    texts = pa.array(["skip me", "Buy 3 now", "Buy 4 now", "ﬁne “a”"], pa.large_string())
    whole = keys(texts.to_pylist()).whole
    assert (template_keys(texts[1:]).whole == whole[1:]).all()
    assert (template_keys(pa.chunked_array([texts[:2], texts[2:]])).whole == whole).all()
    assert (template_keys(texts.cast(pa.string())).whole == whole).all()
    assert (whole[1] == whole[2]).all()


@pytest.mark.parametrize("unit", ["“", "'", '"', "`a", "‘x", "A ", "0", "0.", "a0f", "www.", "http://", "'a\n", " \n"])
def test_the_walk_is_linear_in_hostile_texts(unit: str) -> None:
    """Steps are not counted, so a quadratic walk would run into the time limit of the suite: 10**13 of them."""
    size = 4_000_000
    found = keys([unit * (size // len(unit.encode()))])
    assert len(found) == 1
    assert skeleton(unit * 50) == brute_force(unit * 50)[0]


def test_a_null_is_refused() -> None:
    with pytest.raises(ValueError, match="nulls"):
        template_keys(pa.array(["a", None], pa.large_string()))


def test_keys_do_not_depend_on_neighbours() -> None:
    texts = ["Ann has 3 apples", "Über Äpfel: 3", "x" * 1000, "Bob has 4 apples"]
    together = keys(texts).whole
    assert (together == np.vstack([keys([text]).whole for text in texts])).all()
    assert (together[0] == together[3]).all()


UNRELATED = {
    "Latin": ("THE WEATHER TURNED COLD, AND SNOW FELL.", "INVOICES ARE DUE ON FRIDAY, WITHOUT FAIL."),
    "Latin, a few small letters": ("THE McDONALD FARM, 3 km FROM HERE.", "INVOICES FOR iPHONES, PAID at ONCE."),
    "Greek": ("Ο ΚΑΙΡΟΣ ΕΓΙΝΕ ΚΡΥΟΣ.", "ΤΑ ΤΙΜΟΛΟΓΙΑ ΠΛΗΡΩΝΟΝΤΑΙ ΑΥΡΙΟ."),
    "Cyrillic": ("ПОГОДА СТАЛА ХОЛОДНОЙ.", "СЧЕТА ОПЛАЧИВАЮТСЯ ЗАВТРА."),
    "Armenian": ("ԵՂԱՆԱԿԸ ՑՈՒՐՏ Է.", "ՀԱՇԻՎԸ ՎՃԱՐՎՈՒՄ Է ՎԱՂԸ."),
    "German": ("DAS WETTER WURDE KÜHL UND ÜBEL.", "DIE RECHNUNG IST MORGEN FÄLLIG."),
    "titles": ("The Weather Turned Cold", "Invoices Are Due Tomorrow"),
    "quotations": ('"The weather turned cold." "Snow fell."', '"Invoices are due." "Pay them."'),
    "quotations and names": ('Anna "The weather turned cold."', 'Bob "Invoices are due."'),
}


@pytest.mark.parametrize("name", UNRELATED)
def test_unrelated_texts_of_capitals_or_quotations_are_no_template(name: str) -> None:
    first, second = UNRELATED[name]
    assert skeleton(first) != skeleton(second)
    found = keys([first, second, first + " " + first, second])
    assert (found.whole[0] != found.whole[1]).any()
    assert (found.whole[1] == found.whole[3]).all()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Dear Anna Smith, you owe 30 euros.", "Dear John Doe, you owe 1,000 euros."),
        ("Name: Anna, Age: 30", "Name: John, Age: 41"),
        ("向 NASA 報告 3 次", "向 ESA 報告 12 次"),
        ("ERROR 17 IN LINE 4", "ERROR 18 IN LINE 200"),
        ("Уважаемый Иван, ваш счет 5 рублей", "Уважаемый Петр, ваш счет 70 рублей"),
    ],
)
def test_names_and_numbers_are_masked_where_something_is_left(first: str, second: str) -> None:
    assert skeleton(first) == skeleton(second)
