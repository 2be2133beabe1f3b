"""The rules of the policy against the evidence of a run: one check a rule and scope."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from polyculture.gate.conditions import condition, counted
from polyculture.gate.drawn import Drawn, drawn_of
from polyculture.gate.expectations import check_expectation, settle
from polyculture.gate.narrow import narrow_share, narrow_sources
from polyculture.gate.relative import Evidence
from polyculture.mixture.plan.repetition import effective_tokens
from polyculture.statistics.intervals import Interval
from polyculture.storage.messages import first_few
from schemas.gate_config import Expectation
from schemas.manifest import Manifest
from schemas.measures import Lens, Metric, RelativeTo, Space, Stage, Weighting
from schemas.numbers import Estimate
from schemas.policy import NarrowRule, Policy
from schemas.strict import Severity
from schemas.verdict import CheckResult, Outcome

_MOST_NAMED = 3
_MOST_PROBES = 100_000  # of a source
_UNMEASURED = "the run has no evidence document by document; it was made by an earlier version: run again"


@dataclass(frozen=True, slots=True)
class Judged:
    """The subject of the policy.

    Attributes:
        manifest: files and accounts of the run.
        evidence: configuration and numbers.
        drawn: documents drawn by tokens of the mixture; None if the run has none.
        passages: widespread passages, PASSAGES_SCHEMA; None if the run has none.
    """

    manifest: Manifest
    evidence: Evidence
    drawn: Drawn | None
    passages: pa.Table | None

    @property
    def stage(self) -> Stage:
        """The stage whose multiplicities are judged."""
        return self.manifest.judged_stage

    @property
    def policy(self) -> Policy:
        """The rules in force."""
        return self.evidence.config.gate.rules

    @property
    def is_by_words(self) -> bool:
        """True if the verdict was asked for by words alone."""
        return self.evidence.config.gate.judge == "words"


def drawn_for(manifest: Manifest, rows: pa.Table | None, policy: Policy) -> Drawn | None:
    """The evidence of a run, weighed by its mixture; None if it has none."""
    if rows is None:
        return None
    answers = {source.name: max(1.0, source.answers_per_prompt or 1.0) for source in manifest.config.sources}
    usual_size = (policy.narrow or NarrowRule()).usual_size
    return drawn_of(rows, manifest.judged_stage, manifest.tokens_held(), answers, usual_size)


def policy_checks(judged: Judged) -> Iterator[CheckResult]:
    """Every rule that is switched on, then what the policy asks less of than the one that ships."""
    for check in (_narrow, _near, _meaning, _passages, _containment, _unread, _epochs, _reference, _coverage):
        yield from check(judged)
    for name, words, is_laxer in judged.policy.changes():
        message = f"the rule `{name}` is not as it ships: {words}"
        if is_laxer:
            yield condition("policy", name, False, message, "warn")


def _narrow(judged: Judged) -> Iterator[CheckResult]:
    rule, drawn = judged.policy.narrow, judged.drawn
    if rule is None:
        return
    if drawn is None:
        yield _unmeasured("narrow", "all", rule.severity, f"narrow tokens are unmeasured: {_UNMEASURED}")
        return
    share, sources = narrow_share(drawn, rule), narrow_sources(drawn, rule)
    named = [source for source in sources if source.contribution >= rule.warn_above / len(drawn.names)]
    who = first_few([f"{source.name} {100 * source.contribution:.2g} %" for source in named])
    size = size_words(drawn, rule).removeprefix("; ")
    message = f"{_percent(share)} of the tokens are narrow" + (f" ({size})" if size else "")
    message += f": {who}" if named else ""
    found = share.estimate()
    check = _settled("narrow", "all", found, message, stage=judged.stage, severity=rule.severity, at_most=rule.at_most)
    yield _with_needed_probes(check, drawn, rule.at_most) if check.outcome is Outcome.UNKNOWN else check
    if rule.warn_above < float(share.low) and share.high <= rule.at_most:
        message = f"{_percent(share)} of the tokens are narrow, under the limit of {100 * rule.at_most:g} %: {who}"
        yield counted("narrow", "all", float(share.value), rule.warn_above, message, severity="warn")


def size_words(drawn: Drawn, rule: NarrowRule) -> str:
    """How many documents make one narrow, where the corpus is so large that they are more than usual; else empty."""
    least = math.ceil(rule.twins * drawn.times)
    return f"; narrow is what {least:,} of {drawn.documents:,} documents say" if least > rule.twins else ""


def _with_needed_probes(check: CheckResult, drawn: Drawn, bound: float) -> CheckResult:
    """Say how many probes of each source would shrink the interval to its distance from the bound."""
    if check.observed is None or check.low is None or check.high is None:
        return check
    reach, distance = (check.high - check.low) / 2, abs(check.observed - bound)
    probes = int(np.bincount(drawn.source).max())
    if probes * reach**2 > _MOST_PROBES * distance**2:
        return check.model_copy(update={"message": f"{check.message}: at the limit, which no number of probes settles"})
    needed = math.ceil(probes * (reach / distance) ** 2)
    message = f"{check.message}: too near the limit to tell from {probes:,} probes, {needed:,} of each source settle it"
    return check.model_copy(update={"message": message, "needed_probes": needed})


def _near(judged: Judged) -> Iterator[CheckResult]:
    rule = judged.policy.near
    if rule is None:
        return
    for weighting in Weighting:
        found = judged.evidence.profile.weighed.get(weighting)
        by = f"by {weighting.value}"
        if found is None:
            yield _unmeasured("near", "all", rule.severity, f"near-duplicates {by} are unmeasured: {_UNMEASURED}")
            continue
        message = f"near distinct fraction {_decimals(found)} of all {by}: {100 * (1 - found.value):.3g} % only repeats"
        check = _settled(
            "near", "all", found, message, stage=judged.stage, severity=rule.severity, at_least=rule.at_least
        )
        named = {"lens": Lens.NEAR.value, "metric": Metric.DISTINCT_FRACTION.value, "weighting": weighting.value}
        yield check.model_copy(update=named)
    at_input = judged.evidence.profile.scope(Stage.INPUT, Lens.NEAR, "all")
    if judged.stage is not Stage.INPUT and at_input is not None and at_input.distinct_fraction.high < rule.at_least:
        found = at_input.distinct_fraction
        message = f"near distinct fraction {_decimals(found)} of all that was read"
        yield _settled("near", "all", found, message, stage=Stage.INPUT, severity="warn", at_least=rule.at_least)


def _meaning(judged: Judged) -> Iterator[CheckResult]:
    rule, drawn = judged.policy.meaning, judged.drawn
    if rule is None or drawn is None or not drawn.is_read.any():
        return  # what is not read is the rule `unread`
    found = drawn.mean_inverse(drawn.per_allowed("twins")).estimate()
    message = f"distinct fraction {_decimals(found)} of all by verified twins, by tokens"
    yield _settled("meaning", "all", found, message, stage=judged.stage, severity=rule.severity, at_least=rule.at_least)


def _passages(judged: Judged) -> Iterator[CheckResult]:
    rule, passages = judged.policy.passages, judged.passages
    if rule is None or passages is None:
        return
    rows = [row for row in passages.to_pylist() if row["stage"] == judged.stage.value]
    rows = [row for row in rows if row["documents"] >= rule.documents]
    if not rows:
        yield condition("passages", "all", True, f"no passage was met that {rule.documents} documents hold")
        return
    most = max(rows, key=lambda row: int(row["documents"]))
    message = (
        f"{len(rows):,} passages stand in {rule.documents} documents or more; the first in {most['documents']:,}, "
        f"such as {most['example']}: {_start(most['text'])}"
    )
    yield condition("passages", "all", False, message, rule.severity)


def _containment(judged: Judged) -> Iterator[CheckResult]:
    rule = judged.policy.containment
    if rule is None:
        return
    for pair in judged.evidence.profile.containments:
        if (pair.stage, pair.lens) == (judged.stage, Lens.NEAR) and pair.containment.low > rule.at_most:
            found = pair.containment
            message = f"{100 * found.value:.3g} % of {pair.of} has a near-duplicate in {pair.within}"
            scope = f"{pair.of} in {pair.within}"
            yield _settled(
                "containment", scope, found, message, stage=judged.stage, severity=rule.severity, at_most=rule.at_most
            )


def _unread(judged: Judged) -> Iterator[CheckResult]:
    """More than the limit is UNKNOWN, and decides only where nothing fails."""
    rule, drawn = judged.policy.unread, judged.drawn
    if rule is None or drawn is None:
        return
    if judged.is_by_words:
        yield condition("unread", "all", True, "judged by words only, as was asked for: nothing was read by meaning")
        return
    share = drawn.share(~drawn.is_read)
    held = "all" if not drawn.is_read.any() else _percent(share)
    cure = (
        "; embeddings were not measured: write `measure: {semantic: {}}`, or ask for a verdict by words only with "
        "`gate: {judge: words}`"
        if judged.evidence.profile.encoder is None
        else _who_is_unread(drawn)
    )
    message = f"{held} of the tokens could not be read by meaning{cure}"
    found = share.estimate()
    check = _settled("unread", "all", found, message, stage=judged.stage, severity=rule.severity, at_most=rule.at_most)
    yield check if check.outcome is Outcome.PASS else check.model_copy(update={"outcome": Outcome.UNKNOWN})


def _who_is_unread(drawn: Drawn) -> str:
    lost = [float((~drawn.is_read[drawn.source == number]).mean()) for number in range(len(drawn.names))]
    most = np.argsort(-(drawn.weights * lost), kind="stable")[:_MOST_NAMED]
    named = [f"{drawn.names[number]} {100 * lost[number]:.2g} % of its own" for number in most if lost[number] > 0]
    return f": {', '.join(named)}" if named else ""


def _epochs(judged: Judged) -> Iterator[CheckResult]:
    rule, plan = judged.policy.epochs, judged.manifest.plan
    if rule is None or plan is None:
        return
    for source in plan.sources:
        if not 0 < source.available_tokens < source.tokens:
            continue
        # By the epochs alone, so that one plan is judged alike before and after its ledger is read; what copies in the
        # corpus take is judged by the rules on what repeats.
        worth = effective_tokens(source.available_tokens, source.epochs) / source.tokens
        severity: Severity = "warn" if worth >= rule.at_least else rule.severity
        bound = rule.warn_below if severity == "warn" else rule.at_least
        message = (
            f"{source.name}: {source.epochs:.3g} epochs are worth {worth:.2f} of as many new tokens; "
            f"{'lower its rate' if worth < bound else 'its repeats are nearly as good as new text'}"
        )
        found = Estimate(value=worth, low=worth, high=worth)
        yield _settled("epochs", source.name, found, message, stage=Stage.MIXTURE, severity=severity, at_least=bound)


def _reference(judged: Judged) -> Iterator[CheckResult]:
    """RKE beside the reference, where one is named. A kind of one subject is named, and fails nothing."""
    rule, config = judged.policy.reference, judged.evidence.config
    if rule is None or not config.reference or judged.is_by_words:
        return
    stage = judged.manifest.held_stage
    scopes: tuple[tuple[str, Severity], ...] = (("all", rule.severity), ("each_kind", "warn"))
    for scope, severity in scopes:
        asked = _beside_reference(scope, rule.at_least, severity)
        for check in check_expectation(asked, judged.evidence, stage):
            is_unread = check.observed is None  # what is not read is the rule `unread`
            yield check.model_copy(update={"name": "reference", "severity": "warn" if is_unread else severity})
            if check.high is not None and check.outcome is Outcome.PASS and check.high < rule.warn_below:
                warned = {"name": "reference", "severity": "warn", "outcome": Outcome.FAIL}
                yield check.model_copy(update={**warned, "bound": f">= {rule.warn_below:g} of the reference's"})


def _coverage(judged: Judged) -> Iterator[CheckResult]:
    """Coverage by density of a reference that is kept out of the mixture; nothing where there is none."""
    rule, config, held = judged.policy.coverage, judged.evidence.config, judged.manifest.tokens_held()
    if rule is None or judged.is_by_words or not config.reference or any(held.get(name) for name in config.reference):
        return
    stage = judged.manifest.held_stage
    vector = judged.evidence.profile.vector(stage, "all")
    measured = vector.coverage if vector is not None else None
    if measured is None or measured.density is None:
        message = "coverage of the reference is unmeasured: too few documents of it, or beside it, were read"
        yield _unmeasured("coverage", "all", "warn", message)
        return
    found, share = measured.density.relative, measured.density.share
    message = (
        f"the mixture surrounds {_decimals(found)} of what the reference does of "
        f"itself ({100 * share.value:.3g} % of its points)"
    )
    yield _settled("coverage", "all", found, message, stage=stage, severity=rule.severity, at_least=rule.at_least)


def _beside_reference(scope: str, bound: float, severity: Severity) -> Expectation:
    return Expectation(
        lens=Space.SEMANTIC,
        metric=Metric.RKE,
        scope=scope,
        relative_to=RelativeTo.REFERENCE,
        at_least=bound,
        severity=severity,
    )


def _settled(  # noqa: PLR0913 -- one argument a field
    name: str,
    scope: str,
    found: Estimate,
    message: str,
    *,
    stage: Stage,
    severity: Severity,
    at_least: float | None = None,
    at_most: float | None = None,
) -> CheckResult:
    """A check that passes or fails only if the whole interval is on one side of its bound."""
    outcome, margin = settle(found, at_least, at_most)
    return CheckResult(
        name=name,
        outcome=outcome,
        severity=severity,
        scope=scope,
        stage=stage.value,
        observed=found.value,
        low=found.low,
        high=found.high,
        bound=f">= {at_least:g}" if at_least is not None else f"<= {at_most:g}",
        margin=margin,
        message=message,
    )


def _unmeasured(name: str, scope: str, severity: Severity, message: str) -> CheckResult:
    return CheckResult(name=name, outcome=Outcome.UNKNOWN, severity=severity, scope=scope, message=message)


def _percent(found: Interval) -> str:
    """`4.2 %`, with the interval where there is one."""
    value, low, high = (100 * float(number) for number in (found.value, found.low, found.high))
    return f"{value:.3g} % [{low:.2g}, {high:.2g}]" if high > low else f"{value:.3g} %"


def _decimals(found: Estimate) -> str:
    return f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"


def _start(text: str, limit: int = 80) -> str:
    """The beginning of a text of the corpus, on one line."""
    line = " ".join(text.split())
    return f"“{line[:limit]}…”" if len(line) > limit else f"“{line}”"
