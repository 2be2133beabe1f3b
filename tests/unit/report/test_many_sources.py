"""Two hundred sources: a page and a JSON that can be opened, and nothing that is left out in silence."""

import io
import itertools
import json
import re
from functools import cache
from typing import Any

import pyarrow.parquet as pq
import pytest

from polyculture.report import abridge
from polyculture.report.containment import MOST_DRAWN, containment_heatmap, drawn_sources
from polyculture.report.render import render_report
from polyculture.report.tables import CONTAINMENTS, SCHEMAS, SCOPES, TRIALS
from schemas.ledger import Weighting
from schemas.measures import Lens, Stage
from schemas.profile import Profile
from tests.unit.report.fakes import THREE, Case, a_case, a_file, many

SOURCES = 200
LENSES = (*Lens,)


@cache
def wide_case() -> Case:
    """Two hundred sources through every lens, at every stage, by documents and by tokens."""
    case = a_case(many(SOURCES))
    near = [scope for scope in case.profile.scopes if scope.lens is Lens.NEAR]
    pairs = [pair for pair in case.profile.containments if pair.lens is Lens.NEAR]
    scopes = [
        scope.model_copy(update={"lens": lens, "weighting": weighting})
        for lens, weighting in itertools.product(LENSES, Weighting)
        for scope in near
    ]
    containments = [pair.model_copy(update={"lens": lens}) for lens in LENSES for pair in pairs]
    profile = case.profile.model_copy(update={"scopes": scopes, "containments": containments})
    return Case(case.manifest, profile, case.verdict)


@cache
def rendered() -> dict[str, bytes]:
    case = wide_case()
    return render_report(case.manifest, case.profile, case.verdict)


def held() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(rendered()["report.json"])
    return loaded


def table(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(io.BytesIO(rendered()[name])).to_pylist()
    return rows


def test_page_and_json_of_two_hundred_sources_can_be_opened() -> None:
    assert len(rendered()["index.html"]) < 3_000_000
    assert len(rendered()["report.json"]) < 5_000_000
    assert sum(map(len, rendered().values())) < 12_000_000


def test_what_the_json_leaves_out_is_counted_and_has_its_place() -> None:
    profile, found = wide_case().profile, held()
    left_out = found["left_out"]
    assert left_out["containments"]["entries"] + len(found["profile"]["containments"]) == len(profile.containments)
    assert left_out["scopes"]["entries"] + len(found["profile"]["scopes"]) == len(profile.scopes)
    trials = [sum(len(s["trials"]) for s in found["profile"]["scopes"]), sum(len(s.trials) for s in profile.scopes)]
    assert left_out["trials"]["entries"] == trials[1] - trials[0]
    files = {f"report/{name}" for name in rendered()}
    assert {left_out[name]["file"] for name in ("containments", "scopes", "trials")} <= files


def test_the_tables_hold_every_number() -> None:
    profile = wide_case().profile
    assert {name: pq.read_schema(io.BytesIO(rendered()[name])) for name in SCHEMAS} == SCHEMAS
    pairs = [
        (p.stage, p.lens, p.of, p.within, p.containment.value, p.containment.low, p.containment.high)
        for p in profile.containments
    ]
    assert [tuple(row.values()) for row in table(CONTAINMENTS)] == pairs
    for scope, row in zip(profile.scopes, table(SCOPES), strict=True):
        assert (row["stage"], row["lens"], row["weighting"], row["scope"], row["kind"]) == (
            scope.stage,
            scope.lens,
            scope.weighting,
            scope.scope,
            scope.kind,
        )
        assert (row["documents"], row["hill_1"], row["scale_surprise_low"]) == (
            scope.documents,
            scope.hill_1.value,
            scope.scale_surprise.low,
        )
    trials = [(s.scope, t.fraction, t.distinct_fraction.high) for s in profile.scopes for t in s.trials]
    assert [(r["scope"], r["fraction"], r["distinct_fraction_high"]) for r in table(TRIALS)] == trials


def test_what_matters_stays_in_the_json() -> None:
    profile, shown = wide_case().profile, Profile.model_validate(held()["profile"])
    for stage, lens in itertools.product(Stage, Lens):
        every = sorted(c.containment.value for c in profile.containments if (c.stage, c.lens) == (stage, lens))[::-1]
        mine = sorted(c.containment.value for c in shown.containments if (c.stage, c.lens) == (stage, lens))[::-1]
        assert mine == every[: len(mine)]
        assert len(mine) > 100
        for weighting in Weighting:
            assert shown.scope(stage, lens, "all", weighting) == profile.scope(stage, lens, "all", weighting)
            assert shown.scope(stage, lens, "synthetic", weighting) is not None
    judged = Stage(wide_case().verdict.judged)
    for name in (source.name for source in many(SOURCES)):
        scope = shown.scope(judged, Lens.NEAR, name)
        assert scope is not None
        assert [round(t.fraction, 6) for t in scope.trials] == [0.001, 0.01, 0.1, 1.0]
        assert scope.trial(0.01) == profile.scope(judged, Lens.NEAR, name).trial(0.01)  # type: ignore[union-attr]


def test_the_page_draws_the_sources_of_the_strongest_pairs_and_says_so() -> None:
    profile = wide_case().profile
    names = [source.name for source in many(SOURCES)]
    drawn, measured = drawn_sources(profile, Stage.INPUT, names)
    assert (len(drawn), measured) == (MOST_DRAWN, SOURCES)
    assert drawn == [name for name in names if name in drawn]
    strongest = min(
        (c for c in profile.containments if (c.stage, c.lens) == (Stage.INPUT, Lens.NEAR)),
        key=lambda c: (-c.containment.value, c.of, c.within),
    )
    assert {strongest.of, strongest.within} <= set(drawn)
    page = rendered()["index.html"].decode()
    assert f"Drawn are the {MOST_DRAWN} of {SOURCES} sources with the strongest pairs" in page
    assert "containments.parquet" in page
    assert all(page.count(f'<th scope="row">{name}</th>') >= 4 for name in names)


def test_few_sources_are_all_drawn_and_nothing_is_left_out() -> None:
    case = a_case(THREE)
    found = render_report(case.manifest, case.profile, case.verdict)
    loaded = json.loads(found["report.json"])
    assert loaded["left_out"] == {}
    assert Profile.model_validate(loaded["profile"]) == case.profile
    assert "Drawn are the" not in found["index.html"].decode()
    names = [source.name for source in THREE]
    assert drawn_sources(case.profile, Stage.INPUT, names) == (names, 3)


def test_sources_that_repeat_nothing_are_drawn_by_what_they_repeat_of_themselves() -> None:
    case = a_case(many(MOST_DRAWN + 5))
    zero = case.profile.containments[0].containment.model_copy(update={"value": 0.0, "low": 0.0})
    pairs = [pair.model_copy(update={"containment": zero}) for pair in case.profile.containments]
    profile = case.profile.model_copy(update={"containments": pairs})
    names = [source.name for source in many(MOST_DRAWN + 5)]
    drawn, _ = drawn_sources(profile, Stage.INPUT, names)
    own = {s.scope: s.duplicate_fraction.value for s in profile.scopes if (s.stage, s.lens) == (Stage.INPUT, Lens.NEAR)}
    assert min(own[name] for name in drawn) >= max(own[name] for name in names if name not in drawn)
    figure = containment_heatmap(profile, Stage.INPUT, names)
    assert figure is not None
    assert len(re.findall(r"crawl_|textbooks_|generated_", figure.svg)) == 2 * MOST_DRAWN


def test_of_many_files_those_with_trouble_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    case = a_case(THREE)
    monkeypatch.setattr(abridge, "MOST_FILES", 6)
    files = [a_file(f"f{number}", 10, bad=number % 2) for number in range(8)]
    accounts = [account.model_copy(update={"files": files}) for account in case.manifest.conservation]
    found = abridge.abridge(case.profile, accounts, Stage.MIXTURE)
    assert [[file.name for file in account.files] for account in found.conservation] == [["f1", "f3"]] * 3
    assert found.left_out["files"] == {
        "entries": 18,
        "held": "of each source the first 2 with trouble",
        "file": "manifest.json",
    }
