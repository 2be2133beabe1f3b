"""Read every source's files into partitions, then settle all documents into one index."""

from collections import Counter
from collections.abc import Sequence

from polyculture.compute.watchdog import forget_notes
from polyculture.corpus.corpus import build_index
from polyculture.corpus.filtered import account_exclusions
from polyculture.corpus.ingest import documents_read, ingest_partition, quarantine_row, watch_path
from polyculture.corpus.workspace import Workspace
from polyculture.evidence.conservation import settle_conflicts, settle_filtered
from polyculture.steps.session import Session
from polyculture.storage.files import parquet_rows_to
from schemas.accounts import FileAccount
from schemas.quarantined import QUARANTINED_SCHEMA

Accounts = dict[str, list[FileAccount]]


def ingest_source(session: Session, source: str) -> list[FileAccount]:
    """Read the partitions of a source that are not already read; returns an account per file."""
    watch, job = session.timed(), session.job
    partitions = session.workspace.partitions_of(source)
    keys = {partition.name: job.partition_key(partition) for partition in partitions}
    done = {name: job.directory.finished_step(f"ingest-{name}", key) for name, key in keys.items()}
    missing = [partition for partition in partitions if done[partition.name] is None]
    folder, seed = session.workspace.documents, job.config.seed
    for partition in missing:
        forget_notes(watch_path(folder, partition))
    calls = [(partition, job.config.limits, job.tokenizer, folder, seed) for partition in missing]
    for partition, (accounts, files) in zip(missing, session.executor.run(ingest_partition, calls), strict=True):
        result: dict[str, object] = {"files": [account.model_dump() for account in accounts]}
        job.directory.commit_step(f"ingest-{partition.name}", keys[partition.name], files, result)
        done[partition.name] = result
    found = [file for partition in partitions for file in _accounts(done[partition.name])]
    documents, slots = sum(file.documents for file in found), sum(file.slots for file in found)
    watch.log(f"{source}: {documents:,} documents of {slots:,} record slots in {len(found)} files")
    return found


def count_documents(workspace: Workspace) -> int:
    """Documents read so far, over all sources."""
    return sum(documents_read(workspace.documents, partition) for _, partition in workspace.partitions)


def _accounts(result: dict[str, object] | None) -> list[FileAccount]:
    files = result["files"] if result else []
    return [FileAccount.model_validate(file) for file in files] if isinstance(files, list) else []


def settle_documents(session: Session, accounts: Sequence[tuple[str, list[FileAccount]]]) -> Accounts:
    """Settle ids over all partitions, and write index, `filtered/` and `quarantined/`; returns the settled accounts."""
    job, workspace = session.job, session.workspace
    partitions = workspace.partitions
    paths = [(number, workspace.documents_path(partition)) for number, partition in partitions]
    found = build_index(paths, workspace.filtering(job.filters))
    workspace.write_index(found.index)
    account = account_exclusions(job.filters, found.filtered)
    if account is not None:
        workspace.write_account(account)
        session.host.log(
            f"{sum(account.documents.values()):,} documents kept out; {account.unmatched:,} entries named none"
        )
    settled: Accounts = {}
    for number, (name, files) in enumerate(sorted(accounts)):
        mine = [(file, rejection) for source, file, rejection in found.conflicts if source == number]
        out = found.filtered.counts.get(number, {})
        settled[name] = settle_filtered(settle_conflicts(files, Counter(file for file, _ in mine)), out)
        with parquet_rows_to(job.directory.quarantined / f"{name}.parquet", QUARANTINED_SCHEMA) as quarantined:
            for partition in workspace.partitions_of(name):
                for table in workspace.read_quarantined(partition):
                    quarantined.extend(table)
            for file, rejection in mine:
                quarantined.append(quarantine_row(name, file, rejection))
    session.host.log(
        f"{found.index.num_rows:,} documents, {len(found.conflicts):,} with an id that another text already has"
    )
    return settled
