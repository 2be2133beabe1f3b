"""How much memory this process may use."""

import os
from pathlib import Path

_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")  # of control groups 2 and 1


def corpus_memory_bytes() -> int:
    """Half of the machine's memory, or of what its control group allows: a corpus within it stays in the page cache."""
    most = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for limit in map(Path, _LIMITS):
        text = limit.read_text().strip() if limit.is_file() else "max"
        most = min(most, int(text)) if text.isdigit() else most
    return most // 2
