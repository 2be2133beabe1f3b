"""`polyculture pilot` as a person runs it, on planted corpora."""

import json
import random
from pathlib import Path

import pytest

from schemas.pilot import PilotReport
from tests.conftest import Command
from tests.support.corpora import expanded_texts, three_kinds, write_config


def test_few_seeds_that_look_varied_never_pass(tmp_path: Path, command: Command) -> None:
    # A hundredth of 4,000 seeds with 10 variants each: such a pilot is expected to look .956 distinct, and is .1.
    config = three_kinds(tmp_path, synthetic=random.Random(5).sample(expanded_texts(4000, 10, seed=5), 400))
    path = write_config(tmp_path, config)
    result = command("pilot", path, "--target-documents", "90000", "--out", tmp_path / "out", "--json")
    assert result.returncode == 4, result.stdout + result.stderr
    found = PilotReport.model_validate_json(result.stdout)
    samples = next(f for f in found.forecasts if (f.lens, f.scope) == ("near", "samples"))
    assert samples.naive_distinct_fraction > 0.9
    assert samples.distinct_fraction.low < 0.1 < samples.distinct_fraction.high  # .1 is the truth
    assert next(c for c in found.checks if c.scope == "samples").outcome == "unknown"
    assert found == PilotReport.model_validate_json((tmp_path / "out" / "pilot.json").read_bytes())
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["filtered", "pilot.json", "quarantined", "state"]


@pytest.mark.long
def test_a_pilot_of_nearly_its_corpus_is_settled_either_way(tmp_path: Path, command: Command) -> None:
    path = write_config(tmp_path, three_kinds(tmp_path))
    healthy = command("pilot", path, "--target-documents", "930", "--out", tmp_path / "out")
    assert healthy.returncode == 0, healthy.stdout + healthy.stderr
    assert "pass: all: near distinct_fraction of 930 documents will be" in healthy.stdout
    assert "warning, pass: samples: near distinct_fraction of 413 documents will be" in healthy.stdout
    again = command("pilot", path, "--target-documents", "930", "--out", tmp_path / "out", "--json", "--workers", "1")
    assert (tmp_path / "out" / "pilot.json").read_text() == json.dumps(json.loads(again.stdout), indent=1) + "\n"
    (tmp_path / "narrow").mkdir()
    narrow = write_config(tmp_path / "narrow", three_kinds(tmp_path / "narrow", expanded_texts(40, 10, seed=6)))
    result = command("pilot", narrow, "--target-documents", "930", "--out", tmp_path / "narrow-out")
    assert result.returncode == 3, result.stdout + result.stderr
    assert "  fail: all: near distinct_fraction" in result.stdout
    assert "warning, fail: samples: near distinct_fraction" in result.stdout


@pytest.mark.long
def test_a_target_below_the_pilot_and_a_folder_of_other_files_are_usage(tmp_path: Path, command: Command) -> None:
    path = write_config(tmp_path, three_kinds(tmp_path))
    result = command("pilot", path, "--target-documents", "10", "--out", tmp_path / "out")
    assert result.returncode == 2
    assert "the pilot has 900 documents and the corpus 10" in result.stderr
    assert "Traceback" not in result.stderr
    assert command("pilot", path, "--out", tmp_path / "out").returncode == 2
    assert command("pilot", path, "--target-documents", "1000", "--out", tmp_path).returncode == 2
