"""`polyculture what-if` and `plan` as processes, on a small finished run."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from polyculture.errors import ConfigError
from polyculture.evidence.evidence import read_profile
from polyculture.mixture.plan.plan_file import read_plan
from polyculture.mixture.plan.run_ledger import read_run_ledger
from polyculture.storage.run_directory import RunDirectory, read_manifest
from schemas.measures import Lens, Stage
from schemas.planned import PlanFile
from schemas.what_if import WhatIfAnswer
from tests.conftest import Command, Ended
from tests.support.corpora import expanded_texts, three_kinds, unique_texts, write_config, write_jsonl_gz
from tests.support.processes import ROOT


@pytest.fixture(scope="session")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run whose mixture repeats two sources, and has lasting duplicates."""
    folder = tmp_path_factory.mktemp("mixed")
    config = three_kinds(folder, expanded_texts(40, 10, 5))
    # also in the expert source: removed by no lens, since both only measure
    write_jsonl_gz(folder / "pages.jsonl.gz", unique_texts(300, 1) + unique_texts(200, 2)[:60])
    config["dedupe"] = {"exact": {"action": "measure"}, "near": {"action": "measure"}}
    config["mixture"] = {"rates": {"pages": 2, "samples": 3}}  # whole, so that no draw scatters about what is expected
    result = Command()("run", write_config(folder, config), "--out", folder / "run")
    assert result.returncode in (0, 3), result.stdout + result.stderr
    return folder / "run"


def test_the_runs_own_mixture_is_as_its_profile_counts_it(mixed: Path, here: Callable[..., Ended]) -> None:
    result = here("what-if", mixed, "--rates", "pages=1,samples=1,solutions=1", "--json")
    assert result.returncode == 0, result.stderr
    answer = WhatIfAnswer.model_validate_json(result.stdout)
    assert json.loads(result.stdout) == json.loads(answer.model_dump_json())
    manifest = read_manifest(RunDirectory(mixed))
    profile = read_profile(RunDirectory(mixed), manifest)
    assert manifest.plan is not None
    assert answer.own.tokens == manifest.plan.tokens
    assert len(answer.own.lenses) >= 4
    for lens in answer.own.lenses:
        counted = profile.scope(Stage.MIXTURE, lens.lens, "all")
        assert counted is not None
        for metric in ("distinct_fraction", "duplicate_fraction", "duplicate_pairs", "hill_0", "hill_1", "hill_2"):
            mine, theirs = getattr(lens, metric), getattr(counted, metric)
            # rounding apart: what was counted whole has intervals of no width
            assert mine.low <= theirs.high * (1 + 1e-9), (lens.lens, metric)
            assert theirs.low <= mine.high * (1 + 1e-9), (lens.lens, metric)
    at_one = profile.scope(Stage.DISTINCT, Lens.NEAR, "all")
    found = answer.mixture.lens(Lens.NEAR)
    assert at_one is not None
    assert found is not None
    assert found.distinct_fraction.value == pytest.approx(at_one.distinct_fraction.value)
    assert found.hill_1.value == pytest.approx(at_one.hill_1.value)


def test_a_person_sees_every_lens_beside_the_runs_own(mixed: Path, command: Command) -> None:
    result = command("what-if", mixed, "--rates", "pages=0.5", "--lens", "near", "--lens", "exact")
    assert result.returncode == 0, result.stderr
    for words in (
        "the run's own",
        "near",
        "exact",
        "one epoch more of",
        "a 0.01 trial, mixed afresh",
        "a 0.01 sample of the stream",
        "Hill 1",
    ):
        assert words in result.stdout
    assert result.stdout.count("one epoch more of") == 2  # a table each, of these lenses alone
    assert "Rate 1, since not named in --rates: samples, solutions." in result.stdout


def test_a_plan_is_bound_to_its_run(mixed: Path, command: Command, here: Callable[..., Ended], tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    limits = ("--kind", "synthetic<=0.2", "--source", "pages>=0.1", "--lens", "exact", "--tokens", "200000")
    result = command("plan", mixed, *limits, "--out", path, "--json")
    assert result.returncode == 0, result.stderr
    plan = PlanFile.model_validate_json(result.stdout)
    assert plan.planned.certainty == "global"
    assert next(s for s in plan.planned.best.sources if s.name == "samples").token_fraction <= 0.2 + 1e-9
    run = read_run_ledger(mixed)
    assert read_plan(path, run) == plan
    path.write_text(path.read_text().replace(plan.manifest_sha256, "0" * 64))
    with pytest.raises(ConfigError, match="another run or another state of it"):
        read_plan(path, run)
    shown = here("plan", mixed, "--objective", "distinct_fraction", "--tokens", "20000")
    assert shown.returncode == 0, shown.stderr
    for words in ("Maximise distinct_fraction of near species, 20,000 tokens", "Held by:", "In a configuration:"):
        assert words in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("what-if", "--rates", "page=1"), "unknown source 'page'; known: pages, samples, solutions"),
        (("what-if", "--rates", "pages=-1"), "pages: -1 is no rate"),
        (("what-if", "--rates", "pages=0,samples=0,solutions=0"), "would be empty"),
        (("plan", "--max-epochs", "0"), "--max-epochs: 0 is not"),
        (("plan", "--lens", "exact", "--tokens", "900000000"), "no mixture meets the budget within these limits"),
        (("plan", "--kind", "web<=0.1", "--kind", "expert<=0.1", "--kind", "synthetic<=0.1"), "kind web: max_fraction"),
        (("plan", "--lens", "seed"), "says nothing about documents of pages"),
    ],
)
def test_what_cannot_be_is_refused_in_words(
    arguments: tuple[str, ...], words: str, mixed: Path, here: Callable[..., Ended]
) -> None:
    result = here(arguments[0], mixed, *arguments[1:])
    assert result.returncode == 2, result.stdout + result.stderr
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def test_a_damaged_ledger_is_not_believed(mixed: Path, here: Callable[..., Ended], tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(mixed, run)
    heavy = run / "ledger" / "heavy.parquet"
    heavy.write_bytes(heavy.read_bytes() + b"x")
    for name in ("what-if", "plan"):
        result = here(name, run)
        assert result.returncode == 1
        assert "ledger/heavy.parquet is missing, or not the bytes" in result.stderr
        assert here(name, tmp_path).returncode == 2


LOADED = """
import json, sys
from cli.main import main
for arguments in json.loads(sys.argv[1]):
    try:
        main(arguments)
    except SystemExit as ended:
        print("LOADED", json.dumps([ended.code, sorted({name.split(".")[0] for name in sys.modules})]))
"""


def test_commands_load_only_what_they_need(mixed: Path, command: Command, tmp_path: Path) -> None:
    (tmp_path / "texts.txt").write_text("a text of some words\n")
    run, out = str(mixed), str(tmp_path / "out")
    ids = ["--manifest", f"{run}/manifest.json", "--no-fail"]
    calls = [
        ["--version"],
        ["--help"],
        ["gate", run],
        ["profile", run],
        ["verify", run],
        ["diff", run, run],
        ["report", run],
    ]
    calls += [
        ["what-if", run],
        ["plan", run],
        ["trial", run, *ids],
        ["dedupe", str(tmp_path / "texts.txt"), "--out", out],
        ["run", str(mixed.parent / "config.yaml"), "--out", run],
    ]
    result = subprocess.run(
        [sys.executable, "-c", LOADED, json.dumps(calls)],
        env=command.environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    told = [json.loads(line.removeprefix("LOADED ")) for line in result.stdout.splitlines() if line[:6] == "LOADED"]
    assert [code for code, _ in told] == [0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 3], result.stdout + result.stderr
    loaded = {call[0]: set(names) for call, (_, names) in zip(calls, told, strict=True)}  # all up to and with this one
    assert not loaded["--help"] & {"numpy", "pyarrow", "pydantic", "yaml"}
    assert not loaded["diff"] & {"polars", "datasketch", "matplotlib", "tokenizers"}  # numba: what the tokens are worth
    assert not loaded["run"] & {"prefect", "fastapi", "sqlalchemy"}
