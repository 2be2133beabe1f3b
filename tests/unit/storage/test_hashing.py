from itertools import combinations

import numpy as np
import pytest

from polyculture.storage.hashing import Stream, seeded_hash


@pytest.mark.parametrize("pair", list(combinations(Stream.__members__, 2)))
def test_no_two_streams_draw_alike(pair: tuple[str, str]) -> None:
    first, second = (seeded_hash(np.arange(64, dtype=np.uint64), 7, Stream[name]) for name in pair)
    assert not (first == second).any()
