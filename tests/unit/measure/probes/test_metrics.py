"""The metrics of a probe matrix: against counting, and the coverage of their intervals."""

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest

from polyculture.measure.probes.estimators import Scope, Stratum, pooled_mean, scope_of
from polyculture.measure.probes.heavy import Documents, heavy_species
from polyculture.measure.probes.metrics import METRICS, containment, containments, scale_curve, surprise
from polyculture.measure.probes.probe_matrix import ProbeMatrix, SourceProbes, Weighting
from polyculture.measure.probes.probes import StageCopies, choose_probes, choose_weighted_probes, split_probes
from schemas.measures import SPACE_METRICS, Metric

SOURCES, SEEDS = 2, 300


class Population:
    """A corpus whose multiplicities are all known; long documents are copied less."""

    def __init__(self, seed: int, documents: int) -> None:
        generator = np.random.default_rng(seed)
        sizes = np.minimum(generator.zipf(1.9, documents), 600)
        self.species = np.repeat(np.arange(documents), sizes)[:documents]
        self.source = (generator.random(documents) < 0.3).astype(np.int64)
        length = np.exp(generator.normal(4, 1.2, documents)) * sizes.astype(float) ** -0.5
        self.tokens = np.maximum(1, length).astype(np.int64)[self.species]
        self.id_hash = generator.integers(0, 2**63, documents).astype(np.uint64)
        self.counts = np.zeros((documents, SOURCES), np.int64)
        np.add.at(self.counts, (self.species, self.source), 1)
        ones = np.ones(documents, np.int64)
        self.documents = Documents(self.source, ones, self.tokens, self.id_hash, SOURCES)
        self.heavy = heavy_species(self.species, self.documents)
        self.is_heavy = self.heavy.has(self.species)

    def probes(self, weighting: Weighting, probes: int, seed: int) -> np.ndarray:
        if weighting is Weighting.TOKENS:
            return choose_weighted_probes(self.tokens, self.source, self.id_hash, probes, seed)
        return choose_probes(StageCopies("input", self.documents.copies), self.source, self.id_hash, probes, seed)

    def matrix(self, weighting: Weighting, probes: int, seed: int) -> ProbeMatrix:
        light, _ = split_probes(self.probes(weighting, probes, seed), self.is_heavy)
        rows = self.counts[self.species[light]]
        return ProbeMatrix(
            tuple(self.heavy.source_probes(i, rows[self.source[light] == i], weighting) for i in range(SOURCES)),
            self.documents.totals(Weighting.DOCUMENTS),
            self.documents.totals(weighting),
            weighting,
            is_partition=True,
        )

    def truth(self, members: list[int], weighting: Weighting) -> dict[str, float]:
        """Counted document by document."""
        sums: dict[str, float] = defaultdict(float)
        inside = np.isin(self.source, members)
        size = int(inside.sum())
        weight = (self.tokens if weighting is Weighting.TOKENS else np.ones_like(self.tokens))[inside]
        for m, w in zip(
            self.counts[self.species[inside]][:, members].sum(axis=1).tolist(), weight.tolist(), strict=True
        ):
            share = w / float(weight.sum())
            sums["distinct_fraction"] += share / m
            sums["duplicate_fraction"] += share * (m > 1)
            sums["duplicate_pairs"] += share * size * (m - 1) / 2
            sums["hill_0"] += share * size / m
            sums["log"] += share * np.log(size / m)
            sums["simpson"] += share * m / size
            sums["scale_surprise"] += share * ((1 - 0.99**m) / (0.01 * m) - 1 / m)
        return sums | {"hill_1": float(np.exp(sums["log"])), "hill_2": 1 / sums["simpson"]}


SMALL, LARGE = Population(1, 3_000), Population(2, 30_000)


@pytest.mark.parametrize("members", [[0], [0, 1]])
def test_what_is_drawn_whole_or_heavy_is_what_counting_gives(members: list[int]) -> None:
    truth = SMALL.truth(members, Weighting.DOCUMENTS)
    size = int((SMALL.counts[:, members]).sum())
    pairs = sum(int(m) * (int(m) - 1) // 2 for m in SMALL.counts[:, members].sum(axis=1))
    assert truth["duplicate_pairs"] == pytest.approx(pairs)
    assert truth["hill_0"] == pytest.approx((SMALL.counts[:, members].sum(axis=1) > 0).sum())
    heavy = SMALL.matrix(Weighting.DOCUMENTS, 5, 1)  # every species is: 1e-4 of 3,000 documents is less than one
    assert not any(source.sampled for source in heavy.probes)
    rows = SMALL.counts[SMALL.species]
    light = Scope(
        tuple(Stratum.of_light(rows[SMALL.source == i][:, members].sum(axis=1), heavy.documents[i]) for i in members),
        size,
    )
    for scope in (scope_of(heavy, members), light):
        for name, estimate in METRICS.items():
            found = estimate(scope, 0.01)
            assert found.value == pytest.approx(truth[name], rel=1e-9), name
            assert found.high - found.low <= 1e-9 * truth[name], name


def test_tokens_of_heavy_species_are_counted_by_source() -> None:
    matrix = SMALL.matrix(Weighting.TOKENS, 5, 1)
    for members in ([1], [0, 1]):
        truth = SMALL.truth(members, Weighting.TOKENS)
        for name, estimate in METRICS.items():
            assert estimate(scope_of(matrix, members), 0.01).value == pytest.approx(truth[name], rel=1e-9), name


@pytest.mark.parametrize("weighting", Weighting)
def test_intervals_of_every_metric_cover_what_counting_gives(weighting: Weighting) -> None:
    members = [0, 1]
    truth = LARGE.truth(members, weighting)
    inside = LARGE.counts[LARGE.species[LARGE.source == 0]]
    weight = LARGE.tokens[LARGE.source == 0] if weighting is Weighting.TOKENS else np.ones(len(inside))
    truth["containment"] = float(np.average(inside[:, 1] > 0, weights=weight))
    covered, width = dict.fromkeys(truth, 0), dict.fromkeys(truth, 0.0)
    for seed in range(SEEDS):
        matrix = LARGE.matrix(weighting, 400, seed)
        scope = scope_of(matrix, members)
        found = {name: estimate(scope, 0.01) for name, estimate in METRICS.items()}
        for name, estimate in (found | {"containment": containment(matrix, 0, 1)}).items():
            covered[name] += estimate.low <= truth[name] <= estimate.high
            width[name] += (estimate.high - estimate.low) / truth[name] / SEEDS
    for name in [*METRICS, "containment"]:
        # 95 % within four standard errors of 300 draws; half or twice the width is out of these bounds
        assert 0.9 <= covered[name] / SEEDS <= 0.99, (name, covered[name] / SEEDS)
        assert width[name] < 0.4, name


@pytest.mark.parametrize("weighting", Weighting)
def test_containment_in_many_sources_is_that_in_each(weighting: Weighting) -> None:
    matrix = LARGE.matrix(weighting, 400, 1)
    strata = matrix.probes[0].strata
    apart = [replace(part, rows=part.rows * [1, 0]) for part in strata]  # nothing of source 0 stands in source 1
    for probes in (strata, apart):
        changed = replace(matrix, probes=(replace(matrix.probes[0], strata=tuple(probes)), *matrix.probes[1:]))
        assert containments(changed, 0, [0, 1, 1]) == [containment(changed, 0, within) for within in (0, 1, 1)]
    assert containment(changed, 0, 1).value == 0.0 < containment(changed, 0, 1).high


def test_weighting_probes_by_documents_with_their_tokens_would_not_cover() -> None:
    truth = LARGE.truth([0, 1], Weighting.TOKENS)["distinct_fraction"]
    tokens, m = LARGE.tokens, LARGE.counts[LARGE.species].sum(axis=1)
    generator = np.random.default_rng(5)
    covered = 0
    for _ in range(SEEDS):
        drawn = generator.integers(0, len(m), 400)
        weight, values = tokens[drawn] / tokens[drawn].sum(), 1 / m[drawn]
        mean = weight @ values
        half = 1.96 * np.sqrt(weight @ (values - mean) ** 2 / 400)
        covered += mean - half <= truth <= mean + half
    assert covered / SEEDS < 0.9


def test_heavy_species_take_most_of_the_width_of_order_two() -> None:
    rows = LARGE.counts[LARGE.species].sum(axis=1)
    drawn = LARGE.probes(Weighting.DOCUMENTS, 400, 1)
    plain = METRICS["hill_2"](Scope.of_light([Stratum.of_light(rows[drawn], len(rows))]), 0.01)
    ours = METRICS["hill_2"](scope_of(LARGE.matrix(Weighting.DOCUMENTS, 400, 1), [0, 1]), 0.01)
    assert (ours.high - ours.low) < 0.1 * (plain.high - plain.low)


def test_the_scale_curve_at_once_is_each_trial_by_itself_and_ends_at_the_distinct_fraction() -> None:
    scope = scope_of(LARGE.matrix(Weighting.DOCUMENTS, 400, 3), [0, 1])
    fractions = [0.001, 0.03, 0.5, 1.0]
    curve = scale_curve(scope, fractions)
    for fraction, seen in zip(fractions, curve, strict=True):
        assert seen.model_dump() == pytest.approx(scale_curve(scope, [fraction])[0].model_dump())
    whole = METRICS["distinct_fraction"](scope, 0.03)
    assert curve[-1].model_dump() == pytest.approx(whole.model_dump())
    assert [seen.value for seen in curve] == sorted((seen.value for seen in curve), reverse=True)
    gap = METRICS["scale_surprise"](scope, 0.03).value
    assert gap == pytest.approx(curve[1].value - whole.value)


def test_doubling_a_corpus_does_not_raise_its_diversity() -> None:
    rows = np.repeat([[1], [3], [40]], [200, 150, 100], axis=0)
    one = Scope.of_light([Stratum.of_light(rows[:, 0], 10_000)])
    two = Scope.of_light([Stratum.of_light(2 * rows[:, 0], 20_000)])
    for order, factor in (("hill_0", 1), ("hill_1", 1), ("hill_2", 1), ("distinct_fraction", 0.5)):
        assert METRICS[order](two, 0.01).value == pytest.approx(factor * METRICS[order](one, 0.01).value)


def test_light_documents_without_a_probe_leave_room_and_no_documents_are_an_error() -> None:
    def matrix(heavy: np.ndarray, share: float) -> ProbeMatrix:
        none = np.empty((0, 1), np.int64)
        probes = SourceProbes.of_species(none, heavy, np.full(len(heavy), share), (100, 9_900), 50)
        sizes = np.array([10_000])
        return ProbeMatrix((probes,), sizes, sizes, Weighting.DOCUMENTS, True)

    scope = scope_of(matrix(np.array([[9_900]]), 0.99), [0])
    distinct = METRICS["distinct_fraction"](scope, 0.01)
    assert (distinct.low, distinct.high) == pytest.approx((0.99 / 9_900 + 0.01 / 50, 0.99 / 9_900 + 0.01))
    shared = METRICS["duplicate_fraction"](scope, 0.01)
    assert (shared.low, shared.high) == pytest.approx((0.99, 1.0))
    empty = scope_of(matrix(np.empty((0, 1), np.int64), 0.0), [0])
    for estimate in METRICS.values():
        with pytest.raises(ValueError, match="at least one probe"):
            estimate(empty, 0.01)


def test_the_rare_rule_knows_that_light_species_are_light() -> None:
    ones = np.ones(2_000, np.int64)
    bounded = Scope((Stratum(ones, 10**6, 10**6, most=100.0),), 10**6)
    unbounded = Scope.of_light([Stratum.of_light(ones, 10**6)])
    pairs = [METRICS["duplicate_pairs"](scope, 0.01).high for scope in (bounded, unbounded)]
    assert pairs[0] == pytest.approx(0.0018427 * 99 * 10**6 / 2, rel=1e-3)
    assert pairs[1] == pytest.approx(0.0018427 * 10**12 / 2, rel=1e-3)
    # of all multiplicities 250 would surprise a trial of 1 % most
    most = float(surprise(0.01)(np.arange(1.0, 10**4)).max())
    assert float(pooled_mean(unbounded, surprise(0.01)).high) == pytest.approx(0.0018427 * most, rel=1e-3)


def test_every_metric_of_an_expectation_about_a_scope_has_its_function() -> None:
    assert set(METRICS) == set(Metric) - {Metric.CONTAINMENT} - SPACE_METRICS
