"""Read every source's files into partitions, then settle all documents into one index."""

from polyculture.steps import ingest as step
from polyculture.steps.ingest import Accounts, count_documents
from tasks.progress import as_task

__all__ = ["Accounts", "count_documents", "ingest_source", "settle_documents"]

ingest_source = as_task(step.ingest_source, task_run_name="ingest {source}")
settle_documents = as_task(step.settle_documents)
