"""Read a finished run again and compare it with what its manifest says, by code that did not write it."""

from collections.abc import Callable, Iterator
from pathlib import Path

from pydantic import ValidationError

from polyculture.evidence.evidence import damaged_config
from polyculture.gate import Terms
from polyculture.gate.rejudge import judge_directory
from polyculture.inspect.recount import Tally, recount
from polyculture.storage.hashing import file_sha256
from polyculture.storage.run_directory import (
    DIGEST_FILE,
    RunDirectory,
    is_intact,
    read_manifest,
    read_verdict,
    unlisted_file,
)
from schemas.accounts import SourceAccount
from schemas.manifest import Manifest

Progress = Callable[[str, int, int], None]


def verify_run(root: Path, progress: Progress = lambda *_: None, manifest_sha256: str | None = None) -> list[str]:
    """Check a run directory: digests, counts, the conservation law, and that its verdict follows from its evidence.

    Reads every listed file once and every document_id into memory.

    Args:
        root: the run directory.
        progress: called with (what, done, total).
        manifest_sha256: digest that the manifest must have, as kept outside the run; None if none was kept.

    Returns:
        Every problem found, in words; empty if the run is whole.
    """
    directory = RunDirectory(root)
    try:
        manifest = read_manifest(directory)
    except (OSError, ValidationError) as error:
        return [f"manifest.json cannot be read: {str(error).splitlines()[0]}; the run is not finished, or damaged"]
    problems = [*_anchor(directory, manifest_sha256), *_files(directory, manifest, progress)]
    if not problems:  # counting damaged files would only repeat it
        problems += _contents(directory, manifest)
        problems += _verdict(directory)
    return problems


def _anchor(directory: RunDirectory, wanted: str | None) -> Iterator[str]:
    """Compare the manifest with its digest as it was kept elsewhere, and as it was published beside it."""
    found = file_sha256(directory.manifest)
    if wanted is not None and found != wanted:
        yield f"manifest.json has the SHA-256 {found}, wanted {wanted}: it is another run's, or was changed"
    beside = directory.root / DIGEST_FILE
    if beside.is_file() and beside.read_text(errors="replace").split()[:1] != [found]:
        yield f"manifest.json has the SHA-256 {found}, {DIGEST_FILE} says another"


def _files(directory: RunDirectory, manifest: Manifest, progress: Progress) -> Iterator[str]:
    listed = [file.path for file in manifest.files]
    if len(set(listed)) < len(listed):
        yield "manifest.json lists a file twice"
    for number, file in enumerate(manifest.files):
        progress("checking digests", number, len(listed))
        if not is_intact(directory.root, file):
            yield f"{file.path}: missing, or not the bytes that the manifest lists"
    progress("checking digests", len(listed), len(listed))
    for folder in directory.listed_folders:
        stranger = unlisted_file(directory, manifest, folder)
        if stranger is not None:
            yield stranger
    problem = damaged_config(directory, manifest)
    if problem is not None:
        yield problem


def _contents(directory: RunDirectory, manifest: Manifest) -> list[str]:
    problems: list[str] = []
    tally = recount(directory, manifest, problems)
    known = {account.name for account in manifest.conservation}
    left = (tally.removed, tally.filtered, tally.quarantined)
    strangers = {*tally.written, *(source for rows in left for source, _ in rows)} - known
    problems += [f"source {name!r} is in the files and not in the manifest" for name in sorted(strangers)]
    for account in manifest.conservation:
        problems += _account(account, tally)
    if len(tally.removed_ids) < tally.removed.total():
        problems.append("removed/: a document is listed twice")
    if tally.removed_ids & tally.representatives:
        problems.append("removed/: a representative was itself removed")
    if any(tally.removed_ids & ids for ids in (*tally.kept.values(), tally.held_ids)):
        problems.append("shards/: a removed document was written")
    problems += _filtered(tally)
    if any(file.path.startswith(f"{directory.unselected.name}/") for file in manifest.files):
        problems += _unselected(manifest, tally)
    problems += _held_out(manifest, tally)
    return problems


def _filtered(tally: Tally) -> Iterator[str]:
    """Look for documents that filters took out and that are still there."""
    if len(tally.filtered_ids) < tally.filtered.total():
        yield "filtered/: a document is listed twice"
    if any(tally.filtered_ids & ids for ids in (*tally.kept.values(), tally.held_ids)):
        yield "shards/: a document that was filtered was written"
    if tally.filtered_ids & tally.removed_ids:
        yield "removed/: a document was filtered as well"


def _unselected(manifest: Manifest, tally: Tally) -> Iterator[str]:
    """Compare what the mixture leaves out with the accounts, of which held-out documents are a part."""
    for account in manifest.conservation:
        counted = tally.unselected[account.name] + tally.held[account.name]
        if counted != account.unselected:
            said = f"unselected is {account.unselected} in the manifest and {counted} in the files"
            yield f"source {account.name}: {said}"
    if len(tally.unselected_ids) < tally.unselected.total():
        yield "unselected/: a document is listed twice"
    others = (*tally.kept.values(), tally.held_ids, tally.removed_ids, tally.filtered_ids)
    if any(tally.unselected_ids & ids for ids in others):
        yield "unselected/: a document was written, removed or filtered as well"


def _held_out(manifest: Manifest, tally: Tally) -> Iterator[str]:
    """Compare what is held out with its account, and with what is trained on."""
    if any(tally.held_ids & ids for ids in tally.kept.values()):
        yield "shards/: a document that is held out was also written for training"
    if len(tally.held_ids) < tally.held.total():
        yield "shards/: a document is held out twice"
    sources = manifest.validation.sources if manifest.validation is not None else []
    said = {source.name: (source.documents, source.tokens) for source in sources if source.documents}
    counted = {name: (count, tally.held_tokens[name]) for name, count in tally.held.items()}
    if said != counted:
        yield f"shards/: held out are {counted} (documents, tokens), the manifest says {said}"


def _account(account: SourceAccount, tally: Tally) -> Iterator[str]:
    """Compare one source's account with what was counted, and check its balance."""
    removed = {r: n for (source, r), n in tally.removed.items() if source == account.name}
    quarantined = {r: n for (source, r), n in tally.quarantined.items() if source == account.name}
    filtered = {r: n for (source, r), n in tally.filtered.items() if source == account.name}
    filtered_tokens = {r: n for (source, r), n in tally.filtered_tokens.items() if source == account.name}
    compared = {
        "written": (account.written, tally.written[account.name]),
        "written_tokens": (account.written_tokens, tally.written_tokens[account.name]),
        "kept": (account.kept, len(tally.kept.get(account.name, ()))),
        "removed": ({r: n for r, n in account.removed.items() if n}, removed),
        "removed_tokens": (account.removed_tokens, tally.removed_tokens[account.name]),
        "quarantined": ({r: n for r, n in account.quarantined.items() if n}, quarantined),
        "filtered": ({r: account.filtered.get(r, 0) for r in account.filtered_tokens}, filtered),
        "filtered_tokens": (account.filtered_tokens, filtered_tokens),
        "slots of its files": (account.read, sum(file.slots for file in account.files)),
    }
    for what, (said, counted) in compared.items():
        if said != counted:
            yield f"source {account.name}: {what} is {said} in the manifest and {counted} in the files"
    if account.imbalance():
        yield f"source {account.name}: {account.imbalance()} record slots are unaccounted for"


def _verdict(directory: RunDirectory) -> Iterator[str]:
    try:
        verdict = read_verdict(directory)
    except (OSError, ValidationError) as error:
        yield f"verdict.json cannot be read: {str(error).splitlines()[0]}"
        return
    digest = file_sha256(directory.manifest)
    if verdict.manifest_sha256 != digest:
        yield "verdict.json was given for another manifest; it is void"
        return
    again = judge_directory(directory, verdict.policy, Terms(as_of=verdict.as_of))
    if again.model_copy(update={"version": verdict.version}) != verdict:
        by = "" if again.version == verdict.version else f" by version {again.version} (it is by {verdict.version})"
        yield f"verdict.json does not follow from the evidence{by}; run the gate again"
