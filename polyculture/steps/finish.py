"""Close a run: the manifest, then the verdict, then the report."""

from datetime import date
from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray

from polyculture.corpus.corpus import Corpus, unselected_rows
from polyculture.deduplication.removal import read_removal
from polyculture.errors import PolycultureError
from polyculture.evidence.conservation import conserve
from polyculture.evidence.evidence import read_profile
from polyculture.evidence.last_go import keep_last_go, kept_last_go
from polyculture.evidence.manifest import RunAccounts, RunOrigin, make_manifest
from polyculture.evidence.worth import run_worth
from polyculture.gate import Terms, judge
from polyculture.identity import library_versions
from polyculture.measure.ledger.ledger import read_ledger
from polyculture.measure.repetition.repetition_file import read_repetition
from polyculture.mixture.plan.held_out import HELD_OUT, TWIN
from polyculture.mixture.plan.worth_words import repeat_table, worth_sentences
from polyculture.shards.card import WorthSaid
from polyculture.shards.describe import write_descriptions
from polyculture.steps.hold_out import open_fate
from polyculture.steps.ingest import Accounts
from polyculture.steps.mix import open_plan
from polyculture.steps.session import Session
from polyculture.storage.files import parquet_rows_to, write_bytes, write_text
from polyculture.storage.hashing import file_sha256
from polyculture.storage.messages import plain
from polyculture.storage.run_directory import RunDirectory, is_intact, read_manifest, read_top_up, read_verdict
from schemas.accounts import FileDigest
from schemas.manifest import ExclusionAccount, ValidationAccount
from schemas.removals import RemovalSummary
from schemas.top_up import ParentRun
from schemas.unselected import UNSELECTED_SCHEMA
from schemas.verdict import Verdict

ROWS_AT_ONCE = 100_000


def write_manifest(
    session: Session, accounts: Accounts, shards: list[FileDigest], parent: ParentRun | None = None
) -> None:
    """Balance every source and write the manifest: from here on the run exists."""
    job, workspace = session.job, session.workspace
    corpus = workspace.open_corpus()
    keep_last_go(job.directory, job.last_go)
    is_audit, is_run = job.command == "audit", job.command == "run"
    removal = None if is_audit else read_removal(workspace.removal_path)
    copies = np.zeros(len(corpus), np.int64) if is_audit else workspace.open_copies()
    if removal is not None:
        _write_unselected(session, corpus, removal.is_kept & (copies == 0))
    said = RunAccounts(
        conservation=conserve(job.config, accounts, corpus, removal, copies, job.left_out),
        shards=shards,
        plan=open_plan(job) if is_run else None,
        removals=None if is_audit else workspace.open_account(RemovalSummary),
        exclusions=workspace.open_account(ExclusionAccount) if job.filters else None,
        validation=workspace.open_account(ValidationAccount) if is_run and job.config.validation else None,
        parent=parent,
    )
    command = cast("Literal['run', 'audit', 'top_up']", job.command)  # a pilot has no manifest
    origin = RunOrigin(command, job.config, job.identity, job.digests, library_versions(job.command))
    manifest = make_manifest(job.directory, origin, said)
    if not is_audit:
        described = [*manifest.files, *write_descriptions(manifest, job.directory.root, _worth(job.directory))]
        manifest = manifest.model_copy(update={"files": sorted(described, key=lambda file: file.path)})
    job.directory.seal(manifest.model_dump_json(indent=1) + "\n")


def _write_unselected(session: Session, corpus: Corpus, is_left_out: NDArray[np.bool_]) -> None:
    """Write `unselected/`: every distinct document that the mixture leaves out and no shard holds."""
    folder, fate = session.job.directory.unselected, open_fate(session.job, len(corpus))
    is_left_out = is_left_out & (fate != HELD_OUT)
    for number, name in enumerate(corpus.sources):
        rows = np.flatnonzero(is_left_out & (corpus.source == number))
        if len(rows):
            with parquet_rows_to(folder / f"{name}.parquet", UNSELECTED_SCHEMA) as out:
                for part in np.array_split(rows, -(-len(rows) // ROWS_AT_ONCE)):
                    out.extend(unselected_rows(corpus, part, fate[part] == TWIN))


def _worth(directory: RunDirectory) -> WorthSaid | None:
    """Worth of the mixture, from its ledger."""
    repetition = read_repetition(directory.ledger)
    worth = run_worth(read_ledger(directory.ledger), repetition.rows if repetition is not None else None)
    if worth is None:
        return None
    escaped = worth.model_copy(update={"last_epoch": {plain(name): value for name, value in worth.last_epoch.items()}})
    return WorthSaid(worth_sentences(escaped), repeat_table(worth))


def give_verdict(session: Session) -> Verdict:
    """Judge the run, as of today."""
    verdict = write_verdict(session.job.directory, session.host.now().date())
    for check in verdict.failed():
        session.host.log(check.message)
    session.host.log(f"verdict: {verdict.verdict.value}")
    return verdict


def write_verdict(directory: RunDirectory, as_of: date) -> Verdict:
    """Judge a run by what lies in its directory, and write `verdict.json`.

    Every listed file is checked before its evidence is believed.

    Args:
        directory: of the run.
        as_of: the day that waivers are judged on.

    Raises:
        PolycultureError: a file is not what the manifest lists.
    """
    manifest = read_manifest(directory)
    damaged = [file.path for file in manifest.files if not is_intact(directory.root, file)]
    if damaged:
        raise PolycultureError(
            f"{damaged[0]} is not what the manifest lists ({len(damaged)} such files): "
            f"the run is damaged; delete {directory.root} and run again"
        )
    profile = read_profile(directory, manifest)
    terms = Terms(as_of=as_of, last_go=kept_last_go(directory))
    digest, repetition = file_sha256(directory.manifest), read_repetition(directory.ledger)
    verdict = judge(manifest.config, manifest, digest, profile, terms, repetition)
    write_text(directory.verdict, verdict.model_dump_json(indent=1) + "\n")
    return verdict


def write_report(session: Session) -> None:
    """Render the report from manifest, ledger and verdict."""
    from polyculture.report.render import render_report  # noqa: PLC0415 -- figures, which a judge of a run needs not

    directory = session.job.directory
    manifest = read_manifest(directory)
    profile, verdict = read_profile(directory, manifest), read_verdict(directory)
    for name, content in render_report(manifest, profile, verdict, read_top_up(directory, manifest)).items():
        write_bytes(directory.report / name, content)
