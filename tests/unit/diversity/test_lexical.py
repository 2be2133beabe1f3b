import math
import random
from collections import Counter, defaultdict

import numpy as np
import pyarrow as pa
import pytest
import zstandard

from polyculture.diversity.lexical import (
    BlockSize,
    LexicalCounts,
    block_rows,
    lexical_counts,
    measures,
    ratios,
)
from polyculture.diversity.word_sequences import word_sequences
from polyculture.hashing import seeded_hash
from polyculture.text.canonical import canonical_text
from polyculture.text.skeleton import skeleton
from polyculture.text.words import words

SIZE = BlockSize(words=2_000, text_bytes=8_000, documents=60)
VOCABULARY = [f"word{i}" for i in range(300)] + ["é", "Straße", "ﬁne", "数", "据", "ร้", "x\u0301y"]


def corpus(documents: int, seed: int, vocabulary: list[str] = VOCABULARY) -> pa.Array:
    generator = random.Random(seed)
    weights = [1 / (rank + 2) for rank in range(len(vocabulary))]
    texts = [
        "Once upon a time " * (generator.random() < 0.3)
        + " ".join(generator.choices(vocabulary, weights, k=generator.choice([3, 12, 30, 90])))
        for _ in range(documents)
    ]
    return pa.array(texts, pa.large_string())


def hashes(documents: int, seed: int = 3) -> np.ndarray:
    return seeded_hash(np.arange(documents, dtype=np.uint64), seed, 1)


def brute_force(texts: list[str], order: list[int], size: BlockSize) -> LexicalCounts:
    texts = [text for _, text in sorted(zip(order, texts, strict=True))]
    cut: list[list[str]] = []
    left = size.words
    for text in texts:
        cut.append(words(canonical_text(text))[: min(size.words // 100, left)])
        left -= len(cut[-1])
    grams = {n: [tuple(d[i : i + n]) for d in cut for i in range(len(d) - n + 1)] for n in (1, 2, 3, 4)}
    holders: dict[tuple[str, ...], set[int]] = defaultdict(set)
    for number, document in enumerate(cut):
        for i in range(len(document) - 3):
            holders[tuple(document[i : i + 4])].add(number)
    block = b"".join(text.encode()[: size.text_bytes // 100] for text in texts)[: size.text_bytes]
    parameters = zstandard.ZstdCompressionParameters.from_level(9, window_log=27, enable_ldm=True)
    assert left == 0
    assert len(block) == size.text_bytes
    alike = Counter(" ".join(words(skeleton(text))[:16]) for text in texts[: size.documents])
    return LexicalCounts(
        words=size.words,
        words_distinct=len(set(grams[1])),
        tenth_distinct=len(set(grams[1][: size.words // 10])),
        pairs=len(grams[2]),
        pairs_distinct=len(set(grams[2])),
        triples=len(grams[3]),
        triples_distinct=len(set(grams[3])),
        quadruples=len(grams[4]),
        quadruples_repeated=sum(len(holders[gram]) > 1 for gram in grams[4]),
        text_bytes=len(block),
        compressed_bytes=len(zstandard.ZstdCompressor(compression_params=parameters).compress(block)),
        documents=size.documents,
        documents_templated=sum(n for n in alike.values() if n > 1),
    )


@pytest.mark.parametrize("seed", range(4))
def test_counts_equal_brute_force(seed: int) -> None:
    texts = corpus(400, seed)
    order = hashes(400, seed)
    found = lexical_counts(texts, order, SIZE)
    assert found == brute_force(texts.to_pylist(), order.tolist(), SIZE)
    assert 0 < found.documents_templated < found.documents
    assert 0 < found.quadruples_repeated < found.quadruples


def test_words_are_those_of_canonical_text_in_order() -> None:
    texts = ["The Ｓtraße, ﬁne!", "", "数据 a\u0301\u0323 b", "Iстанбул 3.5", "a b a"]
    found = word_sequences(pa.array(texts, pa.large_string()))
    assert np.diff(found.offsets).tolist() == [len(words(canonical_text(text))) for text in texts]
    by_hash: dict[int, str] = {}
    for number, text in enumerate(texts):
        mine = found.hashes[found.offsets[number] : found.offsets[number + 1]].tolist()
        for value, word in zip(mine, words(canonical_text(text)), strict=True):
            assert by_hash.setdefault(value, word) == word
    assert len(by_hash) == len({word for text in texts for word in words(canonical_text(text))})
    capped = word_sequences(pa.array(texts, pa.large_string()), 2)
    assert np.diff(capped.offsets).max() == 2
    assert capped.hashes[:2].tolist() == found.hashes[:2].tolist()
    long = word_sequences(pa.array([" ".join(f"w{i}" for i in range(200_000))], pa.large_string()))
    assert len(set(long.hashes.tolist())) == 200_000


def test_the_block_does_not_depend_on_the_order_of_documents() -> None:
    texts, order = corpus(700, 5), hashes(700)
    shuffled = np.random.default_rng(1).permutation(700)
    assert lexical_counts(texts, order, SIZE) == lexical_counts(texts.take(pa.array(shuffled)), order[shuffled], SIZE)


@pytest.mark.parametrize("partitions", [1, 3, 17])
def test_the_block_of_a_union_is_the_block_of_its_partitions_blocks(partitions: int) -> None:
    documents = 5_000
    texts, order = corpus(documents, 6), hashes(documents)
    part = np.random.default_rng(2).integers(0, partitions, documents)
    kept = np.concatenate(
        [
            np.flatnonzero(part == p)[block_rows(texts.filter(pa.array(part == p)), order[part == p], SIZE)]
            for p in range(partitions)
        ]
    )
    assert len(kept) < documents
    assert lexical_counts(texts.take(pa.array(kept)), order[kept], SIZE) == lexical_counts(texts, order, SIZE)


def test_counts_of_blocks_add_to_their_mean() -> None:
    one, other = (lexical_counts(corpus(400, seed), hashes(400, seed), SIZE) for seed in (1, 2))
    total = one + other
    assert total == other + one
    first, second, both = (measures(counts)["distinct_1"] for counts in (one, other, total))
    assert first is not None
    assert second is not None
    assert both == pytest.approx((first + second) / 2)


def test_a_source_that_is_too_small_is_unmeasured() -> None:
    assert set(measures(lexical_counts(corpus(20, 1), hashes(20), SIZE)).values()) == {None}
    assert lexical_counts(pa.array([], pa.large_string()), hashes(0), SIZE) == LexicalCounts()
    assert set(ratios(LexicalCounts(), lexical_counts(corpus(400, 1), hashes(400), SIZE)).values()) == {None}


def test_one_huge_document_does_not_fill_the_block() -> None:
    huge = pa.array([" ".join(f"w{i}" for i in range(50_000))], pa.large_string())
    assert lexical_counts(huge, hashes(1), SIZE).words == 0


def test_narrow_text_is_less_varied_in_every_measure() -> None:
    narrow, wide = (lexical_counts(corpus(600, 8, [f"w{i}" for i in range(n)]), hashes(600), SIZE) for n in (20, 3_000))
    found = ratios(narrow, wide)
    for name in ("distinct_1", "distinct_2", "distinct_3", "heaps_beta"):
        value = found[name]
        assert value is not None
        assert value < 0.8
    for name in ("self_repetition", "compression_ratio"):
        value = found[name]
        assert value is not None
        assert value > 1.25


def test_heaps_beta_is_the_slope_over_the_last_decade() -> None:
    beta = measures(LexicalCounts(words_distinct=400, tenth_distinct=100))["heaps_beta"]
    assert beta == pytest.approx(math.log10(4))
    assert measures(LexicalCounts(words=1_000, words_distinct=1_000, tenth_distinct=100))["heaps_beta"] == 1.0
