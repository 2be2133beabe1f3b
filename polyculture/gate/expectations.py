"""The expectations of the configuration against the numbers of a run: passed, failed or unsettled."""

import math
from collections.abc import Iterator, Sequence

from schemas.config import CurationConfig, Expectation, Metric, Severity, Stage
from schemas.documents import Kind
from schemas.profile import Containment, Estimate, Profile, ScopeProfile
from schemas.verdict import CheckResult, Outcome


def check_expectation(
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


def input_findings(config: CurationConfig, profile: Profile, judged: Sequence[CheckResult]) -> Iterator[CheckResult]:
    """What the expectations on the mixture would say of the input: warnings, where only the input would not pass."""
    closed = {(c.lens, c.metric, c.scope) for c in judged if c.name == "expectation" and c.outcome is not Outcome.PASS}
    for expectation in config.gate.expectations:
        if expectation.stage is None and expectation.metric is not Metric.CONTAINMENT:
            as_warning = expectation.model_copy(update={"severity": "warn", "stage": Stage.INPUT})
            for result in check_expectation(as_warning, config, profile, Stage.INPUT):
                if result.outcome is not Outcome.PASS and (result.lens, result.metric, result.scope) not in closed:
                    yield result
