"""Close a run: the manifest, then the verdict, then the report."""

from datetime import UTC, datetime

from polyculture.steps import finish as step
from polyculture.steps.session import Session
from schemas.verdict import Verdict
from tasks.progress import as_task

write_manifest = as_task(step.write_manifest)
write_report = as_task(step.write_report)


@as_task
def give_verdict(session: Session) -> Verdict:
    """Judge a run by what lies in its directory, today."""
    verdict = step.give_verdict(session.job.directory, datetime.now(UTC).date())
    for check in verdict.failed():
        session.progress.log(check.message)
    session.progress.log(f"verdict: {verdict.verdict.value}")
    return verdict
