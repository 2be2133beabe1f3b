"""Explain the verdict in sentences, for a person who signs it."""

from polyculture.report.words import compact, listing, percent
from schemas.manifest import Manifest
from schemas.measures import Lens, Metric, Stage
from schemas.profile import Profile, ScopeProfile
from schemas.source_config import RESERVED_SCOPES
from schemas.verdict import CheckResult, Outcome, Verdict, VerdictValue

DIVERSITY = (Metric.DISTINCT_FRACTION, Metric.SCALE_SURPRISE, Metric.DUPLICATE_FRACTION)
MOST_MESSAGES = 3


def explain(manifest: Manifest, profile: Profile, verdict: Verdict) -> list[str]:
    """Sentences under the verdict: the reason first, then what else fails, then what the budget lacks.

    Where the verdict says itself what keeps the gate closed, they only say what a trial would have seen.
    """
    failed = [check for check in verdict.failed() if check.outcome is Outcome.FAIL]
    unsettled = [check for check in verdict.failed() if check.outcome is Outcome.UNKNOWN]
    if verdict.headline:
        sentences = _least_distinct(profile, Stage(verdict.judged))
    elif verdict.verdict is VerdictValue.GO:
        sentences = _why_open(profile, verdict)
    elif failed:
        sentences = _why_closed(profile, verdict, failed)
    else:
        sentences = _why_unsettled(unsettled)
    if manifest.plan and manifest.plan.lacking_tokens:
        sentences.append(f"The mixture lacks {compact(manifest.plan.lacking_tokens)} tokens of its budget.")
    return sentences


def _why_closed(profile: Profile, verdict: Verdict, failed: list[CheckResult]) -> list[str]:
    measured = {}
    for check in failed:
        found = _scope(profile, verdict, check) if check.metric in DIVERSITY else None
        if found:
            measured[check.scope] = found
    others = [_sentence(check) for check in failed if check.scope not in measured or check.metric not in DIVERSITY]
    # A source before the kinds and the union that it is part of, and the least distinct source first.
    order = sorted(measured.values(), key=lambda s: (s.scope in RESERVED_SCOPES, s.distinct_fraction.value, s.scope))
    sentences = []
    if order:
        sentences.append(_described(profile, order[0]))
    if len(order) > 1:
        sentences.append(f"Failing too: {_listed([scope.scope for scope in order[1:]])}.")
    sentences.extend(others[:MOST_MESSAGES])
    if len(others) > MOST_MESSAGES:
        sentences.append(f"{len(others) - MOST_MESSAGES} more checks fail; see the table.")
    return sentences or ["The verdict names no failed check; that is a defect of the gate, so treat it as closed."]


def _described(profile: Profile, scope: ScopeProfile) -> str:
    full = percent(scope.distinct_fraction.value)
    seen = scope.trial(profile.trial_fraction).value
    exactly = "exactly counted, " if scope.lens is Lens.EXACT else ""
    return (
        f"{_called(scope.scope, is_first=True)} is {exactly}{full} distinct at full scale; "
        f"a {percent(profile.trial_fraction)} trial would have seen {percent(seen)}."
    )


def _why_unsettled(unsettled: list[CheckResult]) -> list[str]:
    if not unsettled:
        return ["No check says why; that is a defect of the gate, so treat it as closed."]
    first = unsettled[0]
    others = sorted({check.scope for check in unsettled} - {first.scope})
    metric = first.metric if first.name == "expectation" else None
    if metric is None or first.low is None or first.high is None or first.bound is None:
        sentences = [_sentence(first)]
    else:
        sentences = [
            f"Too few probes to tell: the {metric.replace('_', ' ')} of {_called(first.scope)} lies between "
            f"{percent(first.low)} and {percent(first.high)}, and the bound is {first.bound}."
        ]
        if first.needed_probes:
            sentences.append(f"About {first.needed_probes:,d} probes per source would settle it.")
    if others:
        sentences.append(f"Unsettled too: {_listed(others)}.")
    return sentences


def _why_open(profile: Profile, verdict: Verdict) -> list[str]:
    stage = Stage(verdict.judged)
    sentences = [" ".join(["Every check that decides has passed.", *_least_distinct(profile, stage)])]
    warned = [check for check in verdict.checks if check.severity == "warn" and check.outcome is not Outcome.PASS]
    if warned:
        noun = "warning does" if len(warned) == 1 else "warnings do"
        sentences.append(f"{len(warned)} {noun} not decide the verdict.")
    return sentences


def _least_distinct(profile: Profile, stage: Stage) -> list[str]:
    """Sentence on a trial's view of the source that repeats itself most; none if no source was measured."""
    sources = [s for s in profile.scopes if (s.stage, s.lens) == (stage, Lens.NEAR) and s.scope not in RESERVED_SCOPES]
    if not sources:
        return []
    least = min(sources, key=lambda s: (s.distinct_fraction.value, s.scope))
    return [
        f"The least distinct source, {least.scope}, is {percent(least.distinct_fraction.value)} distinct at full "
        f"scale; a {percent(profile.trial_fraction)} trial would have seen "
        f"{percent(least.trial(profile.trial_fraction).value)}."
    ]


def _scope(profile: Profile, verdict: Verdict, check: CheckResult) -> ScopeProfile | None:
    """The numbers that a check is about; None if they were not measured."""
    lens, stage = check.lens or Lens.NEAR, check.stage or verdict.judged
    if lens not in list(Lens) or stage not in list(Stage):
        return None
    return profile.scope(Stage(stage), Lens(lens), check.scope)


def _sentence(check: CheckResult) -> str:
    """The check's message as a sentence that names its scope."""
    is_named = check.scope == "all" or check.scope in check.message
    text = check.message if is_named else f"{check.scope}: {check.message}"
    text = text if text.startswith(check.scope) else text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _listed(scopes: list[str]) -> str:
    return listing([_called(scope).removeprefix("source ") for scope in scopes], 4)


def _called(scope: str, *, is_first: bool = False) -> str:
    if scope == "all":
        name = "the union of all sources"
    else:
        name = f"kind {scope}" if scope in RESERVED_SCOPES else f"source {scope}"
    return name[0].upper() + name[1:] if is_first else name
