"""The canary's truth against a count over its texts, by the definitions and without a kernel."""

from collections import Counter
from collections.abc import Iterable
from fractions import Fraction

import pytest

from polyculture.canary.layout import HEAVY_ABOVE, hub_words, layout, total_documents
from polyculture.canary.texts import records
from polyculture.canary.truth import truths
from polyculture.text.canonical import canonical_text
from polyculture.text.skeleton import skeleton
from polyculture.text.words import words
from schemas.measures import Lens

SEED = 20_261_122


def sizes(keys: Iterable[object]) -> list[int]:
    every = list(keys)
    counted = Counter(every)
    return [0 if key is None else counted[key] for key in every]


def shingles(text: str) -> frozenset[tuple[str, ...]]:
    found = words(canonical_text(text))
    return frozenset(tuple(found[at : at + 5]) for at in range(len(found) - 4))


def neighbours(texts: list[str], threshold: str) -> list[int]:
    """Closed neighbourhoods by brute force over all pairs that share a shingle."""
    sets = [shingles(text) for text in texts]
    holders: dict[tuple[str, ...], list[int]] = {}
    for number, mine in enumerate(sets):
        for one in mine:
            holders.setdefault(one, []).append(number)
    least = Fraction(threshold)
    found = []
    for mine in sets:
        common = Counter(other for one in mine for other in holders[one])
        found.append(
            sum(c * least.denominator >= least.numerator * (len(mine) + len(sets[o]) - c) for o, c in common.items())
        )
    return found


@pytest.mark.parametrize(
    "threshold",
    ["0.8", "0.93", pytest.param("0.5", marks=pytest.mark.long), pytest.param("1.0", marks=pytest.mark.long)],
)
def test_near_truth_is_what_brute_force_over_the_texts_finds(threshold: str) -> None:
    texts = [str(record["text"]) for record in records(SEED, float(threshold))]
    assert len(texts) == total_documents()
    assert truths(float(threshold))[Lens.NEAR].multiplicity.tolist() == neighbours(texts, threshold)


def test_truth_of_the_partition_lenses_is_a_count_of_equal_keys() -> None:
    corpus = list(records(SEED, 0.8))
    texts = [str(record["text"]) for record in corpus]
    skeletons = [skeleton(text) for text in texts]
    expected = {
        Lens.EXACT: sizes(canonical_text(text) for text in texts),
        Lens.TEMPLATE: sizes(skeletons),
        Lens.SEED: sizes(record.get("seed") for record in corpus),
    }
    for lens, counted in expected.items():
        assert truths(0.8)[lens].multiplicity.tolist() == counted, lens


def test_near_neighbourhoods_are_no_partition_and_reach_the_threshold_exactly() -> None:
    near = truths(0.8)[Lens.NEAR].multiplicity
    family = [document for document in layout(0.8) if document.family == 0]
    assert [int(near[document.number]) for document in family] == [3, 2, 2]
    shingles_each = hub_words(0.8) - 4
    assert Fraction(shingles_each - 5, shingles_each + 5) == Fraction("0.8")


def test_species_on_both_sides_of_the_heavy_threshold_and_documents_without_a_species() -> None:
    for lens, truth in truths(0.8).items():
        light = truth.multiplicity[(truth.multiplicity > 0) & (truth.multiplicity <= HEAVY_ABOVE)]
        assert len(light) > 1000, lens
        assert {1, 2} <= set(light.tolist()), lens
        assert truth.multiplicity.max() >= 60, lens
    assert truths(0.8)[Lens.SEED].documents < total_documents()


def test_texts_of_another_seed_have_no_shingle_in_common_but_those_of_numbers() -> None:
    one, other = (
        {shingle for record in records(seed, 0.8) for shingle in shingles(str(record["text"]))} for seed in (1, 2)
    )
    assert not one & other
