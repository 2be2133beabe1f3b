"""Close a run: the manifest, then the verdict, then the report."""

import unicodedata
from datetime import UTC, datetime

import numpy as np
from prefect import task
from prefect.cache_policies import NO_CACHE

from polyculture import __version__
from polyculture.errors import PolycultureError
from polyculture.evidence.conservation import conserve
from polyculture.evidence.evidence import read_profile
from polyculture.evidence.last_go import keep_last_go, kept_last_go
from polyculture.gate import Terms, judge
from polyculture.job import Job, library_versions
from polyculture.measure.ledger.ledger import read_header
from polyculture.report.render import render_report
from polyculture.shards.describe import write_descriptions
from polyculture.storage.files import file_digest, parquet_rows, write_bytes, write_text
from polyculture.storage.hashing import file_sha256
from polyculture.storage.run_directory import RunDirectory, is_intact, read_manifest, read_top_up, read_verdict
from schemas.manifest import FileDigest, Manifest
from schemas.top_up import ParentRun
from schemas.verdict import Verdict
from tasks.ingest import Accounts
from tasks.progress import log
from tasks.store import (
    open_copies,
    open_corpus,
    open_decision,
    open_exclusions,
    open_plan,
    open_removal_summary,
    open_validation,
)


@task(cache_policy=NO_CACHE)
def write_manifest(job: Job, accounts: Accounts, shards: list[FileDigest], parent: ParentRun | None = None) -> None:
    """Balance every source and write the manifest: from here on the run exists."""
    corpus = open_corpus(job)
    keep_last_go(job.directory, job.last_go)
    is_run = job.command != "audit"
    removal = open_decision(job) if is_run else None
    copies = open_copies(job) if is_run else np.zeros(len(corpus), np.int64)
    conservation = conserve(job.config, accounts, corpus, removal, copies)
    folders = [job.directory.filtered, job.directory.quarantined, job.directory.ledger]
    folders += [job.directory.removed] if is_run else []
    found = sorted(path for folder in folders for path in folder.iterdir() if path.is_file())
    found += [job.directory.top_up] if parent is not None else []
    found += [job.directory.plan] if job.command == "run" else []
    digests = [file_digest(path, job.directory.root, parquet_rows(path)) for path in found]
    manifest = Manifest(
        command=job.command,
        name=job.config.name,
        identity_sha256=job.identity,
        config=job.config,
        config_sha256=job.digests["config"],
        code_sha256=job.digests["code"],
        version=__version__,
        python_unicode=unicodedata.unidata_version,
        libraries=library_versions(),
        tokenizer_sha256=job.digests["tokenizer"],
        language_model_sha256=job.digests["language_model"],
        encoder=read_header(job.directory.ledger).encoder,
        plan=open_plan(job) if job.command == "run" else None,
        removals=open_removal_summary(job) if is_run else None,
        exclusions=open_exclusions(job),
        parent=parent,
        validation=open_validation(job) if job.command == "run" else None,
        conservation=conservation,
        files=sorted([*digests, *shards], key=lambda file: file.path),
    )
    if is_run:
        described = [*manifest.files, *write_descriptions(manifest, job.directory.root)]
        manifest = manifest.model_copy(update={"files": sorted(described, key=lambda file: file.path)})
    job.directory.seal(manifest.model_dump_json(indent=1) + "\n")


@task(cache_policy=NO_CACHE)
def give_verdict(directory: RunDirectory) -> Verdict:
    """Judge a run by what lies in its directory: every listed file is checked before its evidence is believed."""
    manifest = read_manifest(directory)
    damaged = [file.path for file in manifest.files if not is_intact(directory.root, file)]
    if damaged:
        raise PolycultureError(
            f"{damaged[0]} is not what the manifest lists ({len(damaged)} such files): "
            f"the run is damaged; delete {directory.root} and run again"
        )
    profile = read_profile(directory, manifest)
    terms = Terms(as_of=datetime.now(UTC).date(), last_go=kept_last_go(directory))
    verdict = judge(manifest.config, manifest, file_sha256(directory.manifest), profile, terms)
    write_text(directory.verdict, verdict.model_dump_json(indent=1) + "\n")
    for check in verdict.failed():
        log(check.message)
    log(f"verdict: {verdict.verdict.value}")
    return verdict


@task(cache_policy=NO_CACHE)
def write_report(directory: RunDirectory) -> None:
    """Render the report from manifest, ledger and verdict."""
    manifest = read_manifest(directory)
    verdict = read_verdict(directory)
    profile = read_profile(directory, manifest)
    top_up = read_top_up(directory, manifest)
    for name, content in render_report(manifest, profile, verdict, top_up).items():
        write_bytes(directory.report / name, content)
