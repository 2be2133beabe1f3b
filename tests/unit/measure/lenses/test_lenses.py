"""Every lens is in every list that names lenses, or left out of it for a reason that stands beside it."""

from collections.abc import Collection
from pathlib import Path

import numpy as np
import pytest

from polyculture.canary import truth
from polyculture.gate import redundancy
from polyculture.measure.lenses.lens import EmbeddingLens, List, NeighbourLens, PartitionLens
from polyculture.measure.lenses.lenses import LENSES
from polyculture.measure.lenses.subset import Subset, index_subset
from schemas.measures import Lens
from schemas.top_up import COMPARED_LENSES
from tests.support.corpora import subset_table

LISTS: dict[List, Collection[Lens]] = {
    "truth of the canary": truth.LENSES,
    "largest species": redundancy.LENSES,
    "comparison of top-ups": COMPARED_LENSES,
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_names_every_lens_or_the_lens_says_why_not(name: List) -> None:
    for lens, definition in LENSES.items():
        assert (lens in LISTS[name]) is not (name in definition.left_out), lens
        assert definition.left_out.get(name, "why").strip()


def test_every_lens_is_defined_and_every_list_that_it_names_is_known() -> None:
    assert set(LENSES) == set(Lens)
    assert {name for definition in LENSES.values() for name in definition.left_out} <= set(LISTS)


def test_every_lens_but_those_of_embeddings_builds_what_it_counts_in() -> None:
    table = subset_table(["one two three", "One two  three", "four five six", "one two four"])
    indexes = index_subset(Subset(table, np.ones(4, np.int64), ("made",)), 0.8, seed=1)
    for lens, definition in LENSES.items():
        if isinstance(definition, PartitionLens):
            index = indexes.species(lens)
            assert index.species.shape == index.applies.shape == (4,)
        elif isinstance(definition, NeighbourLens):
            assert callable(indexes.neighbours(lens).join)
        else:
            assert isinstance(definition, EmbeddingLens)
            assert lens not in indexes.built
    assert indexes.species(Lens.EXACT).species.tolist() == [0, 0, 1, 2]


def test_a_lens_lies_in_one_file() -> None:
    folder = Path(truth.__file__).parents[1] / "measure" / "lenses"
    for definition in LENSES.values():
        if not isinstance(definition, EmbeddingLens):
            build = getattr(definition.build, "func", definition.build)
            assert (folder / f"{build.__module__.rpartition('.')[2]}.py").is_file()
            assert build.__module__.startswith("polyculture.measure.lenses.")
