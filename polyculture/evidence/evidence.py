"""The evidence of a finished run: its manifest, and the numbers that follow from its ledger."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from polyculture.canary.examine import FILES, read_canary
from polyculture.evidence.worth import run_worth
from polyculture.measure.ledger.examples import EXAMPLES_FILE, read_snippets, with_snippets
from polyculture.measure.ledger.ledger import HEADER_FILE, HEAVY_FILE, PROBES_FILE, Ledger, read_ledger
from polyculture.measure.ledger.profile import build_profile, weighed_fraction
from polyculture.measure.lexical.profile import LEXICAL_FILE, lexical_profile, read_lexical
from polyculture.measure.repetition.repetition_file import REPETITION_FILES, read_repetition
from polyculture.measure.vectors.vector_ledger import VECTOR_FILES, VECTORS_FILE
from polyculture.storage.hashing import file_sha256, json_sha256
from polyculture.storage.run_directory import RunDirectory, damaged_file, misplaced_file, unlisted_file
from schemas.config import CurationConfig
from schemas.manifest import Manifest
from schemas.measures import Lens, Stage, Weighting
from schemas.profile import Estimate, Profile

Held = tuple[tuple[tuple[str, int], ...], tuple[tuple[str, int], ...]]  # documents, then tokens, of each source


def damaged_ledger(directory: RunDirectory, manifest: Manifest) -> str | None:
    """Describe what is wrong with the ledger's files, by the manifest's digests; None if they are whole."""
    listed = [file for file in manifest.files if file.path.startswith(f"{directory.ledger.name}/")]
    names = {file.path.rpartition("/")[2] for file in listed}
    for name in (PROBES_FILE, HEAVY_FILE, HEADER_FILE):
        if name not in names:
            return f"the manifest lists no ledger/{name}"
    stranger = unlisted_file(directory, manifest, directory.ledger)
    if stranger is not None:
        return stranger
    for together, mark in ((VECTOR_FILES, VECTORS_FILE), (REPETITION_FILES, REPETITION_FILES[0])):
        if directory.ledger.is_dir() and mark in names and not set(together) <= names:
            return f"the manifest lists no ledger/{sorted(set(together) - names)[0]}"
    return damaged_file(directory.root, listed) or damaged_config(directory, manifest)


def damaged_config(directory: RunDirectory, manifest: Manifest) -> str | None:
    """Describe what is wrong with the configuration in a manifest, by the digest beside it; None if it is whole."""
    # As it stands there, not as read: a later version may know more keys.
    config = json.loads(directory.manifest.read_bytes())["config"]
    if manifest.config_sha256 not in (json_sha256(config), json_sha256(_with_older_key(config))):
        return "the configuration in manifest.json does not have the digest that stands beside it"
    return None


def _with_older_key(config: dict[str, Any]) -> dict[str, Any]:
    """A configuration with `mixture.phases` under its older name `stages`.

    A takedown of a run of an earlier version writes the configuration anew, beside the digest that the run gave it.
    """
    mixture = {"stages" if key == "phases" else key: value for key, value in config.get("mixture", {}).items()}
    return {**config, "mixture": mixture}


def damaged_files(directory: RunDirectory, manifest: Manifest) -> str | None:
    """Describe what is wrong with the files of a run, the ledger's aside; None if they are whole. Reads each once.

    Every listed file must be a regular file of the run with its digest, and there is no other in the run's folders.
    """
    ledger = f"{directory.ledger.name}/"
    rest = [file for file in manifest.files if not file.path.startswith(ledger)]
    folders = [folder for folder in directory.listed_folders if folder != directory.ledger]
    return (
        misplaced_file(directory.root, manifest.files)
        or unlisted_file(directory, manifest, *folders)
        or damaged_file(directory.root, rest)
    )


def read_profile(directory: RunDirectory, manifest: Manifest, config: CurationConfig | None = None) -> Profile:
    """The numbers of a finished run, worked out from its ledger; once per process for the same ledger.

    Args:
        directory: directory of the run.
        manifest: manifest of the run.
        config: names the trial and the reference; the run's own if None.

    Raises:
        OSError: a file of the ledger is missing.
        ValueError: a file of the ledger is damaged.
    """
    digest = "".join(file_sha256(directory.ledger / name) for name in (PROBES_FILE, HEAVY_FILE, HEADER_FILE))
    beside = (*FILES, *VECTOR_FILES, *REPETITION_FILES, LEXICAL_FILE, EXAMPLES_FILE)  # a ledger of before has them not
    there = [directory.ledger / name for name in beside if (directory.ledger / name).is_file()]
    digest += "".join(f" {path.name} {file_sha256(path)}" for path in there)
    asked = config or manifest.config
    held = tuple(sorted(manifest.documents_held().items())), tuple(sorted(manifest.tokens_held().items()))
    return _profile(directory.ledger, digest, asked.gate.trial_fraction, asked.reference, (manifest.judged_stage, held))


@lru_cache(maxsize=4)
def _profile(
    ledger: Path, digest: str, trial_fraction: float, reference: tuple[str, ...], judged: tuple[Stage, Held]
) -> Profile:
    del digest  # only tells one ledger from another in the same place
    counted = read_ledger(ledger)
    profile = build_profile(counted, trial_fraction, reference)
    rows, snippets = read_lexical(ledger), read_snippets(ledger)
    repetition = read_repetition(ledger)
    beside = {
        "lexical": lexical_profile(rows) if rows is not None else [],
        "heavy": with_snippets(profile.heavy, snippets),
        "canary": read_canary(ledger),
        "weighed": _weighed(counted, *judged),
        "worth": run_worth(counted, repetition.rows if repetition is not None else None),
    }
    return profile.model_copy(update=beside)


def _weighed(ledger: Ledger, stage: Stage, held: Held) -> dict[Weighting, Estimate]:
    """The near distinct fraction of all, by what a mixture holds of each source."""
    found = {
        weighting: weighed_fraction(ledger, stage, Lens.NEAR, weighting, dict(part))
        for weighting, part in zip((Weighting.DOCUMENTS, Weighting.TOKENS), held, strict=True)
    }
    return {weighting: fraction for weighting, fraction in found.items() if fraction is not None}
