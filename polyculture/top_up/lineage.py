"""Runs that a top-up may continue: a finished one, and top-ups of it that were made before."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from polyculture.errors import ConfigError, PolycultureError
from polyculture.storage.hashing import file_sha256
from polyculture.storage.run_directory import RunDirectory, read_manifest, read_verdict
from schemas.manifest import Manifest


def read_parent(root: Path) -> Manifest:
    """The manifest of a run that may be continued; its files are not looked at.

    Raises:
        ConfigError: there is none, or it is no run's.
    """
    manifest = _read(root)
    if manifest.parent is not None:
        raise ConfigError(
            f"{root}: this is itself a top-up of {manifest.parent.name}, and does not hold what that holds; name that "
            "run, and this one after --earlier"
        )
    return manifest


def read_earlier(root: Path, earlier: Sequence[Path]) -> list[tuple[Path, Manifest]]:
    """Manifests of the earlier top-ups of a run; their files are not looked at.

    Raises:
        ConfigError: one is not a top-up of this run, is named twice, or knows of another that is not named before it.
    """
    digest, known, found = file_sha256(RunDirectory(root).manifest), set[str](), []
    for path in earlier:
        manifest = _read(path)
        if manifest.parent is None or manifest.parent.manifest_sha256 != digest:
            raise ConfigError(f"--earlier: {path} is no top-up of {root} as it is; name those that the training reads")
        missing = [one.name for one in manifest.parent.earlier if one.manifest_sha256 not in known]
        if missing:
            raise ConfigError(f"--earlier: {path} was made after {missing[0]}, another top-up; name that one before it")
        own = file_sha256(RunDirectory(path).manifest)
        if own in known:
            raise ConfigError(f"--earlier: {path} is named twice")
        known.add(own)
        found.append((path, manifest))
    return found


def _read(root: Path) -> Manifest:
    directory = RunDirectory(root)
    cure = "name a run directory whose run has ended; `polyculture run` resumes one that was stopped"
    try:
        manifest = read_manifest(directory)
    except OSError as error:
        raise ConfigError(f"{directory.root}: no manifest.json, so no finished run; {cure}") from error
    except ValidationError as error:
        raise ConfigError(f"{directory.root}: manifest.json cannot be read; {cure}") from error
    if manifest.command == "audit":
        raise ConfigError(f"{directory.root}: an audit has no shards; name a run made by `polyculture run`")
    return manifest


def parent_verdict(directory: RunDirectory, manifest_sha256: str) -> str | None:
    """The parent's verdict, if it was given for this manifest.

    Raises:
        PolycultureError: it was given for another.
    """
    try:
        verdict = read_verdict(directory)
    except (OSError, ValidationError):
        return None
    if verdict.manifest_sha256 != manifest_sha256:
        raise PolycultureError(
            f"{directory.root}: verdict.json was given for another manifest, so one of them was changed; "
            "restore them, or make the run again"
        )
    return verdict.verdict.value
