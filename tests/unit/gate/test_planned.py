"""A source that a plan leaves out of the mixture is no gap in the evidence; one that is gone without a plan is."""

import pytest

from schemas.config import CurationConfig
from schemas.mixture_config import MixtureConfig
from schemas.profile import Profile
from schemas.verdict import VerdictValue
from tests.unit.gate.test_judge import config, profile, verdict


def without(numbers: Profile, *left: tuple[str, str]) -> Profile:
    return numbers.model_copy(update={"scopes": [s for s in numbers.scopes if (s.stage.value, s.scope) not in left]})


def mixed(**mixture: object) -> CurationConfig:
    return config().model_copy(update={"mixture": MixtureConfig.model_validate(mixture)})


@pytest.mark.parametrize(
    ("mixture", "is_asked"),
    [
        ({"rates": "auto"}, False),
        ({"rates": {"file": "weights.json"}}, False),
        ({"sources": {"b": {"max_fraction": 0}}}, False),
        ({"rates": {"b": 0.5}}, True),
    ],
)
def test_a_source_that_the_plan_leaves_out_is_not_asked_for(mixture: dict[str, object], is_asked: bool) -> None:
    found = verdict(mixed(**mixture), without(profile(0.9), ("mixture", "b")))
    asked = [check for check in found.failed() if check.scope == "b" and check.name == "expectation"]
    assert bool(asked) == is_asked


def test_a_source_of_which_nothing_is_distinct_is_asked_for_whoever_planned() -> None:
    found = verdict(mixed(rates="auto"), without(profile(0.9), ("mixture", "b"), ("distinct", "b")))
    assert found.verdict is not VerdictValue.GO
    assert any(check.scope == "b" and check.name == "expectation" for check in found.failed())
