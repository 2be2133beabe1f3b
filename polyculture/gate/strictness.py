"""A strict policy: what the gate would only warn of decides."""

from collections.abc import Iterable, Iterator

from schemas.gate_config import STRICT_CHECKS, GateConfig
from schemas.verdict import CheckResult, Outcome


def apply_strictness(checks: Iterable[CheckResult], gate: GateConfig) -> Iterator[CheckResult]:
    """Checks whose warnings the policy wants to decide, as failures; the others as they are.

    What there is nothing to measure by, such as human text in the language of a source, stays a warning. A finding of
    an expectation keeps the severity that the expectation has.

    Args:
        checks: checks of the gate.
        gate: the policy.
    """
    names = STRICT_CHECKS if gate.strict is True else frozenset(gate.strict or ())
    for check in checks:
        is_unmeasured = check.outcome is Outcome.UNKNOWN and check.observed is None
        decides = check.name in names and not is_unmeasured
        yield check.model_copy(update={"severity": "fail"}) if decides else check
