from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from polyculture.errors import ConfigError
from polyculture.measure.lenses.subset import Subset, index_subset
from polyculture.pilot import Pilot, forecast_pilot
from polyculture.pilot.classical import frequency_counts
from polyculture.pilot.forecast import forecast
from schemas.config import CurationConfig
from schemas.documents import Kind
from schemas.measures import Lens
from schemas.pilot import PilotReport
from schemas.verdict import Outcome
from tests.support.corpora import unique_texts


def made_pilot() -> Pilot:
    """240 web pages, 20 of them twice; 100 synthetic answers to 10 prompts; an expert document."""
    pages, answers = unique_texts(240, 1), unique_texts(100, 2)
    texts = [*pages, *pages[:20], *answers, "one expert's only document"]
    source = ["web_a"] * 260 + ["synth"] * 100 + ["expert_b"]
    kinds = {"web_a": Kind.WEB, "synth": Kind.SYNTHETIC, "expert_b": Kind.EXPERT}
    names = tuple(sorted(kinds))
    table = pa.table(
        {
            "document_id": [f"{name}:{i}" for i, name in enumerate(source)],
            "text": pa.array(texts, pa.large_string()),
            "source": source,
            "kind": [kinds[name].value for name in source],
            "tokens": [len(text.split()) for text in texts],
            "seed": [f"prompt {i % 10}" for i in range(len(texts))],
        }
    )
    subset = Subset(table, np.ones(len(texts), np.int64), names)
    return Pilot(subset.documents, index_subset(subset, 0.8, 1), names, tuple(kinds[name] for name in names))


def judged(*expectations: dict[str, Any], target: int = 3610, rules: dict[str, Any] | None = None) -> PilotReport:
    kinds = {"web_a": "web", "synth": "synthetic", "expert_b": "expert"}
    config = CurationConfig.model_validate(
        {
            "name": "made",
            "sources": [{"name": name, "kind": kind, "paths": ["x"]} for name, kind in kinds.items()],
            "gate": {"expectations": expectations, "rules": {"near": "off"} if rules is None else rules},
        }
    )
    return forecast_pilot(made_pilot(), config, target, None, "0" * 64)


DISTINCT = {"lens": "exact", "metric": "distinct_fraction", "at_least": 0.5}


def test_every_lens_and_scope_is_forecast_for_its_share_of_the_corpus() -> None:
    found = judged(DISTINCT)
    by_key = {(f.lens, f.scope): f for f in found.forecasts}
    scopes = ["all", "web", "synthetic", "synth", "web_a"]  # one expert document says nothing
    assert [f.scope for f in found.forecasts if f.lens is Lens.EXACT] == scopes
    assert [f.scope for f in found.forecasts if f.lens is Lens.SEED] == ["all", "synthetic", "synth"]
    assert by_key[Lens.EXACT, "all"].target_documents == 3610
    assert by_key[Lens.EXACT, "web_a"].target_documents == 2600
    web = by_key[Lens.EXACT, "web_a"]
    expected = forecast(frequency_counts(np.array([1] * 220 + [2] * 20)), 2600)
    assert expected.distinct_fraction is not None
    assert web.naive_distinct_fraction == 240 / 260
    assert (web.distinct_fraction.low, web.distinct_fraction.high) == pytest.approx(
        (expected.distinct_fraction.low, expected.distinct_fraction.high)
    )
    assert web.duplicate_pairs == expected.pairs
    near = by_key[Lens.NEAR, "web_a"]
    assert near.duplicate_pairs == expected.pairs
    assert near.counted_documents == near.documents == 260
    assert near.distinct_fraction.low < web.naive_distinct_fraction < near.distinct_fraction.high
    assert by_key[Lens.SEED, "synth"].naive_distinct_fraction == 0.1
    assert all(f.words for f in found.forecasts)


def test_expectations_are_judged_in_every_scope_that_they_cover() -> None:
    found = judged({**DISTINCT, "scope": "each_source"})
    outcomes = {check.scope: check.outcome for check in found.checks}
    assert outcomes["expert_b"] is Outcome.UNKNOWN  # a single document
    assert outcomes["synth"] is Outcome.UNKNOWN
    assert set(outcomes) == {"expert_b", "synth", "web_a"}
    assert found.outcome is Outcome.UNKNOWN
    assert judged({**DISTINCT, "at_least": 0.01, "scope": "each_kind"}).checks[0].scope == "web"


def test_fail_goes_before_unknown_and_a_warning_never_decides() -> None:
    many_pairs = {"lens": "seed", "metric": "duplicate_pairs", "at_most": 10}
    assert judged(many_pairs, {**DISTINCT, "at_least": 0.9999}).outcome is Outcome.FAIL
    surely = {"lens": "exact", "metric": "distinct_fraction", "at_least": 0.01}
    assert judged(surely).outcome is Outcome.PASS
    assert judged(surely, {**many_pairs, "severity": "warn"}).outcome is Outcome.PASS


def test_what_a_pilot_cannot_judge_is_said_and_nothing_judged_is_no_pass() -> None:
    found = judged(
        {"lens": "near", "metric": "scale_surprise", "at_most": 0.1},
        {"lens": "near", "metric": "distinct_fraction", "at_least": 0.1, "stage": "mixture"},
    )
    assert found.checks == []
    assert len(found.unjudged) == 2
    assert found.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("target", [2, 360])
def test_a_corpus_smaller_than_its_pilot_is_refused(target: int) -> None:
    with pytest.raises(ConfigError, match="--target-documents"):
        judged(DISTINCT, target=target)


def test_the_rule_of_near_duplicates_is_judged_without_being_asked_for() -> None:
    found = judged(target=3610, rules={})
    checks = {check.scope: (check.severity, check.bound) for check in found.checks}
    assert checks["all"] == ("fail", ">= 0.8")
    assert {severity for scope, (severity, _) in checks.items() if scope != "all"} == {"warn"}
    assert judged(target=3610, rules={"near": "off"}).checks == []
