"""Warnings of the gate where a mixture is not the one that was asked for, though nothing in it is at fault."""

from collections.abc import Iterator

from polyculture.gate.conditions import condition
from polyculture.mixture.plan.delivery import delivery_warnings
from schemas.manifest import Manifest
from schemas.verdict import CheckResult


def delivery_checks(manifest: Manifest) -> Iterator[CheckResult]:
    """Warn of shares that were missed, of rates that were perhaps meant as shares, and of a budget that is not reached.

    A top-up follows neither rates nor shares, and has a budget of its own.
    """
    plan = manifest.plan
    if plan is None or manifest.parent is not None:
        return
    for sentence in delivery_warnings(plan, manifest.config.mixture):
        yield condition("shares", "all", False, sentence.rstrip("."), "warn")
    if plan.lacking_tokens and plan.budget_tokens:
        lacking = f"the budget of {plan.budget_tokens:,} tokens lacks {plan.lacking_tokens:,}"
        yield condition("budget", "all", False, f"{lacking}: supply and limits allow no more", "warn")
