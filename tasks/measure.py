"""Measure the full corpus at every stage, and write the ledger."""

from polyculture.steps import measure as step
from tasks.progress import as_task

measure = as_task(step.measure)
measure_words = as_task(step.measure_words)
