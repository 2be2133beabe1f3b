"""Read every source's files into partitions, then settle all documents into one index."""

from collections import Counter
from collections.abc import Sequence

from prefect import task
from prefect.cache_policies import NO_CACHE

from polyculture.compute.local import Executor
from polyculture.corpus.corpus import build_index
from polyculture.corpus.filtered import account_exclusions
from polyculture.corpus.ingest import documents_read, ingest_partition, quarantine_row
from polyculture.evidence.conservation import settle_conflicts, settle_filtered
from polyculture.job import Job
from polyculture.storage.files import parquet_rows_to
from schemas.manifest import FileAccount
from schemas.quarantined import QUARANTINED_SCHEMA
from tasks.progress import Stopwatch, log
from tasks.store import (
    all_partitions,
    documents_folder,
    documents_path,
    filtering,
    read_quarantined,
    write_exclusions,
    write_index,
)

Accounts = dict[str, list[FileAccount]]


@task(task_run_name="ingest {source}", cache_policy=NO_CACHE)
def ingest_source(job: Job, source: str, executor: Executor) -> list[FileAccount]:
    """Read the partitions of a source that are not already read; returns an account per file."""
    watch = Stopwatch()
    partitions = job.partitions(source)
    done = {p.name: job.directory.finished_step(f"ingest-{p.name}", job.identity) for p in partitions}
    missing = [partition for partition in partitions if done[partition.name] is None]
    folder, seed = documents_folder(job.directory), job.config.seed
    calls = [(partition, job.config.limits, job.tokenizer, folder, seed) for partition in missing]
    for partition, (accounts, files) in zip(missing, executor.run(ingest_partition, calls), strict=True):
        result: dict[str, object] = {"files": [account.model_dump() for account in accounts]}
        job.directory.commit_step(f"ingest-{partition.name}", job.identity, files, result)
        done[partition.name] = result
    found = [file for partition in partitions for file in _accounts(done[partition.name])]
    documents, slots = sum(file.documents for file in found), sum(file.slots for file in found)
    log(f"{source}: {documents:,} documents of {slots:,} record slots in {len(found)} files, {watch.seconds:.1f} s")
    return found


def count_documents(job: Job) -> int:
    """Documents read so far, over all sources."""
    folder = documents_folder(job.directory)
    return sum(documents_read(folder, partition) for _, partition in all_partitions(job))


def _accounts(result: dict[str, object] | None) -> list[FileAccount]:
    files = result["files"] if result else []
    return [FileAccount.model_validate(file) for file in files] if isinstance(files, list) else []


@task(cache_policy=NO_CACHE)
def settle_documents(job: Job, accounts: Sequence[tuple[str, list[FileAccount]]]) -> Accounts:
    """Settle ids over all partitions, and write index, `filtered/` and `quarantined/`; returns the settled accounts."""
    partitions = all_partitions(job)
    paths = [(number, documents_path(job, partition)) for number, partition in partitions]
    found = build_index(paths, filtering(job))
    index, conflicts = found.index, found.conflicts
    write_index(job, index)
    account = account_exclusions(job.filters, found.filtered)
    if account is not None:
        write_exclusions(job, account)
        log(f"{sum(account.documents.values()):,} documents kept out; {account.unmatched:,} entries named none")
    settled: Accounts = {}
    for number, (name, files) in enumerate(sorted(accounts)):
        mine = [(file, rejection) for source, file, rejection in conflicts if source == number]
        out = found.filtered.counts.get(number, {})
        settled[name] = settle_filtered(settle_conflicts(files, Counter(file for file, _ in mine)), out)
        with parquet_rows_to(job.directory.quarantined / f"{name}.parquet", QUARANTINED_SCHEMA) as quarantined:
            for _, partition in (found for found in partitions if found[0] == number):
                for table in read_quarantined(job, partition):
                    quarantined.extend(table)
            for file, rejection in mine:
                quarantined.append(quarantine_row(name, file, rejection))
    log(f"{index.num_rows:,} documents, {len(conflicts):,} with an id that another text already has")
    return settled
