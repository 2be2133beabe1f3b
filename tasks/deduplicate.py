"""Find duplicates over the union of all sources, and write what leaves."""

from polyculture.steps import deduplicate as step
from tasks.progress import as_task

shingle = as_task(step.shingle)
deduplicate = as_task(step.deduplicate)
write_removed = as_task(step.write_removed)
