"""Work out what signals say of every document: embeddings, keys of skeletons, words."""

from polyculture.steps import attributes as step
from tasks.progress import as_task

add_attributes = as_task(step.add_attributes)
