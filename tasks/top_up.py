"""The steps that only a top-up has: what the parent holds, what to choose, and how broad each way on is."""

from polyculture.steps import top_up as step
from tasks.progress import as_task

add_parent_attributes = as_task(step.add_parent_attributes)
index_parent = as_task(step.index_parent)
leave_out_known = as_task(step.leave_out_known)
choose = as_task(step.choose)
compare = as_task(step.compare)
write_continuation = as_task(step.write_continuation)
