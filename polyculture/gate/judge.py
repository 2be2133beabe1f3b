"""From evidence and expectations to GO, NO-GO or UNKNOWN. The gate fails closed."""

from polyculture import __version__
from polyculture.gate.conditions import condition, conditions
from polyculture.gate.expectations import check_expectation, input_findings
from polyculture.gate.removals import removal_checks
from schemas.config import CurationConfig, Stage
from schemas.manifest import Manifest
from schemas.profile import Profile
from schemas.verdict import Outcome, Verdict, VerdictValue


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
    checks = [*conditions(config, manifest), *removal_checks(config.dedupe, manifest)]
    if profile is None:
        checks.append(condition("evidence", "all", False, "no numbers were measured: nothing to judge"))
    else:
        for expectation in config.gate.expectations:
            checks.extend(check_expectation(expectation, config, profile, judged))
        if judged is Stage.MIXTURE:
            checks.extend(input_findings(config, profile, list(checks)))
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
