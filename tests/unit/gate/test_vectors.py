"""Expectations about embeddings as a whole: which may be written, and what they are judged by."""

import pytest

from polyculture.gate import Terms, judge
from schemas.config import CurationConfig
from schemas.gate_config import Expectation
from schemas.ledger import EncoderUsed
from schemas.measures import Stage
from schemas.numbers import Estimate
from schemas.profile import LastGo, Profile
from schemas.vectors import VectorProfile, VectorScores
from schemas.verdict import CheckResult, Outcome
from tests.support.repetition import repetition_of
from tests.unit.gate.test_judge import SHA, belonging, config, manifest, profile

RKE = {"lens": "semantic", "metric": "rke", "scope": "b"}
USED = EncoderUsed(
    name="made", revision=SHA, background="", dimensions=8, probes_per_source=1, unmeasured=[], unfit_languages=[]
)


def asked(*expectations: dict[str, object]) -> CurationConfig:
    settings = config().model_dump(mode="json") | {"reference": ["a"], "measure": {"semantic": {}}}
    return CurationConfig.model_validate(settings | ({"gate": {"expectations": expectations}} if expectations else {}))


def counted(value: float) -> Estimate:
    return Estimate(value=value, low=value, high=value)


def vector(scope: str, rke: float | None, documents: int = 1000) -> VectorProfile:
    scores = None
    if rke is not None:
        scores = VectorScores(
            rke=counted(rke), rke_of_trial=3, rke_of_probes=None, rows_of_half=None, vendi_score=counted(2 * rke),
            vendi_score_inf=2, vendi_score_of_trial=None, rbf_vendi_score=3, rbf_vendi_score_2=2, rbf_vendi_score_inf=2,
            rbf_vendi_score_of_trial=None,
        )  # fmt: skip
    return VectorProfile(
        stage=Stage.MIXTURE, scope=scope, kind=None, documents=documents, unmeasured=0, scores=scores,
        why_unmeasured="" if scores else "the encoder does not cover xx",
    )  # fmt: skip


def numbers(rke: float | None, documents: int = 1000, reference: float | None = 40.0) -> Profile:
    base = [] if reference is None else [vector("reference", reference)]
    more = {"vectors": [vector("b", rke, documents)], "vector_references": base, "encoder": USED}
    return profile(0.9).model_copy(update=more)


def outcome(settings: CurationConfig, found: Profile, last: LastGo | None = None) -> list[CheckResult]:
    evidence = manifest(settings)
    verdict = judge(settings, evidence, SHA, belonging(found, evidence), Terms(last_go=last), repetition_of(evidence))
    found = [c for c in verdict.checks if c.name == "expectation"]
    return [c for c in found if c.lens == "semantic" and c.stage == "mixture" and c.metric == "rke"]


@pytest.mark.parametrize(
    ("expectation", "words"),
    [
        ({**RKE, "lens": "near", "at_least": 1}, "write lens: semantic"),
        ({"lens": "semantic", "metric": "hill_1", "at_least": 1}, "semantic_80, semantic_90 or semantic_95"),
        ({**RKE, "weighting": "tokens", "at_least": 1}, "leave weighting out"),
        ({**RKE, "relative_to": "ceiling", "at_least": 1}, "for coverage and rare_cell_recall"),
        ({"lens": "semantic", "metric": "coverage", "relative_to": "reference", "at_least": 1}, "ceiling"),
        ({"lens": "semantic", "metric": "coverage", "at_least": 1.5}, "lie in 0..1"),
    ],
)
def test_an_expectation_that_means_nothing_is_refused_with_its_cure(expectation: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Expectation.model_validate(expectation)


def test_what_is_not_measured_cannot_be_expected() -> None:
    settings = asked({**RKE, "at_least": 1}).model_dump(mode="json")
    with pytest.raises(ValueError, match="embeddings are not measured; write"):
        CurationConfig.model_validate(settings | {"measure": {"semantic": None}})
    coverage = {"lens": "semantic", "metric": "coverage", "at_least": 0.5}
    with pytest.raises(ValueError, match="no reference to cover"):
        CurationConfig.model_validate(settings | {"reference": [], "gate": {"expectations": [coverage]}})


def test_rke_is_compared_at_the_same_number_of_documents() -> None:
    settings = asked({**RKE, "relative_to": "reference", "at_least": 0.8})
    [narrow] = outcome(settings, numbers(20.0))
    assert (narrow.outcome, narrow.observed) == (Outcome.FAIL, pytest.approx(0.5))
    assert "at 1,000 documents" in narrow.message
    assert "encoder made" in narrow.message
    # fifty documents as varied as the reference amount to 22.6 only: 1 / (1/50 + 49/50 U), U of 40 at 1,000
    mean = (1 / 40 - 1 / 1000) / (1 - 1 / 1000)
    few = 1 / (1 / 50 + (1 - 1 / 50) * mean)
    [small] = outcome(settings, numbers(few, documents=50))
    assert (small.outcome, small.observed) == (Outcome.PASS, pytest.approx(1.0))


@pytest.mark.parametrize(("rke", "reference"), [(None, 40.0), (30.0, None)])
def test_what_is_unmeasured_settles_nothing_if_asked(rke: float | None, reference: float | None) -> None:
    found = numbers(rke, reference=reference)
    [check] = outcome(asked({**RKE, "relative_to": "reference", "at_least": 0.8}), found)
    assert (check.outcome, check.severity, check.observed) == (Outcome.UNKNOWN, "fail", None)
    assert "unmeasured" in check.message


def test_the_last_go_run_counts_only_with_the_same_encoder() -> None:
    settings = asked({**RKE, "relative_to": "last_go", "at_least": 0.9})
    before = LastGo(
        name="before", manifest_sha256=SHA, trial_fraction=0.01, threshold=0.8, scopes=[], containments=[],
        vectors=[vector("b", 30.0)], encoder=USED,
    )  # fmt: skip
    assert [c.outcome for c in outcome(settings, numbers(30.0), before)] == [Outcome.PASS]
    assert [c.outcome for c in outcome(settings, numbers(20.0), before)] == [Outcome.FAIL]
    other = before.model_copy(update={"encoder": USED.model_copy(update={"background": "other"})})
    [check] = outcome(settings, numbers(30.0), other)
    assert check.outcome is Outcome.UNKNOWN
    assert "another encoder or background" in check.message
