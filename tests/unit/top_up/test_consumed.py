import numpy as np
import pytest

from polyculture.errors import ConfigError
from polyculture.top_up.consumed import ShardTokens, consumed_by_step, consumed_shards

SHARDS = [ShardTokens(f"train-{i:05d}-of-00003.arrow", np.array(t)) for i, t in enumerate([[5, 5, 5], [10], [1, 2, 3]])]


@pytest.mark.parametrize(
    ("step", "rows"),
    [(0, [0, 0, 0]), (1, [1, 0, 0]), (5, [1, 0, 0]), (6, [2, 0, 0]), (15, [3, 0, 0]), (16, [3, 1, 0]), (27, [3, 1, 2])],
)
def test_a_step_reads_the_documents_that_it_has_begun(step: int, rows: list[int]) -> None:
    found = consumed_by_step(SHARDS, step, 1)
    assert found.rows.tolist() == rows
    assert found.tokens + found.remaining_tokens == 31
    assert found.tokens >= step


def test_all_may_be_read_and_no_more() -> None:
    assert consumed_by_step(SHARDS, 31, 1).remaining_tokens == 0
    with pytest.raises(ConfigError, match="hold 31"):
        consumed_by_step(SHARDS, 4, 8)


def test_shards_are_named_with_or_without_their_folder() -> None:
    found = consumed_shards(SHARDS, ["shards/train-00001-of-00003.arrow"])
    assert (found.rows.tolist(), found.tokens, found.remaining_tokens) == ([0, 1, 0], 10, 21)
    with pytest.raises(ConfigError, match="no shard of this run"):
        consumed_shards(SHARDS, ["train-00009-of-00003.arrow"])
