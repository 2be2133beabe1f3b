"""Whether synthetic text is as varied in its words as human text: a warning, as there may be a good reason."""

import math
from collections.abc import Iterator

from polyculture.diversity.lexical import LEAST_RATIO, MOST_RATIO
from polyculture.gate.conditions import condition
from schemas.lexical import LexicalScope, LexicalValue
from schemas.measures import Stage
from schemas.profile import Profile
from schemas.verdict import CheckResult, Outcome

NAME = "lexical_ratio"


def lexical_checks(profile: Profile, judged: Stage) -> Iterator[CheckResult]:
    """One check for each synthetic source: every lexical measure, over that of human text of its language.

    The mixture is judged by what is distinct, as copies say nothing about words.
    """
    stage = Stage.INPUT if judged is Stage.INPUT else Stage.DISTINCT
    for scope in profile.lexical:
        if scope.stage is stage and scope.uncompared is not None:
            message = f"{scope.scope}: its words are not compared with human text: {scope.uncompared}"
            unmeasured = condition(NAME, scope.scope, False, message, "warn")
            yield unmeasured.model_copy(update={"outcome": Outcome.UNKNOWN, "stage": stage.value})
        elif scope.stage is stage and scope.ratios:
            yield _check(scope)


def is_outside(value: LexicalValue) -> bool:
    """Whether a ratio is worth a look: it, and so far as is known all of its interval, lies outside the bounds."""
    if value.low is None or value.high is None:
        return False
    return value.high < LEAST_RATIO or value.low > MOST_RATIO


def _check(scope: LexicalScope) -> CheckResult:
    ratios = {name: ratio for name, ratio in scope.ratios.items() if ratio is not None}
    outside = {name: ratio for name, ratio in ratios.items() if is_outside(ratio)}
    unsettled = {n: r for n, r in ratios.items() if n not in outside and not LEAST_RATIO <= r.value <= MOST_RATIO}
    metric = max(outside or unsettled or ratios, key=lambda name: _distance(ratios[name].value), default=None)
    worst = ratios[metric] if metric is not None else None
    return CheckResult(
        name=NAME,
        outcome=Outcome.FAIL if outside else Outcome.UNKNOWN if unsettled or worst is None else Outcome.PASS,
        severity="warn",
        scope=scope.scope,
        stage=scope.stage.value,
        metric=metric,
        observed=worst.value if worst else None,
        low=worst.low if worst else None,
        high=worst.high if worst else None,
        bound=f"{LEAST_RATIO:g} to {MOST_RATIO:g} of human text's",
        margin=_margin(worst) if worst else None,
        message=_words(scope, ratios, outside, unsettled),
    )


def _distance(ratio: float) -> float:
    """How far a ratio is from 1, the same for twice and half; no share of 0 is nearer than any other ratio."""
    return abs(math.log(ratio)) if ratio > 0 else math.inf


def _margin(ratio: LexicalValue) -> float | None:
    if ratio.low is None or ratio.high is None:
        return None
    return min(ratio.low - LEAST_RATIO, MOST_RATIO - ratio.high)


def _words(
    scope: LexicalScope,
    ratios: dict[str, LexicalValue],
    outside: dict[str, LexicalValue],
    unsettled: dict[str, LexicalValue],
) -> str:
    beside = f"human text in {scope.language} at stage {scope.stage.value}"
    told = sorted(outside.items() or unsettled.items(), key=lambda item: -_distance(item[1].value))
    shown = ", ".join(f"{name} {_shown(ratio)}" for name, ratio in told)
    many = f"{len(told)} of {len(ratios)} lexical measures"
    if outside:
        return f"{scope.scope}: worth a look: {many} are far from those of {beside}: {shown}"
    if unsettled:
        return f"{scope.scope}: {many} may be far from those of {beside}: {shown}; a larger source would tell"
    if not ratios:
        return f"{scope.scope}: no lexical measure can be compared with {beside}"
    return f"{scope.scope}: all of {len(ratios)} lexical measures are near those of {beside}"


def _shown(ratio: LexicalValue) -> str:
    if ratio.low is None or ratio.high is None:
        return f"{ratio.value:.3g} times (one block)"
    return f"{ratio.value:.3g} times [{ratio.low:.3g}, {ratio.high:.3g}]"
