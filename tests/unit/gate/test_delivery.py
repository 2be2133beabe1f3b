"""Warnings of the gate on what was asked and not delivered, and the cure of a run that asked for shares."""

import numpy as np
import pytest
import yaml

from polyculture.gate import judge
from polyculture.gate.cure import Cure
from polyculture.gate.cured_shares import cured_shares
from polyculture.gate.delivery import delivery_checks
from polyculture.gate.text import cure_words
from polyculture.statistics.intervals import Interval
from schemas.manifest import Manifest
from schemas.mixture_config import MixtureConfig
from schemas.verdict import VerdictValue
from tests.support.repetition import repetition_of
from tests.unit.gate.test_judge import SHA, belonging, config, manifest, profile
from tests.unit.mixture.plan.test_phases import KINDS, corpus, planned

NAMES = ("a", "b", "c")


def run_of(**mixture: object) -> Manifest:
    settings = config()
    sources = [
        settings.sources[0].model_copy(update={"name": name, "kind": kind})
        for name, kind in zip(NAMES, KINDS, strict=True)
    ]
    asked = MixtureConfig.model_validate(mixture)
    settings = settings.model_copy(update={"sources": tuple(sources), "mixture": asked})
    return manifest(settings).model_copy(update={"plan": planned(corpus(1), asked), "config": settings})


@pytest.mark.parametrize(
    ("mixture", "names"),
    [
        ({"shares": {"a": 0.5, "b": 0.3, "c": 0.2}}, []),
        ({"shares": {"a": 0.7, "b": 0.2, "c": 0.1}, "tokens": 60_000}, ["shares", "budget"]),
        ({"rates": {"a": 0.7, "b": 0.3, "c": 0}}, ["shares"]),
        ({"rates": {"a": 1, "b": 1, "c": 1}, "tokens": 10**9}, ["budget"]),
        ({"rates": {"a": 1, "b": 0.5, "c": 0.25}}, []),
    ],
)
def test_what_is_not_as_asked_warns_and_does_not_decide(mixture: dict[str, object], names: list[str]) -> None:
    checks = list(delivery_checks(run_of(**mixture)))
    assert [check.name for check in checks] == names
    assert all(check.severity == "warn" for check in checks)


def test_a_budget_that_lacks_leaves_the_verdict_as_it_was() -> None:
    run = run_of(rates={"a": 1, "b": 1, "c": 1}, tokens=10**9)
    evidence = manifest(config()).model_copy(update={"plan": run.plan})
    found = judge(config(), evidence, SHA, belonging(profile(0.9), evidence), repetition=repetition_of(evidence))
    assert found.verdict is VerdictValue.GO
    assert [check.name for check in found.failed()] == []
    assert any(check.name == "budget" and check.severity == "warn" for check in found.checks)


def test_the_cure_of_a_run_of_shares_is_a_mixture_of_shares_that_can_be_pasted() -> None:
    run = run_of(shares={"a": 0.5, "b": 0.3, "c": 0.2}, tokens=30_000)
    assert run.plan is not None
    factors = {"a": 0.1, "b": 0.37}
    cure = Cure(factors, Interval(np.array(0.01), np.array(0.0), np.array(0.02)), 0.6, {"a": 0.5, "b": 0.6})
    shares = cured_shares(run, factors)
    assert shares is not None
    words = cure_words(cure, shares)
    assert words.endswith("narrow; costs 60 % of the tokens, keeps 50 % and 60 % of what they say")
    pasted = MixtureConfig.model_validate(yaml.safe_load(words.split("}}: ")[0] + "}}")["mixture"])
    assert pasted.shares is not None
    assert sum(pasted.shares.values()) == pytest.approx(1.0)
    again = planned(corpus(1), pasted)
    for before, after in zip(run.plan.sources, again.sources, strict=True):
        assert after.tokens == pytest.approx(before.tokens * factors.get(before.name, 1.0), abs=505)
    assert again.lacking_tokens == 0


def test_the_cure_of_other_runs_stays_a_factor_on_rates() -> None:
    assert cured_shares(run_of(rates={"a": 0.5}), {"a": 0.1}) is None
    assert cured_shares(run_of(shares={"a": 1, "b": 0, "c": 0}), {"a": 0.0}) is None
    cure = Cure({"a": 0.1}, Interval(np.array(0.01), np.array(0.0), np.array(0.02)), 0.6, {"a": 0.5})
    assert cure_words(cure).startswith("rates times {a: 0.1}: 1 % narrow")


@pytest.mark.parametrize(
    ("kept", "words"),
    [
        ({"a": 0.5}, "keeps 50 % of what it says"),
        ({"a": 0.5, "b": 0.61}, "keeps 50 % and 61 % of what they say"),
        ({"a": 0.5, "b": 0.61, "c": 0.2, "d": 0.4}, "keeps 20 to 61 % of what each says"),
    ],
)
def test_the_cure_says_what_each_source_keeps(kept: dict[str, float], words: str) -> None:
    cure = Cure(dict.fromkeys(kept, 0.1), Interval(np.array(0.01), np.array(0.0), np.array(0.02)), 0.6, kept)
    assert cure_words(cure).endswith(words)
