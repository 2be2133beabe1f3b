"""Plant the canary: a source of known redundancy that is measured and never written."""

from polyculture.steps import canary as step
from tasks.progress import as_task

write_canary = as_task(step.write_canary)
