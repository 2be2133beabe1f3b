"""Numbers keep their meaning when they are shown."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyculture.report.canvas import spread
from polyculture.report.words import compact, factor, fraction, interval, label, listing, percent, short, visible
from schemas.profile import Estimate


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0"), (1, "1"), (0.0712, "0.071"), (0.9996, "0.9996"), (0.99999, "> 0.9999"), (0.00001, "< 0.0001"),
     (0.004, "0.0040"), (-0.0023, "-0.0023"), (-0.5, "-0.500"), (-0.00001, "> -0.0001"), (1.00001, "> 1")],
)  # fmt: skip
def test_a_fraction_is_0_or_1_only_if_it_is(value: float, shown: str) -> None:
    assert fraction(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0 %"), (1, "100 %"), (0.07, "7 %"), (0.0723, "7.2 %"), (0.93, "93 %"), (0.001, "0.1 %"), (0.0001, "0.01 %"),
     (1e-6, "0.0001 %"), (1e-9, "nearly 0 %"), (0.996, "99.6 %"), (0.9999, "99.99 %"), (0.99999, "99.999 %"),
     (1 - 1e-9, "nearly 100 %"), (0.1, "10 %"), (0.5, "50 %")],
)  # fmt: skip
def test_a_percentage_is_0_or_100_only_if_it_is(value: float, shown: str) -> None:
    assert percent(value) == shown


@given(st.floats(0, 1))
def test_no_fraction_is_shown_in_scientific_notation(value: float) -> None:
    for shown in (fraction(value), percent(value), short(value), factor(value)):
        assert "e" not in shown.replace("nearly", "")


@pytest.mark.parametrize("show", [fraction, percent, factor])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_not_finite_is_refused(show: object, value: float) -> None:
    assert callable(show)
    with pytest.raises(ValueError, match="finite"):
        show(value)


def test_an_interval_of_no_width_was_counted() -> None:
    assert interval(Estimate(value=0.5, low=0.5, high=0.5)) == "counted"
    assert interval(Estimate(value=0.5, low=0.45, high=0.55)) == "[0.450, 0.550]"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.07, ".07"), (0.9, ".90"), (0.001, "<.01"), (0.999, ">.99"), (1.0, "1"), (0.0, "0"), (0.995, ">.99")],
)
def test_short_fractions_have_two_digits(value: float, shown: str) -> None:
    assert short(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(999, "999"), (1_000_000, "1 million"), (15_234_000_000, "15.2 billion"), (999_900_000, "1,000 million")],
)
def test_headline_counts_are_in_words(value: int, shown: str) -> None:
    assert compact(value) == shown


def test_long_names_keep_both_ends_in_figures() -> None:
    assert label("generated_science_problems_07", 17) == "generat..blems_07"
    assert len(label("x" * 64, 17)) == 17
    assert label("wörter") == "w\\xf6rter"


def test_lists_say_how_many_they_leave_out() -> None:
    assert listing(["a"]) == "a"
    assert listing(["a", "b"]) == "a and b"
    assert listing(["a", "b", "c", "d"]) == "a, b, c and 1 more"


def test_a_cut_string_shows_that_it_was_cut() -> None:
    assert visible("x" * 50, 10) == "x" * 10 + "…"
    assert visible("a\u202eb\x1b[2J") == "a\\u202eb\\x1b[2J"


@given(st.lists(st.floats(0, 1), max_size=9))
def test_labels_never_overlap_and_keep_their_order(wanted: list[float]) -> None:
    placed = spread(wanted, 0.058, 0.02, 0.98)
    order = sorted(range(len(wanted)), key=lambda number: (wanted[number], number))
    assert all(placed[b] - placed[a] > 0.0579 for a, b in pairwise(order))
    assert all(0.0199 <= place <= 0.9801 for place in placed)
