"""The last run that was GO: what bounds may be relative to, read once and kept in the ledger of the run that asks."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from polyculture.errors import ConfigError
from polyculture.storage.files import write_text
from polyculture.storage.hashing import file_sha256
from polyculture.storage.run_directory import RunDirectory, read_manifest, read_verdict
from schemas.config import CurationConfig
from schemas.manifest import Manifest
from schemas.profile import LastGo
from schemas.verdict import VerdictValue

LAST_GO_FILE = "last_go.json"


def require_go(root: Path) -> tuple[Manifest, str]:
    """The manifest of a run that is finished and GO, and its digest; what it measured is not looked at.

    Raises:
        ConfigError: it is not; the message says why.
    """
    directory = RunDirectory(root)
    with _told_as_unfinished(root):
        manifest, verdict = read_manifest(directory), read_verdict(directory)
        digest = file_sha256(directory.manifest)
    if verdict.manifest_sha256 != digest:
        raise _unfit(root, "its verdict was given for another manifest")
    if verdict.verdict is not VerdictValue.GO:
        raise _unfit(root, f"its verdict is {verdict.verdict.value}")
    return manifest, digest


@contextmanager
def _told_as_unfinished(root: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        why = str(error).splitlines()[0]
        raise ConfigError(f"last_go: {root} is not a finished run: {why}; name its run directory") from error


def _unfit(root: Path, problem: str) -> ConfigError:
    return ConfigError(f"last_go: {root}: {problem}; name a run that is whole and GO")


def find_last_go(root: Path, config: CurationConfig) -> LastGo:
    """The numbers of another run, if it may be compared with: finished, whole and GO.

    Args:
        root: its run directory.
        config: configuration of the run that asks; it names the trial.

    Raises:
        ConfigError: it may not; the message says why.
    """
    from polyculture.evidence.evidence import damaged_ledger, read_profile  # noqa: PLC0415 -- loads what measures

    directory, (manifest, digest) = RunDirectory(root), require_go(root)
    with _told_as_unfinished(root):
        problem = damaged_ledger(directory, manifest)
        if problem:
            raise _unfit(root, problem)
        profile = read_profile(directory, manifest, config)
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
