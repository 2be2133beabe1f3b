import hashlib
import random
import tempfile
from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from datasketch import LeanMinHash, MinHash, MinHashLSH
from hypothesis import given, settings
from hypothesis import strategies as st

from polyculture.deduplication.engine import find_near_duplicates, sketch_documents
from polyculture.deduplication.index import FOLDING
from polyculture.deduplication.links import bucket_links
from polyculture.deduplication.search import NearDuplicates, Workplace
from polyculture.deduplication.sketch import sketch
from polyculture.measure.lenses.near_index import NearIndex
from polyculture.measure.probes.multiplicity import count_groups
from polyculture.text.minhash import band_keys, minhash_signatures, to_datasketch
from polyculture.text.shingles import shingle_sets
from polyculture.text.texts import as_texts
from schemas.dedupe_config import NearConfig
from tests.unit.deduplication import brute_force

# So many bands that no pair above the threshold is missed: what is tested is the rule, not the odds of MinHash.
SURE = NearConfig(threshold=0.8, bands=64, rows=2)


def near(texts: list[str], preference: list[int], config: NearConfig = SURE, threads: int = 1) -> NearDuplicates:
    order = np.array(preference, np.int64)
    with tempfile.TemporaryDirectory() as folder:
        workplace = Workplace(Path(folder), threads)
        sketched = sketch_documents(as_texts(pa.array(texts)), config, 5, workplace)
        return find_near_duplicates(sketched, order, config.threshold, workplace)


def variants(documents: int, seed: int) -> list[str]:
    """Texts with planted near-duplicates: each is a copy of an earlier one with some words changed, or new."""
    generator = random.Random(seed)
    vocabulary = [f"word{i}" for i in range(300)]
    texts: list[list[str]] = []
    for _ in range(documents):
        if texts and generator.random() < 0.7:
            words = list(generator.choice(texts))
            for _ in range(generator.choice([0, 1, 1, 2, 3, 6])):
                words[generator.randrange(len(words))] = generator.choice(vocabulary)
        else:
            words = generator.choices(vocabulary, k=generator.choice([1, 4, 5, 60, 90, 120]))
        texts.append(words)
    return [" ".join(words) for words in texts]


@pytest.mark.parametrize("seed", range(5))
def test_removals_and_representatives_equal_brute_force(seed: int) -> None:
    texts = variants(120, seed)
    preference = random.Random(seed).sample(range(len(texts)), len(texts))
    found = near(texts, preference)
    expected = brute_force.removals(texts, preference, Fraction(4, 5))
    assert len(expected) > 20
    removed = {i: (int(found.kept[i]), found.similarity[i]) for i in range(len(texts)) if found.kept[i] != i}
    assert {i: kept for i, (kept, _) in removed.items()} == {i: kept for i, (kept, _) in expected.items()}
    for document, (_, similarity) in expected.items():
        assert removed[document][1] == pytest.approx(float(similarity))


def test_chains_do_not_delete() -> None:
    words = [f"w{i}" for i in range(100)]
    chain = [" ".join(words[i * 6 : i * 6 + 60]) for i in range(3)]  # neighbours share 50 of 62 shingles, the ends 44
    sets = [brute_force.shingles(text) for text in chain]
    assert brute_force.jaccard(sets[0], sets[1]) >= Fraction(4, 5) > brute_force.jaccard(sets[0], sets[2])
    assert list(near(chain, [0, 1, 2]).kept) == [0, 0, 2]
    assert list(near(chain, [1, 0, 2]).kept) == [1, 1, 1]


def test_the_threshold_is_exact() -> None:
    left = " ".join(f"w{i}" for i in range(13))  # 9 shingles
    right = " ".join(f"w{i}" for i in range(12)) + " other"  # shares 8 of 10
    config = NearConfig(threshold=0.8, bands=64, rows=1)
    assert list(near([left, right], [0, 1], config).kept) == [0, 0]
    assert list(near([left, right], [0, 1], config.model_copy(update={"threshold": 0.8000001})).kept) == [0, 1]


def test_texts_without_words_have_no_near_duplicates() -> None:
    assert list(near(["...", "?!!", "..."], [0, 1, 2]).kept) == [0, 1, 2]


@pytest.mark.parametrize("before", [0, 1, 30])
@pytest.mark.parametrize("size", [60, 63, 64, 65, 127, 128, 129, 300])
def test_words_of_any_length_are_told_apart(before: int, size: int) -> None:
    texts = ["a " * before + word + " c d e f g" for word in ("b" * size + "x", "b" * size + "y", "c" + "b" * size)]
    sets = shingle_sets(pa.array(texts))
    assert len({tuple(sets.hashes[sets.offsets[i] : sets.offsets[i + 1]]) for i in range(3)}) == 3


LONG = "the quick brown fox jumps over a lazy dog that sleeps in its warm corner of the old garden behind our house "


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("a + b", "a - b"),
        ("if (x != y) return;", "if (x == y) return;"),
        (LONG * 9 + "so it is -5 here", LONG * 9 + "so it is 5 here"),
        (LONG * 9 + "I write C++ at work", LONG * 9 + "I write C# at work"),
        (LONG * 9 + "the pattern `\\*` is one", LONG * 9 + "the pattern `*` is one"),
        (LONG * 9 + "the letter \\alpha is one", LONG * 9 + "the letter alpha is one"),
        (" ".join(f"x{i} \\* {i} = 2" for i in range(40)), " ".join(f"x{i} * {i} = 2" for i in range(40))),
        ("is_balanced( '()' ) or ( '(())' )", "is_balanced< '<>' > or < '<<>>' >"),
        (
            " ".join(f"{i} + {i} = x{i}" for i in range(40)),
            " ".join(f"{i} + {i} = x{i}" for i in range(39)) + " 39 - 39 = y",
        ),
    ],
)
def test_texts_that_differ_in_signs_both_stay(left: str, right: str) -> None:
    assert list(near([left, right], [0, 1]).kept) == [0, 1]


def test_programs_that_differ_in_case_or_indentation_alone_both_stay() -> None:
    program = "".join(f"if x{i} > {i}:\n    y = X{i}\n    z = y\n" for i in range(20))
    others = [program.replace("    z", "z"), program.replace("X7", "x7"), program.replace("\n", " \r\n")]
    assert list(near([program, *others], [0, 1, 2, 3]).kept) == [0, 1, 2, 0]
    assert list(near([program, program.replace("x3 > 3", "x3 > 4")], [0, 1]).kept) == [0, 0]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (LONG * 9 + "\\*one\\* \\# `a`", LONG * 9 + "*one* # `a`"),  # escaped markup
        (LONG * 9 + "*one*", LONG * 9 + "\\*one*"),
        (LONG * 3 + "*one* two", LONG * 3 + "**one** two three"),  # prose that is marked up in another way
        ("so \u201cfine\u201d \u2013 it\u2019s 3\u00d74", "so 'fine' - it's 3*4"),
        (" ".join(f"f{i}(x)" for i in range(60)), " ".join(f"f{i}(x)" for i in range(59)) + " g(x)"),
    ],
)
def test_texts_that_differ_in_typography_markup_or_a_word_are_near(left: str, right: str) -> None:
    assert list(near([left, right], [0, 1]).kept) == [0, 0]


@pytest.mark.parametrize("text", ["one two three", "\u4eca\u5929\u5929\u6c14\u5f88\u597d\u554a", "a " * 50])
def test_shingle_counts_equal_brute_force(text: str) -> None:
    sets = shingle_sets(pa.array(["x", text, "y"], pa.large_string()).slice(1, 1))
    assert len(sets.hashes) == len(brute_force.shingles(text))


@settings(max_examples=200)
@given(
    st.lists(st.text(alphabet="ab _\u4e00\u0e01\u00e9\U00020000.+-/!=(#9\u2264", max_size=40), min_size=1, max_size=6)
)
def test_shingle_sets_equal_brute_force_on_any_text(texts: list[str]) -> None:
    sets = shingle_sets(pa.array(texts, pa.large_string()))
    hashed = [set(sets.hashes[a:b]) for a, b in zip(sets.offsets[:-1], sets.offsets[1:], strict=True)]
    plain = [brute_force.shingles(text) for text in texts]
    assert [len(s) for s in hashed] == [len(s) for s in plain]
    for i, left in enumerate(plain):
        for j, right in enumerate(plain):
            assert len(hashed[i] & hashed[j]) == len(left & right)


def test_signatures_are_datasketchs_own() -> None:
    sets = shingle_sets(pa.array(variants(30, 1), pa.large_string()))
    signatures = minhash_signatures(sets, 112, seed=9)
    for number in range(30):
        sketch = MinHash(num_perm=112, seed=9, scheme="affine32", hashfunc=lambda value: int(value) & 0xFFFFFFFF)
        sketch.update_batch(list(sets.hashes[sets.offsets[number] : sets.offsets[number + 1]]))
        assert np.array_equal(sketch.hashvalues, signatures[number])


def test_signatures_serve_datasketchs_own_index() -> None:
    texts = variants(60, 4)
    signatures = sketch(as_texts(pa.array(texts)), 128, seed=3).signatures
    index = MinHashLSH(threshold=0.8, num_perm=128)
    exported = to_datasketch(signatures, seed=3)
    for number, signature in enumerate(exported):
        index.insert(number, signature)
    other = MinHash(num_perm=128, seed=3, scheme="affine32", hashfunc=lambda value: int(value) & 0xFFFFFFFF)
    other.update_batch(list(shingle_sets(pa.array([texts[7]])).hashes))
    assert 7 in index.query(other)
    assert exported[7].jaccard(other) == 1.0
    restored = LeanMinHash.deserialize(_serialized(exported[7]))
    assert restored == exported[7]


def _serialized(signature: LeanMinHash) -> bytearray:
    buffer = bytearray(signature.bytesize())
    signature.serialize(buffer)
    return buffer


def test_the_default_banding_finds_what_theory_says() -> None:
    generator = random.Random(3)
    found = pairs = 0
    for _ in range(300):
        words = [f"w{generator.randrange(10**6)}" for _ in range(204)]  # 200 shingles
        other = [
            *words[:181],
            *(f"v{i}" for i in range(23)),
        ]  # shares 177: J = 177 / 223 = .794; one more each way below
        other[181:184] = words[181:184]  # 180 of 220: J = .818
        result = near([" ".join(words), " ".join(other)], [0, 1], NearConfig())
        found += result.kept[1] == 0
        pairs += 1
    expected = 1 - (1 - (180 / 220) ** 8) ** 14
    assert abs(found / pairs - expected) < 4 * (expected * (1 - expected) / pairs) ** 0.5


@pytest.mark.parametrize("seed", range(3))
def test_near_multiplicities_equal_brute_force(seed: int) -> None:
    texts = sorted(set(variants(150, seed)))
    sets = shingle_sets(pa.array(texts, pa.large_string()))
    source = np.arange(len(texts)) % 3
    copies = np.stack([np.ones(len(texts), np.int64), np.arange(len(texts)) % 4], axis=1)
    counts = count_groups(np.arange(len(texts)), source, copies, 3)
    probes = np.array([5, 5, 0, 17, len(texts) - 1])
    found = NearIndex(sets, 0.8, seed=11, threads=2).multiplicities(probes, counts)
    plain = [brute_force.shingles(text) for text in texts]
    for row, probe in enumerate(probes):
        neighbours = [
            i for i in range(len(texts)) if i == probe or brute_force.jaccard(plain[i], plain[probe]) >= Fraction(4, 5)
        ]
        for number in range(3):
            for stage in range(2):
                assert found[row, number, stage] == sum(copies[i, stage] for i in neighbours if source[i] == number)


def disguised(text: str, how: str) -> str:
    if how == "zero-width":
        return "\u200b".join(text)
    if how == "full-width":
        return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)
    if how == "case":
        return text.upper()
    if how == "homoglyphs":
        return text.translate(str.maketrans("aeopcx", "\u0430\u0435\u043e\u0440\u0441\u0445"))
    raise AssertionError(how)


@pytest.mark.parametrize("how", ["zero-width", "full-width", "case", "homoglyphs"])
def test_disguised_copies_are_found(how: str) -> None:
    generator = random.Random(8)
    vocabulary = ["apple", "a", "box", "expect", "rough", "see", "so", "paper", "echo", "42", "under_score", "why"]
    texts = [" ".join(generator.choices(vocabulary, k=40)) for _ in range(30)]
    everything = [*texts, *(disguised(text, how) for text in texts)]
    found = near(everything, list(range(60)), NearConfig())
    assert list(found.kept) == [*range(30), *range(30)]


@pytest.mark.parametrize("seed", range(3))
def test_the_default_banding_loses_few_of_the_removals(seed: int) -> None:
    texts = variants(400, seed + 50)
    preference = list(range(len(texts)))
    found = near(texts, preference, NearConfig())
    expected = brute_force.removals(texts, preference, Fraction(4, 5))
    removed = {i for i in preference if found.kept[i] != i}
    assert len(removed & expected.keys()) >= 0.99 * len(expected)
    sets = [brute_force.shingles(text) for text in texts]
    for document in removed:  # none is ever unverified, and each has a kept twin that is preferred
        kept = int(found.kept[document])
        assert found.kept[kept] == kept < document
        assert brute_force.jaccard(sets[document], sets[kept]) >= Fraction(4, 5)
        assert found.similarity[document] == float(brute_force.jaccard(sets[document], sets[kept]))


def test_neither_order_nor_threads_nor_partitions_change_what_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = variants(300, 77)
    preference = random.Random(1).sample(range(300), 300)
    reference = near(texts, preference, NearConfig())
    assert (reference.kept != np.arange(300)).sum() > 50
    monkeypatch.setattr("polyculture.deduplication.engine.PARTITION_DOCUMENTS", 37)
    monkeypatch.setattr("polyculture.deduplication.engine._RANGE_DOCUMENTS", 16)
    monkeypatch.setattr("polyculture.deduplication.verify._BLOCK_LINKS", 5)
    for seed in range(5):
        shuffle = random.Random(seed).sample(range(300), 300)  # document i now stands at place shuffle[i]
        moved = [""] * 300
        for document, place in enumerate(shuffle):
            moved[place] = texts[document]
        found = near(moved, [shuffle[i] for i in preference], NearConfig(), threads=1 + seed % 3)
        assert [shuffle[int(k)] for k in reference.kept] == [int(found.kept[place]) for place in shuffle]


def test_a_hot_bucket_costs_a_link_per_document() -> None:
    rank = np.arange(50_000, dtype=np.uint32)
    bucket = (np.full(50_000, 7, np.uint64), rank)
    crowd = (rank, np.empty(0, np.bool_), np.zeros((50_000, 8), np.uint64), 50_000)
    links, proposed, shared = bucket_links(bucket, crowd, least=100, depth=1)
    assert len(links) == proposed == 49_999
    assert set((links >> np.uint64(32)).tolist()) == {0}
    assert len(shared[0]) == 50_000
    _, proposed, _ = bucket_links(bucket, crowd, least=100, depth=8)
    assert proposed < 8 * 50_000


def test_a_document_whose_leader_is_removed_finds_the_next_one() -> None:
    words = [f"w{i}" for i in range(100)]
    chain = [" ".join(words[i * 3 : i * 3 + 60]) for i in range(12)]  # near the four before and the four after
    expected = brute_force.removals(chain, list(range(12)), Fraction(4, 5))
    found = near(chain, list(range(12)))
    assert {i: int(found.kept[i]) for i in range(12) if found.kept[i] != i} == {i: k for i, (k, _) in expected.items()}


def test_the_scheme_of_lasting_indexes_stays_what_its_number_says() -> None:
    """If this fails, keys that old indexes hold are no longer found: raise `FOLDING`, and put the new digest here."""
    texts = [
        "The Quick brown fox; jumps over the lazy dog, caf\u00e9 \ufb01x!",
        "\u4eca\u5929\u5929\u6c14\u5f88\u597d\u554a",
        "p\u0430ypal is \u0440\u0430ypal at \uff28\uff25\uff2c\uff2c\uff2f\u200b world",
        "a\u0323\u0307 b \u1e9b\u0323 na\u00efve co\u00f6p",
        "if a != b:\n    return -5  # \u201cnot\u201d c++\n",
        "Prose (mostly) with one or two signs \u2014 a well-known kind/sort, great! It goes on and on for 5 \u20ac.",
        "marks on a" + "\u0301" * 100 + " letter, and one more",
    ]
    found = sketch(as_texts(pa.array(texts)), 128, seed=1)
    digest = hashlib.sha256(band_keys(found.signatures, 21, 6).tobytes() + found.keys.tobytes()).hexdigest()
    assert (FOLDING, digest) == (4, "5f81bf16d8c6ebc4deabde443975b1e073c36e2b9f04a9e6d147aa56c384514b")
