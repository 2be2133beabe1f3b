from dataclasses import fields, replace

import numpy as np
from numpy.typing import NDArray

from polyculture.encoders.encoder import from_fixed_point, to_fixed_point
from polyculture.measure.vectors.cells import cell_of, fit_cells
from polyculture.measure.vectors.moments import second_moment
from polyculture.measure.vectors.vendi import spectrum, vendi_score
from polyculture.top_up.choose import (
    Candidates,
    ReferenceCells,
    Wish,
    choose_at_random,
    choose_broadest,
    lacking_tokens,
)

DIMENSIONS = 32


def topic_vectors(generator: np.random.Generator, topics: NDArray[np.int64]) -> NDArray[np.int16]:
    """Unit vectors around the axis of each document's topic."""
    vectors = np.eye(DIMENSIONS)[topics] + 0.05 * generator.standard_normal((len(topics), DIMENSIONS))
    return to_fixed_point((vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32))


def setting(seed: int = 1) -> tuple[Candidates, NDArray[np.int64], NDArray[np.int16]]:
    """A mixture of topics 0-3, and candidates of which one in ten is of topics 4-31."""
    generator = np.random.default_rng(seed)
    old = topic_vectors(generator, generator.integers(0, 4, 2000))
    is_new = generator.random(3000) < 0.1
    topics = np.where(is_new, generator.integers(4, DIMENSIONS, 3000), generator.integers(0, 4, 3000))
    ids = generator.integers(0, 2**63, 3000).astype(np.uint64)
    candidates = Candidates(
        topic_vectors(generator, topics),
        generator.integers(10, 100, 3000),
        generator.integers(0, 2, 3000),
        ids,
        np.arange(3000) % 3,
    )
    return candidates, topics, old


def broadness(old: NDArray[np.int16], added: NDArray[np.int16]) -> float:
    return vendi_score(spectrum((second_moment(old) + second_moment(added)).density()))


def test_it_broadens_more_than_chance_and_within_the_budget() -> None:
    candidates, topics, old = setting()
    wish = Wish(budget_tokens=10_000, most_tokens={}, seed=3)
    best = choose_broadest(candidates, second_moment(old), None, wish)
    random = choose_at_random(candidates, wish)
    for chosen in (best, random):
        assert 10_000 - 32 * 100 < candidates.tokens[chosen].sum() <= 10_000
    assert (topics[best] >= 4).mean() > 0.95
    assert (topics[random] >= 4).mean() < 0.3
    assert len(np.unique(topics[best])) > 24  # all new topics, not one of them many times
    assert broadness(old, candidates.vectors[best]) > 1.2 * broadness(old, candidates.vectors[random])


def test_limits_of_kinds_hold_and_the_unmeasured_stay_out() -> None:
    candidates, _, old = setting()
    vectors = candidates.vectors.copy()
    vectors[::7] = 0
    candidates = replace(candidates, vectors=vectors)
    wish = Wish(budget_tokens=10_000, most_tokens={1: 1_000}, seed=3)
    for chosen in (choose_broadest(candidates, second_moment(old), None, wish), choose_at_random(candidates, wish)):
        assert 800 < candidates.tokens[chosen & (candidates.kind == 1)].sum() <= 1_000
    assert not choose_broadest(candidates, second_moment(old), None, wish)[::7].any()


def test_limits_of_sources_hold_and_what_they_leave_lacking_is_told() -> None:
    candidates, _, old = setting()
    there = [int(candidates.tokens[candidates.source == source].sum()) for source in range(3)]
    wish = Wish(budget_tokens=10**6, most_tokens={}, seed=3, most_tokens_of_source={0: 1_000, 1: 2_000})
    for chosen in (choose_broadest(candidates, second_moment(old), None, wish), choose_at_random(candidates, wish)):
        taken = np.bincount(candidates.source[chosen], candidates.tokens[chosen])
        assert 900 < taken[0] <= 1_000
        assert 1_900 < taken[1] <= 2_000
        assert taken[2] == there[2]
    assert lacking_tokens(candidates, wish) == 10**6 - 3_000 - there[2]
    unlimited = Wish(budget_tokens=sum(there), most_tokens={}, seed=3)
    assert lacking_tokens(candidates, unlimited) == 0
    assert lacking_tokens(candidates, replace(unlimited, budget_tokens=sum(there) + 7)) == 7


def test_a_document_that_is_too_long_does_not_keep_the_others_out() -> None:
    candidates, topics, old = setting()
    tokens = candidates.tokens.copy()
    tokens[topics >= 4] = 10**6  # the newest ones
    candidates = replace(candidates, tokens=tokens)
    wish = Wish(budget_tokens=5_000, most_tokens={0: 2_000}, seed=3)
    for chosen in (choose_broadest(candidates, second_moment(old), None, wish), choose_at_random(candidates, wish)):
        assert 4_800 < candidates.tokens[chosen].sum() <= 5_000


def test_cells_that_the_mixture_lacks_are_filled_first() -> None:
    candidates, topics, old = setting()
    generator = np.random.default_rng(9)
    reference = from_fixed_point(topic_vectors(generator, generator.integers(0, 8, 800)))  # topics 8-31 are no goal
    centres = fit_cells(reference, 8)
    counts = [np.bincount(cell_of(x, centres), minlength=8) for x in (reference, from_fixed_point(old))]
    wish = Wish(budget_tokens=1_500, most_tokens={}, seed=3)
    without = choose_broadest(candidates, second_moment(old), None, wish)
    aimed = choose_broadest(candidates, second_moment(old), ReferenceCells(centres, *counts), wish)
    wanted = (topics >= 4) & (topics < 8)
    assert wanted[aimed].mean() > 2 * wanted[without].mean() > 0


def test_the_order_of_the_candidates_does_not_matter() -> None:
    candidates, _, old = setting()
    wish = Wish(budget_tokens=5_000, most_tokens={0: 2_000}, seed=3)
    order = np.random.default_rng(4).permutation(3000)
    turned = Candidates(*(getattr(candidates, part.name)[order] for part in fields(candidates)))
    chosen = choose_broadest(candidates, second_moment(old), None, wish)
    assert (choose_broadest(turned, second_moment(old), None, wish) == chosen[order]).all()
