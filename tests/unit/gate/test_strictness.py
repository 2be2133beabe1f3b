"""What a strict policy makes of warnings, and the check of synthetic words against human ones."""

import pytest
from pydantic import ValidationError

from schemas.config import CurationConfig
from schemas.documents import Kind
from schemas.gate_config import STRICT_CHECKS, WAIVABLE, GateConfig
from schemas.lexical import LexicalScope, LexicalValue
from schemas.measures import Lens, Stage
from schemas.profile import Profile
from schemas.verdict import CheckResult, Outcome, VerdictValue
from tests.unit.gate.test_judge import NEAR, config, profile
from tests.unit.gate.test_waivers import PERSON, judged


def asking(**gate: object) -> CurationConfig:
    settings = config({**NEAR, "scope": "each_source", "at_least": 0.8}).model_dump(mode="json")
    settings["gate"] |= gate
    return CurationConfig.model_validate(settings)


def with_lexical(
    ratios: dict[str, LexicalValue | None], uncompared: str | None = None, numbers: Profile | None = None
) -> Profile:
    """Healthy numbers of which the synthetic source `b` names no seed, and its ratios at two stages."""
    scopes = [
        LexicalScope(
            stage=stage,
            scope="b",
            kind=Kind.SYNTHETIC,
            language="en",
            block_words=1,
            block_bytes=1,
            block_documents=1,
            measures={},
            ratios=found,
            uncompared=uncompared,
        )
        for stage, found in ((Stage.INPUT, {}), (Stage.DISTINCT, ratios))
    ]
    numbers = numbers or profile(0.9)
    exact = [scope.model_copy(update={"lens": Lens.EXACT}) for scope in numbers.scopes if scope.scope == "b"]
    return numbers.model_copy(update={"lexical": scopes, "scopes": [*numbers.scopes, *exact]})


def value(number: float, half: float | None = 0.01) -> LexicalValue:
    ends = (None, None) if half is None else (number - half, number + half)
    return LexicalValue(value=number, low=ends[0], high=ends[1], blocks=1 if half is None else 8)


def lexical_check(numbers: Profile, settings: CurationConfig | None = None) -> CheckResult:
    [found] = [c for c in judged(settings or asking(), numbers).checks if c.name == "lexical_ratio"]
    return found


@pytest.mark.parametrize(
    ("ratios", "outcome", "words"),
    [
        ({"distinct_1": value(0.9)}, Outcome.PASS, "all of 1 lexical measures are near"),
        ({"distinct_1": value(0.9), "heaps_beta": None}, Outcome.PASS, "all of 1"),
        ({"distinct_1": value(0.7), "distinct_2": value(3.0)}, Outcome.FAIL, "worth a look: 2 of 2"),
        ({"distinct_1": value(0.75, 0.1)}, Outcome.UNKNOWN, "may be far"),
        ({"distinct_1": value(0.2, None)}, Outcome.UNKNOWN, "(one block)"),
        ({"template_share": value(0.0, 0.0)}, Outcome.FAIL, "worth a look"),
        ({"distinct_1": value(0.7, None)}, Outcome.UNKNOWN, "worth a look: 1 of 1"),
        ({"distinct_1": None}, Outcome.UNKNOWN, "no lexical measure can be compared"),
    ],
)
def test_words_unlike_human_ones_are_worth_a_look_and_never_decide(
    ratios: dict[str, LexicalValue | None], outcome: Outcome, words: str
) -> None:
    found = lexical_check(with_lexical(ratios))
    assert (found.outcome, found.severity, found.scope) == (outcome, "warn", "b")
    assert words in found.message
    assert judged(asking(), with_lexical(ratios)).verdict is VerdictValue.GO


def test_what_human_text_never_does_is_worth_a_look_though_it_has_no_ratio() -> None:
    def with_share(ours: LexicalValue, human: LexicalValue) -> CheckResult:
        numbers = with_lexical({"template_share": None, "distinct_1": value(1.0)})
        sides = {"measures": {"template_share": ours}, "human": {"template_share": human}}
        return lexical_check(
            numbers.model_copy(update={"lexical": [s.model_copy(update=sides) for s in numbers.lexical]})
        )

    none = LexicalValue(value=0, low=0, high=0.002, blocks=8)
    much = with_share(value(0.98), none)
    assert much.outcome is Outcome.FAIL
    assert "template_share 0.98 where human text has 0" in much.message
    assert with_share(LexicalValue(value=0.001, low=0, high=0.004, blocks=8), none).outcome is Outcome.PASS


def test_the_measure_farthest_from_human_text_is_the_one_observed() -> None:
    found = lexical_check(with_lexical({"distinct_1": value(0.7), "distinct_2": value(3.0), "distinct_3": value(1.0)}))
    assert (found.metric, found.observed) == ("distinct_2", 3.0)
    assert "distinct_3" not in found.message


def test_what_cannot_be_compared_says_why_and_closes_no_strict_gate() -> None:
    numbers = with_lexical({}, "it is too small for one block")
    found = lexical_check(numbers, asking(strict=["lexical_ratio"]))
    assert (found.outcome, found.severity) == (Outcome.UNKNOWN, "warn")
    assert "too small for one block" in found.message


def test_missing_lineage_is_a_warning_and_a_failure_under_a_strict_policy() -> None:
    numbers = with_lexical({"distinct_1": value(0.9)})
    for strict, verdict in (
        (False, VerdictValue.GO),
        (["seed_fan_out"], VerdictValue.GO),
        (["lineage"], VerdictValue.NO_GO),
        (True, VerdictValue.NO_GO),
    ):
        found = judged(asking(strict=strict), numbers)
        assert found.verdict is verdict
        [lineage] = [check for check in found.checks if check.name == "lineage"]
        assert lineage.outcome is Outcome.FAIL
        assert lineage.severity == ("fail" if verdict is VerdictValue.NO_GO else "warn")


def test_a_strict_gate_closes_for_strange_words_and_somebody_may_answer_for_them() -> None:
    numbers = with_lexical({"distinct_1": value(0.5)})
    settings = asking(strict=["lexical_ratio"])
    assert judged(settings, numbers).verdict is VerdictValue.NO_GO
    waived = asking(strict=["lexical_ratio"], waivers=[{**PERSON, "check": "lexical_ratio", "scope": "b"}])
    assert judged(waived, numbers).verdict is VerdictValue.GO
    assert lexical_check(numbers, waived).waiver == "waived by Ada until 2026-03-01: known, will be replaced"


def test_everything_that_may_be_strict_can_be_waived_and_other_names_are_refused() -> None:
    assert STRICT_CHECKS <= WAIVABLE
    with pytest.raises(ValidationError, match="lineage"):
        GateConfig.model_validate({"strict": ["linage"]})
