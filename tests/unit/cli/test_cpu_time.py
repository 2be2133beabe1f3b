import subprocess
import sys
import time
from pathlib import Path

import pytest

from cli.cpu_time import tree_cpu_seconds

BUSY = "import time\nwhile time.process_time() < .6: pass\nprint('done', flush=True)\ninput()"
PARENT = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {BUSY!r}])"


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="living processes are listed on Linux alone")
@pytest.mark.parametrize("code", [BUSY, PARENT])
def test_living_children_and_theirs_count_and_still_do_when_they_have_ended(code: str) -> None:
    before, start = tree_cpu_seconds(), time.process_time()
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "done\n"
    alive = tree_cpu_seconds() - before - (time.process_time() - start)
    child.communicate("\n")
    ended = tree_cpu_seconds() - before - (time.process_time() - start)
    assert alive >= 0.55
    assert ended >= alive - 0.05
