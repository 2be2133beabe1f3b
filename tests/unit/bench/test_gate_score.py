"""Errors of the gate are counted as the page says."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from bench.gate.page import table
from bench.gate.score import (
    SHIPPED_BOUNDS,
    Extra,
    Kept,
    errors_of,
    judged,
    plateau,
    rate,
    roc,
    sweep,
    without,
)
from polyculture.gate.drawn import drawn_of
from polyculture.statistics.intervals import clopper_pearson
from schemas.measures import Stage
from tests.support.repetition import row_of

PROBES = 500
NEAR = {
    "name": "near",
    "scope": "all",
    "severity": "fail",
    "outcome": "pass",
    "observed": 0.99,
    "low": 0.98,
    "high": 1.0,
}


def kept(narrow: float, share: float, counts: Mapping[str, int | None], **facts: object) -> Kept:
    """A world of one source, a share of whose rows has some counts."""
    many = round(share * PROBES)
    rows = [row_of("distinct", "a", n, counts if n < many else {}) for n in range(PROBES)]
    drawn = drawn_of(pa.Table.from_pylist(rows), Stage.DISTINCT, {"a": 100})
    given = {"name": "w", "side": "narrow", "family": "f", "base": "b", "form": "", "doubtful": 0.0, "checks": [NEAR]}
    return Kept({**given, "narrow": narrow, **facts}, drawn)


def test_a_world_is_judged_by_its_rows_under_other_bounds() -> None:
    world = kept(0.2, 0.2, {"twins": 10})
    assert judged(world, SHIPPED_BOUNDS).verdict == "NO-GO"
    assert judged(world, replace(SHIPPED_BOUNDS, twins=16)).verdict == "GO"
    assert judged(world, replace(SHIPPED_BOUNDS, twins=16, meaning=0.9)).closing == {"meaning": "NO-GO"}


def test_what_was_not_read_is_unknown_and_only_if_nothing_fails() -> None:
    unread = kept(0.0, 0.5, {"twins": None, "alike": None}, side="healthy")
    assert judged(unread, SHIPPED_BOUNDS).closing == {"unread": "UNKNOWN"}
    failing = {**NEAR, "observed": 0.5, "low": 0.4, "high": 0.6}
    both = kept(0.0, 0.5, {"twins": None, "alike": None}, checks=[failing])
    assert judged(both, SHIPPED_BOUNDS).verdict == "NO-GO"


def test_checks_that_no_bound_moves_stay_as_they_were() -> None:
    check = {"name": "canary", "severity": "fail", "outcome": "fail", "observed": None}
    assert judged(kept(0.0, 0.0, {}, checks=[check]), SHIPPED_BOUNDS).closing == {"canary": "NO-GO"}


def test_a_further_cause_makes_documents_narrow() -> None:
    world = kept(0.2, 0.2, {"opening": 100, "alike": 20})
    assert judged(world, SHIPPED_BOUNDS).verdict == "GO"
    extra = Extra({"opening": 64, "alike": 16})
    assert judged(world, replace(SHIPPED_BOUNDS, extras=(extra,))).verdict == "NO-GO"
    assert str(extra) == "opening >= 64 and alike >= 16"


def test_borderline_worlds_are_counted_with_neither_side() -> None:
    worlds = [kept(0.2, 0.0, {}), kept(0.05, 0.0, {}), kept(0.0, 0.3, {"near": 9}, base="c"), kept(0.0, 0.0, {})]
    assert [world.truth for world in worlds] == ["narrow", "borderline", "healthy", "healthy"]
    assert errors_of(worlds, SHIPPED_BOUNDS).counts == (1, 0, 1, 0)


def test_worlds_of_one_corpus_are_one_trial() -> None:
    found = rate([("a", True), ("a", True), ("b", False), ("c", False)])
    assert (found.hits, found.worlds, found.corpora) == (2, 4, 3)
    assert (found.low, found.high) == pytest.approx(clopper_pearson(1, 3))


def test_a_plateau_ends_where_a_count_changes() -> None:
    worlds = [kept(0.2, 0.2, {"twins": 10}), kept(0.0, 0.2, {"twins": 5}, base="c")]
    found = sweep(worlds, SHIPPED_BOUNDS, "twins", (4, 6, 8, 10, 12))
    assert plateau(found, 8) == (6, 10)


def test_without_a_rule_it_never_closes() -> None:
    world = kept(0.5, 0.5, {"twins": 40})
    assert judged(world, without(SHIPPED_BOUNDS)["narrow"]).closing == {"meaning": "NO-GO"}
    assert judged(world, without(without(SHIPPED_BOUNDS)["narrow"])["meaning"]).verdict == "GO"


def test_the_area_under_a_curve_is_the_chance_that_a_narrow_world_scores_higher() -> None:
    narrow, healthy = [0.9, 0.5, 0.5], [0.1, 0.5]
    wanted = np.mean([(a > b) + 0.5 * (a == b) for a in narrow for b in healthy])
    assert roc(narrow, healthy)[2] == pytest.approx(wanted)


def test_tables_are_markdown() -> None:
    assert table(("a", "b"), [(1, 2)]) == "| a | b |\n|---|--:|\n| 1 | 2 |"
