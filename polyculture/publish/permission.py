"""Permission to publish a run: a verdict that follows from the evidence, and GO or somebody who answers for it."""

from datetime import date

from pydantic import ValidationError

from polyculture.errors import ConfigError, GateClosedError, PolycultureError
from polyculture.gate import Terms
from polyculture.gate.rejudge import judge_directory
from polyculture.storage.hashing import file_sha256
from polyculture.storage.run_directory import RunDirectory, misplaced_file, read_manifest, read_verdict
from schemas.manifest import Manifest
from schemas.verdict import Verdict, VerdictValue


def check_permission(directory: RunDirectory, today: date, *, is_approved: bool) -> tuple[Manifest, Verdict]:
    """The manifest and verdict of a run that may be published.

    The verdict is worked out again, so that one that was edited, or given for another manifest, opens nothing; an
    approval does not help it. A waiver must still be in force today. A GO that only another policy than the run's own
    gives needs an approval.

    Args:
        directory: directory of the run.
        today: the day that waivers are judged on.
        is_approved: somebody answers for publishing it whatever the verdict.

    Raises:
        ConfigError: there is no finished run, or an audit, which has no shards.
        PolycultureError: a listed file is missing, or the verdict is not the run's or does not follow from its
            evidence.
        GateClosedError: the verdict is not GO, and nobody approved it.
    """
    try:
        manifest, verdict = read_manifest(directory), read_verdict(directory)
    except OSError as error:
        raise ConfigError(f"{directory.root} is not a finished run: no manifest.json or no verdict.json") from error
    except ValidationError as error:
        raise PolycultureError(f"{directory.root}: manifest.json or verdict.json is damaged; run again") from error
    if not manifest.holds_mixture:
        raise ConfigError(f"{directory.root} is an {manifest.command}, which has no shards; publish a run")
    stray = misplaced_file(directory.root, manifest.files)
    if stray is not None:
        raise PolycultureError(f"{directory.root}: {stray}; restore it, or run again")
    if verdict.manifest_sha256 != file_sha256(directory.manifest):
        raise PolycultureError("verdict.json was given for another manifest; it is void: give it again by the gate")
    if judge_directory(directory, verdict.policy, Terms(as_of=verdict.as_of)) != verdict:
        raise PolycultureError("verdict.json does not follow from the evidence; give it again by `gate --write`")
    value, why = verdict.verdict, ""
    if value is VerdictValue.GO and verdict.as_of is not None:
        value = judge_directory(directory, verdict.policy, Terms(as_of=today)).verdict
        why = f" today, as a waiver has ended (it was {verdict.verdict.value})"
    if value is VerdictValue.GO and verdict.policy is not None:
        value = judge_directory(directory, None, Terms(as_of=today)).verdict
        why = f" by its own policy (it is {verdict.verdict.value} by another, given with --policy)"
    if value is not VerdictValue.GO and not is_approved:
        why = "" if value is verdict.verdict else why
        raise GateClosedError(
            f"{directory.root} is {value.value}{why}: nothing is published before GO; "
            "or somebody answers for it with --approved-by and --reason",
            value.value,
        )
    return manifest, verdict
