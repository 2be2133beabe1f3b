"""Waivers: a failing check that somebody answers for until a day is printed, and does not decide."""

from collections.abc import Iterator, Sequence
from datetime import date

from polyculture.gate.conditions import condition
from schemas.gate_config import WAIVABLE, Waiver
from schemas.verdict import CheckResult, Outcome


def apply_waivers(checks: Sequence[CheckResult], waivers: Sequence[Waiver], as_of: date | None) -> list[CheckResult]:
    """Turn what is waived into warnings that name the waiver.

    What failed, or straddles its bound, can be waived. What was not measured cannot, nor can evidence that is missing
    or does not balance. The first waiver that fits is the one that is named.

    Args:
        checks: checks of the gate.
        waivers: waivers of the policy.
        as_of: the day to judge on; without one no waiver holds.

    Returns:
        The checks in the same order, then a warning for each waiver that does not hold any more.
    """
    valid = [waiver for waiver in waivers if as_of is not None and as_of <= waiver.until]
    judged = [_waived(check, valid) for check in checks]
    return judged + list(_void(waivers, as_of))


def _waived(check: CheckResult, valid: Sequence[Waiver]) -> CheckResult:
    waiver = next((waiver for waiver in valid if _fits(waiver, check)), None)
    if waiver is None or not _may_be_waived(check):
        return check
    words = f"waived by {waiver.by} until {waiver.until.isoformat()}: {waiver.reason}"
    return check.model_copy(update={"severity": "warn", "waiver": words, "message": f"{check.message}; {words}"})


def _may_be_waived(check: CheckResult) -> bool:
    is_closing = check.severity == "fail" and check.outcome is not Outcome.PASS
    is_measured = check.outcome is Outcome.FAIL or check.observed is not None
    return is_closing and is_measured and check.name in WAIVABLE


def _fits(waiver: Waiver, check: CheckResult) -> bool:
    if waiver.scope not in ("*", check.scope):
        return False
    if waiver.parts is None:
        return waiver.check == check.name
    if check.name not in ("expectation", "near"):
        return False
    return all(
        part in ("*", has) for part, has in zip(waiver.parts, (check.lens, check.metric, check.scope), strict=True)
    )


def _void(waivers: Sequence[Waiver], as_of: date | None) -> Iterator[CheckResult]:
    for waiver in waivers:
        if as_of is None or waiver.until < as_of:
            why = "no day to judge on was given" if as_of is None else f"it ended on {waiver.until.isoformat()}"
            message = f"the waiver of {waiver.check} by {waiver.by} does nothing: {why}; renew it or take it out"
            yield condition("waiver", waiver.scope, False, message, "warn")
