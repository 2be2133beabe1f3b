import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import polyculture
from polyculture import ConfigError, PolycultureError, Run
from polyculture.evidence.evidence import read_profile
from polyculture.mixture.plan.plan_file import read_plan
from polyculture.mixture.plan.run_ledger import read_run_ledger
from polyculture.mixture.plan.what_if import what_if
from polyculture.shards.reader import ShardReader
from polyculture.storage.run_directory import RunDirectory, read_manifest
from schemas.measures import Lens, Stage
from schemas.profile import Profile
from schemas.what_if import WhatIfAnswer
from tests.conftest import Ended


@pytest.fixture(scope="module")
def run(finished: Path) -> Run:
    return polyculture.open_run(finished)


@pytest.fixture(scope="module")
def profile(finished: Path) -> Profile:
    directory = RunDirectory(finished)
    return read_profile(directory, read_manifest(directory))


def test_verdict_and_manifest_are_those_of_the_files(run: Run, finished: Path) -> None:
    assert run.path == finished
    assert run.verdict.verdict == json.loads((finished / "verdict.json").read_bytes())["verdict"]
    assert run.manifest == read_manifest(RunDirectory(finished))


def test_a_profile_holds_every_number_once(run: Run, profile: Profile) -> None:
    frame = run.profile()
    keys = ["stage", "lens", "weighting", "scope", "metric"]
    assert frame.select(keys).is_unique().all()
    assert frame.null_count().select(pl.exclude("kind")).sum_horizontal().item() == 0
    scope = profile.scope(Stage.INPUT, Lens.NEAR, "c")
    assert scope is not None
    row = frame.filter(
        stage="input", lens="near", weighting="documents", scope="c", metric="distinct_fraction"
    ).to_dicts()[0]
    assert {name: row[name] for name in ("value", "low", "high")} == scope.distinct_fraction.model_dump()
    assert row["kind"] == "synthetic"
    vector = profile.vector(Stage.MIXTURE, "all")
    assert vector is not None
    assert vector.scores is not None
    assert frame.filter(stage="mixture", scope="all", metric="rke")["value"].to_list() == [vector.scores.rke.value]
    lenses = set(frame["lens"])
    assert {scope.lens.value for scope in profile.scopes} | {"semantic"} == lenses


def test_a_scale_curve_ends_at_the_full_corpus(run: Run, profile: Profile) -> None:
    curve = run.scale_curve()
    assert curve.height == sum(len(scope.trials) for scope in profile.scopes)
    whole = curve.filter(pl.col("fraction") == 1).drop("fraction")
    numbers = run.profile().filter(metric="distinct_fraction").drop("metric")
    keys = ["stage", "lens", "weighting", "scope"]
    both = whole.join(numbers, on=keys, validate="1:1")
    assert both.height == whole.height == numbers.height
    for name in ("value", "low", "high"):
        assert both[name].to_list() == pytest.approx(both[f"{name}_right"].to_list())


def test_examples_are_the_largest_species_of_a_lens(run: Run) -> None:
    found = run.examples("near")
    assert found["documents"].to_list() == [6]
    assert found["sources"].to_list() == [[{"source": "c", "documents": 6}]]
    assert found["snippet"][0]
    assert found.rows() == run.examples().filter(lens="near").rows()
    with pytest.raises(ConfigError, match="lens: unknown lens 'nearly'; known: exact, near"):
        run.examples("nearly")


def test_removed_documents_are_those_of_the_account(run: Run) -> None:
    removed = run.removed()
    assert isinstance(removed, pl.LazyFrame)
    assert dict(removed.collect()["source"].value_counts().iter_rows()) == {"c": 40}


def test_shards_are_read_in_the_order_of_training(run: Run, finished: Path) -> None:
    reader = run.shards(columns=["document_id"])
    assert [*reader] == [*ShardReader(finished, columns=["document_id"])]
    assert reader.rows == 108


def test_a_what_if_is_what_the_command_answers(run: Run, finished: Path) -> None:
    result = run.what_if({"a": 2.0}, lenses=["near"])
    expected = what_if(read_run_ledger(finished).ledger, {"a": 2.0}, [Lens.NEAR])
    assert result.answer.mixture == expected
    assert result.sources().filter(source="a").select("rate", "own_rate").rows() == [(2.0, 1.0)]
    near = result.numbers().filter(metric="distinct_fraction").to_dicts()
    assert [row["value"] for row in near] == [expected.lenses[0].distinct_fraction.value]
    assert near[0]["own_value"] == 1.0
    assert "Epochs: a 2, b 1, c 1." in repr(result)


@pytest.mark.parametrize(
    ("shares", "tokens"),
    [
        ({"a": 0.5, "b": 0.3, "c": 0.2}, None),
        ({"a": 0.5, "b": 0.3, "c": 0.2}, 50_000),
        ({"a": 0, "b": 1, "c": 0}, 3_000),
        ({"c": 0.999, "b": 0.001, "a": 0.0}, None),
    ],
)
def test_a_what_if_of_shares_is_what_the_command_answers(
    run: Run, finished: Path, here: Callable[..., Ended], shares: dict[str, float], tokens: int | None
) -> None:
    result = run.what_if(shares=shares, tokens=tokens, weighting="tokens")
    found = {source.name: source.token_fraction for source in result.answer.mixture.sources}
    assert found == pytest.approx(shares)
    size = ["--tokens", str(tokens)] if tokens else []
    written = ",".join(f"{name}={share}" for name, share in shares.items())
    ended = here("what-if", finished, "--shares", written, *size, "--by", "tokens", "--json")
    assert WhatIfAnswer.model_validate_json(ended.stdout) == result.answer
    assert result.answer.mixture.tokens == pytest.approx(tokens or result.answer.mixture.tokens)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"shares": {"a": 1.0}}, "no share for b, c"),
        ({"shares": {"a": 0.5, "b": 0.5, "c": 0.5}}, "sum to 1.5"),
        ({"shares": {"a": 0.5, "b": 0.5, "z": 0}}, "unknown source 'z'"),
        ({"shares": {"a": 1, "b": 0, "c": 0}, "rates": {}}, "keep one"),
        ({"tokens": 100}, "leave it out"),
        ({"shares": {"a": 1, "b": 0, "c": 0}, "tokens": 0}, "tokens: wanted a number of at least 1; got 0"),
    ],
)
def test_shares_that_make_no_mixture_are_refused(run: Run, options: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        run.what_if(**options)


def test_a_plan_keeps_to_its_limits_and_is_bound_to_the_run(run: Run, finished: Path, tmp_path: Path) -> None:
    plan = run.plan("hill_2@exact", tokens=20_000, max_epochs=2, kinds={"web": 0.4}, sources={"c": (0.1, 0.2)})
    shares = {source.name: source.token_fraction for source in plan.answer.planned.best.sources}
    assert shares["a"] <= 0.4 + 1e-6
    assert 0.1 - 1e-6 <= shares["c"] <= 0.2 + 1e-6
    assert set(plan.rates) == {"a", "b", "c"}
    frontier = plan.frontier()
    assert frontier["moved_fraction"].round(9).is_sorted()
    assert frontier["objective"][-1] == pytest.approx(plan.answer.planned.best.objective)
    plan.save(tmp_path / "plan.json")
    assert read_plan(tmp_path / "plan.json", read_run_ledger(finished)) == plan.answer
    assert run.what_if(plan.rates).answer.mixture.tokens == pytest.approx(20_000)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"objectives": "hill_9"}, "hill_9"),
        ({"objectives": "hill_1@nearly"}, "objectives: unknown lens"),
        ({"tokens": 0}, "tokens: wanted a number of at least 1; got 0"),
        ({"max_epochs": 0}, "max_epochs: wanted a number above 0"),
        ({"kinds": {"webs": 0.1}}, "kinds: unknown kind 'webs'; known: web, expert, synthetic"),
        ({"sources": {"z": 0.1}}, "sources: unknown source 'z'; known: a, b, c"),
        ({"kinds": {"web": 1.1}}, "kinds: web: wanted a share"),
        ({"kinds": {"web": (0.5, 0.1)}}, "kinds: web: wanted a share"),
    ],
)
def test_what_cannot_be_planned_is_refused(run: Run, options: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        run.plan(**options)  # type: ignore[arg-type]


def test_rates_and_words_of_a_what_if_are_checked(run: Run) -> None:
    with pytest.raises(ConfigError, match="z"):
        run.what_if({"z": 1.0})
    with pytest.raises(ConfigError, match="weighting: unknown weighting 'bytes'; known: documents, tokens"):
        run.what_if({}, weighting="bytes")
    with pytest.raises(ConfigError, match="lenses: unknown lens"):
        run.what_if({}, lenses=["nearly"])


def test_it_shows_itself_within_80_columns_and_escaped(run: Run, finished: Path, tmp_path: Path) -> None:
    shown = [run, run.what_if({"c": 3}), run.plan(tokens=9000)]
    for result in shown:
        lines = repr(result).splitlines()
        assert len(lines) >= 4
        assert max(map(len, lines)) <= 80
        page = result._repr_html_()  # type: ignore[attr-defined]
        assert page.startswith('<div class="polyculture">')
        assert "<script" not in page
    assert "Run face: " in repr(run)
    name = "<script>alert(1)</script>\x1b[31m"
    renamed = Run(finished, run.manifest.model_copy(update={"name": name}), run.verdict)
    assert "<script" not in renamed._repr_html_()
    assert "\x1b" not in repr(renamed)


def test_what_is_no_finished_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not a finished run"):
        polyculture.open_run(tmp_path)
    with pytest.raises(ConfigError, match="not a local folder"):
        polyculture.open_run("s3://bucket/run")


def test_a_changed_byte_is_not_believed(finished: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(finished, copy)
    run = polyculture.open_run(copy)
    (copy / "removed" / "c.parquet").write_bytes(b"PAR1")
    with pytest.raises(PolycultureError, match=r"removed/c\.parquet is missing, or not the bytes"):
        run.removed()
    (copy / "ledger" / "header.json").unlink(missing_ok=True)
    for path in (copy / "ledger").glob("*.parquet"):
        path.write_bytes(b"PAR1")
    for call in (run.profile, run.scale_curve, run.examples, lambda: run.what_if({})):
        with pytest.raises(PolycultureError, match="polyculture verify"):
            call()
    assert "damaged" in repr(run)
    (copy / "manifest.json").write_bytes((copy / "manifest.json").read_bytes() + b"\n")
    with pytest.raises(PolycultureError, match="belongs to another manifest"):
        polyculture.open_run(copy)
    (copy / "manifest.json").write_text("{}")
    with pytest.raises(PolycultureError, match="damaged"):
        polyculture.open_run(copy)
