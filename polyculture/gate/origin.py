"""Check that the numbers are those of this run: of another one they say nothing."""

from collections.abc import Iterator

from polyculture.gate.conditions import condition
from schemas.config import CurationConfig
from schemas.manifest import Manifest
from schemas.measures import Lens, Stage
from schemas.profile import Profile
from schemas.verdict import CheckResult


def origin_checks(config: CurationConfig, manifest: Manifest, profile: Profile, judged: Stage) -> Iterator[CheckResult]:
    """The ledger against the manifest and the policy: the same settings, and as many documents of every source."""
    problems = []
    if profile.threshold != config.dedupe.near.threshold:
        problems.append(f"the near lens was measured at {profile.threshold:g}, not {config.dedupe.near.threshold:g}")
    if profile.trial_fraction != config.gate.trial_fraction:
        problems.append(f"its trial is {profile.trial_fraction:g}, not {config.gate.trial_fraction:g}")
    for account in manifest.conservation:
        documents = sum(file.documents for file in account.files)
        expected = account.written if judged is Stage.MIXTURE else documents
        if judged is Stage.MIXTURE and manifest.takedown is not None:  # measured with what was taken down since
            expected += manifest.takedown.trained_rows.get(account.name, 0)
        numbers = profile.scope(judged, Lens.NEAR, account.name)
        measured = numbers.documents if numbers else 0
        if measured != expected:
            problems.append(f"{account.name}: {measured:,} documents were measured, and there are {expected:,}")
    said = "; ".join(problems) or "the numbers are of this run"
    yield condition("evidence", "all", not problems, f"the numbers are of another run: {said}" if problems else said)
