import numpy as np
import polars as pl
import pytest
from datasketch import LeanMinHash, MinHash, MinHashLSH, MinHashLSHForest

import polyculture
from polyculture import ConfigError
from tests.unit.deduplication.test_near import variants

TEXTS = variants(80, 7)


def datasketchs_own(hashes: np.ndarray, num_perm: int, seed: int) -> MinHash:  # type: ignore[type-arg]
    """A MinHash that datasketch works out itself from shingle hashes."""
    made = MinHash(num_perm=num_perm, seed=seed, hashfunc=int)
    made.update_batch(hashes)
    return made


@pytest.mark.parametrize(("num_perm", "seed"), [(128, 1), (100, 9), (1, 2**32 - 1)])
def test_hash_values_are_datasketchs_own(num_perm: int, seed: int) -> None:
    found = polyculture.signatures(TEXTS, num_perm=num_perm, seed=seed)
    assert found.hashvalues.shape == (len(TEXTS), num_perm)
    for hashes, row, exported in zip(
        polyculture.shingle_hashes(TEXTS), found.hashvalues, found.to_datasketch(), strict=True
    ):
        own = datasketchs_own(hashes, num_perm, seed)
        assert np.array_equal(own.hashvalues, row)
        assert LeanMinHash(own) == exported


def test_an_index_answers_both_kinds_alike() -> None:
    found = polyculture.signatures(TEXTS)
    ours, theirs = MinHashLSH(threshold=0.8), MinHashLSH(threshold=0.8)
    own = [datasketchs_own(hashes, 128, 1) for hashes in polyculture.shingle_hashes(TEXTS)]
    for row, (exported, made) in enumerate(zip(found.to_datasketch(), own, strict=True)):
        ours.insert(row, exported)
        theirs.insert(row, made)
    groups = 0
    for row, (exported, made) in enumerate(zip(found.to_datasketch(), own, strict=True)):
        answers = [sorted(index.query(asked)) for index in (ours, theirs) for asked in (exported, made)]
        assert answers == [answers[0]] * 4
        assert row in answers[0]
        groups += len(answers[0]) > 1
    assert groups >= 10


def test_other_indexes_of_datasketch_take_them() -> None:
    found = polyculture.signatures(TEXTS).to_datasketch()
    forest = MinHashLSHForest()
    for row, signature in enumerate(found):
        forest.add(row, signature)
    forest.index()
    assert 5 in forest.query(found[5], 3)


def test_the_default_seed_is_datasketchs() -> None:
    assert polyculture.signatures(TEXTS[:1]).seed == MinHash().seed
    assert polyculture.signatures(TEXTS[:1]).num_perm == MinHash().num_perm


def test_a_text_without_words_has_no_shingles() -> None:
    assert [len(hashes) for hashes in polyculture.shingle_hashes(["...", "one two"])] == [0, 1]
    assert polyculture.signatures(["..."]).hashvalues.min() == 0xFFFFFFFF
    assert polyculture.shingle_hashes([]) == []
    assert polyculture.signatures([]).hashvalues.shape == (0, 128)


def test_a_table_is_signed_by_its_text_column() -> None:
    table = pl.DataFrame({"body": TEXTS[:9]})
    assert np.array_equal(
        polyculture.signatures(table, text_column="body").hashvalues, polyculture.signatures(TEXTS[:9]).hashvalues
    )


@pytest.mark.parametrize(
    ("texts", "options", "says"),
    [
        (["a", None], {}, "row 1 has no text"),
        (["a"], {"num_perm": 0}, "wanted 1 to 65536 hash values; got 0"),
        (["a"], {"seed": -1}, "seed: wanted a number in"),
        (7, {}, "cannot read a int"),
    ],
)
def test_what_cannot_be_signed_is_refused(texts: object, options: dict[str, int], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        polyculture.signatures(texts, **options)
