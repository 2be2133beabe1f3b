import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from polyculture.compute import machine
from polyculture.compute.executor import local_workers
from polyculture.compute.in_process import InProcess
from polyculture.compute.machine import usable_cpus
from tests.support.processes import ROOT


@pytest.fixture
def many_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)))


GROUPS = {
    "no groups": ({}, 16),
    "version 2": ({"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/cpu.max": "250000 100000\n"}, 3),
    "version 2, limited above": (
        {
            "proc/self/cgroup": "0::/a/b\n",
            "sys/fs/cgroup/a/b/cpu.max": "max 100000\n",
            "sys/fs/cgroup/a/cpu.max": "200000 100000\n",
        },
        2,
    ),
    "version 2 in a container": ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "50000 100000\n"}, 1),
    "version 2, no limit": ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n"}, 16),
    "version 1": (
        {
            "proc/self/cgroup": "5:memory:/x\n4:cpu,cpuacct:/x\n",
            "sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_quota_us": "400000\n",
            "sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_period_us": "100000\n",
        },
        4,
    ),
    "version 1, no limit": (
        {
            "proc/self/cgroup": "4:cpu:/\n",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
        },
        16,
    ),
    "nonsense": ({"proc/self/cgroup": "x\n0::/\n", "sys/fs/cgroup/cpu.max": "much\n"}, 16),
    "a larger quota": ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "6400000 100000\n"}, 16),
}


@pytest.mark.usefixtures("many_cpus")
@pytest.mark.parametrize("name", GROUPS)
def test_processors_are_those_that_affinity_and_control_groups_allow(tmp_path: Path, name: str) -> None:
    files, expected = GROUPS[name]
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    assert usable_cpus(tmp_path) == expected


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity")
def test_a_process_that_is_bound_to_one_processor_has_one_worker() -> None:
    program = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "from polyculture.compute.executor import local_workers; print(local_workers(None).workers)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"


def test_a_low_limit_of_open_files_is_raised_to_the_hard_one() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    most = machine.MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, machine.MOST_FILES)
    program = (
        f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (64, {hard}))\n"
        "from polyculture.compute.machine import raise_file_limit\n"
        "print(raise_file_limit(), resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(most)] * 2


def test_without_semaphores_the_work_is_done_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    class Context:
        def Lock(self) -> None:  # noqa: N802 -- multiprocessing's name
            raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(machine.multiprocessing, "get_context", lambda _: Context())
    assert "No such file" in str(machine.why_no_workers())
    assert isinstance(local_workers(3), InProcess)
    assert local_workers(3).workers == 3
