"""Hold documents out of training, and their twins with them."""

from polyculture.steps import hold_out as step
from tasks.progress import as_task

hold_out = as_task(step.hold_out)
