"""The synthetic corpus is what it claims to be: correct problems, few seeds, one word of difference."""

import random
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from demo import synthetic
from demo.problems import FAMILIES, seed_problems
from demo.problems.wording import GROUPS, MIN_WORDS

EQUATION = re.compile(r"(?<![\w.)/^*+-])(\(?\d[\d.()+*/^ -]*?) = (-?\d+(?:\.\d+)?(?:/\d+)?)")
NUMBER = re.compile(r"\d+(?:\.\d+)?")
WORD = re.compile(r"\w+")


def value(expression: str) -> Fraction:
    """Exact value of digits, brackets and operators; EQUATION lets nothing else through."""
    exact = NUMBER.sub(lambda match: f"Fraction('{match.group()}')", expression.replace("^", "**"))
    return Fraction(eval(exact, {"__builtins__": {}, "Fraction": Fraction}))  # noqa: S307 - our own text


def shingles(text: str) -> frozenset[tuple[str, ...]]:
    """Sets of 5 consecutive words; the text is ASCII, so lower case is its canonical form."""
    words = WORD.findall(text.lower())
    return frozenset(zip(*(words[k:] for k in range(5)), strict=False))


def jaccard(left: frozenset[tuple[str, ...]], right: frozenset[tuple[str, ...]]) -> Fraction:
    """Shared part of the union."""
    return Fraction(len(left & right), len(left | right))


def multiplicities(texts: Sequence[str], probes: Sequence[int]) -> list[tuple[int, Fraction]]:
    """Near multiplicity of each probe in `texts`, and its highest similarity to another text, by inverted index."""
    sets = [shingles(text) for text in texts]
    holders = defaultdict(list)
    for number, one in enumerate(sets):
        for shingle in one:
            holders[shingle].append(number)
    result = []
    for probe in probes:
        shared = Counter(other for shingle in sets[probe] for other in holders[shingle] if other != probe)
        near = [Fraction(n, len(sets[probe]) + len(sets[other]) - n) for other, n in shared.items()]
        result.append((1 + sum(j >= Fraction(4, 5) for j in near), max(near, default=Fraction(0))))
    return result


@pytest.fixture(scope="module")
def seeds() -> list[tuple[str, str]]:
    return seed_problems(synthetic.SEEDS)


def test_every_equation_in_every_seed_holds_exactly(seeds: list[tuple[str, str]]) -> None:
    for seed_id, text in seeds:
        equations = EQUATION.findall(text)
        assert len(equations) == text.count(" = ") >= 3, seed_id
        for left, right in equations:
            assert value(left) == Fraction(right), f"{seed_id}: {left} = {right}"


def test_every_seed_is_long_enough_and_plain_ascii(seeds: list[tuple[str, str]]) -> None:
    for seed_id, text in seeds:
        assert len(text.split()) >= MIN_WORDS, seed_id
        assert text.isascii(), seed_id
        assert not re.search(r"[{}]|\b[Aa] [aeio]", text), seed_id


def test_no_two_seeds_are_alike_by_brute_force(seeds: list[tuple[str, str]]) -> None:
    found = multiplicities([text for _, text in seeds], range(len(seeds)))
    assert max(similarity for _, similarity in found) < Fraction(1, 2)


def test_all_families_are_used_and_ids_are_unique(seeds: list[tuple[str, str]]) -> None:
    assert len({seed_id for seed_id, _ in seeds}) == synthetic.SEEDS
    assert {seed_id.rsplit("-", 1)[0] for seed_id, _ in seeds} == set(FAMILIES)


def test_a_shorter_list_of_seeds_is_the_beginning_of_a_longer_one(seeds: list[tuple[str, str]]) -> None:
    assert seed_problems(100) == seeds[:100]


def test_no_word_is_in_two_groups_or_starts_with_a_vowel() -> None:
    words = [word for group in GROUPS.values() for word in group]
    spoken_with_a_consonant = {"useful"}
    assert len({word.casefold() for word in words}) == len(words)
    bad = [word for word in words if word[0].casefold() in "aeiou" and word not in spoken_with_a_consonant]
    assert set(bad) <= set(GROUPS["month"])  # months stand without an article


def test_a_variant_differs_from_its_seed_in_exactly_one_word(seeds: list[tuple[str, str]]) -> None:
    for seed_id, text in seeds[::20]:
        original = text.split()
        made = synthetic.variants(seed_id, text, synthetic.VARIANTS)
        assert len({other.casefold() for other in made}) == synthetic.VARIANTS
        for other in made:
            assert sum(a != b for a, b in zip(original, other.split(), strict=True)) == 1


def test_any_two_variants_of_a_seed_are_near_duplicates(seeds: list[tuple[str, str]]) -> None:
    for seed_id, text in seeds[::40]:
        sets = [shingles(other) for other in synthetic.variants(seed_id, text, synthetic.VARIANTS)]
        assert min(jaccard(a, b) for a in sets for b in sets) >= Fraction(17, 20)


def test_a_one_percent_trial_looks_distinct_and_the_whole_is_not(seeds: list[tuple[str, str]]) -> None:
    texts = synthetic.table()["text"].to_pylist()
    generator = random.Random(1)
    trial = generator.sample(texts, len(texts) // 100)
    in_trial = [1 / m for m, _ in multiplicities(trial, range(len(trial)))]
    assert sum(in_trial) / len(trial) > 0.9
    # The near lens sees no pair across seeds, so 100 whole seeds say what all of them would.
    whole = [1 / m for m, _ in multiplicities(texts[:1500], range(0, 1500, 5))]
    assert sum(whole) / len(whole) == pytest.approx(1 / synthetic.VARIANTS)


def test_the_file_says_honestly_what_it_is_and_repeats_byte_by_byte(tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    corpus = synthetic.build(tmp_path, seeds=30, count=15)
    again = synthetic.build(tmp_path / "again", seeds=30, count=15)
    assert corpus.path.read_bytes() == again.path.read_bytes()
    table = pq.read_table(corpus.path)
    assert table.schema.remove_metadata() == synthetic.SCHEMA
    assert corpus.documents == table.num_rows == 450
    assert "template" in table["teacher"][0].as_py()
    assert "template expansion" in table["sampling"][0].as_py()
    assert len(set(table["prompt_id"].to_pylist())) == 30
