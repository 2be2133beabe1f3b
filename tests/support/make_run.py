"""A finished run: `python -m tests.support.make_run CONFIG OUT`, some three seconds for a small corpus."""

import os
import subprocess
import sys
from pathlib import Path

from polyculture.compute.in_process import InProcess
from polyculture.steps.jobs.curate import curate
from polyculture.steps.open import opened
from polyculture.steps.session import Quiet
from schemas.verdict import Verdict
from tests.support.corpora import expanded_texts, write_config, write_jsonl_gz
from tests.support.processes import ROOT
from tests.support.topics import varied_texts


def finished_run(config: Path, out: Path, **environment: str) -> Path:
    """The run directory of a configuration, run in a process of its own."""
    command = [sys.executable, "-m", "tests.support.make_run", str(config), str(out)]
    settings = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **environment}
    done = subprocess.run(command, env=settings, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


def long_texts(count: int, seed: int) -> list[str]:
    """English texts of some 200 tokens, each about topics of its own."""
    parts = (varied_texts(count, seed + 100 * part) for part in range(4))
    return [" ".join(texts) for texts in zip(*parts, strict=True)]


def small_run(folder: Path, name: str = "demo-curated") -> Path:
    """A run of three sources, one of them repetitive, at `folder/runs/NAME`."""
    write_jsonl_gz(folder / "a.jsonl.gz", long_texts(60, 1), license="CC0-1.0")
    write_jsonl_gz(folder / "b.jsonl.gz", long_texts(40, 2), license="MIT")
    write_jsonl_gz(folder / "c.jsonl.gz", expanded_texts(8, 6, 3), license="MIT", prompt="<b>p</b>")
    sources = [
        {"name": name, "kind": kind, "paths": [f"{name}.jsonl.gz"], "language": "en"}
        for name, kind in (("a", "web"), ("b", "expert"), ("c", "synthetic"))
    ]
    config = {"name": name, "sources": sources, "measure": {"probes": 60}}
    return finished_run(write_config(folder, config), folder / "runs" / name)


def run_here(config: Path, out: Path) -> Verdict:
    """A run in this process alone."""
    with opened("run", config, out, InProcess(), lambda _: Quiet()) as session:
        return curate(session)


if __name__ == "__main__":
    run_here(Path(sys.argv[1]), Path(sys.argv[2]))
