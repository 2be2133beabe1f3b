"""The gate: from evidence and expectations to GO, NO-GO or UNKNOWN. It fails closed."""

import math
from collections.abc import Iterator, Sequence
from typing import Literal

from polyculture import __version__
from schemas.config import CurationConfig, Expectation, Metric, Stage
from schemas.documents import Kind
from schemas.manifest import Manifest, SourceAccount
from schemas.profile import Containment, Estimate, Profile, ScopeProfile
from schemas.verdict import CheckResult, Outcome, Verdict, VerdictValue

Severity = Literal["fail", "warn"]
WARN_QUARANTINED_FRACTION = 0.001


def judge(config: CurationConfig, manifest: Manifest, manifest_sha256: str, profile: Profile | None) -> Verdict:
    """Judge a finished run.

    Any failed check is NO-GO; else any unsettled one is UNKNOWN; only if every check passed is it GO. Missing numbers,
    an empty source or mixture, lost tails and a broken balance are failures, whatever the expectations say.

    Args:
        config: expectations and limits.
        manifest: files and conservation table.
        manifest_sha256: what the verdict is bound to.
        profile: the numbers, or None if there are none.

    Returns:
        The verdict with every check, failures first.
    """
    judged = Stage.MIXTURE if manifest.command == "run" else Stage.INPUT
    checks = [*_conditions(config, manifest)]
    if profile is None:
        checks.append(_condition("evidence", "all", False, "no numbers were measured: nothing to judge"))
    else:
        for expectation in config.gate.expectations:
            checks.extend(_expectation(expectation, config, profile, judged))
        if judged is Stage.MIXTURE:
            checks.extend(_input_findings(config, profile, list(checks)))
    decisive = [check for check in checks if check.severity == "fail"]
    value = VerdictValue.GO
    if not decisive or any(check.outcome is Outcome.FAIL for check in decisive):
        value = VerdictValue.NO_GO
    elif any(check.outcome is Outcome.UNKNOWN for check in decisive):
        value = VerdictValue.UNKNOWN
    order = {Outcome.FAIL: 0, Outcome.UNKNOWN: 1, Outcome.PASS: 2}
    checks.sort(key=lambda check: (check.severity == "warn", order[check.outcome]))
    return Verdict(
        verdict=value,
        name=manifest.name,
        judged="mixture" if judged is Stage.MIXTURE else "input",
        checks=checks,
        manifest_sha256=manifest_sha256,
        version=__version__,
    )


def _condition(name: str, scope: str, holds: bool, message: str, severity: Severity = "fail") -> CheckResult:
    outcome = Outcome.PASS if holds else Outcome.FAIL
    return CheckResult(name=name, outcome=outcome, severity=severity, scope=scope, message=message)


def _conditions(config: CurationConfig, manifest: Manifest) -> Iterator[CheckResult]:
    """What must hold for any verdict but NO-GO, whatever the expectations."""
    accounts = manifest.conservation
    named = sorted(account.name for account in accounts) == sorted(source.name for source in config.sources)
    yield _condition(
        "evidence", "all", named, "every source has an account" if named else "the accounts name other sources"
    )
    lost = sum(account.imbalance() for account in accounts)
    message = "every record slot is accounted for" if not lost else f"{lost} record slots are unaccounted for"
    yield _condition("conservation", "all", lost == 0, message)
    if manifest.command == "run":
        written = sum(account.written for account in accounts)
        yield _condition("empty_mixture", "all", written > 0, f"the shards hold {written:,} documents")
    for account in accounts:
        yield from _source_conditions(config, account)


def _source_conditions(config: CurationConfig, account: SourceAccount) -> Iterator[CheckResult]:
    """Conditions on one source's input."""
    documents = sum(file.documents for file in account.files)
    yield _condition("empty_source", account.name, documents > 0, f"{account.name}: {documents:,} documents were read")
    yield _quarantine(account)
    accepted = next((s.accept_truncated for s in config.sources if s.name == account.name), ())
    for file in account.files:
        if file.is_tail_lost:
            where = f"{file.lost_bytes:,} bytes not read" if file.lost_bytes else "cut within its last record"
            lost = f"{account.name}: the end of {file.name} cannot be read ({where})"
            known = file.sha256 in accepted
            cure = (
                "accepted by accept_truncated" if known else "fetch it again, or list its sha256 under accept_truncated"
            )
            yield _condition("truncated_input", account.name, known, f"{lost}; {cure}")
        if file.is_changed:
            yield _condition(
                "changed_input",
                account.name,
                False,
                f"{account.name}: {file.name} changed while it was read; run again",
            )
        if not file.slots and not file.skipped:
            yield _condition(
                "unreadable_input", account.name, False, f"{account.name}: {file.name} holds no record", "warn"
            )


def _quarantine(account: SourceAccount) -> CheckResult:
    quarantined = sum(account.quarantined.values())
    share = quarantined / account.read if account.read else 0.0
    within = share <= account.quarantine_limit
    reasons = ", ".join(
        f"{count} {reason}" for reason, count in sorted(account.quarantined.items(), key=lambda i: -i[1])
    )
    message = f"{account.name}: {quarantined:,} of {account.read:,} record slots quarantined" + (
        f": {reasons}" if reasons else ""
    )
    severity: Severity = "fail"
    outcome = Outcome.PASS if within else Outcome.FAIL
    if within and share > WARN_QUARANTINED_FRACTION:
        severity, outcome = "warn", Outcome.FAIL
    return CheckResult(
        name="quarantine",
        outcome=outcome,
        severity=severity,
        scope=account.name,
        observed=share,
        low=share,
        high=share,
        bound=f"<= {account.quarantine_limit:g}",
        margin=account.quarantine_limit - share,
        message=message,
    )


def _expectation(
    expectation: Expectation, config: CurationConfig, profile: Profile, judged: Stage
) -> Iterator[CheckResult]:
    """The results of one expectation in each scope that it covers."""
    stage = expectation.stage or judged
    if stage is Stage.MIXTURE and judged is Stage.INPUT:
        yield _unmeasured(
            expectation, stage, expectation.scope, "an audit writes no mixture; `run` judges this", "warn"
        )
        return
    if expectation.metric is Metric.CONTAINMENT:
        yield from _containment(expectation, config, profile, stage)
        return
    for scope in _scopes(expectation.scope, config):
        numbers = profile.scope(stage, expectation.lens, scope)
        if numbers is None:
            if stage is Stage.MIXTURE and _is_left_out(scope, config):
                continue
            why = f"none of its documents is there at stage {stage.value}"
            yield _unmeasured(expectation, stage, scope, why, expectation.severity)
        else:
            yield _bounded(expectation, stage, numbers, config)


def _scopes(scope: str, config: CurationConfig) -> list[str]:
    names = sorted(source.name for source in config.sources)
    if scope == "each_source":
        return names
    if scope == "each_kind":
        return sorted({source.kind.value for source in config.sources})
    return [scope]


def _is_left_out(scope: str, config: CurationConfig) -> bool:
    """Whether the configuration itself keeps a source or kind out of the mixture, by a rate or a share of 0."""
    absent = [
        config.mixture.rates.get(s.name, 1.0) == 0
        or (s.kind in config.mixture.kinds and config.mixture.kinds[s.kind].max_fraction == 0)
        for s in config.sources
        if scope in (s.name, s.kind.value)
    ]
    return bool(absent) and all(absent)


def _unmeasured(expectation: Expectation, stage: Stage, scope: str, why: str, severity: Severity) -> CheckResult:
    return CheckResult(
        name="expectation",
        outcome=Outcome.UNKNOWN,
        severity=severity,
        scope=scope,
        stage=stage.value,
        lens=expectation.lens.value,
        metric=expectation.metric.value,
        bound=bound_words(expectation),
        message=f"{scope}: {expectation.lens.value} {expectation.metric.value} is unmeasured: {why}",
    )


def bound_words(expectation: Expectation) -> str:
    """The bound in words: `>= 0.8`, `<= 0.1`, or both."""
    parts = []
    if expectation.at_least is not None:
        parts.append(f">= {expectation.at_least:g}")
    if expectation.at_most is not None:
        parts.append(f"<= {expectation.at_most:g}")
    return " and ".join(parts)


def settle(estimate: Estimate, expectation: Expectation) -> tuple[Outcome, float]:
    """Compare an interval with a bound: passed or failed only if the whole interval is on one side.

    Returns:
        The outcome, and the margin of the interval's worse end. An Estimate cannot hold NaN, and NaN would not pass.
    """
    margins, failed = [], False
    if expectation.at_least is not None:
        margins.append(estimate.low - expectation.at_least)
        failed |= estimate.high < expectation.at_least
    if expectation.at_most is not None:
        margins.append(expectation.at_most - estimate.high)
        failed |= estimate.low > expectation.at_most
    margin = min(margins)
    if failed:
        return Outcome.FAIL, margin
    return (Outcome.PASS if margin >= -1e-12 else Outcome.UNKNOWN), margin


def _bounded(expectation: Expectation, stage: Stage, numbers: ScopeProfile, config: CurationConfig) -> CheckResult:
    estimate: Estimate = getattr(numbers, expectation.metric.value)
    outcome, margin = settle(estimate, expectation)
    return CheckResult(
        name="expectation",
        outcome=outcome,
        severity=expectation.severity,
        scope=numbers.scope,
        stage=stage.value,
        lens=expectation.lens.value,
        metric=expectation.metric.value,
        observed=estimate.value,
        low=estimate.low,
        high=estimate.high,
        bound=bound_words(expectation),
        margin=margin,
        needed_probes=_needed_probes(estimate, expectation, numbers, config) if outcome is Outcome.UNKNOWN else None,
        message=_sentence(expectation, stage, numbers, config.gate.trial_fraction),
    )


def _needed_probes(
    estimate: Estimate, expectation: Expectation, numbers: ScopeProfile, config: CurationConfig
) -> int | None:
    """Probes per source that would shrink the interval to its distance from the bound; None if none would."""
    bounds = [bound for bound in (expectation.at_least, expectation.at_most) if bound is not None]
    distance = min(abs(estimate.value - bound) for bound in bounds)
    half = (estimate.high - estimate.low) / 2
    if distance <= 0:
        return None
    return min(numbers.documents, math.ceil(config.measure.probes * (half / distance) ** 2))


def _sentence(expectation: Expectation, stage: Stage, numbers: ScopeProfile, fraction: float) -> str:
    estimate: Estimate = getattr(numbers, expectation.metric.value)
    saw, holds = numbers.trial(fraction).value, numbers.distinct_fraction.value
    return (
        f"{numbers.scope}: {expectation.lens.value} {expectation.metric.value} {_shown(estimate)} "
        f"at stage {stage.value}; "
        f"a {100 * fraction:g} % trial would have seen {saw:.3f} distinct, the full corpus is {holds:.3f}"
    )


def _shown(estimate: Estimate) -> str:
    if estimate.low == estimate.high:
        return f"{estimate.value:.3f} (counted)"
    return f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


def _containment(
    expectation: Expectation, config: CurationConfig, profile: Profile, stage: Stage
) -> Iterator[CheckResult]:
    """One result per ordered pair of sources whose first is in the scope."""
    kinds = {source.name: source.kind for source in config.sources}
    pairs = [
        pair
        for pair in profile.containments
        if (pair.stage, pair.lens) == (stage, expectation.lens)
        and _in_scope(pair.of, kinds[pair.of], expectation.scope)
    ]
    if not pairs:
        yield _unmeasured(
            expectation, stage, expectation.scope, "fewer than two sources were measured", expectation.severity
        )
    for pair in pairs:
        yield _contained(expectation, pair)


def _in_scope(source: str, kind: Kind, scope: str) -> bool:
    return scope in ("all", "each_source", "each_kind", source, kind.value)


def _contained(expectation: Expectation, pair: Containment) -> CheckResult:
    outcome, margin = settle(pair.containment, expectation)
    return CheckResult(
        name="expectation",
        outcome=outcome,
        severity=expectation.severity,
        scope=f"{pair.of} in {pair.within}",
        stage=pair.stage.value,
        lens=pair.lens.value,
        metric=Metric.CONTAINMENT.value,
        observed=pair.containment.value,
        low=pair.containment.low,
        high=pair.containment.high,
        bound=bound_words(expectation),
        margin=margin,
        message=f"{_shown(pair.containment)} of {pair.of} has a twin in {pair.within} at stage {pair.stage.value}",
    )


def _input_findings(config: CurationConfig, profile: Profile, judged: Sequence[CheckResult]) -> Iterator[CheckResult]:
    """What the expectations on the mixture would say of the input: warnings, where only the input would not pass."""
    closed = {(c.lens, c.metric, c.scope) for c in judged if c.name == "expectation" and c.outcome is not Outcome.PASS}
    for expectation in config.gate.expectations:
        if expectation.stage is None and expectation.metric is not Metric.CONTAINMENT:
            as_warning = expectation.model_copy(update={"severity": "warn", "stage": Stage.INPUT})
            for result in _expectation(as_warning, config, profile, Stage.INPUT):
                if result.outcome is not Outcome.PASS and (result.lens, result.metric, result.scope) not in closed:
                    yield result
