import math
import random
from collections import Counter, defaultdict

import numpy as np
import pyarrow as pa
import pytest
import zstandard

from polyculture.measure.lexical.blocks import DocumentSizes, LexicalSample, lexical_sample
from polyculture.measure.lexical.measures import LEXICAL_MEASURES, BlockSize, LexicalCounts
from polyculture.measure.lexical.profile import lexical_profile, mean_over_blocks
from polyculture.storage.hashing import seeded_hash
from polyculture.text.canonical import canonical_text
from polyculture.text.skeleton import skeleton
from polyculture.text.word_sequences import word_sequences
from polyculture.text.words import words
from schemas.lexical import LEXICAL_SCHEMA

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


def sampled(texts: pa.Array, order: np.ndarray, most: int, size: BlockSize = SIZE) -> list[LexicalCounts]:
    return sample_of(texts, np.argsort(order), most, size).blocks


def sample_of(texts: pa.Array, rows: np.ndarray, most: int, size: BlockSize = SIZE) -> LexicalSample:
    counted = np.diff(word_sequences(texts).offsets)[rows]
    text_bytes = np.array([len(text.as_py().encode()) for text in texts], np.int64)[rows]
    return lexical_sample(rows, lambda at: texts.take(pa.array(at)), DocumentSizes(counted, text_bytes), size, most)


def fill(parts: list[list[str]] | list[bytes], block: int, most: int) -> list[list[int]]:
    """Numbers of the documents of each block: the fewest next ones whose parts fill it."""
    blocks, current, filled = [], [], 0
    for number, part in enumerate(parts):
        current.append(number)
        filled += len(part)
        if filled >= block:
            blocks.append(current)
            current, filled = [], 0
    return blocks[:most]


def brute_force(texts: list[str], order: list[int], most: int, size: BlockSize = SIZE) -> list[LexicalCounts]:
    texts = [text for _, text in sorted(zip(order, texts, strict=True))]
    heads = [words(canonical_text(text))[: size.words // 100] for text in texts]
    beginnings = [text.encode()[: size.text_bytes // 100] for text in texts]
    found = [{} for _ in range(most)]
    for block, numbers in enumerate(fill(heads, size.words, most)):
        found[block] |= words_of_block([heads[number] for number in numbers], size)
    for block, numbers in enumerate(fill(beginnings, size.text_bytes, most)):
        data = b"".join(beginnings[number] for number in numbers)[: size.text_bytes]
        parameters = zstandard.ZstdCompressionParameters.from_level(9, window_log=27, enable_ldm=True)
        compressed = zstandard.ZstdCompressor(compression_params=parameters).compress(data)
        found[block] |= {"text_bytes": len(data), "compressed_bytes": len(compressed)}
    for block in range(min(most, len(texts) // size.documents)):
        chosen = texts[block * size.documents : (block + 1) * size.documents]
        alike = Counter(" ".join(words(skeleton(text))[:16]) for text in chosen)
        templated = sum(n for n in alike.values() if n > 1)
        found[block] |= {"documents": size.documents, "documents_templated": templated}
    return [LexicalCounts(**counts) for counts in found if counts]


def words_of_block(heads: list[list[str]], size: BlockSize) -> dict[str, int]:
    left, cut = size.words, []
    for head in heads:
        cut.append(head[:left])
        left -= len(cut[-1])
    grams = {n: [tuple(d[i : i + n]) for d in cut for i in range(len(d) - n + 1)] for n in (1, 2, 3, 4)}
    holders: dict[tuple[str, ...], set[int]] = defaultdict(set)
    for number, document in enumerate(cut):
        for i in range(len(document) - 3):
            holders[tuple(document[i : i + 4])].add(number)
    return {
        "words": size.words,
        "words_distinct": len(set(grams[1])),
        "tenth_distinct": len(set(grams[1][: size.words // 10])),
        "pairs": len(grams[2]),
        "pairs_distinct": len(set(grams[2])),
        "triples": len(grams[3]),
        "triples_distinct": len(set(grams[3])),
        "quadruples": len(grams[4]),
        "quadruples_distinct": len(set(grams[4])),
        "quadruples_repeated": sum(len(holders[gram]) > 1 for gram in grams[4]),
    }


@pytest.mark.parametrize(("seed", "documents"), [(0, 400), (1, 700), (2, 1500), (3, 150)])
def test_counts_equal_brute_force(seed: int, documents: int) -> None:
    texts, order = corpus(documents, seed), hashes(documents)
    found = sampled(texts, order, 4)
    assert found == brute_force(texts.to_pylist(), order.tolist(), 4)
    assert any(0 < block.documents_templated < block.documents for block in found)
    assert 0 < found[0].quadruples_repeated < found[0].quadruples


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


def test_the_blocks_do_not_depend_on_the_order_of_documents() -> None:
    texts, order = corpus(700, 5), hashes(700)
    shuffled = np.random.default_rng(1).permutation(700)
    assert sampled(texts, order, 3) == sampled(texts.take(pa.array(shuffled)), order[shuffled], 3)


@pytest.mark.parametrize("partitions", [1, 3, 17])
def test_the_blocks_of_a_union_are_those_of_its_partitions_blocks(partitions: int) -> None:
    documents, most = 5_000, 2
    texts, order = corpus(documents, 6), hashes(documents)
    part = np.random.default_rng(2).integers(0, partitions, documents)
    kept = []
    for number in range(partitions):
        rows = np.flatnonzero(part == number)
        rows = rows[np.argsort(order[rows])]
        sample = sample_of(texts, rows, most)
        kept.append(rows[: sample.documents])
    rows = np.concatenate(kept)
    assert len(rows) < documents
    assert sampled(texts.take(pa.array(rows)), order[rows], most) == sampled(texts, order, most)


def test_a_source_that_is_too_small_is_unmeasured() -> None:
    assert sampled(corpus(20, 1), hashes(20), 4) == []
    assert sampled(pa.array([], pa.large_string()), hashes(0), 4) == []
    assert mean_over_blocks("distinct_1", [LexicalCounts()]) is None
    (one,) = sampled(corpus(75, 1), hashes(75), 4)[:1]
    alone = mean_over_blocks("template_share", [one])
    assert alone is not None
    assert (alone.low, alone.high, alone.blocks) == (None, None, 1)


def test_one_huge_document_does_not_fill_a_block() -> None:
    huge = pa.array([" ".join(f"w{i}" for i in range(50_000))], pa.large_string())
    assert sampled(huge, hashes(1), 4) == []


def test_narrow_text_is_less_varied_in_every_measure() -> None:
    narrow, wide = (sampled(corpus(900, 8, [f"w{i}" for i in range(n)]), hashes(900), 4) for n in (20, 3_000))
    for name in LEXICAL_MEASURES:
        ours, theirs = mean_over_blocks(name, narrow), mean_over_blocks(name, wide)
        assert ours is not None
        assert theirs is not None
        assert ours.high is not None
        assert ours.low is not None
        if name in ("self_repetition", "compression_ratio"):
            assert ours.low > 1.25 * theirs.value
        elif name == "distinct_4":  # random words seldom repeat four in order, even twenty of them
            assert theirs.low is not None
            assert ours.high < theirs.low
        elif name != "template_share":  # which asks of openings
            assert ours.high < 0.8 * theirs.value


def test_heaps_beta_is_the_slope_over_the_last_decade() -> None:
    found = mean_over_blocks("heaps_beta", [LexicalCounts(words_distinct=400, tenth_distinct=100)])
    assert found is not None
    assert found.value == pytest.approx(math.log10(4))


def test_intervals_over_blocks_cover_the_mean_of_all_blocks() -> None:
    """Texts of few topics, each with words of its own, so that documents of a block resemble each other by chance."""
    generator = random.Random(5)
    topics = [[f"t{topic}w{i}" for i in range(30)] for topic in range(40)]
    phrases = [generator.choices(generator.choice(topics), k=4) for _ in range(100)]
    documents = [
        " ".join(generator.choice(phrases) if generator.random() < 0.3 else generator.choices(topic, k=4))
        for topic in generator.choices(topics, k=81_000)
    ]
    texts = pa.array(documents, pa.large_string())
    every = sampled(texts, hashes(len(texts)), 10**6, BlockSize(words=400, text_bytes=1_500, documents=100))
    for name in ("distinct_1", "distinct_2", "self_repetition", "heaps_beta", "compression_ratio"):
        truth = mean_over_blocks(name, every)
        assert truth is not None
        for most in (3, 8):  # blocks of a sample; the samples are disjoint
            found = [mean_over_blocks(name, every[at : at + most]) for at in range(0, 800, most)]
            covered = [f.low <= truth.value <= f.high for f in found if f and f.low is not None and f.high is not None]
            assert len(covered) >= 100
            spread = 4 * math.sqrt(0.95 * 0.05 / len(covered))
            assert abs(np.mean(covered) - 0.95) < spread, (name, most)


def test_a_share_that_no_block_shows_is_not_surely_nothing() -> None:
    blocks = [LexicalCounts(documents=250, documents_templated=0)] * 4
    found = mean_over_blocks("template_share", blocks)
    assert found is not None
    assert (found.value, found.low, found.high) == (0, 0, pytest.approx(3 / 1000))


def row(scope: str, kind: str | None, language: str | None, block: int, **counts: int) -> dict[str, object]:
    zero = dict.fromkeys((field.name for field in LEXICAL_SCHEMA if pa.types.is_integer(field.type)), 0)
    return zero | {
        "stage": "input", "scope": scope, "kind": kind, "language": language, "is_pool": scope == "human",
        "block": block, **counts,
    }  # fmt: skip


def test_synthetic_text_is_compared_with_human_text_of_its_language_alone() -> None:
    words = [{"words": 1000, "words_distinct": number} for number in (100, 110, 105)]
    rows = [row("narrow", "synthetic", "en", i, **w) for i, w in enumerate(words)]
    rows += [row("zhong", "synthetic", "zh", i, **w) for i, w in enumerate(words)]
    rows += [row("mixed", "synthetic", None, i, **w) for i, w in enumerate(words)]
    rows += [row("small", "synthetic", "en", 0)]
    rows += [row("pages", "web", "en", 0)]
    human = [{"words": 1000, "words_distinct": number} for number in (400, 410, 430)]
    rows += [row("human", None, "en", i, **w) for i, w in enumerate(human)]
    scopes = {scope.scope: scope for scope in lexical_profile(pa.Table.from_pylist(rows, LEXICAL_SCHEMA))}
    assert set(scopes) == {"narrow", "zhong", "mixed", "small", "pages"}
    found = scopes["narrow"].ratios["distinct_1"]
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    assert found.value == pytest.approx(105 / (1240 / 3))
    assert 0.2 < found.low < found.value < found.high < 0.32
    assert scopes["narrow"].ratios["compression_ratio"] is None
    assert scopes["zhong"].uncompared == "no web or expert source is mainly in its language, zh"
    assert scopes["mixed"].uncompared == "no one language is that of most of its documents"
    assert scopes["small"].uncompared == "it is too small for one block"
    assert (scopes["pages"].ratios, scopes["pages"].uncompared) == ({}, None)


def test_scripts_without_spaces_are_measured_by_their_characters() -> None:
    generator = random.Random(3)
    texts = [
        "".join(chr(0x4E00 + min(int(generator.expovariate(1 / 200)), 5000)) for _ in range(90)) for _ in range(200)
    ]
    (first, *_) = sampled(pa.array(texts, pa.large_string()), hashes(200), 2)
    assert first.words == SIZE.words
    assert 100 < first.words_distinct < 1500
