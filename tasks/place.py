"""Where a job writes its shards, and how much memory it may use for that."""

import os
from functools import partial
from pathlib import Path

from polyculture.executor import Executor
from polyculture.job import Job
from polyculture.shards.group import Place
from tasks.progress import report

_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")  # of control groups 2 and 1


def place_of(job: Job, executor: Executor) -> Place:
    """The run directory of a job, and the workers that write to it."""
    return Place(job.directory, job.identity, executor, corpus_memory_bytes(), partial(report, "laid out"))


def corpus_memory_bytes() -> int:
    """Half of the machine's memory, or of what its control group allows: a corpus within it stays in the page cache."""
    most = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for limit in map(Path, _LIMITS):
        text = limit.read_text().strip() if limit.is_file() else "max"
        most = min(most, int(text)) if text.isdigit() else most
    return most // 2
