"""Judge evidence by expectations: GO, NO-GO or UNKNOWN. The gate fails closed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from polyculture import __version__
from polyculture.gate.canary import canary_check
from polyculture.gate.conditions import condition, conditions
from polyculture.gate.delivery import delivery_checks
from polyculture.gate.expectations import check_expectation, input_findings
from polyculture.gate.lexical import lexical_checks
from polyculture.gate.origin import origin_checks
from polyculture.gate.policy import Judged, drawn_for, policy_checks
from polyculture.gate.redundancy import redundancy_checks
from polyculture.gate.relative import Evidence
from polyculture.gate.removals import removal_checks
from polyculture.gate.strictness import apply_strictness
from polyculture.gate.text import verdict_text
from polyculture.gate.waivers import apply_waivers
from polyculture.measure.repetition.repetition_file import Repetition
from schemas.config import CurationConfig
from schemas.manifest import Manifest
from schemas.measures import Stage
from schemas.profile import LastGo, Profile
from schemas.verdict import CheckResult, Outcome, Verdict, VerdictValue


@dataclass(frozen=True, slots=True)
class Terms:
    """The grounds of a verdict beside the run itself.

    Attributes:
        as_of: the day on which waivers are judged; none holds without it. The core reads no clock.
        last_go: the last run that was GO, None if none is named.
        damage: a sentence on what is wrong with the files of the evidence; None if they are whole.
    """

    as_of: date | None = None
    last_go: LastGo | None = None
    damage: str | None = None


def judge(  # noqa: PLR0913, PLR0917 -- one argument a kind of evidence
    config: CurationConfig,
    manifest: Manifest,
    manifest_sha256: str,
    profile: Profile | None,
    terms: Terms | None = None,
    repetition: Repetition | None = None,
) -> Verdict:
    """Judge a finished run.

    Any failed check is NO-GO; else any unsettled one is UNKNOWN; only if every check passed is it GO. Missing numbers,
    an empty source or mixture, lost tails and a broken balance are failures, whatever the expectations say. The same
    arguments and version give the same verdict.

    Args:
        config: expectations and limits; its `gate` may be another than the run's own.
        manifest: files and conservation table.
        manifest_sha256: digest of the manifest that the verdict is bound to.
        profile: the numbers, or None if there are none.
        terms: day, last GO run and damage; none of them if None.
        repetition: how often what drawn documents say stands elsewhere; None if the run has none, so that the rules
            which rest on it are unsettled.

    Returns:
        The verdict with every check, failures first.
    """
    terms = terms or Terms()
    checks = [*conditions(config, manifest), *removal_checks(config.dedupe, manifest)]
    judged = _judged(config, manifest, profile, terms, repetition)
    checks.extend(_checks_of_numbers(manifest, judged, terms))
    checks.extend(delivery_checks(manifest))
    waivers = config.gate.waivers
    checks = apply_waivers(list(apply_strictness(checks, config.gate)), waivers, terms.as_of)
    order = {Outcome.FAIL: 0, Outcome.UNKNOWN: 1, Outcome.PASS: 2}
    checks.sort(key=lambda check: (check.severity == "warn", order[check.outcome]))
    headline, lines = verdict_text(judged, checks)
    return Verdict(
        verdict=_value(checks),
        name=manifest.name,
        judged="mixture" if manifest.holds_mixture else "input",
        headline=headline,
        lines=lines,
        checks=checks,
        manifest_sha256=manifest_sha256,
        version=__version__,
        as_of=terms.as_of if waivers else None,
        policy=config.gate if config.gate != manifest.config.gate else None,
        last_go_sha256=terms.last_go.manifest_sha256 if terms.last_go is not None else None,
        encoder=profile.encoder if profile is not None else None,
    )


def _judged(
    config: CurationConfig,
    manifest: Manifest,
    profile: Profile | None,
    terms: Terms,
    repetition: Repetition | None,
) -> Judged | None:
    """The evidence, if there is any to believe."""
    if terms.damage is not None or profile is None:
        return None
    evidence = Evidence(config, profile, terms.last_go, unchosen_scopes(manifest))
    rows, passages = (repetition.rows, repetition.passages) if repetition is not None else (None, None)
    return Judged(manifest, evidence, drawn_for(manifest, rows, config.gate.rules), passages)


def _checks_of_numbers(manifest: Manifest, judged: Judged | None, terms: Terms) -> Iterator[CheckResult]:
    """Judge the evidence, or say that there is none to believe."""
    stage = manifest.held_stage
    if judged is None:
        void = "no numbers were measured: nothing to judge"
        if terms.damage is not None:
            void = f"the evidence is void: {terms.damage}"
        yield condition("evidence", "all", False, void)
        return
    evidence = judged.evidence
    yield from origin_checks(evidence.config, manifest, evidence.profile, stage)
    yield canary_check(manifest, evidence.profile.canary)
    yield from policy_checks(judged)
    expectations = evidence.config.gate.expectations
    found = [check for expectation in expectations for check in check_expectation(expectation, evidence, stage)]
    yield from found
    yield from redundancy_checks(judged, stage)
    yield from lexical_checks(evidence.profile, stage)
    if stage is Stage.MIXTURE:
        yield from input_findings(evidence, found)


def unchosen_scopes(manifest: Manifest) -> frozenset[str]:
    """Sources and kinds of a top-up's candidates of which nothing was chosen; none of any other run."""
    if manifest.parent is None:
        return frozenset()
    written = {name for a in manifest.conservation if a.written for name in (a.name, a.kind.value)}
    return frozenset(name for a in manifest.conservation for name in (a.name, a.kind.value)) - written


def _value(checks: Sequence[CheckResult]) -> VerdictValue:
    decisive = [check for check in checks if check.severity == "fail"]
    if not decisive or any(check.outcome is Outcome.FAIL for check in decisive):
        return VerdictValue.NO_GO
    if any(check.outcome is Outcome.UNKNOWN for check in decisive):
        return VerdictValue.UNKNOWN
    return VerdictValue.GO
