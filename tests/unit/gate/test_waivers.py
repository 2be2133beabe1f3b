"""Waivers, the gate's conditions on redundancy, and evidence of another run."""

from datetime import date

import pytest

from polyculture.gate import Terms, judge
from schemas.config import CurationConfig
from schemas.gate_config import Waiver
from schemas.measures import Lens
from schemas.profile import Estimate, HeavySpecies, Profile, ScopeProfile
from schemas.verdict import CheckResult, Outcome, Verdict, VerdictValue
from tests.support.repetition import repetition_of
from tests.unit.gate.test_judge import NEAR, SHA, belonging, config, manifest, profile

DAY = date(2026, 3, 1)
PERSON = {"reason": "known, will be replaced", "by": "Ada", "until": "2026-03-01"}


def waiving(*waivers: dict[str, object], **changes: object) -> CurationConfig:
    settings = config({**NEAR, "scope": "each_source", "at_least": 0.8}).model_dump(mode="json")
    settings["gate"]["waivers"] = [{**PERSON, **waiver} for waiver in waivers]
    return CurationConfig.model_validate(settings | changes)


def judged(settings: CurationConfig, numbers: Profile, as_of: date | None = DAY, **changes: object) -> Verdict:
    evidence = manifest(settings, **changes)  # type: ignore[arg-type]
    return judge(settings, evidence, SHA, belonging(numbers, evidence), Terms(as_of=as_of), repetition_of(evidence))


@pytest.mark.parametrize(
    "waivers",
    [
        [{"check": "expectation"}],
        [{"check": "near/distinct_fraction"}],
        [{"check": "near/*/a"}, {"check": "*/distinct_fraction", "scope": "b"}],
    ],
)
def test_a_waived_check_is_shown_with_who_and_why_and_does_not_decide(waivers: list[dict[str, object]]) -> None:
    found = judged(waiving(*waivers), profile(0.5))
    assert found.verdict is VerdictValue.GO
    assert found.as_of == DAY
    waived = [check for check in found.checks if check.waiver]
    assert {(check.scope, check.outcome, check.severity) for check in waived} == {
        ("a", Outcome.FAIL, "warn"),
        ("b", Outcome.FAIL, "warn"),
    }
    assert all("waived by Ada until 2026-03-01: known" in check.message for check in waived)


@pytest.mark.parametrize(
    "waiver",
    [
        {"check": "quarantine"},
        {"check": "exact/distinct_fraction"},
        {"check": "near/hill_1"},
        {"check": "near/distinct_fraction/all"},
        {"check": "near/distinct_fraction", "scope": "b"},
    ],
)
def test_a_waiver_of_something_else_waives_nothing(waiver: dict[str, object]) -> None:
    assert judged(waiving(waiver), profile(0.5)).verdict is VerdictValue.NO_GO


@pytest.mark.parametrize("as_of", [date(2026, 3, 2), None])
def test_an_expired_waiver_does_nothing_and_is_said(as_of: date | None) -> None:
    found = judged(waiving({"check": "expectation"}), profile(0.5), as_of)
    assert found.verdict is VerdictValue.NO_GO
    [said] = [check for check in found.checks if check.name == "waiver"]
    assert "does nothing" in said.message
    assert said.severity == "warn"


def test_a_waiver_covers_what_straddles_its_bound_but_not_what_was_not_measured() -> None:
    settings = waiving({"check": "expectation"})
    assert judged(settings, profile(0.805, 0.02)).verdict is VerdictValue.GO
    bare = profile(0.99)
    without_b = bare.model_copy(update={"scopes": [s for s in bare.scopes if s.scope != "b"]})
    assert judged(settings, without_b).verdict is not VerdictValue.GO


def test_evidence_and_balance_cannot_be_waived() -> None:
    settings = waiving(*({"check": name} for name in ("quarantine", "expectation")))
    assert judged(settings, profile(0.99), written=101).verdict is VerdictValue.NO_GO
    assert judge(settings, manifest(settings), SHA, None, Terms(as_of=DAY)).verdict is VerdictValue.NO_GO
    for name in ("evidence", "conservation", "empty_mixture", "changed_input"):
        with pytest.raises(ValueError, match="unknown"):
            Waiver.model_validate({**PERSON, "check": name})


@pytest.mark.parametrize("check", ["*/*", "*/*/*", "nera/distinct_fraction", "near/distinct", "quarantene"])
def test_a_waiver_names_what_it_waives(check: str) -> None:
    with pytest.raises(ValueError, match="check:"):
        Waiver.model_validate({**PERSON, "check": check})


def test_a_condition_can_be_waived_by_its_name_and_scope() -> None:
    settings = waiving({"check": "quarantine", "scope": "a"})
    bad = {"quarantined": {"bad_json": 6}, "kept": 94, "written": 94}
    assert judged(settings, profile(0.99), **bad).verdict is VerdictValue.GO
    other = waiving({"check": "quarantine", "scope": "b"})
    assert judged(other, profile(0.99), **bad).verdict is VerdictValue.NO_GO


def test_the_same_evidence_policy_and_day_give_the_same_verdict() -> None:
    settings = waiving({"check": "near/distinct_fraction"})
    once, again = (judged(settings, profile(0.5)) for _ in range(2))
    assert once == again == Verdict.model_validate_json(once.model_dump_json())
    assert judged(config(), profile(0.9)).as_of is None  # no waivers, no day


def with_lenses(settings: CurationConfig, **species: object) -> tuple[Verdict, list[CheckResult]]:
    """The verdict on numbers through every lens, with one heavy species; and the checks on heavy species."""
    numbers = profile(0.9)
    scopes = [scope.model_copy(update={"lens": lens, "tokens": 10**6}) for scope in numbers.scopes for lens in Lens]
    one = {
        "stage": "distinct", "lens": "exact", "example": "b:1", "documents": 50, "tokens": 3000, "sources": {"b": 50}
    } | species  # fmt: skip
    found = Profile.model_validate(
        numbers.model_dump() | {"scopes": [s.model_dump() for s in scopes], "heavy": [HeavySpecies.model_validate(one)]}
    )
    verdict = judged(settings, found)
    return verdict, [c for c in verdict.checks if c.name == "heavy_species" and c.outcome is Outcome.FAIL]


@pytest.mark.parametrize(
    ("species", "closes"),
    [({}, True), ({"lens": "near"}, True), ({"lens": "template"}, False), ({"lens": "opening"}, False)],
)
def test_a_heavy_species_of_one_text_closes_the_gate_and_one_of_one_form_warns(
    species: dict[str, object], closes: bool
) -> None:
    verdict, heavy = with_lenses(waiving(), **species)
    assert verdict.verdict is (VerdictValue.NO_GO if closes else VerdictValue.GO)
    assert [check.severity for check in heavy] == ["fail" if closes else "warn"]
    assert "50 documents like b:1" in heavy[0].message


@pytest.mark.parametrize("species", [{"documents": 49}, {"tokens": 2000}, {"stage": "input"}])
def test_a_species_of_few_documents_or_tokens_or_that_left_is_not_heavy(species: dict[str, object]) -> None:
    verdict, heavy = with_lenses(waiving(), **species)
    assert verdict.verdict is VerdictValue.GO
    assert heavy == []


@pytest.mark.parametrize(
    ("declared", "named", "failing"),
    [(None, 1000, set()), (10, 1000, set()), (9.9, 1000, {"seed_fan_out"}), (None, 900, {"lineage"})],
)
def test_too_many_answers_per_prompt_and_missing_lineage_warn(
    declared: float | None, named: int, failing: set[str]
) -> None:
    settings = waiving()
    b = settings.sources[1].model_copy(update={"answers_per_prompt": declared})
    settings = settings.model_copy(update={"sources": (settings.sources[0], b)})
    numbers = profile(0.9)
    tenth = Estimate(value=0.1, low=0.1, high=0.1)
    whole: list[ScopeProfile] = []
    for scope in numbers.scopes:
        exact = scope.model_copy(update={"lens": Lens.EXACT, "documents": 1000})
        seed = scope.model_copy(update={"lens": Lens.SEED, "documents": named, "distinct_fraction": tenth})
        whole += [scope, *(ScopeProfile.model_validate(s.model_dump()) for s in (exact, seed))]
    evidence = manifest(settings)
    near = belonging(numbers, evidence)
    others = [scope for scope in whole if scope.lens != "near"]
    whole_profile = near.model_copy(update={"scopes": [*near.scopes, *others]})
    found = judge(settings, evidence, SHA, whole_profile, repetition=repetition_of(evidence))
    assert found.verdict is VerdictValue.GO
    checks = [c for c in found.checks if c.name in ("seed_fan_out", "lineage") and c.outcome is Outcome.FAIL]
    assert {check.name for check in checks} == failing
    assert {check.scope for check in checks} <= {"b"}


@pytest.mark.parametrize("change", ["threshold", "trial", "documents", "source", "damage"])
def test_numbers_of_another_run_never_open_the_gate(change: str) -> None:
    settings = config()
    evidence = manifest(settings)
    whole = repetition_of(evidence)
    found = judge(settings, evidence, SHA, belonging(profile(0.99), evidence), repetition=whole)
    assert found.verdict is VerdictValue.GO
    good = belonging(profile(0.99), evidence)
    terms = Terms(damage="ledger/probes.parquet is missing" if change == "damage" else None)
    if change == "threshold":
        good = good.model_copy(update={"threshold": 0.7})
    elif change == "trial":
        good = good.model_copy(update={"trial_fraction": 0.02})
    elif change == "documents":
        good = profile(0.99)
    elif change == "source":
        good = good.model_copy(update={"scopes": [s for s in good.scopes if s.scope != "b"]})
    found = judge(settings, evidence, SHA, good, terms, whole)
    assert found.verdict is VerdictValue.NO_GO
    assert "evidence" in {check.name for check in found.failed()}
