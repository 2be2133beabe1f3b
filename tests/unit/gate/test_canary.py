from collections.abc import Callable

import pytest
from pydantic import ValidationError

from polyculture.gate import judge
from polyculture.gate.canary import canary_check
from schemas.gate_config import Waiver
from schemas.profile import CanaryNumbers, Estimate
from schemas.verdict import Outcome, VerdictValue
from tests.support.canary import healthy_canary
from tests.support.repetition import repetition_of
from tests.unit.gate.test_judge import SHA, belonging, config, manifest, profile

RUN = manifest(config())


def moved(canary: CanaryNumbers, at: int, factor: float) -> CanaryNumbers:
    """One estimate and its interval times a factor."""
    old = canary.numbers[at].estimate
    estimate = Estimate(value=old.value * factor, low=old.low * factor, high=old.high * factor)
    numbers = [*canary.numbers]
    numbers[at] = numbers[at].model_copy(update={"estimate": estimate})
    return canary.model_copy(update={"numbers": numbers})


def test_a_canary_that_is_found_as_planted_holds_and_says_how_much_was_known() -> None:
    found = canary_check(RUN, healthy_canary(RUN))
    assert found.outcome is Outcome.PASS
    assert found.message == (
        "canary: 40 of 40 known numbers inside their 99.99 % intervals, 7,000 of 7,000 counts as planted"
    )


@pytest.mark.parametrize("at", range(40))
def test_each_number_alone_closes_the_gate_on_either_side(at: int) -> None:
    for factor in (0.985, 1.01):
        found = canary_check(RUN, moved(healthy_canary(RUN), at, factor))
        assert found.outcome is Outcome.FAIL
        assert "39 of 40" in found.message
    assert canary_check(RUN, moved(healthy_canary(RUN), at, 1.004)).outcome is Outcome.PASS


CHANGES: dict[str, Callable[[CanaryNumbers], CanaryNumbers | None]] = {
    "missing": lambda _: None,
    "of another run": lambda canary: canary.model_copy(update={"identity_sha256": "1" * 64}),
    "of another seed": lambda canary: canary.model_copy(update={"seed": canary.seed + 1}),
    "of another threshold": lambda canary: canary.model_copy(update={"threshold": 0.7}),
    "of another version": lambda canary: canary.model_copy(update={"recipe": canary.recipe + 1}),
    "a number less": lambda canary: canary.model_copy(update={"numbers": canary.numbers[1:]}),
    "a number twice": lambda canary: canary.model_copy(update={"numbers": [*canary.numbers, canary.numbers[0]]}),
    "no number": lambda canary: canary.model_copy(update={"numbers": []}),
    "one wrong count": lambda canary: canary.model_copy(update={"wrong": 1}),
    "no count": lambda canary: canary.model_copy(update={"counts": 0}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_canary_that_is_missing_foreign_stale_or_not_whole_closes_the_gate(change: str) -> None:
    good = belonging(profile(0.99), RUN)
    whole = repetition_of(RUN)
    assert judge(RUN.config, RUN, SHA, good, repetition=whole).verdict is VerdictValue.GO
    assert good.canary is not None
    changed = good.model_copy(update={"canary": CHANGES[change](good.canary)})
    found = judge(RUN.config, RUN, SHA, changed, repetition=whole)
    assert found.verdict is VerdictValue.NO_GO
    assert [check.name for check in found.failed()] == ["canary"]


def test_nobody_can_waive_it() -> None:
    with pytest.raises(ValidationError, match="unknown 'canary'"):
        Waiver.model_validate({"check": "canary", "reason": "why", "by": "Ada", "until": "2026-03-01"})
