"""Plan the mixture, and write its shards."""

from polyculture.steps import mix as step
from tasks.progress import as_task

plan_mixture = as_task(step.plan_mixture)
write_mixture = as_task(step.write_mixture)
