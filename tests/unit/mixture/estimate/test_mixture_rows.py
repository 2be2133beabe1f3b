"""Equal rows of a matrix collapse to the same bytes as by sorting them."""

import numpy as np
import pytest

from polyculture.mixture.estimate.mixture_rows import _different_rows


@pytest.mark.parametrize(
    ("rows", "columns", "largest"), [(0, 3, 1), (1, 1, 5), (500, 4, 2), (2000, 28, 1), (300, 2, 10**6)]
)
def test_different_rows_are_those_of_sorting(rows: int, columns: int, largest: int) -> None:
    table = np.random.default_rng(rows).integers(0, largest + 1, (rows, columns))
    found, inverse = _different_rows(table)
    expected, place = np.unique(table, axis=0, return_inverse=True)
    assert np.array_equal(found, expected)
    assert np.array_equal(inverse, place.ravel())


def test_two_rows_of_one_key_are_told_apart() -> None:
    golden = int(np.uint64(0x9E3779B97F4A7C15).astype(np.int64))
    table = np.array([[golden, 0], [0, 1], [golden, 0]])  # keys: golden * golden, and golden squared
    found, inverse = _different_rows(table)
    assert np.array_equal(found[inverse], table)
    assert len(found) == 2
