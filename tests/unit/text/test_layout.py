import random

import pyarrow as pa
import pytest

from polyculture.text.canonical import canonical_text
from polyculture.text.exact import exact_keys
from polyculture.text.layout import layout, layouts
from polyculture.text.texts import as_texts

PROGRAM = "def f(x):\n    if x:\n        return 1\n    return 2\n"


def test_the_kernel_and_the_definition_agree() -> None:
    generator = random.Random(3)
    pieces = ["a", "B", "foo ", "Bar", " ", "  ", "\t", "\n", "\r\n", "\n    x", "```", "~~~", "\u200b", "\u00e9", "\f"]
    texts = ["".join(generator.choices(pieces, k=generator.randrange(1, 70))) for _ in range(6000)]
    texts += ["".join(generator.choices(pieces[:9], k=5)) for _ in range(4000)]
    hashed = layouts(as_texts(pa.array(texts, pa.large_string()))).tolist()
    plain = [layout(text) for text in texts]
    assert [value == 0 for value in hashed] == [found is None for found in plain]
    assert 1000 < hashed.count(0) < 9000
    assert len(set(hashed)) == len({str(found) for found in plain})
    assert len(set(zip(hashed, map(str, plain), strict=True))) == len(set(hashed))


@pytest.mark.parametrize(
    "other",
    [PROGRAM.replace("    return 2", "        return 2"), PROGRAM.replace("def f", "def F"), " ".join(PROGRAM.split())],
)
def test_programs_that_differ_in_case_or_indentation_are_two(other: str) -> None:
    assert canonical_text(other) == canonical_text(PROGRAM)
    left, right = exact_keys([PROGRAM, other], [canonical_text(PROGRAM)] * 2)
    assert left != right


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (PROGRAM, PROGRAM.replace("\n", "  \r\n")),  # line endings and white space at the end of lines
        (PROGRAM, PROGRAM.replace("\n", "\n\n")),
        ("Some Prose.\n Of two lines.", "some prose. OF TWO LINES."),  # a single space is no indentation
        ("```\nx\n```", "```  \nx\n\n```\n"),
    ],
)
def test_what_is_no_layout_folds(left: str, right: str) -> None:
    keys = exact_keys([left, right], [canonical_text(left), canonical_text(right)])
    assert keys[0] == keys[1]


def test_a_fence_makes_case_count() -> None:
    left, right = "See\n```\nA = 1\n```", "See\n```\na = 1\n```"
    keys = exact_keys([left, right], [canonical_text(left), canonical_text(right)])
    assert keys[0] != keys[1]
