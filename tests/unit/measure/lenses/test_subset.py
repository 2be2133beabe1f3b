import random
from itertools import product

import numpy as np
import pyarrow as pa
import pytest

from polyculture.measure.lenses.subset import Counted, Subset, count_documents, counted_scope, index_subset
from polyculture.measure.probes.metrics import METRICS
from polyculture.text.canonical import canonical_text
from polyculture.text.shingles import shingle_sets
from polyculture.text.skeleton import skeleton
from schemas.measures import Lens, Metric
from tests.support.corpora import expanded_texts, unique_texts

THRESHOLD = 0.8
SOURCES = ("a", "b", "empty")


def made_subset() -> Subset:
    """Unique texts, exact copies in other case, near-duplicates, templates and seeds, over two sources."""
    texts = [*unique_texts(20, 1), *expanded_texts(6, 5, 2)]
    texts += [text.upper() for text in texts[:5]] + [f"Solve {i} plus {i * i} for Ann." for i in range(8)] + ["", "  "]
    generator = random.Random(3)
    generator.shuffle(texts)
    source = [generator.choice(SOURCES[:2]) for _ in texts]
    table = pa.table(
        {
            "document_id": [f"{name}:{i}" for i, name in enumerate(source)],
            "text": pa.array(texts, pa.large_string()),
            "source": source,
            "kind": ["synthetic" if name == "b" else "web" for name in source],
            "tokens": [len(text.split()) for text in texts],
            "seed": [None if i % 5 == 0 else f"prompt {i % 4}" for i in range(len(texts))],
        }
    )
    return Subset(table, np.array([1 + i % 3 for i in range(len(texts))], np.int64), SOURCES)


def are_one_species(subset: Subset, lens: Lens, i: int, j: int) -> bool:
    if i == j:
        return True
    left, right = (subset.table["text"][k].as_py() for k in (i, j))
    if lens is Lens.EXACT:
        return canonical_text(left) == canonical_text(right)
    if lens is Lens.SEED:
        return bool(subset.table["seed"][i].as_py() == subset.table["seed"][j].as_py())
    if lens is Lens.TEMPLATE:
        return bool(left.strip()) and skeleton(left) == skeleton(right)
    sets = shingle_sets(pa.array([canonical_text(left), canonical_text(right)], pa.large_string()))
    a, b = (set(sets.hashes[sets.offsets[k] : sets.offsets[k + 1]].tolist()) for k in (0, 1))
    same_text = canonical_text(left) == canonical_text(right)
    return same_text or (bool(a and b) and len(a & b) >= THRESHOLD * len(a | b))


@pytest.mark.parametrize("lens", [Lens.EXACT, Lens.NEAR, Lens.TEMPLATE, Lens.SEED])
def test_every_document_is_counted_as_brute_force_counts_it(lens: Lens) -> None:
    subset = made_subset()
    counted = count_documents(subset.documents, index_subset(subset, THRESHOLD, 7), lens)
    assert counted is not None
    assert counted.is_whole
    measured = [
        i
        for i in range(len(subset))
        if lens is not Lens.SEED
        or (subset.table["kind"][i].as_py() == "synthetic" and subset.table["seed"][i].as_py() is not None)
    ]
    assert counted.rows.tolist() == measured
    expected = np.zeros((len(measured), len(SOURCES)), np.int64)
    for (row, i), j in product(enumerate(measured), measured):
        if are_one_species(subset, lens, i, j):
            expected[row, subset.documents.source[j]] += subset.copies[j]
    assert (counted.multiplicity == expected).all()
    assert counted.documents.sum() == subset.copies[measured].sum()


def whole(subset: Subset, lens: Lens) -> Counted:
    counted = count_documents(subset.documents, index_subset(subset, THRESHOLD, 7), lens)
    assert counted is not None
    return counted


def test_numbers_of_a_subset_counted_whole_have_no_interval_and_are_those_of_its_species() -> None:
    subset = made_subset()
    scope = counted_scope(subset.documents, whole(subset, Lens.EXACT), [0, 1])
    assert scope is not None
    sizes: dict[str, int] = {}
    for text, copies in zip(subset.table["text"].to_pylist(), subset.copies.tolist(), strict=True):
        sizes[canonical_text(text)] = sizes.get(canonical_text(text), 0) + copies
    share = np.array(list(sizes.values())) / subset.copies.sum()
    expected = {
        Metric.DISTINCT_FRACTION: len(sizes) / subset.copies.sum(),
        Metric.DUPLICATE_FRACTION: share[share > 1.5 / subset.copies.sum()].sum(),
        Metric.HILL_1: np.exp(-(share * np.log(share)).sum()),
        Metric.HILL_2: 1 / (share**2).sum(),
    }
    for metric, value in expected.items():
        found = METRICS[metric](scope, 1.0)
        assert found.value == pytest.approx(value)
        assert found.low == pytest.approx(found.high)


def test_a_scope_counts_species_within_itself_and_an_absent_source_has_none() -> None:
    subset = made_subset()
    counted = whole(subset, Lens.EXACT)
    one, two, both = (counted_scope(subset.documents, counted, members) for members in ([0], [1], [0, 1]))
    assert one is not None
    assert two is not None
    assert both is not None
    assert one.documents + two.documents == both.documents
    fractions = [METRICS[Metric.DISTINCT_FRACTION](scope, 1.0).value * scope.documents for scope in (one, two, both)]
    assert fractions[0] + fractions[1] > fractions[2]  # some texts are in both
    assert counted_scope(subset.documents, counted, [2]) is None


def test_a_subset_that_is_too_large_is_probed_and_its_interval_holds_the_truth() -> None:
    subset = made_subset()
    indexes = index_subset(subset, THRESHOLD, 7)
    counted = count_documents(subset.documents, indexes, Lens.NEAR, seed=1, most_whole=40)
    assert counted is not None
    assert not counted.is_whole
    assert len(counted.rows) == 40
    full = whole(subset, Lens.NEAR)
    assert (counted.multiplicity == full.multiplicity[counted.rows]).all()


def test_a_lens_that_says_nothing_is_left_out() -> None:
    subset = made_subset()
    web = Subset(subset.table.set_column(3, "kind", pa.array(["web"] * len(subset))), subset.copies, SOURCES)
    assert count_documents(web.documents, index_subset(web, THRESHOLD, 7), Lens.SEED) is None
