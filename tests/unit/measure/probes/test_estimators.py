import numpy as np
import pytest
from numpy.typing import NDArray

from polyculture.measure.probes.estimators import Scope, Stratum, pooled_mean, pooled_share
from polyculture.measure.probes.metrics import inverse_multiplicity, surprise, trial_distinct
from polyculture.measure.probes.probes import StageCopies, choose_probes
from polyculture.statistics.intervals import share_interval
from polyculture.storage.hashing import seeded_hash

REPETITIONS = 1500


def population(name: str, generator: np.random.Generator) -> NDArray[np.int64]:
    """Multiplicity of every document of a population of known truth."""
    sizes = {
        "heavy_tailed": np.minimum(generator.zipf(1.8, 20_000), 2_000),
        "few_seeds": np.full(1_000, 40),
        "near_unique": np.concatenate([np.ones(38_800, np.int64), np.full(400, 3)]),
        "unique_but_for_one_species": np.concatenate([np.ones(38_960, np.int64), [40]]),
        "mixed": np.concatenate([np.ones(20_000, np.int64), np.full(3_000, 4), np.full(40, 300)]),
    }[name]
    return np.repeat(sizes, sizes)


@pytest.mark.parametrize("name", ["heavy_tailed", "few_seeds", "near_unique", "unique_but_for_one_species", "mixed"])
@pytest.mark.parametrize("g", [inverse_multiplicity, trial_distinct(0.01), surprise(0.01)])
def test_intervals_cover_the_truth(name: str, g) -> None:  # type: ignore[no-untyped-def]  # a function of a parametrised list
    generator = np.random.default_rng(7)
    m = population(name, generator)
    truth = float(g(m.astype(float)).mean())
    covered = 0
    for _ in range(REPETITIONS):
        probes = generator.choice(m, 1_000, replace=False, shuffle=False)
        estimate = pooled_mean(Scope.of_light([Stratum.of_light(probes, len(m))]), g)
        covered += estimate.low - 1e-12 <= truth <= estimate.high + 1e-12
    assert covered / REPETITIONS >= 0.92, f"{covered / REPETITIONS:.3f} of the 95 % intervals hold {truth:.4f}"


def test_pooled_intervals_cover_the_truth_over_unequal_strata() -> None:
    generator = np.random.default_rng(8)
    strata = [
        population("heavy_tailed", generator),
        population("few_seeds", generator)[:8_000],
        np.ones(2_000, np.int64),
    ]
    truth = float((1 / np.concatenate(strata)).mean())
    share = float((np.concatenate(strata) > 1).mean())
    covered = covered_share = 0
    for _ in range(REPETITIONS):
        drawn = Scope.of_light(
            [Stratum.of_light(generator.choice(m, 500, replace=False, shuffle=False), len(m)) for m in strata]
        )
        estimate, duplicates = pooled_mean(drawn, inverse_multiplicity), pooled_share(drawn)
        covered += estimate.low <= truth <= estimate.high
        covered_share += duplicates.low <= share <= duplicates.high
    assert covered / REPETITIONS >= 0.92
    assert covered_share / REPETITIONS >= 0.92


@pytest.mark.parametrize("rate", [0.0, 0.0005, 0.02, 0.5, 1.0])
def test_share_intervals_cover_the_truth(rate: float) -> None:
    generator = np.random.default_rng(9)
    hits = generator.binomial(2_000, rate, REPETITIONS)
    found = [share_interval(int(h), 2_000, 10**7) for h in hits]
    assert np.mean([e.low <= rate <= e.high for e in found]) >= 0.92


def test_an_all_unique_sample_still_leaves_room_for_what_it_did_not_see() -> None:
    estimate = pooled_mean(Scope.of_light([Stratum.of_light(np.ones(2_000, np.int64), 10**6)]), inverse_multiplicity)
    assert estimate.value == 1
    assert 0.99 < estimate.low < 1


def test_what_was_counted_whole_has_no_interval() -> None:
    estimate = pooled_mean(Scope.of_light([Stratum.of_light(np.array([1, 1, 2, 2]), 4)]), inverse_multiplicity)
    assert (estimate.value, estimate.low, estimate.high) == (0.75, 0.75, 0.75)


@pytest.mark.parametrize("strata", [[], [Stratum.of_light(np.empty(0, np.int64), 5)]])
def test_no_probes_is_an_error_and_no_number(strata: list[Stratum]) -> None:
    with pytest.raises(ValueError, match="at least one probe"):
        pooled_mean(Scope.of_light(strata), inverse_multiplicity)


@pytest.mark.parametrize(
    ("fraction", "distinct"),
    [(5e-5, 0.9975), (5e-4, 0.9756), (0.005, 0.7885), (0.0175, 0.4737), (0.05, 0.1988), (1.0, 0.01)],
)
def test_the_scale_curve_gives_finewebs_published_duplicate_simulation(fraction: float, distinct: float) -> None:
    # FineWeb blog post, duplicates simulation: 1 B to 20 T tokens of a pool of 20 T in buckets of 100 copies.
    assert float(trial_distinct(fraction)(np.array([100.0]))[0]) == pytest.approx(distinct, abs=2.5e-4)


def test_the_scale_curve_is_what_trials_see() -> None:
    generator = np.random.default_rng(3)
    sizes = np.minimum(generator.zipf(1.7, 3_000), 500)
    species = np.repeat(np.arange(len(sizes)), sizes)
    m = sizes[species]
    seen = [
        len(np.unique(drawn)) / len(drawn)
        for drawn in (species[generator.random(len(species)) < 0.05] for _ in range(300))
    ]
    assert float(trial_distinct(0.05)(m.astype(float)).mean()) == pytest.approx(np.mean(seen), rel=0.01)


def test_probes_do_not_depend_on_the_order_of_the_corpus_and_nest() -> None:
    generator = np.random.default_rng(1)
    ids = generator.integers(0, 2**63, 5_000).astype(np.uint64)
    source = generator.integers(0, 3, 5_000)
    copies = generator.integers(0, 3, 5_000)
    shuffle = generator.permutation(5_000)
    few = choose_probes(StageCopies("mixture", copies), source, ids, 100, seed=4)
    same = choose_probes(StageCopies("mixture", copies[shuffle]), source[shuffle], ids[shuffle], 100, seed=4)
    more = choose_probes(StageCopies("mixture", copies), source, ids, 200, seed=4)
    assert ids[few].tolist() == ids[shuffle][same].tolist()
    assert set(ids[few]) <= set(ids[more])
    assert np.bincount(source[few]).tolist() == [100, 100, 100]
    assert (copies[few] > 0).all()


def test_seeded_hashes_are_uniform_and_differ_by_stream() -> None:
    ids = np.arange(100_000, dtype=np.uint64)
    hashes = seeded_hash(ids, 1, 1)
    assert abs(np.mean(hashes < 2**63) - 0.5) < 0.01
    assert abs(np.corrcoef(hashes.astype(float), seeded_hash(ids, 1, 2).astype(float))[0, 1]) < 0.02
    assert hashes.tolist()[:3] == seeded_hash(ids[:3], 1, 1).tolist()
