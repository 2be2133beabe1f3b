"""Rates from files: bound to their data, and refused where they say what cannot be."""

import json
from pathlib import Path

import pytest

from polyculture.errors import ConfigError
from polyculture.mixture.plan.data_digest import data_sha256
from polyculture.mixture.plan.limits import Supply
from polyculture.mixture.plan.weights import Weights, open_weights, rates_of
from schemas.config import CurationConfig
from schemas.documents import Kind

HERE, ELSEWHERE = "a" * 64, "b" * 64
SUPPLIES = [Supply("crawl", Kind.WEB, 1_000, 1.0, 1.0), Supply("maths", Kind.EXPERT, 200, 1.0, 1.0)]


def config_of(rates: object, **more: object) -> CurationConfig:
    sources = [{"name": s.name, "kind": s.kind.value, "paths": [f"{s.name}.jsonl"]} for s in SUPPLIES]
    return CurationConfig.model_validate({"name": "x", "sources": sources, "mixture": {"rates": rates}} | more)


def opened(folder: Path, content: object, **rates: object) -> Weights:
    text = content if isinstance(content, str) else json.dumps(content)
    (folder / "w.json").write_text(text)
    return open_weights(config_of({"file": "w.json", **rates}), folder, HERE)["w.json"]


def test_learned_weights_are_shares_of_the_budget(tmp_path: Path) -> None:
    weights = opened(tmp_path, {"data_sha256": HERE, "weights": {"crawl": 0.25, "maths": 0.75}})
    rates, notes = rates_of(weights, SUPPLIES, 400)
    assert rates == pytest.approx({"crawl": 0.1, "maths": 1.5})
    assert not notes
    # without a budget: the largest mixture that repeats nothing
    assert rates_of(weights, SUPPLIES, None)[0]["maths"] == pytest.approx(1.0)


def test_a_sum_other_than_1_is_divided_out_aloud_and_a_weight_of_0_said(tmp_path: Path) -> None:
    weights = opened(tmp_path, "crawl: 3\nmaths: 0\n", data_sha256=HERE)
    rates, notes = rates_of(weights, SUPPLIES, 500)
    assert rates == {"crawl": 0.5, "maths": 0.0}
    assert notes == ["maths has weight 0: left out.", "The weights sum to 3, not 1: all were divided by it."]


def test_weights_may_be_rates(tmp_path: Path) -> None:
    weights = opened(tmp_path, {"crawl": 0.5, "maths": 2}, data_sha256=HERE, holds="rates")
    assert rates_of(weights, SUPPLIES, 500)[0] == {"crawl": 0.5, "maths": 2.0}


@pytest.mark.parametrize(
    ("content", "rates", "words"),
    [
        ({"data_sha256": ELSEWHERE, "weights": {"crawl": 1, "maths": 1}}, {}, ELSEWHERE),
        ({"crawl": 1, "maths": 1}, {}, f"write `data_sha256: {HERE}` beside `file`"),
        ({"crawl": 1, "maths": 1}, {"data_sha256": ELSEWHERE}, f"made from data {ELSEWHERE}, here are data {HERE}"),
        ({"data_sha256": HERE, "weights": {"crawl": 1, "maths": 1}}, {"data_sha256": ELSEWHERE}, "keep one"),
        ({"crawl": 1, "math": 1}, {"data_sha256": HERE}, "unknown source 'math'; known: crawl, maths"),
        ({"crawl": 1}, {"data_sha256": HERE}, "no weight for maths; write 0"),
        (
            {"crawl": -0.1, "maths": 1},
            {"data_sha256": HERE},
            "weights.crawl: Input should be greater than or equal to 0",
        ),
        ("crawl: .nan\nmaths: 1\n", {"data_sha256": HERE}, "weights.crawl: Input should be a finite number"),
        ('{"crawl": 1, "crawl": 2, "maths": 1}', {"data_sha256": HERE}, "'crawl' is given twice"),
        ({"crawl": 0, "maths": 0}, {"data_sha256": HERE}, "every weight is 0"),
        ({"crawl": 2000, "maths": 0}, {"data_sha256": HERE, "holds": "rates"}, "crawl: 2000 is above 1000 epochs"),
        ([1, 2], {"data_sha256": HERE}, "no weights: write {source: weight}"),
        ({"format": "polyculture-plan-1", "run": "x"}, {}, "manifest_sha256: Field required"),
    ],
)
def test_what_is_no_weights_of_these_data_is_refused(
    tmp_path: Path, content: object, rates: dict[str, object], words: str
) -> None:
    with pytest.raises(ConfigError) as error:
        opened(tmp_path, content, **rates)
    assert words in str(error.value)


def test_a_file_that_is_not_there_and_a_weight_without_documents_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        open_weights(config_of({"file": "none.json"}), tmp_path, HERE)
    weights = opened(tmp_path, {"crawl": 1, "maths": 1}, data_sha256=HERE)
    with pytest.raises(ConfigError, match="maths has a weight, but no distinct documents"):
        rates_of(weights, [SUPPLIES[0], Supply("maths", Kind.EXPERT, 0, 1.0, 1.0)], 100)


def test_the_digest_is_of_bytes_and_of_what_decides_what_is_distinct() -> None:
    files = {"crawl": ["1" * 64, "2" * 64], "maths": ["3" * 64]}
    base = data_sha256(config_of({}), files, "t")
    assert data_sha256(config_of({}), {"crawl": ["2" * 64, "1" * 64], "maths": ["3" * 64]}, "t") == base
    assert data_sha256(config_of({"crawl": 2}, seed=5, gate={"trial_fraction": 0.5}), files, "t") == base
    others = [
        data_sha256(config_of({}), files | {"maths": ["4" * 64]}, "t"),
        data_sha256(config_of({}), files, "u"),
        data_sha256(config_of({}, dedupe={"near": {"threshold": 0.7}}), files, "t"),
        data_sha256(config_of({}, limits={"max_document_bytes": 1000}), files, "t"),
    ]
    assert len({base, *others}) == 5
