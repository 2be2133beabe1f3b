"""Judge a finished run by the files in its directory."""

from dataclasses import replace

from polyculture.errors import ConfigError, PolycultureError
from polyculture.evidence.evidence import damaged_ledger, read_profile
from polyculture.evidence.last_go import kept_last_go
from polyculture.gate.judge import Terms, judge
from polyculture.measure.repetition.repetition_file import read_repetition
from polyculture.storage.hashing import file_sha256
from polyculture.storage.run_directory import RunDirectory, foreign_verdict, misplaced_file, read_manifest
from schemas.gate_config import GateConfig
from schemas.verdict import Verdict


def judge_directory(directory: RunDirectory, policy: GateConfig | None, terms: Terms) -> Verdict:
    """Judge a run again, by its manifest and ledger; their digests are checked before a number is believed.

    A ledger that is not what the manifest lists, a listed file that is missing, or a manifest that is not what the
    run's verdict was given for, is NO-GO: one changed byte voids the evidence.

    Args:
        directory: directory of the run.
        policy: the policy to judge by; the run's own if None.
        terms: the day; the last GO run, or None for the one that the run keeps; and what is known to be damaged.

    Raises:
        OSError: there is no manifest.
        ValueError: the manifest is damaged.
    """
    manifest = read_manifest(directory)
    config = manifest.config if policy is None else manifest.config.model_copy(update={"gate": policy})
    digest = file_sha256(directory.manifest)
    damage = terms.damage or damage_of(directory)
    profile = repetition = None
    if damage is None:
        try:
            terms = replace(terms, last_go=terms.last_go or kept_last_go(directory))
            profile, repetition = read_profile(directory, manifest, config), read_repetition(directory.ledger)
        except (OSError, ValueError, ArithmeticError, LookupError, PolycultureError) as error:
            damage = f"ledger/ cannot be read: {(str(error) or type(error).__name__).splitlines()[0]}"
    return judge(config, manifest, digest, profile, replace(terms, damage=damage), repetition)


def require_evidence(directory: RunDirectory) -> None:
    """Refuse a run whose evidence the gate would not believe.

    Raises:
        ConfigError: what is wrong with it.
    """
    try:
        damage = damage_of(directory)
    except (OSError, ValueError) as error:
        damage = str(error).splitlines()[0]
    if damage is not None:
        raise ConfigError(f"{directory.root}: damaged: {damage}; `polyculture verify {directory.root}` says more")


def damage_of(directory: RunDirectory) -> str | None:
    """Describe what is wrong with the evidence of a run, as the gate would; None if nothing is.

    Raises:
        OSError: there is no manifest.
        ValueError: the manifest is damaged.
    """
    manifest = read_manifest(directory)
    return (
        damaged_ledger(directory, manifest)
        or misplaced_file(directory.root, manifest.files)
        or foreign_verdict(directory)
    )
