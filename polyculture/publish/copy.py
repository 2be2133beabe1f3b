"""Publish a run: a claim first, then every file, the manifest last; each is read back."""

import hashlib
from collections.abc import Callable

from polyculture.errors import ConfigError, PolycultureError
from polyculture.publish.stores import Store
from polyculture.storage.run_directory import DIGEST_FILE, RunDirectory, is_intact
from schemas.accounts import FileDigest
from schemas.manifest import Manifest
from schemas.publication import Approval, Claim

CLAIM_FILE = "publication.json"
APPROVAL_FILE = "approval.json"
Progress = Callable[[int, int], None]


def publish_files(
    directory: RunDirectory, manifest: Manifest, store: Store, approval: Approval | None, progress: Progress
) -> int:
    """Copy what the manifest lists, the verdict and the approval, then the manifest: from then on readers see a run.

    Beside the manifest goes its digest, which anchors it once it is kept elsewhere too.

    The place must be empty, or claimed for the same manifest: then what is there is read back, and what is missing or
    damaged is written, so that the same command resumes. Two publishers of different runs cannot mix: the claim and
    the manifest are each created only if there is none. Two of the same run write the same bytes.

    Args:
        directory: directory of the run.
        manifest: manifest of the run, as checked by `check_permission`.
        store: destination.
        approval: the person who answers for it, if it is not GO.
        progress: called with the bytes done and the bytes in all.

    Returns:
        Number of the listed files that were written.

    Raises:
        ConfigError: something else is there.
        PolycultureError: a file is not what the manifest lists, here or after it was written.
    """
    manifest_bytes = directory.manifest.read_bytes()
    manifest_sha256 = hashlib.sha256(manifest_bytes).hexdigest()
    small = {
        DIGEST_FILE: f"{manifest_sha256}  manifest.json\n".encode(),
        "verdict.json": directory.verdict.read_bytes(),
    }
    if approval is not None:
        small[APPROVAL_FILE] = (approval.model_dump_json(indent=1) + "\n").encode()
    listed = {file.path for file in manifest.files}
    there = _claim(store, Claim(manifest_sha256=manifest_sha256), listed)
    store.clear_leftovers()  # only now: before the claim they may be another's, who is at work
    total, done, copied = sum(file.bytes for file in manifest.files), 0, 0
    for file in manifest.files:
        if there.get(file.path) != file.bytes or store.sha256(file.path) != file.sha256:
            _copy(directory, store, file)
            copied += 1
        done += file.bytes
        progress(done, total)
    for name, data in (small | {"manifest.json": manifest_bytes}).items():
        if not store.create(name, data) and not _is_same(name, store.read(name), data):
            raise ConfigError(f"the destination holds another {name}: it was published under another verdict")
    if store.sha256("manifest.json") != manifest_sha256:
        raise PolycultureError("manifest.json did not arrive as it was sent; the same command tries again")
    return copied


def _claim(store: Store, claim: Claim, listed: set[str]) -> dict[str, int]:
    """Take the place for this run; returns the sizes of what is there."""
    there = store.sizes()
    data = (claim.model_dump_json(indent=1) + "\n").encode()
    if CLAIM_FILE not in there:
        if there:
            raise ConfigError(f"the destination is not empty ({len(there)} files, {min(there)[:80]!r}): choose another")
        if store.create(CLAIM_FILE, data):
            return there
    if store.read(CLAIM_FILE) != data:
        raise ConfigError("the destination is taken by another run; choose another")
    strangers = set(there) - listed - {CLAIM_FILE, APPROVAL_FILE, "verdict.json", "manifest.json", DIGEST_FILE}
    if strangers:
        raise ConfigError(f"the destination holds {min(strangers)[:80]!r}, which is no part of the run; take it away")
    return there


def _copy(directory: RunDirectory, store: Store, file: FileDigest) -> None:
    if not is_intact(directory.root, file):
        raise PolycultureError(f"{file.path} is missing, or not the bytes that the manifest lists; run again")
    store.write(file.path, directory.root / file.path)
    if store.sha256(file.path) != file.sha256:
        raise PolycultureError(f"{file.path} did not arrive as it was sent; the same command tries again")


def _is_same(name: str, held: bytes | None, wanted: bytes) -> bool:
    """True if a file is there already; of an approval, one of the same run, whoever gave it first."""
    if name != APPROVAL_FILE or held is None:
        return held == wanted
    first, second = Approval.model_validate_json(held), Approval.model_validate_json(wanted)
    return (first.manifest_sha256, first.verdict_sha256) == (second.manifest_sha256, second.verdict_sha256)
