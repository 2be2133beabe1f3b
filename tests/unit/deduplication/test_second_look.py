import pytest

from polyculture.deduplication.second_look import is_alike

PROSE = (
    "The committee met on Monday and decided, after a long debate, that the bridge would be closed for repairs. " * 4
)
STEPS = "10 - 4 = 6 (left: 5 6 6)\n6 / 6 = 1 (left: 1 5)\n1 * 5 = 5 (left: 5)\n5 * 4 = 20 (left: 20)\n"


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (PROSE, PROSE + "It reopens in May."),
        (PROSE, PROSE.replace("closed", "*closed*") + "**It reopens in May.**"),
        (PROSE + "*one*", PROSE + "\\*one\\*"),
        (PROSE, PROSE.upper().replace(" ", "\u00a0")),
        (STEPS, STEPS.replace("-", "\u2212").replace("*", "\u00d7")),
    ],
)
def test_copies_are_confirmed(left: str, right: str) -> None:
    assert is_alike(left, right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (STEPS, STEPS.replace("*", "+")),
        (STEPS, STEPS.replace("*", "\\*")),
        (PROSE + "It is -5 here.", PROSE + "It is 5 here."),
        ("a + b", "a - b"),
        (STEPS + "Answer: 1 * 2", STEPS + "Answer: (((1 + 2) - 3) + 4)"),
        (PROSE, STEPS),
    ],
)
def test_other_operators_or_other_characters_are_not(left: str, right: str) -> None:
    assert not is_alike(left, right)
