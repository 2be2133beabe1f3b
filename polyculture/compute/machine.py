"""The machine as this process may use it: processors, open files, and semaphores between processes."""

import math
import multiprocessing
import os
import resource
from collections.abc import Iterator
from pathlib import Path


def usable_cpus(root: Path = Path("/")) -> int:
    """Processors that this process may keep busy: by affinity, and by the quota of its control group.

    Args:
        root: where `proc` and `sys` lie.

    Returns:
        At least 1. A quota of one and a half counts as two.
    """
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([affinity, *(math.ceil(quota) for quota in _quotas(root))]))


def _quotas(root: Path) -> Iterator[float]:
    """Processors that each control group above this process allows, of version 1 and 2."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        names = controllers.split(",")
        if not controllers:
            mounts, read = [root / "sys/fs/cgroup", root / "sys/fs/cgroup/unified"], _quota_of_2
        elif "cpu" in names:
            mounts, read = [root / "sys/fs/cgroup" / controllers, root / "sys/fs/cgroup/cpu"], _quota_of_1
        else:
            continue
        group = Path(path.lstrip("/"))
        for mount in mounts:
            for folder in (mount / group, *(mount / parent for parent in group.parents)):
                try:
                    quota = read(folder)
                except (OSError, ValueError):
                    continue  # not mounted here, or no limit
                if quota > 0:
                    yield quota


def _quota_of_2(folder: Path) -> float:
    quota, period = (folder / "cpu.max").read_text().split()
    return int(quota) / int(period)


def _quota_of_1(folder: Path) -> float:
    period = int((folder / "cpu.cfs_period_us").read_text())
    return int((folder / "cpu.cfs_quota_us").read_text()) / period if period else 0.0


def raise_file_limit() -> int:
    """Raise this process's limit on open files as far as it may; returns the limit, and so do processes started later.

    A limit that cannot be raised stays.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == hard:
        return hard if hard != resource.RLIM_INFINITY else MOST_FILES
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError):
            return soft
        return wanted
    return soft if soft != resource.RLIM_INFINITY else MOST_FILES


MOST_FILES = 65_536  # more than any step opens; a million slows down the start of processes elsewhere


def why_no_workers() -> str | None:
    """Say why worker processes cannot be had here; None if they can.

    They need semaphores, which Linux keeps in /dev/shm.
    """
    try:
        multiprocessing.get_context("fork").Lock()
    except (OSError, ImportError) as error:
        why = getattr(error, "strerror", None) or str(error)
        return f"no semaphores between processes can be made ({why}; on Linux they lie in /dev/shm)"
    return None
