"""What a finished run has to show: its manifest, and the numbers that follow from its ledger."""

from functools import lru_cache
from pathlib import Path

from polyculture.diversity.ledger import HEADER_FILE, HEAVY_FILE, PROBES_FILE, read_ledger
from polyculture.diversity.profile import build_profile
from polyculture.hashing import file_sha256
from polyculture.run_directory import RunDirectory
from schemas.manifest import Manifest
from schemas.profile import Profile
from schemas.verdict import Verdict


def read_manifest(directory: RunDirectory) -> Manifest:
    """The manifest of a finished run.

    Raises:
        OSError: there is none.
        ValueError: it is damaged.
    """
    return Manifest.model_validate_json(directory.manifest.read_bytes())


def read_verdict(directory: RunDirectory) -> Verdict:
    """The verdict of a finished run.

    Raises:
        OSError: there is none.
        ValueError: it is damaged.
    """
    return Verdict.model_validate_json(directory.verdict.read_bytes())


def read_profile(directory: RunDirectory, manifest: Manifest) -> Profile:
    """The numbers of a finished run, worked out from its ledger; once per process for the same ledger.

    Raises:
        OSError: a file of the ledger is missing.
        ValueError: a file of the ledger is damaged.
    """
    digest = "".join(file_sha256(directory.ledger / name) for name in (PROBES_FILE, HEAVY_FILE, HEADER_FILE))
    return _profile(directory.ledger, digest, manifest.config.gate.trial_fraction)


@lru_cache(maxsize=4)
def _profile(ledger: Path, digest: str, trial_fraction: float) -> Profile:
    del digest  # only tells one ledger from another in the same place
    return build_profile(read_ledger(ledger), trial_fraction)
