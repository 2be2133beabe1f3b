import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from polyculture.measure.probes.species import SeedSpecies, fan_out, seed_species, species_numbers


def brute_force(keys: list[tuple[int, int]]) -> list[int]:
    numbers: dict[object, int] = {}
    result = []
    for row, key in enumerate(keys):
        name: object = key if key != (0, 0) else f"row {row}"
        result.append(numbers.setdefault(name, len(numbers)))
    return result


def as_keys(keys: list[tuple[int, int]]) -> NDArray[np.uint64]:
    return np.array(keys, np.uint64).reshape(-1, 2)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([0, 1, 2, 2**64 - 1]), st.sampled_from([0, 1, 2**63])), max_size=30))
def test_equal_keys_are_one_species_and_rows_without_a_key_are_alone(keys: list[tuple[int, int]]) -> None:
    assert species_numbers(as_keys(keys)).tolist() == brute_force(keys)


def test_the_partition_does_not_depend_on_the_order() -> None:
    generator = np.random.default_rng(1)
    keys = generator.integers(0, 40, (3000, 2)).astype(np.uint64)
    order = generator.permutation(3000)
    species, shuffled = species_numbers(keys)[order], species_numbers(keys[order])
    pairs = set(zip(species.tolist(), shuffled.tolist(), strict=True))
    assert len(pairs) == len(set(species.tolist())) == len(set(shuffled.tolist()))
    assert shuffled.max() == len(pairs) - 1


def seeds_of_three_sources() -> tuple[SeedSpecies, NDArray[np.int64], NDArray[np.bool_]]:
    seeds = pa.array(["p1", "p1", "p2", None, "", "p1", "p3", "p3", "p3", "p1"])
    source = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1, 2])
    is_synthetic = source < 2
    return seed_species(seeds, is_synthetic), source, is_synthetic


def test_a_seed_is_one_species_across_synthetic_sources() -> None:
    found, _, _ = seeds_of_three_sources()
    assert found.species.tolist() == [0, 0, 1, 2, 3, 0, 4, 4, 4, 5]
    assert found.without_seed == 2
    assert found.is_measured.sum() == 7


def test_fan_out_counts_answers_per_prompt_and_what_is_unmeasured() -> None:
    found, source, is_synthetic = seeds_of_three_sources()
    first, second, web = fan_out(found, source, is_synthetic, [0, 1, 2])
    assert (first.documents, first.prompts, first.without_seed, first.mean) == (3, 2, 2, 1.5)
    assert (second.documents, second.prompts, second.without_seed, second.largest) == (4, 2, 0, 3)
    assert (second.median, second.quantile_95) == (1, 3)
    assert (web.documents, web.prompts, web.without_seed, web.mean, web.largest) == (0, 0, 0, 0.0, 0)


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.null()])
def test_seeds_of_any_string_type_and_none_at_all_are_read(kind: pa.DataType) -> None:
    values = [None, None] if kind == pa.null() else ["a", "a"]
    found = seed_species(pa.array(values, kind), np.array([True, True]))
    assert len(set(found.species.tolist())) == (2 if kind == pa.null() else 1)
    assert len(seed_species(pa.array([], pa.string()), np.zeros(0, np.bool_)).species) == 0
