"""A publisher that is killed at any step: no reader sees a run before it is whole, and the same command ends it."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from polyculture.errors import ConfigError
from polyculture.publish.copy import publish_files
from polyculture.publish.stores import FolderStore
from polyculture.shards.reader import ShardReader
from tests.support.processes import ROOT
from tests.unit.publish.test_copy import a_run, quiet

pytestmark = pytest.mark.long

# Dies at the n-th call of those that make a file durable, visible or whole; ends if there are fewer.
PROGRAM = """
import os, signal, sys
from pathlib import Path
from polyculture.storage.run_directory import read_manifest
from polyculture.publish import stores
from polyculture.publish.copy import publish_files
from polyculture.storage.run_directory import RunDirectory

left = int(sys.argv[3])

def dying(call):
    def counted(*arguments, **options):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*arguments, **options)
    return counted

stores._sync, os.link, Path.replace = dying(stores._sync), dying(os.link), dying(Path.replace)
directory = RunDirectory(Path(sys.argv[1]))
publish_files(directory, read_manifest(directory), stores.FolderStore(Path(sys.argv[2])), None, lambda *_: None)
"""


def test_killed_at_every_step_it_ends_whole(tmp_path: Path) -> None:
    directory, manifest = a_run(tmp_path / "run", [5, 4])
    for step in range(1, 100):
        target = tmp_path / f"to{step}"
        command = [sys.executable, "-c", PROGRAM, directory.root, target, str(step)]
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if ended.returncode == 0:
            break
        assert ended.returncode == -signal.SIGKILL, ended.stderr
        if not (target / "manifest.json").exists():
            with pytest.raises(ConfigError, match="not a finished run"):
                ShardReader(target)
        publish_files(directory, manifest, FolderStore(target), None, quiet)
        reader = ShardReader(target)
        reader.verify()
        assert len(list(reader)) == 9
        assert list(target.rglob(".tmp-*")) == []
    assert step > 15  # claim, two shards, verdict and manifest, three calls each
