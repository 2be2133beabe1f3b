"""The expectations of the configuration against the numbers of a run: passed, failed or unsettled."""

import math
from collections.abc import Iterator, Sequence

from polyculture.gate.relative import OF_WHAT, Evidence, Observed, observe, observe_pair
from polyculture.gate.vectors import observe_vectors
from schemas.config import CurationConfig
from schemas.gate_config import Expectation
from schemas.measures import Metric, RelativeTo, Space, Stage, Weighting
from schemas.profile import Containment, Estimate, ScopeProfile
from schemas.strict import Severity
from schemas.verdict import CheckResult, Outcome


def check_expectation(expectation: Expectation, evidence: Evidence, judged: Stage) -> Iterator[CheckResult]:
    """The results of one expectation in each scope that it covers."""
    stage, config = expectation.stage or judged, evidence.config
    if stage is Stage.MIXTURE and judged is Stage.INPUT:
        yield _unmeasured(
            expectation, stage, expectation.scope, "an audit writes no mixture; `run` judges this", "warn"
        )
        return
    if expectation.metric is Metric.CONTAINMENT:
        yield from _containment(expectation, evidence, stage)
        return
    if isinstance(expectation.lens, Space):
        yield from _of_space(expectation, evidence, stage)
        return
    for scope in _scopes(expectation, config):
        numbers = evidence.profile.scope(stage, expectation.lens, scope, expectation.weighting)
        if numbers is None:
            distinct = evidence.profile.scope(Stage.DISTINCT, expectation.lens, scope, expectation.weighting)
            is_unasked = scope in evidence.unchosen or _is_left_out(
                scope, evidence.config, is_there=distinct is not None
            )
            if stage is Stage.MIXTURE and is_unasked:
                continue
            why = f"none of its documents is there at stage {stage.value}"
            yield _unmeasured(expectation, stage, scope, why, expectation.severity)
        else:
            yield _bounded(expectation, numbers, evidence)


def _of_space(expectation: Expectation, evidence: Evidence, stage: Stage) -> Iterator[CheckResult]:
    """Results of what embeddings say of each scope as a whole."""
    for scope in _scopes(expectation, evidence.config):
        vector = evidence.profile.vector(stage, scope)
        is_there = evidence.profile.vector(Stage.DISTINCT, scope) is not None
        is_unasked = scope in evidence.unchosen or _is_left_out(scope, evidence.config, is_there=is_there)
        if vector is None and stage is Stage.MIXTURE and is_unasked:
            continue
        observed = observe_vectors(expectation, vector, evidence)
        what, where = f"{scope}: {_called(expectation)}", f"at stage {stage.value}"
        if observed.estimate is None:
            message = f"{what} {where} is unmeasured: {observed.words}"
        else:
            of_what = f" of {OF_WHAT[expectation.relative_to]}" if expectation.relative_to else ""
            message = f"{what} is {_shown(observed.estimate)}{of_what} {where} ({observed.words})"
        yield _result(expectation, stage, scope, observed, message)


def _scopes(expectation: Expectation, config: CurationConfig) -> list[str]:
    """Names of the scopes; the reference is not compared with itself."""
    is_compared = expectation.relative_to is RelativeTo.REFERENCE
    others = [source for source in config.sources if not is_compared or source.name not in config.reference]
    if expectation.scope == "each_source":
        return sorted(source.name for source in others)
    if expectation.scope == "each_kind":
        return sorted({source.kind.value for source in others})
    return [expectation.scope]


def _is_left_out(scope: str, config: CurationConfig, *, is_there: bool) -> bool:
    """True if a source or kind is kept out of the mixture on purpose.

    By a rate or a share of 0; or, where no fixed rates were asked for, by the plan: then its distinct documents are
    there.
    """
    mixture = config.mixture
    absent = [mixture.leaves_out(s.name, s.kind) for s in config.sources if scope in (s.name, s.kind.value)]
    is_planned = any(not isinstance(terms.rates, dict) for terms in mixture.terms)
    return bool(absent) and (all(absent) or (is_planned and is_there))


def _result(expectation: Expectation, stage: Stage, scope: str, observed: Observed, message: str) -> CheckResult:
    """A check whose outcome follows from what was observed: UNKNOWN if nothing was."""
    found = observed.estimate
    outcome, margin = (
        settle(found, expectation.at_least, expectation.at_most) if found is not None else (Outcome.UNKNOWN, None)
    )
    return CheckResult(
        name="expectation",
        outcome=outcome,
        severity=expectation.severity,
        scope=scope,
        stage=stage.value,
        lens=expectation.lens.value,
        metric=expectation.metric.value,
        weighting=expectation.weighting.value,
        relative_to=expectation.relative_to.value if expectation.relative_to else None,
        observed=found.value if found is not None else None,
        low=found.low if found is not None else None,
        high=found.high if found is not None else None,
        bound=bound_words(expectation),
        margin=margin,
        message=message,
    )


def _unmeasured(expectation: Expectation, stage: Stage, scope: str, why: str, severity: Severity) -> CheckResult:
    asked = expectation.model_copy(update={"severity": severity})
    return _result(asked, stage, scope, Observed(None), f"{scope}: {_called(expectation)} is unmeasured: {why}")


def _called(expectation: Expectation) -> str:
    """The number that is bounded: `near distinct_fraction`, or `near hill_1 by tokens`."""
    words = f"{expectation.lens.value} {expectation.metric.value}"
    return words if expectation.weighting is Weighting.DOCUMENTS else f"{words} by {expectation.weighting.value}"


def bound_words(expectation: Expectation) -> str:
    """The bound in words: `>= 0.8`, `<= 0.1`, both, or `>= 0.6 of the reference's`."""
    parts = []
    if expectation.at_least is not None:
        parts.append(f">= {expectation.at_least:g}")
    if expectation.at_most is not None:
        parts.append(f"<= {expectation.at_most:g}")
    of_what = f" of {OF_WHAT[expectation.relative_to]}" if expectation.relative_to else ""
    return " and ".join(parts) + of_what


def settle(estimate: Estimate, at_least: float | None, at_most: float | None) -> tuple[Outcome, float]:
    """Compare an interval with a bound: passed or failed only if the whole interval is on one side.

    Args:
        estimate: the number; an Estimate cannot hold NaN, and NaN would not pass.
        at_least: lower bound, if there is one.
        at_most: upper bound, if there is one; one of the two is.

    Returns:
        The outcome, and the margin of the interval's worse end.
    """
    margins, failed = [], False
    if at_least is not None:
        margins.append(estimate.low - at_least)
        failed |= estimate.high < at_least
    if at_most is not None:
        margins.append(at_most - estimate.high)
        failed |= estimate.low > at_most
    margin = min(margins)
    if failed:
        return Outcome.FAIL, margin
    return (Outcome.PASS if margin >= -1e-12 else Outcome.UNKNOWN), margin


def _bounded(expectation: Expectation, numbers: ScopeProfile, evidence: Evidence) -> CheckResult:
    observed = observe(expectation, numbers, evidence)
    message = _sentence(expectation, numbers, observed, evidence.config.gate.trial_fraction)
    result = _result(expectation, numbers.stage, numbers.scope, observed, message)
    if result.outcome is not Outcome.UNKNOWN or observed.estimate is None:
        return result
    needed = _needed_probes(observed.estimate, expectation, numbers, evidence.config)
    return result.model_copy(update={"needed_probes": needed})


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


def _sentence(expectation: Expectation, numbers: ScopeProfile, observed: Observed, fraction: float) -> str:
    what, where = f"{numbers.scope}: {_called(expectation)}", f"at stage {numbers.stage.value}"
    if observed.estimate is None:
        return f"{what} {where} is unmeasured: {observed.words}"
    if expectation.relative_to is not None:
        of_what = OF_WHAT[expectation.relative_to]
        return f"{what} is {_shown(observed.estimate)} of {of_what} {where} ({observed.words})"
    saw, holds = numbers.trial(fraction).value, numbers.distinct_fraction.value
    return (
        f"{what} {_shown(observed.estimate)} {where}; "
        f"a {100 * fraction:g} % trial would have seen {saw:.3f} distinct, the full corpus is {holds:.3f}"
    )


def _shown(estimate: Estimate) -> str:
    if estimate.low == estimate.high:
        return f"{estimate.value:.3f} (counted)"
    return f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


def _containment(expectation: Expectation, evidence: Evidence, stage: Stage) -> Iterator[CheckResult]:
    """One result per ordered pair of sources whose first is in the scope."""
    kinds = {source.name: source.kind.value for source in evidence.config.sources}
    anything = ("all", "each_source", "each_kind")
    pairs = [
        pair
        for pair in evidence.profile.containments
        if (pair.stage, pair.lens) == (stage, expectation.lens)
        and expectation.scope in (*anything, pair.of, kinds.get(pair.of))
    ]
    if not pairs:
        yield _unmeasured(
            expectation, stage, expectation.scope, "fewer than two sources were measured", expectation.severity
        )
    for pair in pairs:
        yield _contained(expectation, pair, evidence)


def _contained(expectation: Expectation, pair: Containment, evidence: Evidence) -> CheckResult:
    observed = observe_pair(expectation, pair, evidence)
    scope = f"{pair.of} in {pair.within}"
    where = f"at stage {pair.stage.value}"
    if observed.estimate is None:
        message = f"{scope}: {_called(expectation)} {where} is unmeasured: {observed.words}"
    elif expectation.relative_to is not None:
        of_what = OF_WHAT[expectation.relative_to]
        shown = _shown(observed.estimate)
        message = f"{scope}: {_called(expectation)} is {shown} of {of_what} {where} ({observed.words})"
    else:
        message = f"{_shown(pair.containment)} of {pair.of} has a twin in {pair.within} {where}"
    return _result(expectation, pair.stage, scope, observed, message)


def input_findings(evidence: Evidence, judged: Sequence[CheckResult]) -> Iterator[CheckResult]:
    """Judge the input by the expectations on the mixture: warnings, where only the input would not pass."""
    closed = {_what(c) for c in judged if c.name == "expectation" and c.outcome is not Outcome.PASS}
    for expectation in evidence.config.gate.expectations:
        if expectation.stage is None and expectation.metric is not Metric.CONTAINMENT:
            as_warning = expectation.model_copy(update={"severity": "warn", "stage": Stage.INPUT})
            for result in check_expectation(as_warning, evidence, Stage.INPUT):
                if result.outcome is not Outcome.PASS and _what(result) not in closed:
                    yield result


def _what(check: CheckResult) -> tuple[str | None, ...]:
    return check.lens, check.metric, check.weighting, check.relative_to, check.scope
