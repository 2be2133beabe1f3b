"""The last run that was GO: what bounds may be relative to, read once and kept in the ledger of the run that asks."""

from pathlib import Path

from pydantic import ValidationError

from polyculture.errors import ConfigError
from polyculture.evidence.evidence import damaged_ledger, read_profile
from polyculture.storage.files import write_text
from polyculture.storage.hashing import file_sha256
from polyculture.storage.run_directory import RunDirectory, read_manifest, read_verdict
from schemas.config import CurationConfig
from schemas.profile import LastGo
from schemas.verdict import VerdictValue

LAST_GO_FILE = "last_go.json"


def find_last_go(root: Path, config: CurationConfig) -> LastGo:
    """The numbers of another run, if it may be compared with: finished, whole and GO.

    Args:
        root: its run directory.
        config: configuration of the run that asks; it names the trial.

    Raises:
        ConfigError: it may not; the message says why.
    """
    directory = RunDirectory(root)
    try:
        manifest, verdict = read_manifest(directory), read_verdict(directory)
        digest = file_sha256(directory.manifest)
        problem = damaged_ledger(directory, manifest)
        if verdict.manifest_sha256 != digest:
            problem = "its verdict was given for another manifest"
        elif verdict.verdict is not VerdictValue.GO:
            problem = f"its verdict is {verdict.verdict.value}"
        if problem:
            raise ConfigError(f"last_go: {root}: {problem}; name a run that is whole and GO")
        profile = read_profile(directory, manifest, config)
    except (OSError, ValidationError, ValueError) as error:
        why = str(error).splitlines()[0]
        raise ConfigError(f"last_go: {root} is not a finished run: {why}; name its run directory") from error
    return LastGo(
        name=manifest.name,
        manifest_sha256=digest,
        trial_fraction=profile.trial_fraction,
        threshold=profile.threshold,
        scopes=[scope.model_copy(update={"trials": []}) for scope in profile.scopes],
        containments=profile.containments,
        vectors=[scope.model_copy(update={"curve": []}) for scope in profile.vectors],
        encoder=profile.encoder,
    )


def keep_last_go(directory: RunDirectory, last_go: LastGo | None) -> None:
    """Write the numbers into the ledger, so that the run can be judged again without the other one."""
    if last_go is not None:
        write_text(directory.ledger / LAST_GO_FILE, last_go.model_dump_json(indent=1) + "\n")


def kept_last_go(directory: RunDirectory) -> LastGo | None:
    """The numbers that a run keeps; None if it was judged without.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is damaged.
    """
    path = directory.ledger / LAST_GO_FILE
    return LastGo.model_validate_json(path.read_bytes()) if path.is_file() else None
