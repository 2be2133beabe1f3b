"""Ratios of estimates, and expectations relative to the reference and to the last GO run."""

import numpy as np
import pytest

from polyculture.gate import Terms, judge
from polyculture.statistics.ratio import ratio
from schemas.config import CurationConfig
from schemas.measures import Stage
from schemas.profile import Estimate, LastGo, Profile
from schemas.verdict import CheckResult, Verdict, VerdictValue
from tests.support.repetition import repetition_of
from tests.unit.gate.test_judge import NEAR, SHA, belonging, config, manifest, profile

EVENNESS = {"lens": "near", "metric": "hill_1", "scope": "b"}


def wilson(share: float, n: int) -> Estimate:
    z = 1.959964
    centre, root = share + z * z / (2 * n), z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return Estimate(value=share, low=(centre - root) / (1 + z * z / n), high=(centre + root) / (1 + z * z / n))


@pytest.mark.parametrize(("one", "other", "probes"), [(0.9, 0.5, 400), (0.3, 0.6, 2000), (0.05, 0.9, 500)])
def test_the_interval_of_a_ratio_of_shares_covers(one: float, other: float, probes: int) -> None:
    generator = np.random.default_rng(5)
    draws = generator.binomial(probes, (one, other), size=(4000, 2)) / probes
    found = [ratio(wilson(a, probes), wilson(b, probes)) for a, b in draws]
    covered = np.mean([r is not None and r.low <= one / other <= r.high for r in found])
    assert 0.935 <= covered <= 0.965


def test_the_interval_of_a_ratio_of_exponentials_covers_though_it_is_not_symmetric() -> None:
    generator = np.random.default_rng(6)
    spread = np.array([0.3, 0.05])
    errors = generator.normal(0, spread, size=(4000, 2))
    down = np.exp(-1.959964 * spread)
    ends = [[Estimate(value=v, low=v * d, high=v / d) for v, d in zip(np.exp(e), down, strict=True)]
            for e in errors]  # fmt: skip
    found = [ratio(a, b) for a, b in ends]
    covered = np.mean([r is not None and r.low <= 1 <= r.high for r in found])
    assert 0.94 <= covered <= 0.96


def test_a_ratio_of_counted_numbers_is_counted() -> None:
    assert ratio(Estimate(value=1, low=1, high=1), Estimate(value=4, low=4, high=4)) == Estimate(
        value=0.25, low=0.25, high=0.25
    )


@pytest.mark.parametrize("bad", [(0.1, 0.0, 0.2), (0.0, 0.0, 0.0), (0.1, -0.1, 0.2)])
def test_a_ratio_with_an_end_that_is_not_positive_is_not_known(bad: tuple[float, float, float]) -> None:
    doubtful = Estimate(value=bad[0], low=bad[1], high=bad[2])
    sure = Estimate(value=1, low=0.9, high=1.1)
    assert ratio(doubtful, sure) is None
    assert ratio(sure, doubtful) is None


def asked(*expectations: dict[str, object], **gate: object) -> CurationConfig:
    settings = config().model_dump(mode="json")
    settings["reference"] = ["a"]
    settings["gate"] |= {"expectations": expectations, **gate}
    return CurationConfig.model_validate(settings)


def with_reference(evenness: float, half: float = 0.01, documents: int = 1000) -> Profile:
    """The profile of test_judge whose source b has this H1 per document, beside a reference of evenness .9."""
    numbers = profile(0.9)
    scopes = []
    for scope in numbers.scopes:
        size = 100 if scope.scope in ("a", "b") else documents
        h1 = Estimate(value=evenness * size, low=(evenness - half) * size, high=(evenness + half) * size)
        scopes.append(scope.model_copy(update={"documents": size, "hill_1": h1}))
    base = Estimate(value=0.9 * documents, low=0.89 * documents, high=0.91 * documents)
    a = next(s for s in scopes if (s.scope, s.stage) == ("a", "mixture"))
    pooled = a.model_copy(update={"scope": "reference", "documents": documents, "hill_1": base})
    return numbers.model_copy(update={"scopes": scopes, "references": [pooled]})


def judged(settings: CurationConfig, numbers: Profile, last_go: LastGo | None = None) -> Verdict:
    evidence = manifest(settings)
    return judge(settings, evidence, SHA, belonging(numbers, evidence), Terms(last_go=last_go), repetition_of(evidence))


def one(found: Verdict, **wanted: object) -> CheckResult:
    [check] = [c for c in found.checks if all(getattr(c, name) == value for name, value in wanted.items())]
    return check


def test_evenness_per_document_is_compared_with_the_reference_whatever_its_size() -> None:
    settings = asked({**EVENNESS, "relative_to": "reference", "at_least": 0.6})
    for documents in (100, 1000, 10**6):
        assert judged(settings, with_reference(0.8, documents=documents)).verdict is VerdictValue.GO
        assert judged(settings, with_reference(0.4, documents=documents)).verdict is VerdictValue.NO_GO
        assert judged(settings, with_reference(0.54, documents=documents)).verdict is VerdictValue.UNKNOWN
    check = one(judged(settings, with_reference(0.45)), name="expectation", stage="mixture")
    assert check.observed == pytest.approx(0.5)
    assert "of the reference's" in check.message
    assert check.bound == ">= 0.6 of the reference's"


def test_a_reference_kept_out_of_the_mixture_is_read_before_it_and_one_that_is_nowhere_is_unknown() -> None:
    settings = asked({**EVENNESS, "relative_to": "reference", "at_least": 0.6})
    numbers = with_reference(0.8)
    before = [base.model_copy(update={"stage": Stage.DISTINCT}) for base in numbers.references]
    held_out = Profile.model_validate(numbers.model_dump() | {"references": [b.model_dump() for b in before]})
    found = judged(settings, held_out)
    assert found.verdict is VerdictValue.GO
    assert "at stage distinct" in one(found, name="expectation", stage="mixture").message
    nowhere = numbers.model_copy(update={"references": []})
    assert judged(settings, nowhere).verdict is VerdictValue.UNKNOWN


def last_go(numbers: Profile, **changes: object) -> LastGo:
    values = {
        "name": "before", "manifest_sha256": "1" * 64, "trial_fraction": 0.01, "threshold": 0.8,
        "scopes": numbers.scopes, "containments": numbers.containments,
    }  # fmt: skip
    return LastGo.model_validate(values | changes)


def test_a_number_is_compared_with_the_last_go_run() -> None:
    settings = config({**NEAR, "scope": "each_source", "relative_to": "last_go", "at_least": 0.9})
    assert judged(settings, profile(0.9), last_go(profile(0.9))).verdict is VerdictValue.GO
    fallen = judged(settings, profile(0.5), last_go(profile(0.9)))
    assert fallen.verdict is VerdictValue.NO_GO
    assert fallen.last_go_sha256 == "1" * 64
    assert "of the last GO run's" in fallen.failed()[0].message


@pytest.mark.parametrize(
    "before",
    [
        None,
        last_go(profile(0.9), scopes=[]),
        last_go(profile(0.9, stages=("input",))),
        last_go(profile(0.9), threshold=0.7),
    ],
)
def test_without_the_same_number_of_the_last_go_run_a_relative_bound_is_unknown(before: LastGo | None) -> None:
    settings = config({**NEAR, "scope": "each_source", "relative_to": "last_go", "at_least": 0.9})
    assert judged(settings, profile(0.99), before).verdict is VerdictValue.UNKNOWN


def test_the_surprise_of_another_trial_is_not_compared() -> None:
    settings = config({"lens": "near", "metric": "scale_surprise", "relative_to": "last_go", "at_most": 1.5})
    assert judged(settings, profile(0.9), last_go(profile(0.9))).verdict is VerdictValue.GO
    other = last_go(profile(0.9), trial_fraction=0.02)
    assert judged(settings, profile(0.9), other).verdict is VerdictValue.UNKNOWN


def test_a_leak_is_compared_with_that_of_the_last_go_run() -> None:
    settings = config(
        {"lens": "near", "metric": "containment", "relative_to": "last_go", "at_most": 1.2},
        {**NEAR, "scope": "all", "at_least": 0},
    )
    assert judged(settings, profile(0.5), last_go(profile(0.5))).verdict is VerdictValue.GO
    assert judged(settings, profile(0.5), last_go(profile(0.1))).verdict is VerdictValue.NO_GO
    assert judged(settings, profile(0.5), last_go(profile(0.5), containments=[])).verdict is VerdictValue.UNKNOWN


def test_an_expectation_by_tokens_reads_the_numbers_by_tokens() -> None:
    settings = config({**NEAR, "scope": "all", "weighting": "tokens", "at_least": 0.8})
    numbers = profile(0.9)
    assert judged(settings, numbers).verdict is VerdictValue.UNKNOWN  # none were measured
    by_tokens = [Profile.model_validate(profile(0.5).model_dump()).scopes[i] for i in range(len(numbers.scopes))]
    low = [s.model_copy(update={"weighting": settings.gate.expectations[0].weighting}) for s in by_tokens]
    found = judged(settings, numbers.model_copy(update={"scopes": [*numbers.scopes, *low]}))
    assert found.verdict is VerdictValue.NO_GO
    assert "by tokens" in found.failed()[0].message
