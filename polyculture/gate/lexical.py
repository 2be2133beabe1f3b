"""Compare the words of synthetic text with those of human text: a warning, as there may be a good reason."""

import math
from collections.abc import Iterator

from polyculture.gate.conditions import condition
from polyculture.measure.lexical.measures import LEAST_RATIO, MOST_RATIO
from polyculture.storage.messages import first_few
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


def worth_a_look(scope: LexicalScope) -> list[str]:
    """The measures that are surely far from those of human text, the farthest first."""
    outside = [name for name, ratio in scope.ratios.items() if ratio is not None and _is_outside(ratio)]
    return _only_here(scope) + sorted(outside, key=lambda name: -_distance(_value(scope.ratios[name])))


def _is_outside(ratio: LexicalValue) -> bool:
    if ratio.low is None or ratio.high is None:
        return False
    return ratio.high < LEAST_RATIO or ratio.low > MOST_RATIO


def _only_here(scope: LexicalScope) -> list[str]:
    """Measures of which human text has nothing, and this source surely more than chance would hide there."""
    found = []
    for name, human in scope.human.items():
        ours = scope.measures.get(name)
        if ours is None or human is None or ours.low is None or human.high is None:
            continue
        if human.value == 0 and ours.low > MOST_RATIO * human.high:
            found.append(name)
    return found


def _check(scope: LexicalScope) -> CheckResult:
    outside, ratios = worth_a_look(scope), {name: r for name, r in scope.ratios.items() if r is not None}
    unsettled = [n for n, r in ratios.items() if n not in outside and not LEAST_RATIO <= r.value <= MOST_RATIO]
    unsettled.sort(key=lambda name: -_distance(ratios[name].value))
    told = outside or unsettled
    candidates = [name for name in told if name in ratios] or list(ratios)
    metric = max(candidates, key=lambda name: _distance(ratios[name].value), default=None)
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
        message=_words(scope, told, "are far" if outside else "may be far"),
    )


def _value(ratio: LexicalValue | None) -> float:
    return ratio.value if ratio is not None else 1.0


def _distance(ratio: float) -> float:
    """Distance of a ratio from 1, the same for twice and half; a ratio of 0 is farther than any other."""
    return abs(math.log(ratio)) if ratio > 0 else math.inf


def _margin(ratio: LexicalValue) -> float | None:
    if ratio.low is None or ratio.high is None:
        return None
    return min(ratio.low - LEAST_RATIO, MOST_RATIO - ratio.high)


def _words(scope: LexicalScope, told: list[str], how: str) -> str:
    beside = f"human text in {scope.language} at stage {scope.stage.value}"
    many = sum(value is not None for value in scope.ratios.values()) + len(_only_here(scope))
    if not many:
        return f"{scope.scope}: no lexical measure can be compared with {beside}"
    if not told:
        return f"{scope.scope}: all of {many} lexical measures are near those of {beside}"
    shown = first_few([_shown(scope, name) for name in told])
    return f"{scope.scope}: worth a look: {len(told)} of {many} lexical measures {how} from those of {beside}: {shown}"


def _shown(scope: LexicalScope, name: str) -> str:
    ratio = scope.ratios.get(name)
    if ratio is None:
        ours = scope.measures[name]
        return f"{name} {ours.value if ours else 0:.3g} where human text has 0"
    if ratio.low is None or ratio.high is None:
        why = "one block" if ratio.blocks == 1 else "interval unknown"
        return f"{name} {ratio.value:.3g} times ({why})"
    return f"{name} {ratio.value:.3g} times [{ratio.low:.3g}, {ratio.high:.3g}]"
