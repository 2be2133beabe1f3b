"""Forecast the corpus that is planned from the documents that were read."""

from polyculture.steps import pilot as step
from tasks.progress import as_task

forecast = as_task(step.forecast)
